/**
 * A container as of one epoch: what a reader sees, whatever writers do meanwhile.
 *
 * The view of a transaction remembers what is read of it, and shows the transaction's own writes on top.
 * What own writes hide is not read, and not remembered.
 *
 * Longer than 500 lines: all that a view reads is here, each call with its contract.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { ARRAY_READERS_CACHED_MAX, OFFSET_MAX } from "../limits.js";
import { metrics } from "../metrics/process-metrics.js";
import { type Anchor, decodeAnchor } from "../vos/anchor.js";
import { byteArray, windowRanges } from "../vos/array-address.js";
import type { ArrayReader, MappedFragment, Overlay } from "../vos/array-reader.js";
import type { OffsetRange } from "../vos/damage.js";
import type { Epoch } from "../vos/epoch.js";
import {
  type FoundArray,
  scatterRecords,
  scatterValue,
  windowReader,
  writtenRanges,
} from "../vos/fetch.js";
import type { DkeyEntry, KeyList, KeyView, ListedKeys, ListOptions } from "../vos/key-view.js";
import {
  bytesOfCopyable,
  type CopyableValue,
  isLongValue,
  type LongValue,
} from "../vos/long-value.js";
import { checkKey } from "../vos/names.js";
import { formatOid, type ObjectId, oidOfBytes } from "../vos/object-id.js";
import type { OwnLayer } from "../vos/own-layer.js";
import { Pattern, type PatternRange, wholeOf } from "../vos/pattern.js";
import type { Pin } from "../vos/pins.js";
import { OBJECT_ID_MAX, type ReadSet } from "../vos/read-set.js";
import { RecentMap } from "../vos/recent-map.js";
import { type AkeyFetch, type AkeyFetched, checkRanges, type RecordRange } from "../vos/records.js";
import type { Target } from "../vos/target.js";
import type { Transaction } from "../vos/transaction.js";
import { firstListed, sizeOfValues, type ValueListOptions } from "../vos/value-list.js";
import { type AkeyName, type FoundRecords, RecordArrays } from "./record-arrays.js";

const NO_KEY = new Uint8Array();
/** What names the bytes of a byte array. */
const BYTES = { dkey: NO_KEY, akey: NO_KEY, window: 0 };

/** The transaction that a view belongs to. */
export interface ViewOwner {
  /** Its writes, which the view shows; `undefined` for one that only reads. */
  readonly own: Transaction | undefined;
  /** Learns what is read. */
  readonly reads: ReadSet;
}

/** A pinned version of a container. Close it, so that its space can be reclaimed. */
export class ContainerView {
  readonly #target: Target;
  readonly #container: number;
  readonly #pin: Pin;
  readonly #own: Transaction | undefined;
  readonly #reads: ReadSet | undefined;
  readonly #arrays = new RecentMap<ObjectId, ArrayReader>(ARRAY_READERS_CACHED_MAX);
  readonly #keys: KeyView;
  readonly #records: RecordArrays;
  /** The keys with the changes of the transaction that was named last. */
  #layer: { readonly own: Transaction; readonly keys: OwnLayer } | undefined;

  /** @param owner The transaction that the view is of, if there is one. */
  constructor(target: Target, container: number, pin: Pin, owner?: ViewOwner) {
    this.#target = target;
    this.#container = container;
    this.#pin = pin;
    this.#own = owner?.own;
    this.#reads = owner?.reads;
    this.#keys = target.keys(container, pin.epoch);
    const version = { container, epoch: pin.epoch, reads: this.#reads };
    this.#records = new RecordArrays(target, this.#keys, version);
  }

  /** The epoch that the view shows. */
  get epoch(): Epoch {
    return this.#pin.epoch;
  }

  /** Whether aggregation keeps what the view shows: it does not for a user who may only read. @internal */
  get isHeld(): boolean {
    return this.#pin.isHeld;
  }

  #array(oid: ObjectId): ArrayReader {
    let reader = this.#arrays.get(oid);
    if (reader === undefined) {
      const since = this.#keys.state(oid).punched;
      reader = this.#target.array(byteArray(this.#container, oid), { epoch: this.epoch, since });
      this.#arrays.set(oid, reader);
    }
    return reader;
  }

