/**
 * Collectives: what a communicator offers. Each is made by all ranks, in the same order.
 *
 * Buffers are those of messages: plain ones, or elements of datatypes. Counts and displacements are in
 * elements. Blocking calls return when this rank's buffers may be used again; the others return a
 * {@link Request} at once, whose buffers and lists must not be changed before it has completed.
 *
 * @module
 */

import type { InPlace } from "../constants.js";
import type { MessageBuffer } from "../messages/message-buffer.js";
import type { Request } from "../messages/request.js";
import type { Op } from "./op.js";
import type { NumberList } from "./pieces.js";
import type { TypedPieces } from "./vector-checks.js";

/**
 * Collectives. Every method throws an {@link MpiError}: `MPI_ERR_ROOT`, `MPI_ERR_TYPE`, `MPI_ERR_COUNT`,
 * `MPI_ERR_BUFFER`, `MPI_ERR_OP` for wrong arguments, `MPI_ERR_COMM` after `free`, `MPI_FINALIZED`. An error that
 * one rank finds in its own arguments is thrown on that rank only, which has then not taken part.
 */
export interface CollectiveCalls {
  /** Returns when all ranks have called it. @mpi MPI_Barrier */
  barrier(): void;
  /** Copies `buf` of `root` to `buf` of all ranks; equal lengths everywhere. @mpi MPI_Bcast */
  bcast(buf: MessageBuffer | null, root: number): void;
  /**
   * Collects equal contributions at `root`, in rank order.
   *
   * @param send This rank's contribution, of the same length on all ranks; at root also IN_PLACE.
   * @param recv At root: `size` contributions. Elsewhere ignored, and may be null.
   * @mpi MPI_Gather
   */
  gather(send: MessageBuffer | InPlace, recv: MessageBuffer | null, root: number): void;
  /**
   * Collects contributions of different lengths at `root`.
   *
   * @param send This rank's contribution, of the length that root's `counts` says.
   * @param recv At root: where the contributions go. Elsewhere ignored, and may be null.
   * @param counts At root: elements of `recv` from each rank.
   * @param displs At root: index in `recv` of each rank's first element; default: one after the other.
   * @mpi MPI_Gatherv
   */
  gatherv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): void;
  /**
   * Deals out equal parts of `root`'s buffer, in rank order.
   *
   * @param send At root: `size` parts. Elsewhere ignored, and may be null.
   * @param recv This rank's part; at root also IN_PLACE, to leave it where it is.
   * @mpi MPI_Scatter
   */
  scatter(send: MessageBuffer | null, recv: MessageBuffer | InPlace, root: number): void;
  /**
   * Deals out parts of different lengths.
   *
   * @param recv This rank's part, of the length that root's `counts` says; at root also IN_PLACE.
   * @param counts At root: elements of `send` for each rank.
   * @param displs At root: index in `send` of each rank's first element; default: one after the other.
   * @mpi MPI_Scatterv
   */
  scatterv(
    send: MessageBuffer | null,
    recv: MessageBuffer | InPlace,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): void;
  /** As `gather`, and all ranks get the result. @mpi MPI_Allgather */
  allgather(send: MessageBuffer | InPlace, recv: MessageBuffer): void;
  /** As `gatherv`, and all ranks get the result; `counts` are the same everywhere. @mpi MPI_Allgatherv */
  allgatherv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): void;
  /**
   * Sends a part of `send` to each rank, and receives one from each.
   *
   * @param send `size` equal parts; with IN_PLACE those of `recv`.
   * @mpi MPI_Alltoall
   */
  alltoall(send: MessageBuffer | InPlace, recv: MessageBuffer): void;
  /**
   * As `alltoall`, with parts of different lengths.
   *
   * @param sendcounts Elements of `send` for each rank; null with IN_PLACE.
   * @param recvcounts Elements of `recv` from each rank.
   * @param senddispls Index in `send` of each part; default: one after the other.
   * @param recvdispls Index in `recv` of each part; default: one after the other.
   * @mpi MPI_Alltoallv
   */
  alltoallv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    sendcounts: NumberList | null,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): void;
  /** As `alltoall`, with a datatype, a count and a place in bytes for each rank. @mpi MPI_Alltoallw */
  alltoallw(send: TypedPieces | InPlace, recv: TypedPieces): void;
  /**
   * Combines the ranks' buffers element by element at `root`.
   *
   * @param send This rank's elements; at root also IN_PLACE.
   * @param recv At root: the result, of the same type and at least the same length. Elsewhere null.
   * @mpi MPI_Reduce
   */
  reduce(send: MessageBuffer | InPlace, recv: MessageBuffer | null, op: Op, root: number): void;
  /** As `reduce`, and all ranks get the result. @mpi MPI_Allreduce */
  allreduce(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): void;
  /**
   * Combines the ranks' buffers, and deals the result out.
   *
   * @param send As many elements as all counts together; with IN_PLACE those of `recv`.
   * @param recv This rank's part of the result.
   * @param counts Elements of each rank's part, the same everywhere.
   * @mpi MPI_Reduce_scatter
   */
  reduceScatter(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    op: Op,
  ): void;
  /**
   * As `reduceScatter`, with equal parts: a `size`th of `send`, or with IN_PLACE of `recv`.
   *
   * @mpi MPI_Reduce_scatter_block
   */
  reduceScatterBlock(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): void;
  /** Combines the buffers of the ranks up to this one. @mpi MPI_Scan */
  scan(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): void;
  /** Combines the buffers of the ranks before this one; `recv` of rank 0 is undefined. @mpi MPI_Exscan */
  exscan(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): void;
  /** Starts `barrier`. @mpi MPI_Ibarrier */
  ibarrier(): Request;
  /** Starts `bcast`. @mpi MPI_Ibcast */
  ibcast(buf: MessageBuffer | null, root: number): Request;
  /** Starts `gather`. @mpi MPI_Igather */
  igather(send: MessageBuffer | InPlace, recv: MessageBuffer | null, root: number): Request;
  /** Starts `gatherv`. @mpi MPI_Igatherv */
  igatherv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): Request;
  /** Starts `scatter`. @mpi MPI_Iscatter */
  iscatter(send: MessageBuffer | null, recv: MessageBuffer | InPlace, root: number): Request;
  /** Starts `scatterv`. @mpi MPI_Iscatterv */
  iscatterv(
    send: MessageBuffer | null,
    recv: MessageBuffer | InPlace,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): Request;
  /** Starts `allgather`. @mpi MPI_Iallgather */
  iallgather(send: MessageBuffer | InPlace, recv: MessageBuffer): Request;
  /** Starts `allgatherv`. @mpi MPI_Iallgatherv */
  iallgatherv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): Request;
  /** Starts `alltoall`. @mpi MPI_Ialltoall */
  ialltoall(send: MessageBuffer | InPlace, recv: MessageBuffer): Request;
  /** Starts `alltoallv`. @mpi MPI_Ialltoallv */
  ialltoallv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    sendcounts: NumberList | null,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): Request;
  /** Starts `alltoallw`. @mpi MPI_Ialltoallw */
  ialltoallw(send: TypedPieces | InPlace, recv: TypedPieces): Request;
  /** Starts `reduce`. @mpi MPI_Ireduce */
  ireduce(send: MessageBuffer | InPlace, recv: MessageBuffer | null, op: Op, root: number): Request;
  /** Starts `allreduce`. @mpi MPI_Iallreduce */
  iallreduce(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): Request;
  /** Starts `reduceScatter`. @mpi MPI_Ireduce_scatter */
  ireduceScatter(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    op: Op,
  ): Request;
  /** Starts `reduceScatterBlock`. @mpi MPI_Ireduce_scatter_block */
  ireduceScatterBlock(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): Request;
  /** Starts `scan`. @mpi MPI_Iscan */
  iscan(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): Request;
  /** Starts `exscan`. @mpi MPI_Iexscan */
  iexscan(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): Request;
}

