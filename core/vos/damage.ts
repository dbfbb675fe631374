/**
 * Damage in terms of arrays: which offsets of an object lie in a damaged block of a segment.
 *
 * @module
 */

import { DaosError, isDaosError } from "../errors.js";
import { CHECKSUM_BLOCK_SIZE, SCRUB_BLOCK_RANGES_MAX } from "../limits.js";
import type { ArrayReader } from "./array-reader.js";
import type { Epoch } from "./epoch.js";
import { keyText } from "./names.js";
import { formatOid } from "./object-id.js";
import { firstOffset, lastOffset, type PatternRange } from "./pattern.js";
import { type Piece, pieceSize } from "./piece.js";

/** Array offsets `[start, end)`, in bytes. */
export interface OffsetRange {
  /** First byte. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

/** A span of bytes of a segment, `[start, end)`. */
export interface SegmentRange extends OffsetRange {
  readonly segment: number;
}

/**
 * The array offsets of a piece that lie in `[start, end)` of its segment, in increasing order.
 *
 * A strided piece can have thousands of small blocks there: of more than `SCRUB_BLOCK_RANGES_MAX` the
 * bounds are returned as one range, which then has bytes of other pieces in it.
 */
export function offsetsWithin(piece: Piece, { start, end }: OffsetRange): OffsetRange[] {
  const { pattern, from, position } = piece;
  let packed = from + Math.max(0, start - position);
  const to = from + Math.min(pieceSize(piece), end - position);
  if (packed >= to) return [];
  if ((to - packed) / pattern.blockLength > SCRUB_BLOCK_RANGES_MAX) {
    return [{ start: pattern.offsetOf(packed), end: pattern.offsetOf(to - 1) + 1 }];
  }
  const ranges: OffsetRange[] = [];
  while (packed < to) {
    const size = Math.min(pattern.leftInBlock(packed), to - packed);
    const offset = pattern.offsetOf(packed);
    ranges.push({ start: offset, end: offset + size });
    packed += size;
  }
  return ranges;
}

/** Sorted, disjoint ranges of the same bytes. */
export function mergedRanges(ranges: readonly OffsetRange[]): OffsetRange[] {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** The bounds of what a query shows of a part of a segment, or of the query if that is unknown. */
function shownOf(reader: ArrayReader, query: PatternRange, part: SegmentRange): OffsetRange {
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  reader.visit(query, {
    fragment({ piece }, _target, packed, size) {
      if (piece.segment !== part.segment) return;
      const shown = { ...piece, from: packed, to: packed + size };
      const position = piece.position + (packed - piece.from);
      for (const range of offsetsWithin({ ...shown, position }, part)) {
        start = Math.min(start, range.start);
        end = Math.max(end, range.end);
      }
    },
    hole() {},
  });
  return start < end ? { start, end } : { start: firstOffset(query), end: lastOffset(query) };
}

/**
 * Says of a `DER_CSUM` error of a read which container, object, key and range cannot be read; other
 * errors are returned as they are. Facts `start` and `end` are bounds of the damaged part of the
 * query, in bytes of the array.
 */
export function namedDamage(error: unknown, reader: ArrayReader, query: PatternRange): unknown {
  if (!isDaosError(error, "DER_CSUM") || error.facts.oid !== undefined) return error;
  const { segment, block } = error.facts;
  const first = typeof block === "number" ? block * CHECKSUM_BLOCK_SIZE : 0;
  const last = typeof block === "number" ? first + CHECKSUM_BLOCK_SIZE : Number.MAX_SAFE_INTEGER;
  const part = { segment: segment as number, start: first, end: last };
  const { start, end } = shownOf(reader, query, part);
  const { container, oid } = reader.object;
  const epoch: Epoch = reader.epoch;
  const { keys } = reader;
  const names = keys && { dkey: keyText(keys.dkey), akey: keyText(keys.akey) };
  const key = names === undefined ? "" : `key ${names.dkey}/${names.akey} of `;
  const where = `bytes ${start} to ${end} of ${key}object ${formatOid(oid)}`;
  const what = `Reading ${where} in container ${container} at epoch ${epoch}`;
  const facts = { ...error.facts, container, oid, ...names, start, end, epoch };
  const why = `in segment ${segment}, ${error.text.why}`;
  return new DaosError("DER_CSUM", { ...error.text, what, why }, facts, error);
}
