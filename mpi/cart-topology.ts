/**
 * Cartesian topology: arithmetic between ranks and places in a grid.
 *
 * The MPI standard numbers the ranks of a grid row-major, so that this needs no library:
 *
 *     dims [2, 3]     rank 0 (0,0)   1 (0,1)   2 (0,2)
 *                          3 (1,0)   4 (1,1)   5 (1,2)
 *
 * Algorithm only: no communication.
 *
 * @module
 */

import type { CartShift } from "./communicator.js";
import { PROC_NULL } from "./constants.js";
import { MpiError } from "./errors.js";

/** Most dimensions of a grid. */
const DIMENSION_COUNT_MAX = 16;

/** A grid of ranks. */
export class CartTopology {
  /** Number of ranks along each dimension. */
  readonly dims: readonly number[];
  /** Whether each dimension wraps around. */
  readonly periods: readonly boolean[];
  /** Number of ranks in the grid. */
  readonly size: number;

  /**
   * @param available Ranks that the grid may use.
   * @throws {@link MpiError} `MPI_ERR_DIMS` for dimensions that are not positive integers, differ in
   *   number from `periods`, or need more than `available` ranks.
   */
  constructor(dims: readonly number[], periods: readonly boolean[], available: number) {
    const sound = dims.every((count) => Number.isSafeInteger(count) && count > 0);
    if (!sound || dims.length !== periods.length || dims.length > DIMENSION_COUNT_MAX) {
      throw dimsError(`dims [${dims}] and periods [${periods}] describe no grid`);
    }
    this.dims = [...dims];
    this.periods = periods.map(Boolean);
    this.size = dims.reduce((product, count) => product * count, 1);
    if (this.size > available) {
      throw dimsError(`a grid of [${dims}] needs ${this.size} ranks and there are ${available}`);
    }
  }

  /** Two neighbours along each dimension, also where the grid ends. */
  get neighborhood(): { readonly sources: number; readonly destinations: number } {
    const count = 2 * this.dims.length;
    return { sources: count, destinations: count };
  }

  /** The place of a rank. @throws {@link MpiError} `MPI_ERR_RANK`. */
  coordsOf(rank: number): number[] {
    if (!Number.isInteger(rank) || rank < 0 || rank >= this.size) {
      const why = `rank ${rank} is not in a grid of ${this.size}`;
      throw new MpiError({ code: "MPI_ERR_RANK", call: "MPI_Cart_coords", why });
    }
    const coords = new Array<number>(this.dims.length);
    let rest = rank;
    for (let i = this.dims.length - 1; i >= 0; i -= 1) {
      const count = this.dims[i] as number;
      coords[i] = rest % count;
      rest = Math.floor(rest / count);
    }
    return coords;
  }

  /** The rank at a place, or undefined outside of a dimension that does not wrap around. */
  #rankAt(coords: readonly number[]): number | undefined {
    let rank = 0;
    for (const [i, count] of this.dims.entries()) {
      let place = coords[i] as number;
      if (this.periods[i]) place = ((place % count) + count) % count;
      if (place < 0 || place >= count) return undefined;
      rank = rank * count + place;
    }
    return rank;
  }

  /** The rank at a place. @throws {@link MpiError} `MPI_ERR_ARG` outside the grid. */
  rankOf(coords: readonly number[]): number {
    const sound = coords.length === this.dims.length && coords.every(Number.isSafeInteger);
    const rank = sound ? this.#rankAt(coords) : undefined;
    if (rank !== undefined) return rank;
    const why = `[${coords}] is no place in a grid of [${this.dims}]`;
    throw new MpiError({
      code: "MPI_ERR_ARG",
      call: "MPI_Cart_rank",
      why,
      remedy: "Use coordinates from 0 to dims - 1; only periodic dimensions wrap around",
    });
  }

  /** The grid of some of the dimensions. @throws {@link MpiError} `MPI_ERR_DIMS`. */
  sub(remain: readonly boolean[]): CartTopology {
    if (remain.length !== this.dims.length) {
      throw dimsError(
        `${remain.length} dimensions stay or go, and the grid has ${this.dims.length}`,
      );
    }
    const stays = (_: unknown, i: number) => remain[i] === true;
    const [dims, periods] = [this.dims.filter(stays), this.periods.filter(stays)];
    return new CartTopology(dims, periods, this.size);
  }

  /** The neighbours of `rank` along a dimension. @throws {@link MpiError} `MPI_ERR_DIMS`. */
  shift(rank: number, dimension: number, displacement: number): CartShift {
    if (!(dimension in this.dims) || !Number.isSafeInteger(displacement)) {
      throw dimsError(`dimension ${dimension} shifted by ${displacement} is not in this grid`);
    }
    const from = this.coordsOf(rank);
    const at = (distance: number) =>
      this.#rankAt(from.with(dimension, (from[dimension] as number) + distance)) ?? PROC_NULL;
    return { source: at(-displacement), dest: at(displacement) };
  }
}

function dimsError(why: string): MpiError {
  return new MpiError({
    code: "MPI_ERR_DIMS",
    call: "MPI_Cart_create",
    why,
    remedy: "Use dimsCreate(size, dimensions) for a grid that fits",
  });
}

/**
 * Divides ranks over the dimensions of a grid, as evenly as possible (MPI_Dims_create).
 *
 * @param size Number of ranks.
 * @param dims Number of dimensions, or dimensions of which those that are 0 are to be chosen.
 * @returns Ranks along each dimension; the chosen ones do not increase. Their product is `size`.
 * @throws {@link MpiError} `MPI_ERR_DIMS` if the given dimensions do not divide `size`.
 *
 * @example
 * ```ts
 * dimsCreate(12, 2); // [4, 3]
 * dimsCreate(12, [0, 2, 0]); // [3, 2, 2]
 * ```
 * @mpi MPI_Dims_create
 */
export function dimsCreate(size: number, dims: number | readonly number[]): number[] {
  const wanted = typeof dims === "number" ? new Array<number>(dims).fill(0) : [...dims];
  const given = wanted.filter((count) => count !== 0);
  const fixed = given.reduce((product, count) => product * count, 1);
  const open = wanted.length - given.length;
  const rest = size / fixed;
  const sound = Number.isSafeInteger(size) && size > 0 && given.every((count) => count > 0);
  if (!sound || !Number.isInteger(rest) || (open === 0 && rest !== 1)) {
    throw dimsError(`${size} ranks cannot be divided over [${wanted}]`);
  }
  const chosen = evenFactors(rest, open, rest) ?? [];
  return wanted.map((count) => (count === 0 ? (chosen.shift() as number) : count));
}

/** `count` factors of `size`, not increasing, none over `most`, the largest as small as possible. */
function evenFactors(size: number, count: number, most: number): number[] | undefined {
  if (count === 0) return size === 1 ? [] : undefined;
  if (count === 1) return size <= most ? [size] : undefined;
  for (let first = 1; first <= Math.min(size, most); first += 1) {
    if (size % first !== 0 || first ** count < size) continue;
    const others = evenFactors(size / first, count - 1, first);
    if (others) return [first, ...others];
  }
  return undefined;
}
