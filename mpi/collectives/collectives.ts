/**
 * Collectives of a communicator without its transport: every call is checked, then run or started.
 *
 * @module
 */

import type { InPlace } from "../constants.js";
import type { MessageBuffer } from "../messages/message-buffer.js";
import { PointToPoint } from "../messages/point-to-point.js";
import type { Request } from "../messages/request.js";
import type { CollectiveCalls } from "./collective-calls.js";
import type { CollectiveTransport } from "./collective-transport.js";
import type { Op } from "./op.js";
import type { NumberList } from "./pieces.js";
import {
  allRanksCall,
  nonblocking,
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
  scatterCall,
} from "./regular-checks.js";
import {
  allgathervCall,
  alltoallvCall,
  alltoallwCall,
  gathervCall,
  scattervCall,
  type TypedPieces,
} from "./vector-checks.js";

/** The collectives; a communicator without its transport. */
export abstract class Collectives extends PointToPoint implements CollectiveCalls {
  /** What takes part in collectives. @internal */
  protected abstract readonly collectives: CollectiveTransport;

  barrier(): void {
    this.collectives.run(barrierCall());
  }

  bcast(buf: MessageBuffer | null, root: number): void {
    this.collectives.run(bcastCall(this, buf, root));
  }

  gather(send: MessageBuffer | InPlace, recv: MessageBuffer | null, root: number): void {
    this.collectives.run(gatherCall(this, send, recv, root));
  }

  gatherv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): void {
    this.collectives.run(gathervCall(this, send, recv, counts, root, displs));
  }

  scatter(send: MessageBuffer | null, recv: MessageBuffer | InPlace, root: number): void {
    this.collectives.run(scatterCall(this, send, recv, root));
  }

  scatterv(
    send: MessageBuffer | null,
    recv: MessageBuffer | InPlace,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): void {
    this.collectives.run(scattervCall(this, send, recv, counts, root, displs));
  }

  allgather(send: MessageBuffer | InPlace, recv: MessageBuffer): void {
    this.collectives.run(allgatherCall(this, send, recv));
  }

  allgatherv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): void {
    this.collectives.run(allgathervCall(this, send, recv, counts, displs));
  }

  alltoall(send: MessageBuffer | InPlace, recv: MessageBuffer): void {
    this.collectives.run(alltoallCall(this, send, recv));
  }

  alltoallv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    sendcounts: NumberList | null,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): void {
    this.collectives.run(
      alltoallvCall(this, send, recv, { sendcounts, recvcounts, senddispls, recvdispls }),
    );
  }

  alltoallw(send: TypedPieces | InPlace, recv: TypedPieces): void {
    this.collectives.run(alltoallwCall(this, send, recv));
  }

  reduce(send: MessageBuffer | InPlace, recv: MessageBuffer | null, op: Op, root: number): void {
    this.collectives.run(reduceCall(this, send, recv, op, root));
  }

  allreduce(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): void {
    this.collectives.run(allRanksCall(this, "MPI_Allreduce", send, recv, op));
  }

  reduceScatter(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    op: Op,
  ): void {
    this.collectives.run(reduceScatterCall(this, send, recv, counts, op));
  }

  reduceScatterBlock(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): void {
    this.collectives.run(reduceScatterBlockCall(this, send, recv, op));
  }

  scan(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): void {
    this.collectives.run(allRanksCall(this, "MPI_Scan", send, recv, op));
  }

  exscan(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): void {
    this.collectives.run(allRanksCall(this, "MPI_Exscan", send, recv, op));
  }

  ibarrier(): Request {
    return this.collectives.start(barrierCall());
  }

  ibcast(buf: MessageBuffer | null, root: number): Request {
    return this.collectives.start(bcastCall(this, buf, root));
  }

  igather(send: MessageBuffer | InPlace, recv: MessageBuffer | null, root: number): Request {
    return this.collectives.start(gatherCall(this, send, recv, root));
  }

  igatherv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): Request {
    return this.collectives.start(gathervCall(this, send, recv, counts, root, displs));
  }

  iscatter(send: MessageBuffer | null, recv: MessageBuffer | InPlace, root: number): Request {
    return this.collectives.start(scatterCall(this, send, recv, root));
  }

  iscatterv(
    send: MessageBuffer | null,
    recv: MessageBuffer | InPlace,
    counts: NumberList | null,
    root: number,
    displs?: NumberList,
  ): Request {
    return this.collectives.start(scattervCall(this, send, recv, counts, root, displs));
  }

  iallgather(send: MessageBuffer | InPlace, recv: MessageBuffer): Request {
    return this.collectives.start(allgatherCall(this, send, recv));
  }

  iallgatherv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    displs?: NumberList,
  ): Request {
    return this.collectives.start(allgathervCall(this, send, recv, counts, displs));
  }

  ialltoall(send: MessageBuffer | InPlace, recv: MessageBuffer): Request {
    return this.collectives.start(alltoallCall(this, send, recv));
  }

  ialltoallv(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    sendcounts: NumberList | null,
    recvcounts: NumberList,
    senddispls?: NumberList,
    recvdispls?: NumberList,
  ): Request {
    return this.collectives.start(
      alltoallvCall(this, send, recv, { sendcounts, recvcounts, senddispls, recvdispls }),
    );
  }

  ialltoallw(send: TypedPieces | InPlace, recv: TypedPieces): Request {
    return this.collectives.start(alltoallwCall(this, send, recv));
  }

  ireduce(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer | null,
    op: Op,
    root: number,
  ): Request {
    return this.collectives.start(nonblocking(reduceCall(this, send, recv, op, root)));
  }

  iallreduce(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): Request {
    return this.collectives.start(nonblocking(allRanksCall(this, "MPI_Allreduce", send, recv, op)));
  }

  ireduceScatter(
    send: MessageBuffer | InPlace,
    recv: MessageBuffer,
    counts: NumberList,
    op: Op,
  ): Request {
    return this.collectives.start(nonblocking(reduceScatterCall(this, send, recv, counts, op)));
  }

  ireduceScatterBlock(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): Request {
    return this.collectives.start(nonblocking(reduceScatterBlockCall(this, send, recv, op)));
  }

  iscan(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): Request {
    return this.collectives.start(nonblocking(allRanksCall(this, "MPI_Scan", send, recv, op)));
  }

  iexscan(send: MessageBuffer | InPlace, recv: MessageBuffer, op: Op): Request {
    return this.collectives.start(nonblocking(allRanksCall(this, "MPI_Exscan", send, recv, op)));
  }
}
