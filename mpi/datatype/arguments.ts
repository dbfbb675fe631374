/**
 * Checks of the arguments of datatype constructors.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import {
  blockLengthOf,
  DISTRIBUTE_DFLT_DARG,
  type DistributedDimension,
  type Distribution,
} from "./darray.js";

/** How the dimensions of an array follow each other in memory: "C", last one fastest. */
export type ArrayOrder = "C" | "FORTRAN";

/** The error of an argument that makes no sense. */
export function argumentError(what: string, why: string): MpiError {
  return new MpiError({
    code: "MPI_ERR_ARG",
    call: `Constructing ${what}`,
    why,
    remedy: "Use whole numbers; sizes and starts are in elements of the old type, from 0",
  });
}

/** @throws {@link MpiError} `MPI_ERR_ARG` unless the value is a whole number. */
export function requireInteger(what: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value)) throw argumentError(what, `${name} is ${value}`);
}

/** @throws {@link MpiError} `MPI_ERR_ARG` unless the value is a whole number of at least 0. */
export function requireSize(what: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw argumentError(what, `${name} is ${value}`);
}

/** Checks lists of block lengths and displacements; a single length goes for all blocks. */
export function requireBlocks(
  what: string,
  blocklengths: readonly number[] | number,
  displacements: readonly number[],
): void {
  const isOne = typeof blocklengths === "number";
  if (!Array.isArray(displacements) || !(isOne || Array.isArray(blocklengths))) {
    throw argumentError(what, "block lengths or displacements are no list");
  }
  if (!isOne && blocklengths.length !== displacements.length) {
    const counts = `${blocklengths.length} block lengths and ${displacements.length} displacements`;
    throw argumentError(what, `there are ${counts}`);
  }
  for (const length of isOne ? [blocklengths] : blocklengths) requireSize(what, "a length", length);
  for (const displacement of displacements) requireInteger(what, "a displacement", displacement);
}

/** @throws {@link MpiError} `MPI_ERR_ARG` for an order that is none. */
export function requireOrder(what: string, order: unknown): void {
  if (order !== "C" && order !== "FORTRAN") throw argumentError(what, `order is ${order}`);
}

/** Checks the arguments of a subarray. */
export function requireSubarray(
  sizes: readonly number[],
  subsizes: readonly number[],
  starts: readonly number[],
  order: ArrayOrder,
): void {
  const count = sizes.length;
  if (count === 0 || subsizes.length !== count || starts.length !== count) {
    throw argumentError("subarray", "sizes, subsizes and starts differ in length or are empty");
  }
  requireOrder("subarray", order);
  for (let i = 0; i < count; i += 1) {
    const [size, subsize, start] = [sizes[i], subsizes[i], starts[i]] as [number, number, number];
    const sound = [size, subsize, start].every(Number.isSafeInteger);
    // The standard wants subsizes of at least 1; 0 is allowed here, for a rank without a share.
    if (!sound || size < 1 || subsize < 0 || start < 0 || start + subsize > size) {
      const why = `in dimension ${i}, ${subsize} elements from ${start} are not within ${size}`;
      throw argumentError("subarray", why);
    }
  }
}

/** Checks one dimension of a distributed array. */
function requireDimension(dimension: DistributedDimension, index: number): void {
  const { size, distribution, block, processes } = dimension;
  requireSize("darray", `the size of dimension ${index}`, size);
  requireSize("darray", `the number of processes of dimension ${index}`, processes);
  const where = `dimension ${index}`;
  if (size < 1 || processes < 1) throw argumentError("darray", `${where} has no elements`);
  if (!["block", "cyclic", "none"].includes(distribution)) {
    throw argumentError("darray", `${where} is dealt out as ${String(distribution)}`);
  }
  if (distribution === "none" && processes !== 1) {
    throw argumentError("darray", `${where} is not dealt out and has ${processes} processes`);
  }
  const isBlock = Number.isSafeInteger(block) && (block > 0 || block === DISTRIBUTE_DFLT_DARG);
  if (!isBlock || blockLengthOf(dimension) === undefined) {
    throw argumentError("darray", `${where} does not fit into blocks of ${block}`);
  }
}

/** The dimensions of a distributed array, and this process's place along each. */
export function dimensionsOf(
  size: number,
  rank: number,
  lists: {
    readonly gsizes: readonly number[];
    readonly distribs: readonly Distribution[];
    readonly dargs: readonly number[];
    readonly psizes: readonly number[];
  },
): DistributedDimension[] {
  const { gsizes, distribs, dargs, psizes } = lists;
  const count = gsizes.length;
  if (count === 0 || [distribs, dargs, psizes].some((list) => list.length !== count)) {
    throw argumentError("darray", "its lists differ in length or are empty");
  }
  requireSize("darray", "size", size);
  requireSize("darray", "rank", rank);
  const processes = psizes.reduce((product, factor) => product * factor, 1);
  if (processes !== size || rank >= size) {
    throw argumentError("darray", `rank ${rank} of ${size} is not in a grid of ${processes}`);
  }
  let rest = rank;
  const places = psizes.toReversed().map((factor) => {
    const place = rest % factor;
    rest = Math.floor(rest / factor);
    return place;
  });
  return gsizes.map((length, i) => {
    const dimension = {
      size: length,
      distribution: distribs[i] as Distribution,
      block: dargs[i] as number,
      processes: psizes[i] as number,
      place: places[count - 1 - i] as number,
    };
    requireDimension(dimension, i);
    return dimension;
  });
}
