/**
 * Boxes of elements in arrays of row-major order: as runs of bytes, and copied from one to another.
 *
 * @module
 */

import type { Box } from "../description.js";

/** Elements of a shape. */
export function countOfShape(shape: readonly number[]): number {
  let count = 1;
  for (const extent of shape) count *= extent;
  return count;
}

/**
 * Calls `visit` for each run of bytes of a box: its first byte in the array, its first byte in the box,
 * its length. Dimensions that are whole make longer runs.
 */
export function forEachRun(
  box: Box,
  shape: readonly number[],
  itemSize: number,
  visit: (at: number, boxAt: number, size: number) => void,
): void {
  if (countOfShape(box.shape) === 0) return;
  let inner = shape.length;
  let size = itemSize;
  while (inner > 0) {
    inner--;
    size *= box.shape[inner] as number;
    if (box.shape[inner] !== shape[inner]) break;
  }
  const pitches = pitchesOf(shape, itemSize);
  const first = box.start.reduce(
    (sum, at, dimension) => sum + at * (pitches[dimension] as number),
    0,
  );
  let boxAt = 0;
  const walk = (dimension: number, at: number): void => {
    if (dimension >= inner) {
      visit(at, boxAt, size);
      boxAt += size;
      return;
    }
    const pitch = pitches[dimension] as number;
    const count = box.shape[dimension] as number;
    for (let index = 0; index < count; index++) walk(dimension + 1, at + index * pitch);
  };
  walk(0, first);
}

function pitchesOf(shape: readonly number[], itemSize: number): number[] {
  const pitches = new Array<number>(shape.length);
  let pitch = itemSize;
  for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
    pitches[dimension] = pitch;
    pitch *= shape[dimension] as number;
  }
  return pitches;
}

/** The part that two boxes have in common, if they do. */
export function intersect(first: Box, second: Box): Box | undefined {
  const start: number[] = [];
  const shape: number[] = [];
  for (const [dimension, at] of first.start.entries()) {
    const low = Math.max(at, second.start[dimension] as number);
    const high = Math.min(
      at + (first.shape[dimension] as number),
      (second.start[dimension] as number) + (second.shape[dimension] as number),
    );
    if (high <= low) return undefined;
    start.push(low);
    shape.push(high - low);
  }
  return { start, shape };
}

/** The place of a box from the first element of another. */
export function relativeTo(box: Box, origin: Box): Box {
  const start = box.start.map((at, dimension) => at - (origin.start[dimension] as number));
  return { start, shape: box.shape };
}

/** Positions of the chunks that a box touches, in row-major order. */
export function* chunksOf(box: Box, chunkShape: readonly number[]): Generator<readonly number[]> {
  if (countOfShape(box.shape) === 0) return;
  const first = box.start.map((at, dimension) =>
    Math.floor(at / (chunkShape[dimension] as number)),
  );
  const last = box.start.map((at, dimension) => {
    const end = at + (box.shape[dimension] as number);
    return Math.ceil(end / (chunkShape[dimension] as number)) - 1;
  });
  const position = [...first];
  for (;;) {
    yield [...position];
    let dimension = position.length - 1;
    while (dimension >= 0 && position[dimension] === last[dimension]) {
      position[dimension] = first[dimension] as number;
      dimension--;
    }
    if (dimension < 0) return;
    position[dimension] = (position[dimension] as number) + 1;
  }
}

/** Copies a box of one array to a box of the same shape in another. */
export function copyBox(
  source: { readonly bytes: Uint8Array; readonly shape: readonly number[]; readonly box: Box },
  target: { readonly bytes: Uint8Array; readonly shape: readonly number[]; readonly box: Box },
  itemSize: number,
): void {
  const rank = source.shape.length;
  const from = pitchesOf(source.shape, itemSize);
  const to = pitchesOf(target.shape, itemSize);
  const { shape } = source.box;
  const walk = (dimension: number, at: number, targetAt: number): void => {
    const count = shape[dimension] as number;
    if (dimension === rank - 1) {
      const size = count * itemSize;
      target.bytes.set(source.bytes.subarray(at, at + size), targetAt);
      return;
    }
    const [pitch, targetPitch] = [from[dimension] as number, to[dimension] as number];
    for (let index = 0; index < count; index++) {
      walk(dimension + 1, at + index * pitch, targetAt + index * targetPitch);
    }
  };
  const startOf = (box: Box, pitches: readonly number[]) =>
    box.start.reduce((sum, at, dimension) => sum + at * (pitches[dimension] as number), 0);
  walk(0, startOf(source.box, from), startOf(target.box, to));
}
