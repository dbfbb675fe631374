/**
 * The arrays of records under the keys of a container, as one view reads them.
 *
 * @module
 */

import { ARRAY_READERS_CACHED_MAX } from "../limits.js";
import { type Anchor, badAnchor, decodeAnchor, encodeAnchor } from "../vos/anchor.js";
import {
  arrayUnder,
  byteArray,
  WINDOW_SIZE,
  type WindowRange,
  windowStart,
} from "../vos/array-address.js";
import type { ArrayReader } from "../vos/array-reader.js";
import type { Epoch } from "../vos/epoch.js";
import {
  type FoundArray,
  joinLast,
  recordsOf,
  type WindowReader,
  windowReader,
  writtenRanges,
} from "../vos/fetch.js";
import { type KeyView, type ListOptions, recordSizeIn } from "../vos/key-view.js";
import { integerKey, integerOfKey, latin1 } from "../vos/names.js";
import type { ObjectId } from "../vos/object-id.js";
import type { ReadSet } from "../vos/read-set.js";
import { RecentMap } from "../vos/recent-map.js";
import type { ExactRange } from "../vos/records.js";
import type { Target } from "../vos/target.js";
import type { Transaction } from "../vos/transaction.js";

/** A part of the list of the ranges that were written. */
export interface FoundRecords {
  /** Bytes of a record; 0 if there is no such array. */
  readonly recordSize: number;
  /** In order, and disjoint. */
  readonly ranges: ExactRange[];
  /** Where the list goes on; `undefined` at its end. */
  readonly anchor: Anchor | undefined;
}

/** Which array. */
export interface AkeyName {
  readonly dkey: Uint8Array;
  readonly akey: Uint8Array;
}

const NO_KEY = new Uint8Array();
/** A window's number has four bytes. */
const WINDOW_MAX = 2 ** 32 - 1;
/** Bytes of an array that a list looks at first; each next step is twice as large. */
const LIST_STEP = 1 << 20;

/** Which version is read. */
export interface ReadVersion {
  readonly container: number;
  readonly epoch: Epoch;
  /** Learns what is read of it. */
  readonly reads: ReadSet | undefined;
}

/** Finds the arrays of one view, and remembers their readers. */
export class RecordArrays {
  readonly #target: Target;
  readonly #keys: KeyView;
  readonly #version: ReadVersion;
  readonly #readers = new RecentMap<string, ArrayReader>(ARRAY_READERS_CACHED_MAX);

  constructor(target: Target, keys: KeyView, version: ReadVersion) {
    this.#target = target;
    this.#keys = keys;
    this.#version = version;
  }

  /** An array, if the akey holds one. */
  find(oid: ObjectId, { dkey, akey }: AkeyName, own?: Transaction): FoundArray | undefined {
    const ownSize = own?.ownRecordSize(oid, dkey, akey);
    const hides = own?.hides(oid, dkey) || own?.ownValue(oid, dkey, akey) !== undefined;
    if (!hides) this.#version.reads?.value(oid, dkey, akey);
    const found = hides ? undefined : this.#keys.find(oid, dkey, akey);
    const recordSize = found === undefined ? undefined : recordSizeIn(found.record);
    if (recordSize === undefined && ownSize === undefined) return undefined;
    return {
      recordSize: recordSize ?? (ownSize as number),
      isCommitted: recordSize !== undefined,
      window: (window) => {
        const overlay = own?.overlay(oid, { dkey, akey, window });
        if (found === undefined || recordSize === undefined) {
          // Only the transaction has it: the committed array is an empty one.
          const none = this.#reader(oid, NO_KEY, { window, since: this.#version.epoch + 1n });
          return windowReader(none, overlay && { ...overlay, hides: true });
        }
        const reader = this.#reader(oid, found.prefix, { window, since: found.epoch });
        return windowReader(reader, overlay);
      },
    };
  }

