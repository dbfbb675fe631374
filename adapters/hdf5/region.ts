/**
 * Regions: products of one list of indices per dimension, as parts that are regular each.
 *
 *     axis 0   [0, 2, 4]        one part { start 0, stride 2, count 3, block 1 }
 *     axis 1   [1, 2, 7]        two parts { start 1, count 1, block 2 }, { start 7, count 1, block 1 }
 *
 * Whatever is selected of a dataset is a region, or a list of points. In an array of row-major order a
 * region of regular axes is one {@link Pattern}, however many elements it has.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { Pattern, type PatternLevel } from "../../core/index.js";
import type { Box } from "./description.js";

/** Indices `start + i * stride + j`, `i` below `count`, `j` below `block`; `block` at most `stride`. */
export interface AxisPart {
  readonly start: number;
  readonly stride: number;
  readonly count: number;
  readonly block: number;
}

/** Indices of one dimension, increasing: parts that follow one another. */
export type Axis = readonly AxisPart[];

/** One axis for each dimension, slowest first. */
export type Region = readonly Axis[];

/** Indices `[start, start + count)`. */
export function rangeAxis(start: number, count: number): Axis {
  return count === 0 ? [] : [{ start, stride: count, count: 1, block: count }];
}

/** The axis of increasing indices: neighbours become blocks. */
export function listAxis(indices: readonly number[]): Axis {
  const parts: AxisPart[] = [];
  for (let first = 0; first < indices.length; ) {
    const start = indices[first] as number;
    let block = 1;
    while (indices[first + block] === start + block) block++;
    parts.push({ start, stride: block, count: 1, block });
    first += block;
  }
  return parts;
}

/** The region of a box. */
export function boxRegion({ start, shape }: Box): Region {
  return shape.map((extent, dimension) => rangeAxis(start[dimension] as number, extent));
}

/** Number of indices of an axis. */
export function axisCount(axis: Axis): number {
  let total = 0;
  for (const { count, block } of axis) total += count * block;
  return total;
}

/** Extents of a region. */
export function regionShape(region: Region): number[] {
  return region.map(axisCount);
}

/** Product of some extents. */
export function product(extents: readonly number[]): number {
  let result = 1;
  for (const extent of extents) result *= extent;
  return result;
}

/** How an array lies in memory or store. */
export interface ArrayShape {
  /** Extents, slowest first; the first one does not matter. */
  readonly extents: readonly number[];
  /** Bytes of an element. */
  readonly itemSize: number;
}

function levelsOf(part: AxisPart, pitch: number): PatternLevel[] {
  const { stride, count, block } = part;
  return [
    { stride: pitch, count: block },
    { stride: stride * pitch, count },
  ];
}

/** The pattern of a product of one part for each dimension. */
function patternOf(parts: readonly AxisPart[], { extents, itemSize }: ArrayShape): Pattern {
  const levels: PatternLevel[] = [];
  let start = 0;
  let pitch = itemSize;
  for (let dimension = parts.length - 1; dimension >= 0; dimension--) {
    const part = parts[dimension] as AxisPart;
    levels.push(...levelsOf(part, pitch));
    start += part.start * pitch;
    pitch *= extents[dimension] as number;
  }
  return new Pattern({ start, blockLength: itemSize, levels });
}

/** A part of a region that is one pattern, and where its elements are among those of the region. */
export interface RegionPart {
  readonly pattern: Pattern;
  /** First index in the region, along each dimension. */
  readonly start: readonly number[];
  /** Extents. */
  readonly shape: readonly number[];
}

/** The patterns of a region of an array, in the order of its elements as far as they have one. */
export function* regionParts(region: Region, array: ArrayShape): Generator<RegionPart> {
  if (region.some((axis) => axis.length === 0)) return;
  const chosen = region.map(() => 0);
  const starts = region.map(() => 0);
  for (;;) {
    const parts = region.map((axis, dimension) => axis[chosen[dimension] as number] as AxisPart);
    const shape = parts.map(({ count, block }) => count * block);
    yield { pattern: patternOf(parts, array), start: [...starts], shape };
    let dimension = region.length - 1;
    for (; dimension >= 0; dimension--) {
      const next = (chosen[dimension] as number) + 1;
      if (next < (region[dimension] as Axis).length) {
        chosen[dimension] = next;
        starts[dimension] = (starts[dimension] as number) + (shape[dimension] as number);
        break;
      }
      chosen[dimension] = 0;
      starts[dimension] = 0;
    }
    if (dimension < 0) return;
  }
}

