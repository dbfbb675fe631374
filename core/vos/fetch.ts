/**
 * Fetches of the akeys of one dkey: single values and records of arrays, into scattered buffers.
 *
 * Records that were never written, or were punched, leave the caller's buffers as they are; a map says
 * which ranges were written.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { windowRanges, windowStart } from "./array-address.js";
import type { ArrayReader } from "./array-reader.js";
import { mergedRanges, type OffsetRange } from "./damage.js";
import type { CopyableValue } from "./long-value.js";
import { formatOid, type ObjectId } from "./object-id.js";
import { Pattern, wholeOf } from "./pattern.js";
import {
  type AkeyFetch,
  type AkeyFetched,
  BufferCursor,
  checkDataSize,
  checkRanges,
  type ExactRange,
  sizeOf,
} from "./records.js";

/** An array under an akey, as a reader finds it. */
export interface FoundArray {
  /** In bytes. */
  readonly recordSize: number;
  /** Whether there is more to it than what a transaction wrote itself. */
  readonly isCommitted: boolean;
  /** The bytes of one window. */
  window(number: number): WindowReader;
}

/** The bytes of one window of an array. */
export interface WindowReader {
  /** Visits what was written of `[start, end)`, in no order, and what was not. */
  visit(start: number, end: number, sink: WrittenSink): void;
  /** One past the last byte that was written. */
  size(): number;
  /** Reads `[start, end)`; what was not written becomes 0. */
  read(start: number, end: number, target: Uint8Array): void;
}

/** Learns which bytes of a query were written. */
export interface WrittenSink {
  fragment(target: number, size: number): void;
}

/** Reads one window through its array, with the writes of a transaction on top. */
export function windowReader(
  array: ArrayReader,
  overlay: Parameters<ArrayReader["read"]>[2],
): WindowReader {
  return {
    visit(start, end, { fragment }) {
      const range = wholeOf(Pattern.contiguous(start, end));
      const sink = {
        fragment: (_layer: unknown, target: number, _packed: number, size: number) =>
          fragment(target, size),
        hole: () => {},
      };
      array.visit(range, sink, overlay);
    },
    size: () => array.size(overlay),
    read(start, end, target) {
      array.read(wholeOf(Pattern.contiguous(start, end)), target, overlay);
    },
  };
}

function short(oid: ObjectId, size: number, room: number): DaosError {
  return new DaosError(
    "DER_REC2BIG",
    {
      what: `Fetching a value of object ${formatOid(oid)}`,
      why: `the value has ${size} bytes, the buffers ${room}`,
      remedy: "ask for its size first, and pass buffers that are large enough",
    },
    { size },
  );
}

/** Copies a single value to buffers. Allocates what it returns. */
export function scatterValue(
  oid: ObjectId,
  value: CopyableValue | undefined,
  into: AkeyFetch["into"],
): AkeyFetched {
  if (value === undefined) return { size: 0 };
  const { size } = value;
  if (into === undefined) return { size };
  if (sizeOf(into) < size) throw short(oid, size, sizeOf(into));
  if (into instanceof Uint8Array) {
    value.copyTo(into, 0);
    return { size };
  }
  let at = 0;
  for (const buffer of into) {
    if (at >= size) break;
    value.copyTo(buffer, at);
    at += buffer.length;
  }
  return { size };
}

/** Byte ranges that were written, sorted and joined. */
export function writtenRanges(reader: WindowReader, start: number, end: number): OffsetRange[] {
  const found: OffsetRange[] = [];
  reader.visit(start, end, {
    fragment: (target, size) => found.push({ start: start + target, end: start + target + size }),
  });
  return mergedRanges(found);
}

/** Reads written parts only, so that the rest of the buffers stays as it is. */
function readInto(
  reader: WindowReader,
  { start, end }: { start: number; end: number },
  target: Uint8Array,
): void {
  const written = writtenRanges(reader, start, end);
  for (const range of written) {
    reader.read(range.start, range.end, target.subarray(range.start - start, range.end - start));
  }
}

/** Reads records of an array into buffers. */
export function scatterRecords(
  oid: ObjectId,
  array: FoundArray | undefined,
  fetch: Extract<AkeyFetch, { ranges: unknown }>,
): AkeyFetched {
  const what = `Fetching records of object ${formatOid(oid)}`;
  const ranges = checkRanges(what, fetch.ranges);
  if (array === undefined) return fetch.map ? { size: 0, written: [] } : { size: 0 };
  const { recordSize } = array;
  checkDataSize(what, ranges, recordSize, fetch.into);
  const buffers = new BufferCursor(fetch.into);
  const written: ExactRange[] = [];
  for (const { index, count } of ranges) {
    for (const { window, start, end } of windowRanges(index, count, recordSize)) {
      const reader = array.window(window);
      let at = start;
      buffers.take(end - start, (part) => {
        readInto(reader, { start: at, end: at + part.length }, part);
        at += part.length;
      });
      if (!fetch.map) continue;
      for (const range of writtenRanges(reader, start, end)) {
        joinLast(written, recordsOf(windowStart(window), range, recordSize));
      }
    }
  }
  return fetch.map ? { size: recordSize, written } : { size: recordSize };
}

/** Adds a range; a record that lies in two windows is one. */
export function joinLast(ranges: ExactRange[], next: ExactRange): void {
  const last = ranges.at(-1);
  const overlaps = last !== undefined && next.index >= last.index;
  if (!overlaps || next.index > last.index + last.count) {
    ranges.push(next);
    return;
  }
  const lastEnd = last.index + last.count;
  const nextEnd = next.index + next.count;
  if (nextEnd <= lastEnd) return;
  ranges[ranges.length - 1] = { index: last.index, count: nextEnd - last.index };
}

/** The records of a range of bytes of a window. */
export function recordsOf(
  base: bigint,
  { start, end }: { start: number; end: number },
  recordSize: number,
): ExactRange {
  const size = BigInt(recordSize);
  const index = (base + BigInt(start)) / size;
  return { index, count: (base + BigInt(end) + size - 1n) / size - index };
}
