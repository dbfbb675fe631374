/**
 * A container as of one epoch: what a reader sees, whatever writers do meanwhile.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import type { Anchor } from "../vos/anchor.js";
import { byteArray } from "../vos/array-address.js";
import type { ArrayReader } from "../vos/array-reader.js";
import type { OffsetRange } from "../vos/damage.js";
import type { Epoch } from "../vos/epoch.js";
import { scatterRecords, scatterValue, windowReader, writtenRanges } from "../vos/fetch.js";
import type {
  DkeyEntry,
  KeyList,
  KeyView,
  ListOptions,
  ValueListOptions,
} from "../vos/key-view.js";
import { checkKey } from "../vos/names.js";
import { formatOid, type ObjectId } from "../vos/object-id.js";
import { Pattern, type PatternRange, wholeOf } from "../vos/pattern.js";
import type { Pin } from "../vos/pins.js";
import type { AkeyFetch, AkeyFetched } from "../vos/records.js";
import type { Target } from "../vos/target.js";
import type { Transaction } from "../vos/transaction.js";
import { type FoundRecords, RecordArrays } from "./record-arrays.js";

/** A pinned version of a container. Close it, so that its space can be reclaimed. */
export class ContainerView {
  readonly #target: Target;
  readonly #container: number;
  readonly #pin: Pin;
  readonly #arrays = new Map<ObjectId, ArrayReader>();
  readonly #keys: KeyView;
  readonly #records: RecordArrays;

  constructor(target: Target, container: number, pin: Pin) {
    this.#target = target;
    this.#container = container;
    this.#pin = pin;
    this.#keys = target.keys(container, pin.epoch);
    this.#records = new RecordArrays(target, this.#keys, { container, epoch: pin.epoch });
  }

  /** The epoch that the view shows. */
  get epoch(): Epoch {
    return this.#pin.epoch;
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

  /**
   * One past the last byte written to an array, in bytes; 0 if nothing was.
   *
   * @param own A transaction of this process whose writes are seen too.
   */
  arraySize(oid: ObjectId, own?: Transaction): number {
    return this.#array(oid).size(own?.overlay(oid));
  }

  /**
   * Reads a range of an array into `target`, packed; bytes never written become 0.
   *
   * @param target At least as large as the range.
   * @param own A transaction of this process whose writes are seen too.
   * @throws {@link DaosError} `DER_CSUM` if stored bytes are damaged.
   */
  readArray(oid: ObjectId, range: PatternRange, target: Uint8Array, own?: Transaction): void {
    this.#array(oid).read(range, target, own?.overlay(oid));
  }

  /** Bytes `[start, end)` of an array, in a new buffer. */
  readBytes(oid: ObjectId, start: number, end: number): Uint8Array {
    const target = new Uint8Array(end - start);
    if (end > start) this.readArray(oid, wholeOf(Pattern.contiguous(start, end)), target);
    return target;
  }

  /**
   * The ranges `[start, end)` of a byte array that were written and not punched, sorted and joined.
   *
   * @param bounds Which offsets are looked at, `[start, end)`.
   */
  writtenRanges(oid: ObjectId, bounds: OffsetRange, own?: Transaction): OffsetRange[] {
    const { start, end } = bounds;
    if (start >= end) return [];
    return writtenRanges(windowReader(this.#array(oid), own?.overlay(oid)), start, end);
  }

  /** A single value, or `undefined`. */
  getValue(
    oid: ObjectId,
    dkey: Uint8Array,
    akey: Uint8Array,
    own?: Transaction,
  ): Uint8Array | undefined {
    const change = own?.ownValue(oid, dkey, akey);
    if (change !== undefined) return change.value;
    if (own?.hides(oid, dkey)) return undefined;
    return this.#keys.getValue(oid, dkey, akey);
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
    own?: Transaction,
  ): AkeyFetched[] {
    checkKey(oid, "dkey", dkey);
    return fetches.map((fetch) => {
      checkKey(oid, "akey", fetch.akey);
      const name = { dkey, akey: fetch.akey };
      if ("ranges" in fetch) {
        const array = this.#records.find(oid, name, own);
        if (array === undefined && this.getValue(oid, dkey, fetch.akey, own) !== undefined) {
          throw otherKind(oid, "a single value", "leave the ranges out");
        }
        return scatterRecords(oid, array, fetch);
      }
      const value = this.getValue(oid, dkey, fetch.akey, own);
      // A committed value is no array; what a transaction wrote over it may be.
      const mayBeArray = value === undefined || own !== undefined;
      if (mayBeArray && this.#records.find(oid, name, own) !== undefined) {
        throw otherKind(oid, "an array", "name ranges of records");
      }
      return scatterValue(oid, value, fetch);
    });
  }

  /** Whether an object exists, or a dkey of it. Uncommitted changes do not count. */
  exists(oid: ObjectId, dkey?: Uint8Array): boolean {
    return this.#keys.exists(oid, dkey);
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
  listDkeys(oid: ObjectId, options: ListOptions = {}): KeyList {
    return this.#keys.listDkeys(oid, options);
  }

  /**
   * Anchors of at most `parts` parts of the list of dkeys, which readers can list side by side: each
   * dkey is in exactly one. The parts are about equal if keys are spread evenly.
   *
   * @throws {@link DaosError} `DER_INVAL` unless `parts` is a whole number of at least 1.
   */
  splitDkeys(oid: ObjectId, parts: number): Anchor[] {
    return this.#keys.splitDkeys(oid, parts);
  }

  /** The akeys of a dkey, in lexical order. */
  listAkeys(oid: ObjectId, dkey: Uint8Array, options: ListOptions = {}): KeyList {
    return this.#keys.listAkeys(oid, dkey, options);
  }

  /** The objects of the container that hold anything, in the order of their ids. */
  listObjects(options: ListOptions = {}): KeyList<ObjectId> {
    return this.#keys.listObjects(options);
  }

  /** The dkeys of an object that hold a single value of `akey`, in lexical order, with those values. */
  listValues(oid: ObjectId, options: ValueListOptions): DkeyEntry[] {
    return this.#keys.listValues(oid, options);
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
  ): FoundRecords {
    return this.#records.list(oid, { dkey, akey }, options);
  }

  /** The first or last dkey of an object, or `undefined` if there is none. */
  queryDkey(oid: ObjectId, which: "min" | "max"): Uint8Array | undefined {
    return which === "max" ? this.#keys.lastDkey(oid) : this.listDkeys(oid, { limit: 1 }).keys[0];
  }

  /** The first or last akey of a dkey, or `undefined` if there is none. */
  queryAkey(oid: ObjectId, dkey: Uint8Array, which: "min" | "max"): Uint8Array | undefined {
    if (which === "max") return this.#keys.lastAkey(oid, dkey);
    return this.listAkeys(oid, dkey, { limit: 1 }).keys[0];
  }

  /** The first or last record of an array that was written, or `undefined` if there is none. */
  queryRecord(
    oid: ObjectId,
    dkey: Uint8Array,
    akey: Uint8Array,
    which: "min" | "max",
  ): bigint | undefined {
    const { ranges } = this.listRecords(oid, dkey, akey, { limit: 1, reverse: which === "max" });
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