/** Runs of indices of an axis that lie in one chunk. */
export interface ChunkRuns {
  /** Index of the chunk along the dimension. */
  readonly chunk: number;
  /** Triples: first index in the chunk, first index in the region, length. */
  readonly runs: readonly number[];
}

/** Splits an axis by chunks of an extent. */
export function splitAxis(axis: Axis, extent: number): ChunkRuns[] {
  const result: { chunk: number; runs: number[] }[] = [];
  let last: { chunk: number; runs: number[] } | undefined;
  let at = 0;
  const add = (first: number, length: number) => {
    for (let index = first; index < first + length; ) {
      const chunk = Math.floor(index / extent);
      const now = Math.min(first + length, (chunk + 1) * extent) - index;
      if (last === undefined || last.chunk !== chunk) {
        last = { chunk, runs: [] };
        result.push(last);
      }
      last.runs.push(index - chunk * extent, at, now);
      at += now;
      index += now;
    }
  };
  for (const { start, stride, count, block } of axis) {
    for (let index = 0; index < count; index++) add(start + index * stride, block);
  }
  return result;
}

/** One side of a copy: an array of bytes in row-major order. */
export interface CopySide {
  readonly bytes: Uint8Array;
  /** Extents, slowest first. */
  readonly extents: readonly number[];
}

/**
 * Copies elements between two arrays.
 *
 * @param runs For each dimension triples: first index in `source`, first index in `target`, length.
 */
export function copyRuns(
  source: CopySide,
  target: CopySide,
  runs: readonly (readonly number[])[],
  itemSize: number,
): void {
  const rank = runs.length;
  const [pitches, targetPitches] = [source, target].map(({ extents }) => {
    const result = new Array<number>(rank);
    let pitch = itemSize;
    for (let dimension = rank - 1; dimension >= 0; dimension--) {
      result[dimension] = pitch;
      pitch *= extents[dimension] as number;
    }
    return result;
  }) as [number[], number[]];
  if (rank === 0) {
    target.bytes.set(source.bytes.subarray(0, itemSize));
    return;
  }
  const copy = (dimension: number, from: number, to: number): void => {
    const list = runs[dimension] as readonly number[];
    const [pitch, targetPitch] = [pitches[dimension] as number, targetPitches[dimension] as number];
    for (let index = 0; index < list.length; index += 3) {
      let at = from + (list[index] as number) * pitch;
      let targetAt = to + (list[index + 1] as number) * targetPitch;
      const length = list[index + 2] as number;
      if (dimension === rank - 1) {
        copyBytes(source.bytes, at, target.bytes, targetAt, length * itemSize);
        continue;
      }
      for (let step = 0; step < length; step++, at += pitch, targetAt += targetPitch) {
        copy(dimension + 1, at, targetAt);
      }
    }
  };
  copy(0, 0, 0);
}

/** Copies a few bytes one by one: a view of them costs more. */
const SMALL = 32;

function copyBytes(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  size: number,
): void {
  if (size > SMALL) {
    target.set(source.subarray(from, from + size), to);
    return;
  }
  for (let index = 0; index < size; index++) target[to + index] = source[from + index] as number;
}

/** Fills bytes with copies of an element. */
export function fillBytes(bytes: Uint8Array, element: Uint8Array | undefined): void {
  if (element === undefined || element.length === 0) {
    bytes.fill(0);
    return;
  }
  if (element.length === 1) {
    bytes.fill(element[0] as number);
    return;
  }
  bytes.set(element.subarray(0, bytes.length));
  // What is filled doubles with every copy.
  for (let filled = element.length; filled < bytes.length; filled *= 2) {
    bytes.copyWithin(filled, 0, Math.min(filled, bytes.length - filled));
  }
}
