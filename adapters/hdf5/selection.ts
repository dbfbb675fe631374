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
 * However many elements are selected, the selection is one {@link Region}, and in a contiguous dataset one
 * pattern: each dimension is a level of it. Nothing loops over elements or rows.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { DaosError } from "../../core/index.js";
import { type Axis, product, type Region, rangeAxis } from "./region.js";

/** Indices `start`, `start + step`, ... below `stop`, as in Python. Made by {@link slice}. */
export interface Slice {
  /** First index; negative ones count from the end, `null` is the first of all. */
  readonly start: number | null;
  /** One past the last index; negative ones count from the end, `null` is behind the last of all. */
  readonly stop: number | null;
  /** Distance of two indices, at least 1. */
  readonly step: number;
}

/** One dimension: an index (the dimension is dropped), a slice, or `null` for all of it. */
export type DimensionSelection = number | Slice | null;

/** A selection; dimensions that are not given are selected whole. */
export type Selection = readonly DimensionSelection[];

/** A selection, applied to a shape. */
export interface ResolvedSelection {
  /** The selected elements. */
  readonly region: Region;
  /** Extents of the selected dimensions, without those that were dropped. */
  readonly shape: readonly number[];
  /** Selected elements. */
  readonly count: number;
}

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

function invalid(why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what: "Selecting elements", why, remedy });
}

/** Indices of one dimension: `count` of them, from `start`, `step` apart. */
interface Indices {
  readonly start: number;
  readonly step: number;
  readonly count: number;
  readonly isDropped: boolean;
}

function clampBound(bound: number | null, extent: number, open: number): number {
  if (bound === null) return open;
  if (!Number.isSafeInteger(bound)) {
    throw invalid(`a slice has the bound ${bound}`, "give whole numbers or null");
  }
  return Math.min(Math.max(bound < 0 ? bound + extent : bound, 0), extent);
}

function indicesOf(selected: DimensionSelection, extent: number, dimension: number): Indices {
  if (selected === null) return { start: 0, step: 1, count: extent, isDropped: false };
  if (typeof selected === "number") {
    const start = selected < 0 ? selected + extent : selected;
    if (!Number.isSafeInteger(start) || start < 0 || start >= extent) {
      const why = `index ${selected} of dimension ${dimension} is not in [0, ${extent})`;
      throw invalid(why, "give an index of the dimension; negative ones count from its end");
    }
    return { start, step: 1, count: 1, isDropped: true };
  }
  const { step } = selected;
  if (!Number.isSafeInteger(step) || step < 1) {
    throw invalid(`a slice has the step ${step}`, "give a whole step of at least 1");
  }
  const start = clampBound(selected.start, extent, 0);
  const stop = clampBound(selected.stop, extent, extent);
  const count = Math.max(0, Math.ceil((stop - start) / step));
  return { start, step, count, isDropped: false };
}

function axisOf({ start, step, count }: Indices): Axis {
  if (count === 0) return [];
  return step === 1 ? rangeAxis(start, count) : [{ start, stride: step, count, block: 1 }];
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
  if (selection.length > shape.length) {
    const why = `it names ${selection.length} dimensions, the dataset has ${shape.length}`;
    throw invalid(why, "leave out the dimensions that do not exist");
  }
  const indices = shape.map((extent, index) => indicesOf(selection[index] ?? null, extent, index));
  const kept = indices.filter(({ isDropped }) => !isDropped).map((dimension) => dimension.count);
  return { region: indices.map(axisOf), shape: kept, count: product(kept) };
}
