/**
 * What all communicators share: the check of every argument, before an implementation sees it.
 *
 * So errors are the same with every library, and implementations fill narrow holes: the protected
 * methods, whose arguments are sound. IN_PLACE reaches them as `null`, a buffer that is not
 * significant on this rank as `undefined`.
 *
 * The checks cost a few nanoseconds per call; messages are made only for errors.
 *
 * @module
 */

import {
  elementCountOf,
  elementsPerRank,
  elementTypeOf,
  type MpiBuffer,
  type Pieces,
  requireBuffer,
  requireLength,
  requireOperation,
  requirePieces,
} from "./buffers.js";
import { CartTopology } from "./cart-topology.js";
import type { CartCommunicator, Communicator } from "./communicator.js";
import type { Op } from "./constants.js";
import { IN_PLACE, type InPlace, OP_INDEX } from "./constants.js";
import { MpiError } from "./errors.js";
import { GroupOperations } from "./groups/group-operations.js";
import { rankError } from "./messages/point-to-point.js";

const INT_MAX = 0x7fffffff;

/** A communicator without its transport. */
export abstract class BaseCommunicator extends GroupOperations implements Communicator {
  abstract get name(): string;
  abstract dup(): Communicator;
  abstract splitShared(): Communicator;
  abstract free(): void;
  abstract barrier(): void;
  abstract abort(code: number): never;

  protected abstract doSplit(color: number | undefined, key: number): Communicator | undefined;
  protected abstract doCreateCart(
    topology: CartTopology,
    reorder: boolean,
  ): CartCommunicator | undefined;
  protected abstract doBcast(buf: MpiBuffer, root: number): void;
  protected abstract doGather(
    send: MpiBuffer | null,
    recv: MpiBuffer | undefined,
    count: number,
    root: number,
  ): void;
  protected abstract doGatherv(
    send: MpiBuffer | null,
    recv: MpiBuffer | undefined,
    pieces: Pieces | undefined,
    root: number,
  ): void;
  protected abstract doAllgather(send: MpiBuffer | null, recv: MpiBuffer, count: number): void;
  protected abstract doAllgatherv(send: MpiBuffer | null, recv: MpiBuffer, pieces: Pieces): void;
  protected abstract doReduce(
    send: MpiBuffer | null,
    recv: MpiBuffer | undefined,
    op: Op,
    root: number,
  ): void;
  protected abstract doAllreduce(send: MpiBuffer | null, recv: MpiBuffer, op: Op): void;

  split(color: number | undefined, key = 0): Communicator | undefined {
    const colorIsSound = color === undefined || (Number.isInteger(color) && color >= 0);
    if (!colorIsSound || (color ?? 0) > INT_MAX || (key | 0) !== key) {
      throw new MpiError({
        code: "MPI_ERR_ARG",
        call: "MPI_Comm_split",
        why: `color ${color} or key ${key} is not allowed`,
        remedy: "Use a color from 0 to 2147483647 or undefined, and a 32-bit integer key",
      });
    }
    return this.doSplit(color, key);
  }

  createCart(
    dims: readonly number[],
    periods: readonly boolean[],
    reorder = false,
  ): CartCommunicator | undefined {
    return this.doCreateCart(new CartTopology(dims, periods, this.size), reorder);
  }

  bcast(buf: MpiBuffer, root: number): void {
    requireBuffer("MPI_Bcast", buf);
    this.#requireRoot("MPI_Bcast", root);
    this.doBcast(buf, root);
  }

