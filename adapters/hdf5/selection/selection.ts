/**
 * Selections: which elements of a dataset are read or written.
 *
 *     shape [4, 6]   selection [slice(0, 4, 2), slice(1, 4)]
 *
 *     . x x x . .
 *     . . . . . .      start 1 element, blocks of 3, one level: 2 blocks, 12 elements apart
 *     . x x x . .
 *     . . . . . .
 *
 * However many elements are selected, a selection by dimensions is one {@link Region}, and in a contiguous
 * dataset a pattern for each product of regular parts. Masks of several dimensions, and points, are lists.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { type Axis, axisCount, listAxis, product, type Region, rangeAxis } from "../region.js";

/** Indices `start`, `start + step`, ... below `stop`, as in Python. Made by {@link slice}. */
export interface Slice {
  /** First index; negative ones count from the end, `null` is the first of all. */
  readonly start: number | null;
  /** One past the last index; negative ones count from the end, `null` is behind the last of all. */
  readonly stop: number | null;
  /** Distance of two indices, at least 1. */
  readonly step: number;
}

/** All dimensions that are not named: `[ELLIPSIS, 3]` is index 3 of the last one. */
export const ELLIPSIS = "...";

/** Blocks of indices, as HDF5's hyperslabs have them. Made by {@link multiBlock}. */
export class MultiBlock {
  /** First index. */
  readonly start: number;
  /** Number of blocks; `null` is as many as fit. */
  readonly count: number | null;
  /** From the begin of a block to that of the next. */
  readonly stride: number;
  /** Indices of a block. */
  readonly block: number;

  /** @internal */
  constructor(start: number, count: number | null, stride: number, block: number) {
    this.start = start;
    this.count = count;
    this.stride = stride;
    this.block = block;
  }
}

/** Elements where truth values are set. Made by {@link mask}. */
export class Mask {
  /** One for each element, in row-major order. */
  readonly data: ArrayLike<number | boolean>;
  /** Extents. */
  readonly shape: readonly number[];

  /** @internal */
  constructor(data: ArrayLike<number | boolean>, shape: readonly number[]) {
    this.data = data;
    this.shape = shape;
  }
}

/** Elements by their indices, in any order. Made by {@link points}. */
export class Points {
  /** The indices of each. */
  readonly indices: readonly (readonly number[])[];

  /** @internal */
  constructor(indices: readonly (readonly number[])[]) {
    this.indices = indices;
  }
}

/**
 * One dimension: an index (the dimension is dropped), a slice, increasing indices, truth values, blocks, `null`
 * for all of it, or {@link ELLIPSIS}.
 */
export type DimensionSelection =
  | number
  | Slice
  | null
  | readonly number[]
  | readonly boolean[]
  | Mask
  | MultiBlock
  | typeof ELLIPSIS;

/** A selection: by dimensions, of which those not given are selected whole, or element by element. */
export type Selection = readonly DimensionSelection[] | Mask | Points;

/** A selection, applied to a shape. */
export type ResolvedSelection = {
  /** Extents of the selected dimensions, without those that were dropped. */
  readonly shape: readonly number[];
  /** Selected elements. */
  readonly count: number;
} & (
  | {
      /** The selected elements. */
      readonly region: Region;
      readonly offsets?: undefined;
    }
  | {
      readonly region?: undefined;
      /** Places of the elements in row-major order. */
      readonly offsets: Float64Array;
    }
);

/**
 * Selects a range of indices, as in Python: negative bounds count from the end, `null` is open.
 *
 * @param first `stop` if it is the only argument, else `start`.
 * @param step At least 1.
 *
 * @example
 * ```ts
 * slice(10); // the first 10
 * slice(-10, null); // the last 10
 * slice(0, 100, 5); // every fifth of the first 100
 * ```
 */
export function slice(first: number | null, stop?: number | null, step = 1): Slice {
  return stop === undefined ? { start: null, stop: first, step } : { start: first, stop, step };
}

/**
 * Selects blocks of indices of a dimension.
 *
 * @example
 * ```ts
 * multiBlock({ start: 1, count: 3, stride: 10, block: 2 }); // 1, 2, 11, 12, 21, 22
 * ```
 */