  /** The keys with the changes of a transaction on top, if it made any. */
  #keysWith(own: Transaction | undefined): KeyView {
    if (own === undefined || own.isEmpty) return this.#keys;
    if (this.#layer?.own !== own) {
      this.#layer = { own, keys: this.#target.ownLayer(own, this.epoch) };
    }
    return this.#layer.keys.keys();
  }

  /** Remembers that bytes of a byte array were read, unless own writes hide what is committed. */
  #noteBytes(oid: ObjectId, range: PatternRange, overlay: Overlay | undefined): void {
    if (overlay?.hides !== true) this.#reads?.array(oid, BYTES, range);
  }

  /**
   * One past the last byte written to an array, in bytes; 0 if nothing was.
   *
   * @param own A transaction of this process whose writes are seen too.
   */
  arraySize(oid: ObjectId, own = this.#own): number {
    const overlay = own?.overlay(oid);
    const size = this.#array(oid).size(overlay);
    // It changes if something is written behind it, or the last byte is punched.
    const tail = Pattern.contiguous(Math.max(0, size - 1), OFFSET_MAX);
    this.#noteBytes(oid, wholeOf(tail), overlay);
    return size;
  }

  /**
   * Reads a range of an array into `target`, packed; bytes never written become 0.
   *
   * @param target At least as large as the range.
   * @param own A transaction of this process whose writes are seen too.
   * @throws {@link DaosError} `DER_CSUM` if stored bytes are damaged.
   */
  readArray(oid: ObjectId, range: PatternRange, target: Uint8Array, own = this.#own): void {
    metrics.reads.add(1);
    metrics.readBytes.add(range.to - range.from);
    const overlay = own?.overlay(oid);
    this.#noteBytes(oid, range, overlay);
    this.#array(oid).read(range, target, overlay);
  }

  /** As {@link readArray}, but bytes never written leave `target` as it is. */
  readWritten(oid: ObjectId, range: PatternRange, target: Uint8Array, own = this.#own): void {
    metrics.reads.add(1);
    metrics.readBytes.add(range.to - range.from);
    const overlay = own?.overlay(oid);
    this.#noteBytes(oid, range, overlay);
    this.#array(oid).read(range, target, overlay, true);
  }

  /** Bytes `[start, end)` of an array, in a new buffer. */
  readBytes(oid: ObjectId, start: number, end: number): Uint8Array {
    const target = new Uint8Array(end - start);
    if (end > start) this.readArray(oid, wholeOf(Pattern.contiguous(start, end)), target);
    return target;
  }

  /**
   * The committed bytes of a range of an array where they lie in the pool's files, mapped and verified: no copy. The
   * memory stays valid, and its segments in use, as long as something refers to it. It is to be read: a store
   * reaches other readers in this process, though neither the pool nor other processes.
   *
   * @returns Fragments in order; `bytes` is `undefined` for what was never written.
   */
  mapArray(oid: ObjectId, range: PatternRange): MappedFragment[] {
    metrics.reads.add(1);
    metrics.readBytes.add(range.to - range.from);
    this.#noteBytes(oid, range, undefined);
    return this.#array(oid).mapped(range);
  }

  /** Bytes `[start, end)` as {@link mapArray} has them, if they lie in one piece; else `undefined`. */
  mapBytes(oid: ObjectId, start: number, end: number): Uint8Array | undefined {
    if (end <= start) return new Uint8Array(0);
    const fragments = this.mapArray(oid, wholeOf(Pattern.contiguous(start, end)));
    return fragments.length === 1 ? fragments[0]?.bytes : undefined;
  }

  /**
   * The ranges `[start, end)` of a byte array that were written and not punched, sorted and joined.
   *
   * @param bounds Which offsets are looked at, `[start, end)`.
   */
  writtenRanges(oid: ObjectId, bounds: OffsetRange, own = this.#own): OffsetRange[] {
    const { start, end } = bounds;
    if (start >= end) return [];
    const overlay = own?.overlay(oid);
    this.#noteBytes(oid, wholeOf(Pattern.contiguous(start, end)), overlay);
    return writtenRanges(windowReader(this.#array(oid), overlay), start, end);
  }

  /** The incarnation that a write to the array belongs to that the view shows: the view's epoch. */
  incarnation(_oid: ObjectId): Epoch {
    return this.epoch;
  }

  /**
   * The epoch of the newest change of an object: of a key, of bytes, or a punch; `undefined` if there is
   * none. Own writes have none yet.
   */
  newestChange(oid: ObjectId): Epoch | undefined {
    this.#reads?.object(oid);
    return this.#keys.newestChange(oid);
  }

  /**
   * A single value, or `undefined`. One of more than 4 KiB is read from the log: {@link fetch} puts it into
   * buffers, {@link valueSize} only asks how large it is.
   *
   * @throws {@link DaosError} `DER_CSUM` if stored bytes are damaged.
   */
  getValue(
    oid: ObjectId,
    dkey: Uint8Array,
    akey: Uint8Array,
    own = this.#own,
  ): Uint8Array | undefined {
    metrics.fetches.add(1);
    const change = own?.ownValue(oid, dkey, akey);
    if (change !== undefined) return change.value;
    if (own?.hides(oid, dkey)) return undefined;
    this.#reads?.value(oid, dkey, akey);
    const stored = this.#keys.getValue(oid, dkey, akey);
    return stored === undefined || !isLongValue(stored)
      ? stored
      : bytesOfCopyable(this.#long(oid, stored));
  }

  /** Bytes of a single value, which is not read; `undefined` if there is none. */
  valueSize(
    oid: ObjectId,
    dkey: Uint8Array,
    akey: Uint8Array,
    own = this.#own,
  ): number | undefined {
    metrics.fetches.add(1);
    return this.#findValue(oid, dkey, akey, own)?.size;
  }

  /** A single value, of which nothing is read yet; good until the next call. */
  #findValue(
    oid: ObjectId,
    dkey: Uint8Array,
    akey: Uint8Array,
    own: Transaction | undefined,
  ): CopyableValue | undefined {
    const change = own?.ownValue(oid, dkey, akey);
    if (change !== undefined) return change.copyable;
    if (own?.hides(oid, dkey)) return undefined;
    this.#reads?.value(oid, dkey, akey);
    const found = this.#keys.findValue(oid, dkey, akey);
    return found === undefined || !isLongValue(found) ? found : this.#long(oid, found);
  }

  #long(oid: ObjectId, value: LongValue): CopyableValue {
    return this.#target.value({ container: this.#container, oid }, value);
  }

  /**
   * Fetches akeys of one dkey: single values, their sizes, records of arrays.
   *
   * Records that were never written leave the buffers as they are.
   *
   * @param own A transaction of this process whose writes are seen too.
   * @returns What was found, in the order asked for; `size` 0 for an akey that does not exist.
   * @throws {@link DaosError} `DER_REC2BIG` if a value does not fit its buffers, `DER_INVAL` if buffers
   *   and ranges do not agree or an akey is of the other kind, `DER_CSUM` if stored bytes are damaged.
   *
   * @example
   * ```ts
   * const [name, cells] = view.fetch(oid, dkey, [
   *   { akey: Buffer.from("name") }, // its size only
   *   { akey: Buffer.from("cells"), ranges: [{ index: 0, count: 100 }], into: bytes, map: true },
   * ]);
   * ```
   */
  fetch(
    oid: ObjectId,
    dkey: Uint8Array,
    fetches: readonly AkeyFetch[],
    own = this.#own,
  ): AkeyFetched[] {
    checkKey(oid, "dkey", dkey);
    metrics.fetches.add(fetches.length);
    // Of its final size: a list that grows takes more memory than all the rest.
    const fetched = new Array<AkeyFetched>(fetches.length);
    for (let index = 0; index < fetches.length; index++) {
      fetched[index] = this.#fetchAkey(oid, dkey, fetches[index] as AkeyFetch, own);
    }
    return fetched;
  }

  #fetchAkey(
    oid: ObjectId,
    dkey: Uint8Array,
    fetch: AkeyFetch,
    own: Transaction | undefined,
  ): AkeyFetched {
    const { akey, into } = fetch;
    checkKey(oid, "akey", akey);
    if ("ranges" in fetch) {
      const array = this.#records.find(oid, { dkey, akey }, own);
      if (array === undefined && this.#findValue(oid, dkey, akey, own) !== undefined) {
        throw otherKind(oid, "a single value", "leave the ranges out");
      }
      if (array !== undefined) this.#noteRecords(oid, { dkey, akey }, fetch.ranges, array);
      return scatterRecords(oid, array, fetch);
    }
    const value = this.#findValue(oid, dkey, akey, own);
    // A committed value is no array; what a transaction wrote over it may be.
    const mayBeArray = value === undefined || own !== undefined;
    if (mayBeArray && this.#records.find(oid, { dkey, akey }, own) !== undefined) {
      throw otherKind(oid, "an array", "name ranges of records");
    }
    return scatterValue(oid, value, into);
  }

  #noteRecords(
    oid: ObjectId,
    name: AkeyName,
    ranges: readonly RecordRange[],
    { recordSize, isCommitted }: FoundArray,
  ): void {
    const reads = this.#reads;
    if (reads === undefined || !isCommitted) return;
    for (const { index, count } of checkRanges("Fetching records", ranges)) {
      for (const { window, start, end } of windowRanges(index, count, recordSize)) {
        reads.array(oid, { ...name, window }, wholeOf(Pattern.contiguous(start, end)));
      }
    }
  }

  /**
   * Whether an object exists, or a dkey of it.
   *
   * @param own A transaction of this process whose writes are seen too.
   */
  exists(oid: ObjectId, dkey?: Uint8Array, own = this.#own): boolean {
    if (dkey !== undefined) checkKey(oid, "dkey", dkey);
    if (!own?.hides(oid, dkey ?? NO_KEY)) this.#reads?.exists(oid, dkey ?? NO_KEY);
    return this.#keysWith(own).exists(oid, dkey);
  }

  /** Remembers a part of a list of keys. */
  #noteKeys(
    oid: ObjectId,
    { dkey, own }: { dkey: Uint8Array; own: Transaction | undefined },
    { anchor }: ListOptions,
    listed: ListedKeys,
  ): void {
    if (this.#reads === undefined || own?.hides(oid, dkey)) return;
    const { start, end } = decodeAnchor(dkey.length === 0 ? "dkey" : "akey", anchor);
    this.#reads.keys(oid, dkey, { first: start, last: listed.next ?? end });
  }

  /**
   * The dkeys of an object, in lexical order; integer keys in the order of their numbers.
   *
   * @example
   * ```ts
   * let anchor;
   * do {
   *   const part = view.listDkeys(oid, { limit: 1000, anchor });
   *   for (const dkey of part.keys) console.log(Buffer.from(dkey).toString());
   *   anchor = part.anchor;
   * } while (anchor !== undefined);
   * ```
   */
  listDkeys(oid: ObjectId, options: ListOptions = {}, own = this.#own): KeyList {
    const listed = this.#keysWith(own).listDkeys(oid, options);
    this.#noteKeys(oid, { dkey: NO_KEY, own }, options, listed);
    return { keys: listed.keys, anchor: listed.anchor };
  }

  /**
   * Anchors of at most `parts` parts of the list of dkeys, which readers can list side by side: each
   * dkey is in exactly one. The parts are about equal if keys are spread evenly.
   *
   * @throws {@link DaosError} `DER_INVAL` unless `parts` is a whole number of at least 1.
   */
  splitDkeys(oid: ObjectId, parts: number, own = this.#own): Anchor[] {
    const anchors = this.#keysWith(own).splitDkeys(oid, parts);
    // That there is none is something that was read; else what is listed of the parts is.
    if (anchors.length === 0) this.#reads?.keys(oid, NO_KEY, { first: NO_KEY, last: NO_KEY });
    return anchors;
  }

  /** The akeys of a dkey, in lexical order. */
  listAkeys(oid: ObjectId, dkey: Uint8Array, options: ListOptions = {}, own = this.#own): KeyList {
    checkKey(oid, "dkey", dkey);
    const listed = this.#keysWith(own).listAkeys(oid, dkey, options);
    this.#noteKeys(oid, { dkey, own }, options, listed);
    return { keys: listed.keys, anchor: listed.anchor };
  }

  /** The objects of the container that hold anything, in the order of their ids. */
  listObjects(options: ListOptions = {}, own = this.#own): KeyList<ObjectId> {
    const listed = this.#keysWith(own).listObjects(options);
    if (this.#reads !== undefined) {
      const { start } = decodeAnchor("object", options.anchor);
      const rest = listed.anchor && decodeAnchor("object", listed.anchor).start;
      const last = rest === undefined ? OBJECT_ID_MAX : oidOfBytes(rest);
      this.#reads.objects(start.length === 0 ? 0n : oidOfBytes(start), last);
    }
    return listed;
  }

  /** The dkeys of an object that hold a single value of `akey`, in lexical order, with those values. */
  listValues(oid: ObjectId, options: ValueListOptions, own = this.#own): DkeyEntry[] {
    const listed = this.#keysWith(own).listValues(oid, options);
    if (this.#reads !== undefined && !own?.hides(oid, NO_KEY)) {
      const { akey, limit = Number.POSITIVE_INFINITY, size = Number.POSITIVE_INFINITY } = options;
      const isFull = listed.length >= limit || sizeOfValues(listed) >= size;
      const first = firstListed(options) ?? NO_KEY;
      const last = isFull ? (listed.at(-1)?.dkey ?? first) : NO_KEY;
      if (limit > 0) this.#reads.values(oid, akey, { first, last });
    }
    return listed.map(({ dkey, value: stored }) => {
      if (!isLongValue(stored)) return { dkey, value: stored };
      // What is newer than the version that is read is the transaction's own.
      const parts =
        stored.epoch > this.epoch
          ? own?.ownValue(oid, dkey, options.akey)?.copyable
          : this.#long(oid, stored);
      return { dkey, value: bytesOfCopyable(parts as CopyableValue) };
    });
  }

  /**
   * The ranges of records of an array that were written, in increasing order or from the end.
   *
   * @returns A part of the list; `recordSize` 0 if there is no array under the akey.
   */
  listRecords(
    oid: ObjectId,
    dkey: Uint8Array,
    akey: Uint8Array,
    options: ListOptions & { readonly reverse?: boolean } = {},
    own = this.#own,
  ): FoundRecords {
    return this.#records.list(oid, { dkey, akey }, options, own);
  }

  /** Remembers that there is no key beyond one. */
  #noteQuery(
    oid: ObjectId,
    { dkey, own }: { dkey: Uint8Array; own: Transaction | undefined },
    found: Uint8Array | undefined,
    isMax: boolean,
  ): void {
    if (own?.hides(oid, dkey)) return;
    const key = found ?? NO_KEY;
    const [first, last] = isMax ? [key, NO_KEY] : [NO_KEY, key];
    this.#reads?.keys(oid, dkey, { first, last });
  }

  /** The first or last dkey of an object, or `undefined` if there is none. */
  queryDkey(oid: ObjectId, which: "min" | "max", own = this.#own): Uint8Array | undefined {
    const keys = this.#keysWith(own);
    const isMax = which === "max";
    const found = isMax ? keys.lastDkey(oid) : keys.listDkeys(oid, { limit: 1 }).keys[0];
    this.#noteQuery(oid, { dkey: NO_KEY, own }, found, isMax);
    return found;
  }

  /** The first or last akey of a dkey, or `undefined` if there is none. */
  queryAkey(
    oid: ObjectId,
    dkey: Uint8Array,
    which: "min" | "max",
    own = this.#own,
  ): Uint8Array | undefined {
    checkKey(oid, "dkey", dkey);
    const keys = this.#keysWith(own);
    const isMax = which === "max";
    const found = isMax
      ? keys.lastAkey(oid, dkey)
      : keys.listAkeys(oid, dkey, { limit: 1 }).keys[0];
    this.#noteQuery(oid, { dkey, own }, found, isMax);
    return found;
  }

  /** The first or last record of an array that was written, or `undefined` if there is none. */
  queryRecord(
    oid: ObjectId,
    dkey: Uint8Array,
    akey: Uint8Array,
    which: "min" | "max",
    own = this.#own,
  ): bigint | undefined {
    const options = { limit: 1, reverse: which === "max" };
    const { ranges } = this.#records.list(oid, { dkey, akey }, options, own);
    const [range] = ranges;
    if (range === undefined) return undefined;
    return which === "max" ? range.index + range.count - 1n : range.index;
  }

  /** Lets go of the epoch. Later calls do nothing. */
  close(): void {
    this.#arrays.clear();
    this.#records.clear();
    this.#pin.release();
  }

  /** Closes the view at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function otherKind(oid: ObjectId, holds: string, remedy: string): DaosError {
  const what = `Fetching an akey of object ${formatOid(oid)}`;
  return new DaosError("DER_INVAL", { what, why: `it holds ${holds}`, remedy });
}