  #reader(
    oid: ObjectId,
    prefix: Uint8Array,
    { window, since }: { window: number; since: Epoch },
  ): ArrayReader {
    const { container, epoch } = this.#version;
    const name = `${window}/${latin1(prefix)}`;
    const isNone = prefix.length === 0;
    let reader = isNone ? undefined : this.#readers.get(name);
    if (reader === undefined) {
      const address = isNone
        ? byteArray(container, oid)
        : arrayUnder({ container, oid }, prefix, window);
      reader = this.#target.array(address, { epoch, since });
      if (!isNone) this.#readers.set(name, reader);
    }
    return reader;
  }

  /** The ranges of records that were written. */
  list(
    oid: ObjectId,
    name: AkeyName,
    {
      anchor,
      limit = Number.POSITIVE_INFINITY,
      reverse = false,
    }: ListOptions & { reverse?: boolean },
    own?: Transaction,
  ): FoundRecords {
    const found = this.find(oid, name, own);
    if (found === undefined) return { recordSize: 0, ranges: [], anchor: undefined };
    const { recordSize } = found;
    if (found.isCommitted) this.#version.reads?.windows(oid, name, [0, WINDOW_MAX]);
    const ranges: ExactRange[] = [];
    // A range, and a record, may go on in the next window: the last one waits for it.
    let held: { range: ExactRange; readonly place: Uint8Array } | undefined;
    const windows = this.#windows(oid, name, { isCommitted: found.isCommitted, own });
    for (const { window, start, end } of partsOf(found, windows, { anchor, reverse })) {
      const range = recordsOf(windowStart(window), { start, end }, recordSize);
      if (held !== undefined && touch(held.range, range)) {
        held.range = joined(held.range, range);
        continue;
      }
      if (held !== undefined) ranges.push(held.range);
      const place = Buffer.concat([integerKey(window), integerKey(reverse ? end : start)]);
      if (ranges.length >= limit) {
        const next = encodeAnchor("range", { start: place, end: NO_KEY });
        return { recordSize, ranges, anchor: next };
      }
      held = { range, place };
    }
    if (held !== undefined) ranges.push(held.range);
    return { recordSize, ranges, anchor: undefined };
  }

  /** The windows that anything of an array was written to, increasing. */
  #windows(
    oid: ObjectId,
    { dkey, akey }: AkeyName,
    { isCommitted, own }: { isCommitted: boolean; own: Transaction | undefined },
  ): number[] {
    const ofOwn = own?.ownWindows(oid, dkey, akey) ?? [];
    const found = isCommitted ? this.#keys.find(oid, dkey, akey) : undefined;
    if (found === undefined) return ofOwn.sort((a, b) => a - b);
    const { container } = this.#version;
    const committed = this.#target.windows({ container, oid }, found.prefix);
    return [...new Set([...committed, ...ofOwn])].sort((a, b) => a - b);
  }

  /** Forgets the readers. */
  clear(): void {
    this.#readers.clear();
  }
}

/** What was written of an array, from where an anchor says: in bytes of its windows. */
function* partsOf(
  array: FoundArray,
  windows: number[],
  { anchor, reverse }: { anchor: Anchor | undefined; reverse: boolean },
): Generator<WindowRange> {
  // Forwards: the first byte that may come. Backwards: one past the last one.
  const { from, offset } = placeOf(anchor);
  for (const window of reverse ? windows.reverse() : windows) {
    const isPassed = from !== undefined && (reverse ? window > from : window < from);
    if (isPassed) continue;
    const reader = array.window(window);
    const bounds = { start: 0, end: reader.size() };
    if (window === from && reverse) bounds.end = Math.min(bounds.end, offset);
    else if (window === from) bounds.start = offset;
    for (const part of stepsOf(reader, bounds, reverse)) yield { window, ...part };
  }
}

/** Where a list of ranges goes on: in which window, at which byte of it. */
function placeOf(anchor: Anchor | undefined): { from: number | undefined; offset: number } {
  if (anchor === undefined) return { from: undefined, offset: 0 };
  const { start } = decodeAnchor("range", anchor);
  const [from, offset] = [start.subarray(0, 8), start.subarray(8)].map(integerOfKey).map(Number);
  if ((from as number) > WINDOW_MAX || (offset as number) > WINDOW_SIZE) throw badAnchor("range");
  return { from, offset: offset as number };
}

/** Whether ranges overlap or adjoin. */
function touch(a: ExactRange, b: ExactRange): boolean {
  return a.index <= b.index + b.count && b.index <= a.index + a.count;
}

/** One range of two that touch. */
function joined(a: ExactRange, b: ExactRange): ExactRange {
  const [first, second] = a.index <= b.index ? [a, b] : [b, a];
  const ranges = [first];
  joinLast(ranges, second);
  return ranges[0] as ExactRange;
}

/**
 * The written ranges of a window in order, looked for in steps that grow; a range that goes on in the
 * next step is handed out whole.
 */
function* stepsOf(
  reader: WindowReader,
  { start, end }: { start: number; end: number },
  reverse: boolean,
): Generator<{ start: number; end: number }> {
  let held: { start: number; end: number } | undefined;
  let at = reverse ? end : start;
  for (
    let step = LIST_STEP;
    reverse ? at > start : at < end;
    step = Math.min(step * 2, WINDOW_SIZE)
  ) {
    const next = reverse ? Math.max(start, at - step) : Math.min(end, at + step);
    const found = writtenRanges(reader, Math.min(at, next), Math.max(at, next));
    for (const range of reverse ? found.reverse() : found) {
      const goesOn =
        held !== undefined && (reverse ? range.end === held.start : range.start === held.end);
      if (goesOn && held !== undefined) {
        if (reverse) held.start = range.start;
        else held.end = range.end;
        continue;
      }
      if (held !== undefined) yield held;
      held = range;
    }
    at = next;
  }
  if (held !== undefined) yield held;
}
