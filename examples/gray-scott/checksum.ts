/**
 * A checksum of a field that ranks can compute together: a sum, modulo 2^32, over the cells.
 *
 * Each word is mixed with its place in the box before it is added, so that swapped or stale blocks
 * show; addition commutes, so that the sum does not depend on who computes which part.
 *
 * @module
 */

import type { Grid } from "./grid.js";

/**
 * The share of some consecutive cells in the checksum.
 *
 * @param values The cells' values.
 * @param firstCell Number of the first one in the whole box, in row-major order.
 * @returns A 32-bit unsigned number; add shares modulo 2^32.
 */
export function checksumOfCells(values: Float64Array, firstCell: number): number {
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  let place = Math.imul(2 * firstCell, 0x9e3779b1);
  let sum = 0;
  for (let i = 0; i < words.length; i += 1) {
    const mixed = Math.imul(words[i]! ^ place, 0x85ebca6b);
    sum = (sum + (mixed ^ (mixed >>> 15))) | 0;
    place = (place + 0x9e3779b1) | 0;
  }
  return sum >>> 0;
}

/** The share of a rank's block, packed without ghost cells. */
export function checksumOfBlock(grid: Grid, packed: Float64Array): number {
  const nx = grid.local[2];
  let from = 0;
  let sum = 0;
  grid.forEachRow((_, cell) => {
    sum = (sum + checksumOfCells(packed.subarray(from, from + nx), cell)) >>> 0;
    from += nx;
  });
  return sum;
}
