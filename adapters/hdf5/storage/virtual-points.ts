/**
 * Mappings that are no product of axes: element by element, in the order of the selections.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import type { SpaceSelection } from "../description.js";
import { type Axis, listAxis, product, type Region } from "../region.js";
import { axesOf, indexOfOrdinal, lengthOf } from "./virtual-selection.js";

/** Most elements of such a mapping: each takes some bytes of memory. */
const POINTS_MAX = 1 << 22;
/** Elements that are read for one that is needed, at most, where those needed are no product. */
const WASTE_MAX = 16;

function tooMany(count: number): DaosError {
  const text = {
    what: "Reading a virtual dataset",
    why: `a mapping of ${count} elements changes their shape`,
    remedy: `cut it into mappings of at most ${POINTS_MAX} elements, or of the same extents`,
  };
  return new DaosError("DER_REC2BIG", text, { count });
}

/** Numbers of the selected elements in an array of row-major order, in the order of the selection. */
export function elementNumbers(selection: SpaceSelection, shape: readonly number[]): Float64Array {
  if (selection.kind === "none") return new Float64Array(0);
  const numberOf = (point: readonly number[]) =>
    point.reduce((number, index, dimension) => number * (shape[dimension] as number) + index, 0);
  if (selection.kind === "points") return Float64Array.from(selection.points, numberOf);
  if (selection.kind === "blocks") return blockNumbers(selection.blocks, shape);
  const axes = axesOf(selection, shape);
  if (axes === undefined) return new Float64Array(0);
  const lengths = axes.map(lengthOf);
  const count = product(lengths);
  if (!(count <= POINTS_MAX)) throw tooMany(count);
  let numbers = Float64Array.of(0);
  for (const [dimension, axis] of axes.entries()) {
    const length = lengths[dimension] as number;
    const next = new Float64Array(numbers.length * length);
    for (let at = 0; at < next.length; at++) {
      const before = numbers[Math.floor(at / length)] as number;
      next[at] = before * (shape[dimension] as number) + indexOfOrdinal(axis, at % length);
    }
    numbers = next;
  }
  return numbers;
}

/** Of blocks in any order; elements in the order of the array. */
function blockNumbers(
  blocks: Extract<SpaceSelection, { kind: "blocks" }>["blocks"],
  shape: readonly number[],
): Float64Array {
  const sizes = blocks.map(([first, end]) =>
    product(end.map((index, dimension) => index - (first[dimension] as number))),
  );
  const count = sizes.reduce((sum, size) => sum + size, 0);
  if (!(count <= POINTS_MAX)) throw tooMany(count);
  const numbers = new Float64Array(count);
  let at = 0;
  for (const [start, end] of blocks) {
    const block = end.map((index, dimension) => index - (start[dimension] as number));
    const ones = start.map(() => 1);
    const slab = { start, stride: block, count: ones, block };
    const part = elementNumbers({ kind: "hyperslab", slab }, shape);
    numbers.set(part, at);
    at += part.length;
  }
  return numbers.sort();
}

/** The indices of an element. */
function pointOf(number: number, shape: readonly number[]): number[] {
  const point = new Array<number>(shape.length);
  let rest = number;
  for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
    const extent = shape[dimension] as number;
    point[dimension] = rest % extent;
    rest = Math.floor(rest / extent);
  }
  return point;
}

/** Where indices are among those of an axis. */
function positionsOf(axis: Axis): Map<number, number> {
  const positions = new Map<number, number>();
  for (const { start, stride, count, block } of axis) {
    for (let number = 0; number < count; number++) {
      for (let at = 0; at < block; at++) {
        positions.set(start + number * stride + at, positions.size);
      }
    }
  }
  return positions;
}

/** The place of a point in a region, packed; `undefined` outside. */
function placeIn(
  positions: readonly Map<number, number>[],
  point: readonly number[],
): number | undefined {
  let place = 0;
  for (const [dimension, position] of positions.entries()) {
    const at = position.get(point[dimension] as number);
    if (at === undefined) return undefined;
    place = place * position.size + at;
  }
  return place;
}

/** Elements of a source that are read at once, and where they go. */
export interface PointRead {
  readonly region: Region;
  /** For each element: its place in what is read, its place in the region that is asked for. */
  readonly places: readonly (readonly [from: number, to: number])[];
}

/** What must be read of a source for a region, in parts that read not much more than is needed. */
export function* pointReads(
  region: Region,
  target: { readonly numbers: Float64Array; readonly shape: readonly number[] },
  source: { readonly numbers: Float64Array; readonly shape: readonly number[] },
): Generator<PointRead> {
  const positions = region.map(positionsOf);
  const pairs: { readonly point: number[]; readonly to: number }[] = [];
  const sourceCount = product(source.shape);
  const count = Math.min(target.numbers.length, source.numbers.length);
  for (let at = 0; at < count; at++) {
    const to = placeIn(positions, pointOf(target.numbers[at] as number, target.shape));
    const number = source.numbers[at] as number;
    if (to === undefined || number >= sourceCount) continue;
    pairs.push({ point: pointOf(number, source.shape), to });
  }
  const stack = pairs.length > 0 ? [pairs] : [];
  for (let some = stack.pop(); some !== undefined; some = stack.pop()) {
    const axes = source.shape.map((_, dimension) => {
      const indices = new Set((some ?? []).map(({ point }) => point[dimension] as number));
      return [...indices].sort((a, b) => a - b);
    });
    if (product(axes.map(({ length }) => length)) > WASTE_MAX * some.length) {
      const half = some.length >> 1;
      stack.push(some.slice(half), some.slice(0, half));
      continue;
    }
    const sourceRegion = axes.map(listAxis);
    const sourcePositions = sourceRegion.map(positionsOf);
    const places = some.map(
      ({ point, to }) => [placeIn(sourcePositions, point) as number, to] as const,
    );
    yield { region: sourceRegion, places };
  }
}