export function multiBlock({
  start = 0,
  count = null,
  stride,
  block = 1,
}: {
  readonly start?: number;
  readonly count?: number | null;
  readonly stride?: number;
  readonly block?: number;
} = {}): MultiBlock {
  return new MultiBlock(start, count, stride ?? block, block);
}

/**
 * Selects the elements where a truth value is set.
 *
 * @param data One for each element.
 * @param shape That of the dataset; by default `data` is for one dimension.
 *
 * @example
 * ```ts
 * const { data, shape } = await u.read();
 * const hot = await u.read(mask(data.map((value) => (value > 0.5 ? 1 : 0)), shape));
 * ```
 */
export function mask(data: ArrayLike<number | boolean>, shape?: readonly number[]): Mask {
  return new Mask(data, shape ?? [data.length]);
}

/** Selects elements by their indices: the result is a list, in the same order. */
export function points(indices: readonly (readonly number[])[]): Points {
  return new Points(indices);
}

function invalid(why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what: "Selecting elements", why, remedy });
}

/** What is selected of one dimension. */
interface SelectedAxis {
  readonly axis: Axis;
  readonly isDropped: boolean;
}

function clampBound(bound: number | null, extent: number, open: number): number {
  if (bound === null) return open;
  if (!Number.isSafeInteger(bound)) {
    throw invalid(`a slice has the bound ${bound}`, "give whole numbers or null");
  }
  return Math.min(Math.max(bound < 0 ? bound + extent : bound, 0), extent);
}

function checkIndex(index: unknown, extent: number, dimension: number): number {
  const from = typeof index === "number" && index < 0 ? index + extent : index;
  if (typeof from === "number" && Number.isSafeInteger(from) && from >= 0 && from < extent) {
    return from;
  }
  const why = `index ${String(index)} of dimension ${dimension} is not in [0, ${extent})`;
  throw invalid(why, "give an index of the dimension; negative ones count from its end");
}

function selectSlice({ start, stop, step }: Slice, extent: number): Axis {
  if (!Number.isSafeInteger(step) || step < 1) {
    throw invalid(`a slice has the step ${step}`, "give a whole step of at least 1");
  }
  const first = clampBound(start, extent, 0);
  const count = Math.max(0, Math.ceil((clampBound(stop, extent, extent) - first) / step));
  if (count === 0) return [];
  return step === 1 ? rangeAxis(first, count) : [{ start: first, stride: step, count, block: 1 }];
}

function selectBlocks({ start, count, stride, block }: MultiBlock, extent: number): Axis {
  const isWhole = [start, stride, block, count ?? 1].every(Number.isSafeInteger);
  if (!isWhole || start < 0 || block < 1 || stride < block || (count ?? 1) < 0) {
    const why = `blocks of ${block} from ${start} on, ${stride} apart, ${count} times, are none`;
    throw invalid(why, "give a start of at least 0, a block of at least 1, a stride no smaller");
  }
  const most = Math.max(0, Math.floor((extent - start - block) / stride) + 1);
  const number = count ?? most;
  if (number > most) {
    throw invalid(`${number} blocks do not fit ${extent} indices`, `give at most ${most}`);
  }
  return number === 0 ? [] : [{ start, stride, count: number, block }];
}

function selectList(list: readonly unknown[], extent: number, dimension: number): Axis {
  const indices = list.map((index) => checkIndex(index, extent, dimension));
  if (indices.some((index, place) => place > 0 && index <= (indices[place - 1] as number))) {
    throw invalid("a list of indices does not increase", "sort it, and name each index once");
  }
  return listAxis(indices);
}

function selectMask({ data, shape }: Mask, extent: number, dimension: number): Axis {
  if (shape.length !== 1 || data.length !== extent) {
    const why = `a mask of shape [${shape}] is given for dimension ${dimension} of ${extent}`;
    throw invalid(why, "give a truth value for each index");
  }
  const indices: number[] = [];
  for (let index = 0; index < extent; index++) if (data[index]) indices.push(index);
  return listAxis(indices);
}

