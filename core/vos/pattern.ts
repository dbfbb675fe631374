/**
 * Regular patterns: the offsets of blocks in an array, however many there are, in a few numbers.
 *
 * A pattern is a block, repeated along nested levels, innermost first. A 3-D subarray has two:
 *
 *     start 2, blockLength 3, levels [{ stride: 8, count: 2 }, { stride: 32, count: 2 }]
 *
 *     offset  2..5  10..13   34..37  42..45
 *     packed  0..3   3..6     6..9    9..12
 *
 * Its *packed stream* is the concatenation of its blocks: what a writer appends to its log and what
 * a reader's buffer holds. A {@link PatternRange} is a byte range of that stream.
 *
 * Invariants:
 *
 * 1. Blocks have increasing offsets and do not overlap: each stride is at least the span of the
 *    levels within it.
 * 2. Packed positions and offsets are therefore ordered alike, and both searches cost O(levels).
 *
 * Algorithm only: no I/O. The durable form is in `run-format.ts`.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { OFFSET_MAX, PATTERN_LEVELS_MAX } from "../limits.js";

/** One repetition: `count` copies, `stride` bytes apart. */
export interface PatternLevel {
  /** Distance between the starts of copies, in bytes. */
  readonly stride: number;
  /** Number of copies, at least 1. */
  readonly count: number;
}

/** Blocks of `blockLength` bytes, the first at `start`, repeated along `levels`, innermost first. */
export interface PatternShape {
  /** Array offset of the first block, in bytes. */
  readonly start: number;
  /** Length of a block, in bytes, at least 1. */
  readonly blockLength: number;
  /** Repetitions, innermost first. */
  readonly levels: readonly PatternLevel[];
}

/** The levels of a contiguous range: most patterns of irregular writes have none. */
const NO_LEVELS: readonly PatternLevel[] = [];

function invalid(why: string): DaosError {
  const remedy = "describe the blocks in increasing order, without overlap";
  return new DaosError("DER_INVAL", { what: "Describing an access pattern", why, remedy });
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** A regular pattern, checked and with its searches. Immutable. */
export class Pattern implements PatternShape {
  /** Array offset of the first block, in bytes. */
  readonly start: number;
  /** Length of a block, in bytes. */
  readonly blockLength: number;
  /** Repetitions, innermost first; none is folded into a longer block any more. */
  readonly levels: readonly PatternLevel[];
  /** Packed bytes: the sum of all blocks. */
  readonly size: number;
  /** One past the offset of the last byte. */
  readonly end: number;

  /**
   * @param shape Offsets and lengths in bytes. Levels with a count of 1 are dropped, and levels
   *   that only continue a block or the level within are folded into it.
   * @throws {@link DaosError} `DER_INVAL` if blocks overlap or decrease, or offsets leave the range.
   */
  constructor(shape: PatternShape) {
    const { start } = shape;
    let { blockLength } = shape;
    if (!isSize(start) || !isSize(blockLength) || blockLength === 0) {
      throw invalid(`start ${start} and block length ${blockLength} are no byte counts`);
    }
    const levels: PatternLevel[] = [];
    let span = blockLength;
    let size = blockLength;
    for (const { stride, count } of shape.levels) {
      if (!isSize(count) || count === 0) throw invalid(`a level is repeated ${count} times`);
      if (count === 1) continue;
      if (!isSize(stride) || stride < span) {
        throw invalid(`a stride of ${stride} is less than the ${span} bytes that it repeats`);
      }
      const inner = levels.at(-1);
      if (inner === undefined && stride === blockLength) blockLength *= count;
      else if (inner !== undefined && stride === inner.stride * inner.count) {
        levels[levels.length - 1] = { stride: inner.stride, count: inner.count * count };
      } else levels.push({ stride, count });
      span = stride * (count - 1) + span;
      size *= count;
    }
    if (!(start + span <= OFFSET_MAX)) throw invalid(`it ends beyond offset ${OFFSET_MAX}`);
    if (levels.length > PATTERN_LEVELS_MAX) {
      throw invalid(`it has ${levels.length} levels, more than ${PATTERN_LEVELS_MAX}`);
    }
    this.start = start;
    this.blockLength = blockLength;
    this.levels = levels.length === 0 ? NO_LEVELS : levels;
    this.size = size;
    this.end = start + span;
  }

  /** The contiguous range `[start, end)`. */
  static contiguous(start: number, end: number): Pattern {
    return new Pattern({ start, blockLength: end - start, levels: NO_LEVELS });
  }

  /** Array offset of a packed byte; `0 <= packed < size`. */
  offsetOf(packed: number): number {
    const { blockLength, levels } = this;
    let block = Math.floor(packed / blockLength);
    let offset = this.start + (packed - block * blockLength);
    for (let index = 0; index < levels.length; index++) {
      const { stride, count } = levels[index] as PatternLevel;
      const next = Math.floor(block / count);
      offset += (block - next * count) * stride;
      block = next;
    }
    return offset;
  }

  /** First packed byte whose array offset is at least `offset`; `size` if there is none. */
  packedAtOrAfter(offset: number): number {
    let rest = offset - this.start;
    if (rest <= 0) return 0;
    if (offset >= this.end) return this.size;
    let packed = 0;
    let levelSize = this.size;
    for (let index = this.levels.length - 1; index >= 0; index--) {
      const { stride, count } = this.levels[index] as PatternLevel;
      levelSize /= count;
      const digit = Math.min(count - 1, Math.floor(rest / stride));
      packed += digit * levelSize;
      rest -= digit * stride;
    }
    // In a gap, every digit within it is at its last, and the next block follows in packed order.
    return packed + Math.min(rest, this.blockLength);
  }

  /** Bytes from `packed` to the end of its block. */
  leftInBlock(packed: number): number {
    return this.blockLength - (packed % this.blockLength);
  }

  /** Whether both describe the same blocks. */
  equals(other: Pattern): boolean {
    return (
      this.start === other.start &&
      this.blockLength === other.blockLength &&
      this.levels.length === other.levels.length &&
      this.levels.every((level, index) => {
        const { stride, count } = other.levels[index] as PatternLevel;
        return level.stride === stride && level.count === count;
      })
    );
  }
}

/** Bytes `[from, to)` of the packed stream of a pattern. */
export interface PatternRange {
  /** The pattern. */
  readonly pattern: Pattern;
  /** First packed byte. */
  readonly from: number;
  /** One past the last packed byte. */
  readonly to: number;
}

/** Refuses a buffer of another size than a range with `DER_INVAL`. */
export function checkBufferSize(what: string, size: number, { from, to }: PatternRange): void {
  if (size === to - from) return;
  const why = `the buffer has ${size} bytes and the range ${to - from}`;
  const remedy = "give a buffer of the size of the range";
  throw new DaosError("DER_INVAL", { what, why, remedy }, { size, needed: to - from });
}

/** The whole of a pattern. */
export function wholeOf(pattern: Pattern): PatternRange {
  return { pattern, from: 0, to: pattern.size };
}

/** First array offset of a non-empty range. */
export function firstOffset({ pattern, from }: PatternRange): number {
  return pattern.offsetOf(from);
}

/** One past the last array offset of a non-empty range. */
export function lastOffset({ pattern, to }: PatternRange): number {
  return pattern.offsetOf(to - 1) + 1;
}
