/**
 * Persistent collectives: prepared once, started many times, with the same buffers. Part of MPI 4.0.
 *
 * @module
 */

import type { InPlace } from "../constants.js";
import type { MessageBuffer } from "../messages/message-buffer.js";
import type { PersistentRequest } from "../messages/request.js";
import { NeighborCollectives } from "./neighbor-collectives.js";
import type { Op } from "./op.js";
import type { NumberList } from "./pieces.js";
import {
  allRanksCall,
  persistent,
  reduceCall,
  reduceScatterBlockCall,
  reduceScatterCall,
} from "./reduction-checks.js";
import {
  allgatherCall,
  alltoallCall,
  barrierCall,
  bcastCall,
  gatherCall,
  neighborAllgatherCall,
  neighborAlltoallCall,
  scatterCall,
} from "./regular-checks.js";
import {
  allgathervCall,
  alltoallvCall,
  alltoallwCall,
  gathervCall,
  neighborAllgathervCall,
  neighborAlltoallvCall,
  neighborAlltoallwCall,
  scattervCall,
  type TypedPieces,
} from "./vector-checks.js";

/**
 * Collectives that are prepared once and started many times: arguments are those of the calls without `Init`. All
 * ranks prepare, and start, in the same order. A request keeps its buffers until it is freed.
 *
 * Errors are those of the calls without `Init`. Open MPI's own persistent collectives are used (of version 4 its
 * extension). With other libraries each start is one of the nonblocking collective.
 *
 * @example
 * ```ts
 * const total = comm.allreduceInit(part, sum, Op.SUM);
 * for (let step = 0; step < 100; step += 1) {
 *   part[0] = step;
 *   total.start();
 *   total.wait();
 * }
 * total.free();
 * ```
 */
export interface PersistentCollectiveCalls {
  /** Prepares `barrier`. @mpi MPI_Barrier_init */
  barrierInit(): PersistentRequest;
  /** Prepares `bcast`. @mpi MPI_Bcast_init */
  bcastInit(buf: MessageBuffer | null, root: number): PersistentRequest;
  /** Prepares `gather`. @mpi MPI_Gather_init */
  gatherInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    root: number,
  ): PersistentRequest;
  /** Prepares `gatherv`. @mpi MPI_Gatherv_init */
  gathervInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): PersistentRequest;
  /** Prepares `scatter`. @mpi MPI_Scatter_init */
  scatterInit(
    send: MessageBuffer | null,
    recv: MessageBuffer | InPlace,
    root: number,
  ): PersistentRequest;
  /** Prepares `scatterv`. @mpi MPI_Scatterv_init */
  scattervInit(
    send: MessageBuffer | null,
    recv: MessageBuffer | InPlace,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): PersistentRequest;
  /** Prepares `allgather`. @mpi MPI_Allgather_init */
  allgatherInit(send: MessageBuffer | InPlace, recv: MessageBuffer): PersistentRequest;
  /** Prepares `allgatherv`. @mpi MPI_Allgatherv_init */
  allgathervInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): PersistentRequest;
  /** Prepares `alltoall`. @mpi MPI_Alltoall_init */
  alltoallInit(send: MessageBuffer | InPlace, recv: MessageBuffer): PersistentRequest;
  /** Prepares `alltoallv`. @mpi MPI_Alltoallv_init */
  alltoallvInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    sendcounts: NumberList | null,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): PersistentRequest;
  /** Prepares `alltoallw`. @mpi MPI_Alltoallw_init */
  alltoallwInit(send: TypedPieces | InPlace, recv: TypedPieces): PersistentRequest;
  /** Prepares `reduce`. @mpi MPI_Reduce_init */
  reduceInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    op: Op,
    root: number,
  ): PersistentRequest;
  /** Prepares `allreduce`. @mpi MPI_Allreduce_init */
  allreduceInit(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): PersistentRequest;
  /** Prepares `reduceScatter`. @mpi MPI_Reduce_scatter_init */
  reduceScatterInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    op: Op,
  ): PersistentRequest;
  /** Prepares `reduceScatterBlock`. @mpi MPI_Reduce_scatter_block_init */
  reduceScatterBlockInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    op: Op,
  ): PersistentRequest;
  /** Prepares `scan`. @mpi MPI_Scan_init */
  scanInit(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): PersistentRequest;
  /** Prepares `exscan`. @mpi MPI_Exscan_init */
  exscanInit(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): PersistentRequest;
}

/** Persistent collectives of neighbours; see {@link PersistentCollectiveCalls}. */
export interface PersistentNeighborCalls {
  /** Prepares `neighborAllgather`. @mpi MPI_Neighbor_allgather_init */
  neighborAllgatherInit(send: MessageBuffer, recv: MessageBuffer): PersistentRequest;
  /** Prepares `neighborAllgatherv`. @mpi MPI_Neighbor_allgatherv_init */
  neighborAllgathervInit(
    send: MessageBuffer,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): PersistentRequest;
  /** Prepares `neighborAlltoall`. @mpi MPI_Neighbor_alltoall_init */
  neighborAlltoallInit(send: MessageBuffer, recv: MessageBuffer): PersistentRequest;
  /** Prepares `neighborAlltoallv`. @mpi MPI_Neighbor_alltoallv_init */
  neighborAlltoallvInit(
    send: MessageBuffer,
    recv: MessageBuffer,
    sendcounts: NumberList,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): PersistentRequest;
  /** Prepares `neighborAlltoallw`. @mpi MPI_Neighbor_alltoallw_init */
  neighborAlltoallwInit(send: TypedPieces, recv: TypedPieces): PersistentRequest;
}

