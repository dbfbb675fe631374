/**
 * Layout: where the bytes of a regular datatype lie, in O(dimensions) numbers.
 *
 * A nested pattern: a block, repeated with a stride, the whole of it repeated with a larger stride,
 * and so on; innermost level first. Rows 1 and 2, columns 1 and 2 of a 4 x 4 array of doubles:
 *
 *     . . . .
 *     . x x .      offset 40, blockLength 16, levels [{ stride: 32, count: 2 }]
 *     . x x .
 *     . . . .
 *
 * Invariants:
 *
 * 1. Blocks are visited in increasing offsets and do not overlap.
 * 2. Neighbours that touch are one block wherever the pattern stays regular: no level has count 1,
 *    none repeats the level below it without a gap, and the innermost stride exceeds the block.
 * 3. An empty layout is { offset: 0, blockLength: 0, levels: [] }.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

/** A repetition. */
export interface LayoutLevel {
  /** Distance between the starts of repetitions, in bytes. */
  readonly stride: number;
  /** Number of repetitions, at least 2. */
  readonly count: number;
}

/** A nested regular pattern of blocks of bytes. */
export interface Layout {
  /** Where the first block starts, in bytes from the type's origin; may be negative. */
  readonly offset: number;
  /** Length of a block, in bytes. */
  readonly blockLength: number;
  /** Repetitions, innermost first. */
  readonly levels: readonly LayoutLevel[];
}

/** The layout of nothing. */
export const EMPTY_LAYOUT: Layout = { offset: 0, blockLength: 0, levels: [] };

/** From the first byte to one past the last, in bytes. */
export function spanOf(layout: Layout): number {
  const gaps = layout.levels.map(({ stride, count }) => stride * (count - 1));
  return gaps.reduce((sum, gap) => sum + gap, layout.blockLength);
}

/** The same layout, moved by `distance` bytes. */
export function moveLayout(layout: Layout, distance: number): Layout {
  return layout.blockLength === 0 ? layout : { ...layout, offset: layout.offset + distance };
}

/**
 * The layout `count` times, `stride` bytes apart.
 *
 * @param stride In bytes; any number, also negative.
 * @returns Undefined if the repetitions overlap, interleave or go backwards: no such pattern.
 */
export function repeatLayout(layout: Layout, count: number, stride: number): Layout | undefined {
  if (count === 0 || layout.blockLength === 0) return EMPTY_LAYOUT;
  if (count === 1) return layout;
  const outermost = layout.levels.at(-1);
  if (!outermost && stride === layout.blockLength) {
    return { ...layout, blockLength: layout.blockLength * count };
  }
  if (outermost && stride === outermost.stride * outermost.count) {
    const merged = { stride: outermost.stride, count: outermost.count * count };
    return { ...layout, levels: [...layout.levels.slice(0, -1), merged] };
  }
  if (stride < spanOf(layout)) return undefined;
  return { ...layout, levels: [...layout.levels, { stride, count }] };
}
