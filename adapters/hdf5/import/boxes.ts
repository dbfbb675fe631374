/**
 * Cuts a dataset into boxes that fit into memory.
 *
 * @module
 */

import type { Box } from "../description.js";

/**
 * Boxes that cover a shape, in row-major order: as many whole rows as fit, each box a multiple of `unit`
 * along each dimension that it cuts.
 *
 * @param unit Extents that should not be cut: those of chunks, or 1.
 * @param countMax Elements of a box; one of the size of `unit` may have more.
 */
export function* boxesOf(
  shape: readonly number[],
  unit: readonly number[],
  countMax: number,
): Generator<Box> {
  if (shape.includes(0)) return;
  const extents = boxShape(shape, unit, countMax);
  const start = shape.map(() => 0);
  for (;;) {
    yield {
      start: [...start],
      shape: extents.map((extent, dimension) =>
        Math.min(extent, (shape[dimension] as number) - (start[dimension] as number)),
      ),
    };
    let dimension = shape.length - 1;
    for (; dimension >= 0; dimension--) {
      const next = (start[dimension] as number) + (extents[dimension] as number);
      if (next < (shape[dimension] as number)) {
        start[dimension] = next;
        break;
      }
      start[dimension] = 0;
    }
    if (dimension < 0) return;
  }
}

/** From the last dimension on, as much as fits. */
function boxShape(shape: readonly number[], unit: readonly number[], countMax: number): number[] {
  const extents = shape.map((extent, dimension) => Math.min(extent, unit[dimension] as number));
  let count = extents.reduce((product, extent) => product * extent, 1);
  for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
    const own = extents[dimension] as number;
    const others = count / own;
    const fits = Math.floor(countMax / others / own) * own;
    extents[dimension] = Math.min(shape[dimension] as number, Math.max(own, fits));
    count = others * (extents[dimension] as number);
    if (extents[dimension] !== shape[dimension]) break;
  }
  return extents;
}

/** Both halves of a box; `undefined` if it has one element. */
export function halvesOf({ start, shape }: Box): readonly [Box, Box] | undefined {
  const dimension = shape.findIndex((extent) => extent > 1);
  if (dimension < 0) return undefined;
  const half = Math.floor((shape[dimension] as number) / 2);
  const cut = (extent: number) => shape.map((one, at) => (at === dimension ? extent : one));
  const second = start.map((at, index) => (index === dimension ? at + half : at));
  return [
    { start, shape: cut(half) },
    { start: second, shape: cut((shape[dimension] as number) - half) },
  ];
}