/**
 * Collectives of neighbours, on a communicator with a topology. In a grid every rank has two neighbours along each
 * dimension, in this order: dimension by dimension, the one below, then the one above. Where the grid ends there
 * is none: its part of the send buffer goes nowhere, and its part of the receive buffer stays as it is.
 *
 * In a ring of one or two ranks both neighbours are one rank. Which of its two parts is whose is defined since MPI 4.1
 * only: older libraries may exchange them.
 *
 * Errors are those of {@link CollectiveCalls}.
 */
export interface NeighborCalls {
  /** Sends `send` to all neighbours, and receives as much from each. @mpi MPI_Neighbor_allgather */
  neighborAllgather(send: MessageBuffer, recv: MessageBuffer): void;
  /**
   * As `neighborAllgather`, with contributions of different lengths.
   *
   * @param counts Elements of `recv` from each neighbour.
   * @param displs Index in `recv` of each contribution; default: one after the other.
   * @mpi MPI_Neighbor_allgatherv
   */
  neighborAllgatherv(
    send: MessageBuffer,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): void;
  /** Sends a part of `send` to each neighbour, and receives one from each. @mpi MPI_Neighbor_alltoall */
  neighborAlltoall(send: MessageBuffer, recv: MessageBuffer): void;
  /**
   * As `neighborAlltoall`, with parts of different lengths; lists as in `alltoallv`, by neighbour.
   *
   * @mpi MPI_Neighbor_alltoallv
   */
  neighborAlltoallv(
    send: MessageBuffer,
    recv: MessageBuffer,
    sendcounts: NumberList,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): void;
  /**
   * As `neighborAlltoall`, with a datatype, a count and a place in bytes for each neighbour.
   *
   * @mpi MPI_Neighbor_alltoallw
   */
  neighborAlltoallw(send: TypedPieces, recv: TypedPieces): void;
  /** Starts `neighborAllgather`. @mpi MPI_Ineighbor_allgather */
  ineighborAllgather(send: MessageBuffer, recv: MessageBuffer): Request;
  /** Starts `neighborAllgatherv`. @mpi MPI_Ineighbor_allgatherv */
  ineighborAllgatherv(
    send: MessageBuffer,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): Request;
  /** Starts `neighborAlltoall`. @mpi MPI_Ineighbor_alltoall */
  ineighborAlltoall(send: MessageBuffer, recv: MessageBuffer): Request;
  /** Starts `neighborAlltoallv`. @mpi MPI_Ineighbor_alltoallv */
  ineighborAlltoallv(
    send: MessageBuffer,
    recv: MessageBuffer,
    sendcounts: NumberList,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): Request;
  /** Starts `neighborAlltoallw`. @mpi MPI_Ineighbor_alltoallw */
  ineighborAlltoallw(send: TypedPieces, recv: TypedPieces): Request;
}