/** The checks; a communicator without its transport. */
export abstract class PersistentCollectives
  extends NeighborCollectives
  implements PersistentCollectiveCalls, PersistentNeighborCalls
{
  barrierInit(): PersistentRequest {
    return this.collectives.prepare(barrierCall());
  }

  bcastInit(buf: MessageBuffer | null, root: number): PersistentRequest {
    return this.collectives.prepare(bcastCall(this, buf, root));
  }

  gatherInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    root: number,
  ): PersistentRequest {
    return this.collectives.prepare(gatherCall(this, send, recv, root));
  }

  gathervInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): PersistentRequest {
    return this.collectives.prepare(gathervCall(this, send, recv, counts, root, displs));
  }

  scatterInit(
    send: MessageBuffer | null,
    recv: MessageBuffer | InPlace,
    root: number,
  ): PersistentRequest {
    return this.collectives.prepare(scatterCall(this, send, recv, root));
  }

  scattervInit(
    send: MessageBuffer | null,
    recv: MessageBuffer | InPlace,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): PersistentRequest {
    return this.collectives.prepare(scattervCall(this, send, recv, counts, root, displs));
  }

  allgatherInit(send: MessageBuffer | InPlace, recv: MessageBuffer): PersistentRequest {
    return this.collectives.prepare(allgatherCall(this, send, recv));
  }

  allgathervInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): PersistentRequest {
    return this.collectives.prepare(allgathervCall(this, send, recv, counts, displs));
  }

  alltoallInit(send: MessageBuffer | InPlace, recv: MessageBuffer): PersistentRequest {
    return this.collectives.prepare(alltoallCall(this, send, recv));
  }

  alltoallvInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    sendcounts: NumberList | null,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): PersistentRequest {
    const lists = { sendcounts, recvcounts, senddispls, recvdispls };
    return this.collectives.prepare(alltoallvCall(this, send, recv, lists));
  }

  alltoallwInit(send: TypedPieces | InPlace, recv: TypedPieces): PersistentRequest {
    return this.collectives.prepare(alltoallwCall(this, send, recv));
  }

  reduceInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    op: Op,
    root: number,
  ): PersistentRequest {
    return this.collectives.prepare(persistent(reduceCall(this, send, recv, op, root)));
  }

  allreduceInit(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): PersistentRequest {
    const call = allRanksCall(this, "MPI_Allreduce", send, recv, op);
    return this.collectives.prepare(persistent(call));
  }

  reduceScatterInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    op: Op,
  ): PersistentRequest {
    return this.collectives.prepare(persistent(reduceScatterCall(this, send, recv, counts, op)));
  }

  reduceScatterBlockInit(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    op: Op,
  ): PersistentRequest {
    return this.collectives.prepare(persistent(reduceScatterBlockCall(this, send, recv, op)));
  }

  scanInit(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): PersistentRequest {
    const call = allRanksCall(this, "MPI_Scan", send, recv, op);
    return this.collectives.prepare(persistent(call));
  }

  exscanInit(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): PersistentRequest {
    const call = allRanksCall(this, "MPI_Exscan", send, recv, op);
    return this.collectives.prepare(persistent(call));
  }

  neighborAllgatherInit(send: MessageBuffer, recv: MessageBuffer): PersistentRequest {
    const near = this.near("MPI_Neighbor_allgather");
    return this.collectives.prepare(neighborAllgatherCall(near, send, recv));
  }

  neighborAllgathervInit(
    send: MessageBuffer,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): PersistentRequest {
    const near = this.near("MPI_Neighbor_allgatherv");
    return this.collectives.prepare(neighborAllgathervCall(near, send, recv, counts, displs));
  }

  neighborAlltoallInit(send: MessageBuffer, recv: MessageBuffer): PersistentRequest {
    const near = this.near("MPI_Neighbor_alltoall");
    return this.collectives.prepare(neighborAlltoallCall(near, send, recv));
  }

  neighborAlltoallvInit(
    send: MessageBuffer,
    recv: MessageBuffer,
    sendcounts: NumberList,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): PersistentRequest {
    const near = this.near("MPI_Neighbor_alltoallv");
    const lists = { sendcounts, recvcounts, senddispls, recvdispls };
    return this.collectives.prepare(neighborAlltoallvCall(near, send, recv, lists));
  }

  neighborAlltoallwInit(send: TypedPieces, recv: TypedPieces): PersistentRequest {
    const near = this.near("MPI_Neighbor_alltoallw");
    return this.collectives.prepare(neighborAlltoallwCall(near, send, recv));
  }
}
