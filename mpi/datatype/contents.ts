/**
 * Contents: how a datatype was made, as MPI_Type_get_envelope and MPI_Type_get_contents tell it.
 *
 * @module
 */

import type { Datatype } from "./datatype.js";

/** Constructors, in the order of the addon's table (mpi-datatype.c). DO NOT REORDER. */
export const COMBINERS = [
  "named",
  "dup",
  "contiguous",
  "vector",
  "hvector",
  "indexed",
  "hindexed",
  "indexed_block",
  "hindexed_block",
  "struct",
  "subarray",
  "darray",
  "resized",
] as const;

/** Which constructor made a type: MPI_COMBINER_VECTOR is "vector". */
export type Combiner = (typeof COMBINERS)[number];

/** What a constructor was given, in the standard's order of its C binding. */
export interface Contents {
  /** The constructor; "named" if there was none. */
  readonly combiner: Combiner;
  /** Counts, lengths, displacements in elements, orders. */
  readonly integers: readonly number[];
  /** Displacements and strides in bytes. */
  readonly addresses: readonly number[];
  /** The types that it was made of. */
  readonly datatypes: readonly Datatype[];
}

/** Durable numbers of orders and distributions in {@link Contents.integers}: those of this package. */
export const CONTENT_CODES = {
  C: 0,
  FORTRAN: 1,
  block: 2,
  cyclic: 3,
  none: 4,
} as const;
