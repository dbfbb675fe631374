/**
 * Cuts datasets into boxes that are copied one after the other.
 *
 * @module
 */

import type { Box } from "../description.js";

/**
 * Boxes that cover a shape in the order of its elements, each of which follows the one before.
 *
 * @param countMax Elements of a box, at most.
 */
export function* linearBoxes(shape: readonly number[], countMax: number): Generator<Box> {
  const unit = shape.map(() => 1);
  yield* boxesOf(shape, unit, countMax);
}

/**
 * Boxes of whole chunks that cover a shape, in row-major order of chunks.
 *
 * @param countMax Elements of a box, at most, unless a chunk has more.
 */
export function* chunkedBoxes(
  shape: readonly number[],
  chunkShape: readonly number[],
  countMax: number,
): Generator<Box> {
  yield* boxesOf(shape, chunkShape, countMax);
}

/** Whole inner dimensions, as many steps along the next one as fit, one step along those in front. */
function* boxesOf(
  shape: readonly number[],
  unit: readonly number[],
  countMax: number,
): Generator<Box> {
  if (shape.some((extent) => extent === 0)) return;
  const step = [...unit];
  let count = unit.reduce((product, extent) => product * extent, 1);
  for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
    const each = unit[dimension] as number;
    const steps = Math.ceil((shape[dimension] as number) / each);
    const fitting = Math.max(1, Math.min(steps, Math.floor(countMax / count)));
    step[dimension] = fitting * each;
    if (fitting < steps) break;
    count *= fitting;
  }
  const start = shape.map(() => 0);
  for (;;) {
    const extents = shape.map((extent, dimension) =>
      Math.min(step[dimension] as number, extent - (start[dimension] as number)),
    );
    yield { start: [...start], shape: extents };
    let dimension = shape.length - 1;
    for (; dimension >= 0; dimension--) {
      const next = (start[dimension] as number) + (step[dimension] as number);
      if (next < (shape[dimension] as number)) {
        start[dimension] = next;
        break;
      }
      start[dimension] = 0;
    }
    if (dimension < 0) return;
  }
}

/** The two halves of a box, in the order of their elements; `undefined` for a single element. */
export function halvesOf({ start, shape }: Box): readonly [Box, Box] | undefined {
  const dimension = shape.findIndex((extent) => extent > 1);
  if (dimension < 0) return undefined;
  const first = Math.floor((shape[dimension] as number) / 2);
  const part = (from: number, count: number): Box => ({
    start: start.map((at, other) => (other === dimension ? at + from : at)),
    shape: shape.map((extent, other) => (other === dimension ? count : extent)),
  });
  return [part(0, first), part(first, (shape[dimension] as number) - first)];
}
