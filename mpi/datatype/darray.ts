/**
 * Distributed arrays: which elements of a global array a process of a grid holds.
 *
 * Each dimension is dealt out on its own: in one block to each process, in blocks that go round, or not at
 * all. A process's share of a dimension is a list of runs; the share of the array is their product.
 *
 * @module
 */

import { repeated, sequence, type Typemap } from "./typemap.js";

/** How a dimension is dealt out. */
export const Distribution = {
  /** One block to each process. */
  BLOCK: "block",
  /** Blocks in turns. */
  CYCLIC: "cyclic",
  /** Not at all: the grid has one process along this dimension. */
  NONE: "none",
} as const;

/** How a dimension is dealt out: see {@link Distribution}. */
export type Distribution = (typeof Distribution)[keyof typeof Distribution];

/** The block length that the standard chooses: all in one block, or blocks of one element. */
export const DISTRIBUTE_DFLT_DARG = -1;

/** One dimension of a distributed array. */
export interface DistributedDimension {
  /** Elements of the global array. */
  readonly size: number;
  /** How they are dealt out. */
  readonly distribution: Distribution;
  /** Elements of a block, or {@link DISTRIBUTE_DFLT_DARG}. */
  readonly block: number;
  /** Processes along the dimension. */
  readonly processes: number;
  /** This process's place among them. */
  readonly place: number;
}

/** The length of a block, or `undefined` if the blocks do not hold the whole dimension. */
export function blockLengthOf(dimension: DistributedDimension): number | undefined {
  const { size, distribution, block, processes } = dimension;
  if (distribution === "none") return size;
  const whole = Math.ceil(size / processes);
  if (distribution === "cyclic") return block === DISTRIBUTE_DFLT_DARG ? 1 : block;
  const length = block === DISTRIBUTE_DFLT_DARG ? whole : block;
  return length * processes >= size ? length : undefined;
}

/**
 * A process's share of one dimension.
 *
 * @param child What an element of the dimension holds.
 * @param stride Distance between such elements, in bytes.
 */
export function shareOf(dimension: DistributedDimension, child: Typemap, stride: number): Typemap {
  const { size, processes, place } = dimension;
  const length = blockLengthOf(dimension) as number;
  const round = dimension.distribution === "none" ? size : length * processes;
  const first = dimension.distribution === "none" ? 0 : length * place;
  if (first >= size || length === 0) return sequence([], []);
  const whole = Math.max(0, Math.floor((size - first - length) / round) + 1);
  const lastStart = first + whole * round;
  const rest = Math.min(length, size - lastStart);
  const children = [repeated(repeated(child, length, stride), whole, round * stride)];
  const offsets = [first * stride];
  if (rest > 0) {
    children.push(repeated(child, rest, stride));
    offsets.push(lastStart * stride);
  }
  return sequence(children, offsets);
}
