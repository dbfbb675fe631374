/**
 * The narrow hole that a library, or the one-rank communicator, fills for collectives. Arguments are sound.
 *
 * A call is an object: its blocking, nonblocking and persistent forms differ in who takes it. Of a buffer, `null` is
 * IN_PLACE, and `undefined` one that is not significant on this rank.
 *
 * @module
 */

import type { BasicName } from "../datatype/basic-types.js";
import type { Datatype } from "../datatype/datatype.js";
import { MpiError } from "../errors.js";
import type { Message } from "../messages/message-buffer.js";
import type { PersistentRequest, Request } from "../messages/request.js";
import type { Op } from "./op.js";
import type { Pieces } from "./pieces.js";

/** Calls of equal contributions, in the order of the addon's table (mpi-collective.c). DO NOT REORDER. */
export const REGULAR_KINDS = [
  "MPI_Barrier",
  "MPI_Bcast",
  "MPI_Gather",
  "MPI_Scatter",
  "MPI_Allgather",
  "MPI_Alltoall",
  "MPI_Neighbor_allgather",
  "MPI_Neighbor_alltoall",
] as const;

/** Calls of contributions that differ, in the order of the addon's table (mpi-vector.c). DO NOT REORDER. */
export const VECTOR_KINDS = [
  "MPI_Gatherv",
  "MPI_Scatterv",
  "MPI_Allgatherv",
  "MPI_Alltoallv",
  "MPI_Alltoallw",
  "MPI_Neighbor_allgatherv",
  "MPI_Neighbor_alltoallv",
  "MPI_Neighbor_alltoallw",
] as const;

/** Reductions, in the order of the addon's table (mpi-reduce.c). DO NOT REORDER. */
export const REDUCTION_KINDS = [
  "MPI_Reduce",
  "MPI_Allreduce",
  "MPI_Reduce_scatter",
  "MPI_Reduce_scatter_block",
  "MPI_Scan",
  "MPI_Exscan",
] as const;

/** Name of a reduction. */
export type ReductionKind = (typeof REDUCTION_KINDS)[number];
/** Name of a call of equal contributions. */
export type RegularKind = (typeof REGULAR_KINDS)[number];
/** Name of a call of contributions that differ. */
export type VectorKind = (typeof VECTOR_KINDS)[number];

/** A buffer of a collective. */
export type CollectiveBuffer = Message | null | undefined;

interface Buffers {
  readonly send: CollectiveBuffer;
  readonly recv: CollectiveBuffer;
  /** 0 where there is none. */
  readonly root: number;
}

/** A collective of equal contributions. */
export interface RegularCall extends Buffers {
  readonly shape: "regular";
  readonly kind: RegularKind;
  /** Elements of one contribution that is sent. */
  readonly sendCount: number;
  /** Elements of one contribution that is received. */
  readonly recvCount: number;
}

/** One side of a collective of contributions that differ: all elements of the buffer, or pieces of it. */
export interface CallSide {
  /** Elements; of a side without pieces. */
  readonly count: number;
  /** In elements; in bytes with `datatypes`. */
  readonly pieces?: Pieces;
  /** Of each piece. */
  readonly datatypes?: readonly Datatype[];
}

/** A collective of contributions that differ. */
export interface VectorCall extends Buffers {
  readonly shape: "vector";
  readonly kind: VectorKind;
  readonly sent: CallSide;
  readonly received: CallSide;
}

/** A reduction. */
export interface ReductionCall extends Buffers {
  readonly shape: "reduction";
  readonly kind: ReductionKind;
  /** Elements of the result, or of each rank's part of it. */
  readonly count: number;
  /** Elements of each rank's part. */
  readonly counts?: Int32Array;
  readonly op: Op;
  /** Name of the elements' type; undefined for derived types. */
  readonly type: BasicName | undefined;
}

/** A checked call. */
export type CollectiveCall = RegularCall | VectorCall | ReductionCall;

/** Collectives of one communicator. */
export interface CollectiveTransport {
  /** Takes part, and returns when this rank's part is done. */
  run(call: CollectiveCall): void;
  /** Starts to take part. */
  start(call: CollectiveCall): Request;
  /** Prepares to take part, each time the request is started. */
  prepare(call: CollectiveCall): PersistentRequest;
}

/** The error of an attempt to cancel a collective. */
export function cannotCancel(): MpiError {
  return new MpiError({
    code: "MPI_ERR_REQUEST",
    call: "MPI_Cancel",
    why: "a collective cannot be cancelled",
    remedy: "Wait for it",
  });
}