function selectAxis(
  selected: Exclude<DimensionSelection, typeof ELLIPSIS>,
  extent: number,
  dimension: number,
): SelectedAxis {
  const kept = (axis: Axis): SelectedAxis => ({ axis, isDropped: false });
  if (selected === null) return kept(rangeAxis(0, extent));
  if (typeof selected === "number") {
    return { axis: rangeAxis(checkIndex(selected, extent, dimension), 1), isDropped: true };
  }
  if (selected instanceof Mask) return kept(selectMask(selected, extent, dimension));
  if (selected instanceof MultiBlock) return kept(selectBlocks(selected, extent));
  if (Array.isArray(selected)) {
    const isMask = selected.length > 0 && selected.every((item) => typeof item === "boolean");
    if (isMask) return kept(selectMask(mask(selected), extent, dimension));
    return kept(selectList(selected, extent, dimension));
  }
  if (typeof selected === "object" && "step" in selected)
    return kept(selectSlice(selected, extent));
  const why = `dimension ${dimension} is selected by ${String(selected)}`;
  throw invalid(why, "give an index, a slice, a list, a mask, blocks or null");
}

/** One selection for each dimension: what an ellipsis, or nothing, stands for is selected whole. */
function expand(
  selection: readonly DimensionSelection[],
  rank: number,
): Exclude<DimensionSelection, typeof ELLIPSIS>[] {
  const named = selection.filter((part) => part !== ELLIPSIS);
  if (selection.length - named.length > 1) {
    throw invalid("it has more than one ellipsis", "leave one");
  }
  if (named.length > rank) {
    const why = `it names ${named.length} dimensions, the dataset has ${rank}`;
    throw invalid(why, "leave out the dimensions that do not exist");
  }
  const isList = (part: DimensionSelection) => Array.isArray(part) || part instanceof Mask;
  if (named.filter(isList).length > 1) {
    throw invalid("more than one dimension is selected by a list", "use points() for pairs");
  }
  const at = selection.indexOf(ELLIPSIS);
  const first = at === -1 ? named : named.slice(0, at);
  const last = at === -1 ? [] : named.slice(at);
  const between = new Array<null>(rank - named.length).fill(null);
  return [...first, ...between, ...last];
}

function resolveMask({ data, shape: extents }: Mask, shape: readonly number[]): ResolvedSelection {
  if (shape.length === 0) {
    throw invalid("a mask is given for a single element", "leave out the selection");
  }
  const isSame =
    extents.length === shape.length && extents.every((extent, index) => extent === shape[index]);
  if (!isSame || data.length !== product(shape)) {
    const why = `a mask of shape [${extents}] is given for [${shape}]`;
    throw invalid(why, "give a truth value for each element");
  }
  let count = 0;
  for (let place = 0; place < data.length; place++) if (data[place]) count++;
  const offsets = new Float64Array(count);
  let at = 0;
  for (let place = 0; place < data.length; place++) if (data[place]) offsets[at++] = place;
  return { offsets, shape: [count], count };
}

function resolvePoints({ indices }: Points, shape: readonly number[]): ResolvedSelection {
  const offsets = new Float64Array(indices.length);
  for (const [place, point] of indices.entries()) {
    if (point.length !== shape.length) {
      const why = `a point has ${point.length} indices, the dataset ${shape.length} dimensions`;
      throw invalid(why, "give an index for each dimension");
    }
    let offset = 0;
    for (const [dimension, extent] of shape.entries()) {
      offset = offset * extent + checkIndex(point[dimension], extent, dimension);
    }
    offsets[place] = offset;
  }
  return { offsets, shape: [indices.length], count: indices.length };
}

/**
 * Applies a selection to a shape.
 *
 * @throws `DaosError` `DER_INVAL` for an index out of bounds, a step below 1, or more dimensions
 *   than the array has.
 */
export function resolveSelection(
  shape: readonly number[],
  selection: Selection = [],
): ResolvedSelection {
  if (selection instanceof Mask && shape.length !== 1) return resolveMask(selection, shape);
  if (selection instanceof Points) return resolvePoints(selection, shape);
  if (!Array.isArray(selection) && !(selection instanceof Mask)) {
    const why = `it is of kind ${Object.prototype.toString.call(selection).slice(8, -1)}`;
    throw invalid(why, "give a list with a part for each dimension, a mask or points");
  }
  const parts = selection instanceof Mask ? [selection] : expand(selection, shape.length);
  const axes = parts.map((part, index) => selectAxis(part, shape[index] as number, index));
  const kept = axes.filter(({ isDropped }) => !isDropped).map(({ axis }) => axisCount(axis));
  return { region: axes.map(({ axis }) => axis), shape: kept, count: product(kept) };
}