  gather(send: MpiBuffer | InPlace, recv: MpiBuffer | null, root: number): void {
    const call = "MPI_Gather";
    this.#requireRoot(call, root);
    const [out, into] = this.#gatherBuffers(call, send, recv, root);
    const count = into ? elementsPerRank(call, this.#contribution(call, out, into)) : 0;
    this.doGather(out, into, count, root);
  }

  gatherv(
    send: MpiBuffer | InPlace,
    recv: MpiBuffer | null,
    counts: ArrayLike<number> | null,
    root: number,
    displs?: ArrayLike<number>,
  ): void {
    const call = "MPI_Gatherv";
    this.#requireRoot(call, root);
    const [out, into] = this.#gatherBuffers(call, send, recv, root);
    const pieces = into && requirePieces(call, into, this.size, counts ?? undefined, displs);
    if (out && into && pieces) this.#requireOwnPiece(call, out, into, pieces);
    this.doGatherv(out, into, pieces, root);
  }

  allgather(send: MpiBuffer | InPlace, recv: MpiBuffer): void {
    const call = "MPI_Allgather";
    requireBuffer(call, recv);
    const out = sendBuffer(call, send, recv);
    this.doAllgather(out, recv, elementsPerRank(call, this.#contribution(call, out, recv)));
  }

  allgatherv(
    send: MpiBuffer | InPlace,
    recv: MpiBuffer,
    counts: ArrayLike<number>,
    displs?: ArrayLike<number>,
  ): void {
    const call = "MPI_Allgatherv";
    requireBuffer(call, recv);
    const out = sendBuffer(call, send, recv);
    const pieces = requirePieces(call, recv, this.size, counts, displs);
    if (out) this.#requireOwnPiece(call, out, recv, pieces);
    this.doAllgatherv(out, recv, pieces);
  }

  reduce(send: MpiBuffer | InPlace, recv: MpiBuffer | null, op: Op, root: number): void {
    const call = "MPI_Reduce";
    this.#requireRoot(call, root);
    const [out, into] = this.#gatherBuffers(call, send, recv, root);
    requireReduction(call, out, into, op);
    this.doReduce(out, into, op, root);
  }

  allreduce(send: MpiBuffer | InPlace, recv: MpiBuffer, op: Op): void {
    const call = "MPI_Allreduce";
    requireBuffer(call, recv);
    const out = sendBuffer(call, send, recv);
    requireReduction(call, out, recv, op);
    this.doAllreduce(out, recv, op);
  }

  /** The buffers of a collective with a root: there the receive buffer counts, elsewhere not. */
  #gatherBuffers(
    call: string,
    send: MpiBuffer | InPlace,
    recv: MpiBuffer | null,
    root: number,
  ): [MpiBuffer | null, MpiBuffer | undefined] {
    if (this.rank === root) {
      requireBuffer(call, recv);
      return [sendBuffer(call, send, recv), recv];
    }
    requireBuffer(call, send);
    return [send, undefined];
  }

  #contribution(call: string, send: MpiBuffer | null, receive: MpiBuffer) {
    const bytesPerRank = send ? send.byteLength : receive.byteLength / this.size;
    if (!Number.isInteger(bytesPerRank)) {
      const why = `${receive.byteLength} bytes are not ${this.size} equal contributions`;
      throw new MpiError({ code: "MPI_ERR_COUNT", call, why });
    }
    return { receive, bytesPerRank, ranks: this.size };
  }

  /** This rank's own contribution must have the length that the counts say. */
  #requireOwnPiece(call: string, send: MpiBuffer, receive: MpiBuffer, pieces: Pieces): void {
    const size =
      ((pieces.counts[this.rank] as number) * receive.byteLength) / elementCountOf(receive) || 0;
    if (send.byteLength === size) return;
    throw new MpiError({
      code: "MPI_ERR_COUNT",
      call,
      why: `rank ${this.rank} sends ${send.byteLength} bytes and its count says ${size}`,
      remedy: "Make counts[rank] the number of elements that the rank sends",
    });
  }

  #requireRoot(call: string, root: number): void {
    if ((root | 0) === root && root >= 0 && root < this.size) return;
    throw rankError(call, "MPI_ERR_ROOT", root, this.size);
  }
}

/** The send buffer of a collective; null for IN_PLACE. */
function sendBuffer(call: string, send: MpiBuffer | InPlace, recv: MpiBuffer): MpiBuffer | null {
  if (send === IN_PLACE) return null;
  requireBuffer(call, send);
  if (send !== recv || send.byteLength === 0) return send;
  throw new MpiError({
    code: "MPI_ERR_BUFFER",
    call,
    why: "the send buffer is the receive buffer",
    remedy: "Pass IN_PLACE as the send buffer",
  });
}

function requireReduction(
  call: string,
  send: MpiBuffer | null,
  recv: MpiBuffer | undefined,
  op: Op,
): void {
  if (!Object.hasOwn(OP_INDEX, op)) {
    throw new MpiError({ code: "MPI_ERR_OP", call, why: `"${op}" is no operation` });
  }
  const data = send ?? recv;
  if (data) requireOperation(call, data, op);
  if (!send || !recv) return;
  if (elementTypeOf(send) !== elementTypeOf(recv)) {
    const why = `it sends ${elementTypeOf(send)} and receives ${elementTypeOf(recv)}`;
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why });
  }
  requireLength(call, recv, send.byteLength);
}
