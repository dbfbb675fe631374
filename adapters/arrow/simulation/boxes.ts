/**
 * Boxes of row-major arrays: what a run of elements covers, and the coordinates in a box.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

/** A box of an array. */
export interface Box {
  /** Index of its first element along each dimension. */
  readonly origin: readonly number[];
  /** Its extents. */
  readonly shape: readonly number[];
}

/** How many elements lie in an array. */
export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Coordinates of an element by its number in row-major order. */
export function coordinatesOf(number: number, shape: readonly number[]): number[] {
  const coordinates = new Array<number>(shape.length);
  let rest = number;
  for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
    const extent = shape[dimension] as number;
    coordinates[dimension] = rest % extent;
    rest = Math.floor(rest / extent);
  }
  return coordinates;
}

/**
 * Cuts elements `[start, end)`, in row-major order, into boxes, in order: as few as there can be, at most two for each
 * dimension but one.
 *
 * @param countMax Most elements of a box; at least one row of the innermost dimension.
 */
export function* boxesOfRun(
  shape: readonly number[],
  start: number,
  end: number,
  countMax = Number.POSITIVE_INFINITY,
): Generator<Box & { readonly count: number }> {
  for (let at = start; at < end; ) {
    let inner = countOf(shape);
    let dimension = 0;
    for (; dimension < shape.length; dimension++) {
      inner /= shape[dimension] as number;
      const fits = at % inner === 0 && inner <= end - at && (inner <= countMax || inner === 1);
      if (fits) break;
    }
    const origin = coordinatesOf(at, shape);
    const left = (shape[dimension] ?? 1) - (origin[dimension] ?? 0);
    const most = Math.max(1, Math.floor(Math.min(end - at, countMax) / inner));
    const extent = Math.min(left, most);
    const box = shape.map((full, index) => {
      return index < dimension ? 1 : index === dimension ? extent : full;
    });
    yield { origin, shape: box, count: extent * inner };
    at += extent * inner;
  }
}

/** The coordinates along one dimension of each element of a box, in row-major order. */
export function coordinatesAlong({ origin, shape }: Box, dimension: number): Int32Array {
  const coordinates = new Int32Array(countOf(shape));
  const extent = shape[dimension] as number;
  const inner = countOf(shape.slice(dimension + 1));
  const first = origin[dimension] as number;
  for (let at = 0; at < coordinates.length; ) {
    for (let index = 0; index < extent; index++) {
      coordinates.fill(first + index, at, at + inner);
      at += inner;
    }
  }
  return coordinates;
}
