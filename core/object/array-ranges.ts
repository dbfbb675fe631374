/**
 * Ranges of cells as patterns of bytes.
 *
 * A regular list of ranges is one pattern, whatever its length: equal ranges at equal distances become a
 * level, equal groups of them at equal distances the next one. What is irregular stays apart, in order.
 *
 *     cells   [0, 2) [10, 12) [20, 22)      ─▶  start 0, blockLength 2, levels [{ stride 10, count 3 }]
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { OFFSET_MAX } from "../limits.js";
import { Pattern, type PatternLevel, type PatternRange, wholeOf } from "../vos/pattern.js";

/** Cells `[index, index + count)`; with `stride` and `blocks`, so many of them, `stride` cells apart. */
export interface CellRange {
  /** First cell. */
  readonly index: number;
  /** Cells of a block, at least 1. */
  readonly count: number;
  /** Cells from the start of one block to the start of the next; at least `count`. */
  readonly stride?: number;
  /** Number of blocks; 1 by default. */
  readonly blocks?: number;
}

/** Equal blocks in cells, on their way to a pattern. */
interface Shape {
  readonly start: number;
  readonly blockLength: number;
  readonly levels: readonly PatternLevel[];
  /** One past the last cell. */
  readonly end: number;
}

function invalid(what: string, why: string): DaosError {
  const remedy = `use whole numbers; bytes of an array end at ${OFFSET_MAX}`;
  return new DaosError("DER_INVAL", { what, why, remedy });
}

function shapeOf(what: string, range: CellRange): Shape {
  const { index, count, stride = count, blocks = 1 } = range;
  const isRange = [index, count, stride, blocks].every(Number.isSafeInteger);
  if (!isRange || index < 0 || count < 1 || blocks < 1 || (blocks > 1 && stride < count)) {
    const text = `${blocks} blocks of ${count} cells from ${index}, ${stride} apart, are no range`;
    throw invalid(what, text);
  }
  const levels = blocks === 1 ? [] : [{ stride, count: blocks }];
  return { start: index, blockLength: count, levels, end: index + (blocks - 1) * stride + count };
}

function isAlike(a: Shape, b: Shape): boolean {
  return (
    a.blockLength === b.blockLength &&
    a.levels.length === b.levels.length &&
    a.levels.every((level, at) => {
      const other = b.levels[at] as PatternLevel;
      return level.stride === other.stride && level.count === other.count;
    })
  );
}

/** Puts neighbours of the same shape at equal distances together. */
function gathered(shapes: readonly Shape[]): Shape[] {
  const found: Shape[] = [];
  let at = 0;
  while (at < shapes.length) {
    const first = shapes[at] as Shape;
    const second = shapes[at + 1];
    let count = 1;
    if (second !== undefined && isAlike(first, second) && second.start >= first.end) {
      const stride = second.start - first.start;
      let next: Shape | undefined = second;
      while (next !== undefined && isAlike(first, next)) {
        if (next.start !== first.start + count * stride) break;
        count += 1;
        next = shapes[at + count];
      }
      // Two that happen to be equal may belong to others: three tell.
      const isRegular = count > 2 || shapes.length === 2;
      if (!isRegular) count = 1;
      else {
        const levels = [...first.levels, { stride, count }];
        found.push({ ...first, levels, end: first.end + stride * (count - 1) });
      }
    }
    if (count === 1) found.push(first);
    at += count;
  }
  return found;
}

/**
 * The patterns of ranges of cells, in the order of the ranges.
 *
 * @param cellSize In bytes.
 * @throws {@link DaosError} `DER_INVAL`.
 */
export function patternsOf(
  what: string,
  ranges: CellRange | readonly CellRange[],
  cellSize: number,
): PatternRange[] {
  const list = Array.isArray(ranges) ? (ranges as readonly CellRange[]) : [ranges as CellRange];
  let shapes = list.map((range) => shapeOf(what, range));
  for (;;) {
    const fewer = gathered(shapes);
    if (fewer.length === shapes.length) break;
    shapes = fewer;
  }
  return shapes.map(({ start, blockLength, levels, end }) => {
    if (end * cellSize > OFFSET_MAX) throw invalid(what, `cell ${end - 1} lies beyond the array`);
    const inBytes = levels.map(({ stride, count }) => ({ stride: stride * cellSize, count }));
    const shape = { start: start * cellSize, blockLength: blockLength * cellSize, levels: inBytes };
    return wholeOf(new Pattern(shape));
  });
}
