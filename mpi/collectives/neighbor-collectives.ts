/**
 * Collectives of neighbours. Communicators without a topology have none and refuse these calls.
 *
 * @module
 */

import type { MessageBuffer } from "../messages/message-buffer.js";
import type { Request } from "../messages/request.js";
import type { NeighborCalls } from "./collective-calls.js";
import { Collectives } from "./collectives.js";
import type { NumberList } from "./pieces.js";
import {
  type Neighborhood,
  neighborAllgatherCall,
  neighborAlltoallCall,
  noNeighbors,
} from "./regular-checks.js";
import {
  neighborAllgathervCall,
  neighborAlltoallvCall,
  neighborAlltoallwCall,
  type TypedPieces,
} from "./vector-checks.js";

/** All collectives; a communicator without its transport. */
export abstract class NeighborCollectives extends Collectives implements NeighborCalls {
  /** How many neighbours there are; undefined without a topology. @internal */
  protected get neighborhood(): Neighborhood | undefined {
    return undefined;
  }

  neighborAllgather(send: MessageBuffer, recv: MessageBuffer): void {
    this.collectives.run(neighborAllgatherCall(this.near("MPI_Neighbor_allgather"), send, recv));
  }

  neighborAllgatherv(
    send: MessageBuffer,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): void {
    this.collectives.run(
      neighborAllgathervCall(this.near("MPI_Neighbor_allgatherv"), send, recv, counts, displs),
    );
  }

  neighborAlltoall(send: MessageBuffer, recv: MessageBuffer): void {
    this.collectives.run(neighborAlltoallCall(this.near("MPI_Neighbor_alltoall"), send, recv));
  }

  neighborAlltoallv(
    send: MessageBuffer,
    recv: MessageBuffer,
    sendcounts: NumberList,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): void {
    this.collectives.run(
      neighborAlltoallvCall(this.near("MPI_Neighbor_alltoallv"), send, recv, {
        sendcounts,
        recvcounts,
        senddispls,
        recvdispls,
      }),
    );
  }

  neighborAlltoallw(send: TypedPieces, recv: TypedPieces): void {
    this.collectives.run(neighborAlltoallwCall(this.near("MPI_Neighbor_alltoallw"), send, recv));
  }

  ineighborAllgather(send: MessageBuffer, recv: MessageBuffer): Request {
    return this.collectives.start(
      neighborAllgatherCall(this.near("MPI_Neighbor_allgather"), send, recv),
    );
  }

  ineighborAllgatherv(
    send: MessageBuffer,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): Request {
    return this.collectives.start(
      neighborAllgathervCall(this.near("MPI_Neighbor_allgatherv"), send, recv, counts, displs),
    );
  }

  ineighborAlltoall(send: MessageBuffer, recv: MessageBuffer): Request {
    return this.collectives.start(
      neighborAlltoallCall(this.near("MPI_Neighbor_alltoall"), send, recv),
    );
  }

  ineighborAlltoallv(
    send: MessageBuffer,
    recv: MessageBuffer,
    sendcounts: NumberList,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): Request {
    return this.collectives.start(
      neighborAlltoallvCall(this.near("MPI_Neighbor_alltoallv"), send, recv, {
        sendcounts,
        recvcounts,
        senddispls,
        recvdispls,
      }),
    );
  }

  ineighborAlltoallw(send: TypedPieces, recv: TypedPieces): Request {
    return this.collectives.start(
      neighborAlltoallwCall(this.near("MPI_Neighbor_alltoallw"), send, recv),
    );
  }

  /** @throws {@link MpiError} `MPI_ERR_TOPOLOGY` without a topology. @internal */
  protected near(call: string): Neighborhood {
    const near = this.neighborhood;
    if (near === undefined) throw noNeighbors(call);
    return near;
  }
}
