/**
 * Selections of virtual mappings, dimension by dimension: which elements of a source show in a region.
 *
 *     axis of the virtual dataset    . . a b c . . d e f . .      blocks of 3 from 2 on, 5 apart
 *     ordinals                           0 1 2     3 4 5
 *     axis of the source             a b c d e f                  one block
 *
 * A mapping whose selections have the same extents, but for dimensions with one index, is mapped axis by axis.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import type { SpaceSelection } from "../description.js";
import type { Axis, AxisPart } from "../region.js";

/** Indices of one dimension, in blocks; `count` or `block` may be endless. */
export type SelectionAxis = AxisPart;

/** Ordinals of a selection that a region has: the first of them, where it is in the region, how many follow. */
export interface OrdinalRun {
  readonly ordinal: number;
  readonly at: number;
  readonly length: number;
}

/**
 * A selection as one axis for each dimension; `undefined` if it is no such product.
 *
 * @param shape Extents of what is selected of.
 */
export function axesOf(
  selection: SpaceSelection,
  shape: readonly number[],
): readonly SelectionAxis[] | undefined {
  if (selection.kind === "all") {
    return shape.map((extent) => ({ start: 0, stride: extent, count: 1, block: extent }));
  }
  if (selection.kind !== "hyperslab" || selection.slab.start.length !== shape.length) {
    return undefined;
  }
  const { start, stride, count, block } = selection.slab;
  return start.map((first, dimension) => ({
    start: first,
    stride: Math.max(1, stride[dimension] as number),
    count: count[dimension] ?? Number.POSITIVE_INFINITY,
    block: block[dimension] ?? Number.POSITIVE_INFINITY,
  }));
}

/** Indices that an axis selects; may be endless. */
export function lengthOf({ count, block }: SelectionAxis): number {
  return count === 0 || block === 0 ? 0 : count * block;
}

/** Whether indices have no gaps. */
const isContiguous = ({ stride, count, block }: SelectionAxis): boolean =>
  count === 1 || stride === block;

/** The index of an ordinal. */
export function indexOfOrdinal(axis: SelectionAxis, ordinal: number): number {
  if (isContiguous(axis)) return axis.start + ordinal;
  const number = Math.floor(ordinal / axis.block);
  return axis.start + number * axis.stride + (ordinal - number * axis.block);
}

/** Adds a run, to the last one if it goes on there. */
function addRun(runs: OrdinalRun[], run: OrdinalRun): void {
  const last = runs.at(-1);
  const goesOn =
    last !== undefined &&
    last.ordinal + last.length === run.ordinal &&
    last.at + last.length === run.at;
  if (goesOn) runs[runs.length - 1] = { ...last, length: last.length + run.length };
  else runs.push(run);
}

/** Calls `each` with the parts of `[low, high)` that an axis selects, and their first ordinals. */
function eachSelected(
  axis: SelectionAxis,
  [low, high]: readonly [number, number],
  each: (start: number, ordinal: number, length: number) => void,
): void {
  const { start, stride, count, block } = axis;
  const length = lengthOf(axis);
  if (length === 0) return;
  if (isContiguous(axis)) {
    const [from, to] = [Math.max(low, start), Math.min(high, start + length)];
    if (from < to) each(from, from - start, to - from);
    return;
  }
  const first = Math.max(0, Math.floor((low - start) / stride));
  for (let number = first; number < count; number++) {
    const begin = start + number * stride;
    if (begin >= high) return;
    const [from, to] = [Math.max(low, begin), Math.min(high, begin + block)];
    if (from < to) each(from, number * block + (from - begin), to - from);
  }
}

/** Ordinals of an axis that the axis of a region has. */
export function selectedRuns(region: Axis, axis: SelectionAxis): OrdinalRun[] {
  const runs: OrdinalRun[] = [];
  let at = 0;
  for (const { start, stride, count, block } of region) {
    const isWhole = count === 1 || stride === block;
    const size = isWhole ? count * block : block;
    for (let number = 0; number < (isWhole ? 1 : count); number++) {
      const low = start + number * stride;
      eachSelected(axis, [low, low + size], (from, ordinal, length) => {
        addRun(runs, { ordinal, at: at + (from - low), length });
      });
      at += size;
    }
  }
  return runs;
}

/** The runs without the ordinals whose indices lie beyond an extent. */
export function clipRuns(
  runs: readonly OrdinalRun[],
  axis: SelectionAxis,
  extent: number,
): readonly OrdinalRun[] {
  const count = ordinalsWithin(axis, extent);
  return runs
    .filter(({ ordinal }) => ordinal < count)
    .map((run) => ({ ...run, length: Math.min(run.length, count - run.ordinal) }));
}

/** How many indices of an axis lie below an extent. */
export function ordinalsWithin(axis: SelectionAxis, extent: number): number {
  const { start, stride, block } = axis;
  const room = extent - start;
  if (room <= 0) return 0;
  if (isContiguous(axis)) return Math.min(lengthOf(axis), room);
  const whole = Math.floor(room / stride);
  return Math.min(lengthOf(axis), whole * block + Math.min(block, room - whole * stride));
}

/** Indices of runs, as the axis of a region: blocks of one size at one distance become one part. */
export function axisOfRuns(runs: readonly OrdinalRun[], axis: SelectionAxis): Axis {
  const blocks: { start: number; block: number }[] = [];
  for (const { ordinal, length } of runs) {
    for (let done = 0; done < length; ) {
      const start = indexOfOrdinal(axis, ordinal + done);
      const left = isContiguous(axis) ? length : axis.block - ((ordinal + done) % axis.block);
      const block = Math.min(left, length - done);
      const last = blocks.at(-1);
      if (last !== undefined && last.start + last.block === start) last.block += block;
      else blocks.push({ start, block });
      done += block;
    }
  }
  return joinBlocks(blocks);
}

function joinBlocks(blocks: readonly { start: number; block: number }[]): Axis {
  const parts: AxisPart[] = [];
  for (const { start, block } of blocks) {
    const last = parts.at(-1);
    const distance = last === undefined ? 0 : start - (last.start + (last.count - 1) * last.stride);
    if (last?.block === block && (last.count === 1 || last.stride === distance)) {
      parts[parts.length - 1] = { ...last, stride: distance, count: last.count + 1 };
    } else parts.push({ start, stride: block, count: 1, block });
  }
  return parts;
}

/**
 * For each dimension of the virtual dataset the dimension of the source that goes with it; `undefined` where it has
 * one index.
 *
 * @returns `undefined` if the selections have not the same extents.
 */
export function matchAxes(
  target: readonly SelectionAxis[],
  source: readonly SelectionAxis[],
): readonly (number | undefined)[] | undefined {
  const lengths = source.map(lengthOf);
  const rest = [...lengths.keys()].filter((dimension) => lengths[dimension] !== 1);
  const matched: (number | undefined)[] = [];
  for (const axis of target) {
    const length = lengthOf(axis);
    if (length === 1) {
      matched.push(undefined);
      continue;
    }
    const dimension = rest.shift();
    if (dimension === undefined || lengths[dimension] !== length) return undefined;
    matched.push(dimension);
  }
  return rest.length === 0 ? matched : undefined;
}
