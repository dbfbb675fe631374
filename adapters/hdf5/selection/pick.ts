/**
 * Selected elements of an array in memory.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { copyRuns, type Region, regionShape } from "../region.js";
import type { ResolvedSelection } from "./selection.js";

/** An array in memory, in row-major order. */
export interface MemoryArray {
  readonly bytes: Uint8Array;
  /** Extents, slowest first. */
  readonly shape: readonly number[];
  /** Bytes of an element. */
  readonly itemSize: number;
}

/** For each dimension triples: first index in the array, first index in the selection, length. */
function runsOf(region: Region): number[][] {
  return region.map((axis) => {
    const runs: number[] = [];
    let at = 0;
    for (const { start, stride, count, block } of axis) {
      for (let index = 0; index < count; index++, at += block) {
        runs.push(start + index * stride, at, block);
      }
    }
    return runs;
  });
}

function swapped(runs: readonly (readonly number[])[]): number[][] {
  return runs.map((list) =>
    list.map((_, place) => {
      const other = [1, 0, 2][place % 3] as number;
      return list[place - (place % 3) + other] as number;
    }),
  );
}

/** The selected elements of an array, packed. */
export function pickElements(
  { bytes, shape, itemSize }: MemoryArray,
  { region, offsets, count }: ResolvedSelection,
): Uint8Array {
  const packed = new Uint8Array(count * itemSize);
  if (offsets === undefined) {
    const target = { bytes: packed, extents: regionShape(region) };
    copyRuns({ bytes, extents: shape }, target, runsOf(region), itemSize);
    return packed;
  }
  for (const [place, offset] of offsets.entries()) {
    packed.set(bytes.subarray(offset * itemSize, (offset + 1) * itemSize), place * itemSize);
  }
  return packed;
}

/** Puts packed elements where the selected ones of an array are. */
export function placeElements(
  packed: Uint8Array,
  { bytes, shape, itemSize }: MemoryArray,
  { region, offsets }: ResolvedSelection,
): void {
  if (offsets === undefined) {
    const source = { bytes: packed, extents: regionShape(region) };
    copyRuns(source, { bytes, extents: shape }, swapped(runsOf(region)), itemSize);
    return;
  }
  for (const [place, offset] of offsets.entries()) {
    bytes.set(packed.subarray(place * itemSize, (place + 1) * itemSize), offset * itemSize);
  }
}
