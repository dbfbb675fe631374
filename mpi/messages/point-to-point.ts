/**
 * Point-to-point messages: what a communicator offers, and the check of every argument.
 *
 * Calls block the thread, as in MPI, unless their name starts with `i`. Buffers are used in place and belong to
 * the caller. Errors are the same with every library: what reaches a transport is sound.
 *
 * @module
 */

import type { Communicator } from "../communicator.js";
import { ANY_SOURCE, ANY_TAG, PROC_NULL, type SendMode } from "../constants.js";
import { MpiError } from "../errors.js";
import type { Intercommunicator } from "../groups/intercommunicator.js";
import { Handled } from "../handled.js";
import { ExchangeRequest } from "./exchange-request.js";
import { type MessageBuffer, messageOf, packedBytes } from "./message-buffer.js";
import type { MessageTransport, ProbedMessage } from "./message-transport.js";
import type { PersistentRequest, Request } from "./request.js";
import type { Status } from "./status.js";

/**
 * Sends and receives. Every method throws an {@link MpiError}: `MPI_ERR_RANK`, `MPI_ERR_TAG`, `MPI_ERR_TYPE`,
 * `MPI_ERR_COUNT`, `MPI_ERR_BUFFER` for wrong arguments, `MPI_ERR_COMM` after `free`, `MPI_FINALIZED`; nothing has
 * then been sent. `MPI_ERR_TRUNCATE` is thrown by a receive whose message is longer than its buffer; the message is
 * lost.
 */
export interface PointToPointCalls {
  /** Sends; returns when `buf` may be used again. @mpi MPI_Send */
  send(buf: MessageBuffer, dest: number, tag?: number): void;
  /** Sends; returns when the receive has begun. @mpi MPI_Ssend */
  ssend(buf: MessageBuffer, dest: number, tag?: number): void;
  /**
   * Sends from a copy in the buffer of `attachBuffer`; returns at once.
   *
   * @throws {@link MpiError} `MPI_ERR_BUFFER` if there is not enough space in it.
   * @mpi MPI_Bsend
   */
  bsend(buf: MessageBuffer, dest: number, tag?: number): void;
  /** Sends to a receive that has been started already; otherwise the outcome is undefined. @mpi MPI_Rsend */
  rsend(buf: MessageBuffer, dest: number, tag?: number): void;
  /** Receives a message of at most `buf`'s length. Default: from any source, with any tag. @mpi MPI_Recv */
  recv(buf: MessageBuffer, source?: number, tag?: number): Status;
  /** Sends and receives at once, without deadlock; the two buffers must not overlap. @mpi MPI_Sendrecv */
  sendrecv(
    sendbuf: MessageBuffer,
    dest: number,
    sendtag: number,
    recvbuf: MessageBuffer,
    source: number,
    recvtag: number,
  ): Status;
  /** Sends and receives at once, with one buffer for both. @mpi MPI_Sendrecv_replace */
  sendrecvReplace(
    buf: MessageBuffer,
    dest: number,
    sendtag: number,
    source: number,
    recvtag: number,
  ): Status;
  /** Starts to send; do not write to `buf` before the request completes. @mpi MPI_Isend */
  isend(buf: MessageBuffer, dest: number, tag?: number): Request;
  /** As `isend`; completes when the receive has begun. @mpi MPI_Issend */
  issend(buf: MessageBuffer, dest: number, tag?: number): Request;
  /** As `isend`, from a copy in the attached buffer. @mpi MPI_Ibsend */
  ibsend(buf: MessageBuffer, dest: number, tag?: number): Request;
  /** As `isend`, to a receive that has been started already. @mpi MPI_Irsend */
  irsend(buf: MessageBuffer, dest: number, tag?: number): Request;
  /** Starts to receive; do not touch `buf` before the request completes. @mpi MPI_Irecv */
  irecv(buf: MessageBuffer, source?: number, tag?: number): Request;
  /**
   * Starts to send and to receive at once; the two buffers must not overlap. One request completes when both have;
   * its status is that of the receive, and it cannot be cancelled. Made of `irecv` and `isend` with every library.
   *
   * @mpi MPI_Isendrecv
   */
  isendrecv(
    sendbuf: MessageBuffer,
    dest: number,
    sendtag: number,
    recvbuf: MessageBuffer,
    source: number,
    recvtag: number,
  ): Request;
  /** As `isendrecv`, with one buffer for both; sends a copy of it. @mpi MPI_Isendrecv_replace */
  isendrecvReplace(
    buf: MessageBuffer,
    dest: number,
    sendtag: number,
    source: number,
    recvtag: number,
  ): Request;
  /** Prepares a send that can be started many times. @mpi MPI_Send_init */
  sendInit(buf: MessageBuffer, dest: number, tag?: number): PersistentRequest;
  /** Prepares a synchronous send. @mpi MPI_Ssend_init */
  ssendInit(buf: MessageBuffer, dest: number, tag?: number): PersistentRequest;
  /** Prepares a buffered send. @mpi MPI_Bsend_init */
  bsendInit(buf: MessageBuffer, dest: number, tag?: number): PersistentRequest;
  /** Prepares a ready send. @mpi MPI_Rsend_init */
  rsendInit(buf: MessageBuffer, dest: number, tag?: number): PersistentRequest;
  /** Prepares a receive that can be started many times. @mpi MPI_Recv_init */
  recvInit(buf: MessageBuffer, source?: number, tag?: number): PersistentRequest;
  /** Waits for a message without receiving it. @mpi MPI_Probe */
  probe(source?: number, tag?: number): Status;
  /** Asks for a message without receiving it; undefined if there is none. @mpi MPI_Iprobe */
  iprobe(source?: number, tag?: number): Status | undefined;
  /** Waits for a message that only this caller can receive then; safe beside other threads. @mpi MPI_Mprobe */
  mprobe(source?: number, tag?: number): MatchedMessage;
  /** As `mprobe`; undefined if there is no message. @mpi MPI_Improbe */
  improbe(source?: number, tag?: number): MatchedMessage | undefined;
}

/** A message that a probe has taken for its caller: receive it once. */
export class MatchedMessage {
  readonly #message: ProbedMessage;
  #isTaken = false;

  /** @internal */
  constructor(message: ProbedMessage) {
    this.#message = message;
  }

  /** Where it comes from, and how long it is. */
  get status(): Status {
    return this.#message.status;
  }

  /**
   * Receives it.
   *
   * @throws {@link MpiError} `MPI_ERR_REQUEST` if it has been received, `MPI_ERR_TRUNCATE`.
   * @mpi MPI_Mrecv
   */
  recv(buf: MessageBuffer): Status {
    const message = messageOf("MPI_Mrecv", buf);
    this.#take("MPI_Mrecv");
    return this.#message.recv(message);
  }

  /** Starts to receive it. @mpi MPI_Imrecv */
  irecv(buf: MessageBuffer): Request {
    const message = messageOf("MPI_Imrecv", buf);
    this.#take("MPI_Imrecv");
    return this.#message.irecv(message);
  }

  #take(call: string): void {
    if (this.#isTaken) {
      const why = "the message has been received";
      throw new MpiError({ code: "MPI_ERR_REQUEST", call, why, remedy: "Probe for another one" });
    }
    this.#isTaken = true;
  }
}

/** The checks; a communicator without its transport. */
export abstract class PointToPoint
  extends Handled<Communicator | Intercommunicator>
  implements PointToPointCalls
{
  readonly rank: number;
  readonly size: number;

  constructor(rank: number, size: number) {
    super();
    this.rank = rank;
    this.size = size;
  }

  /** What sends and receives. @internal */
  protected abstract readonly messages: MessageTransport;

  /** @internal */
  protected override get handledAs(): "MPI_Comm" {
    return "MPI_Comm";
  }

  /** Ranks that messages go to and come from. @internal */
  protected get peers(): number {
    return this.size;
  }

  send(buf: MessageBuffer, dest: number, tag = 0): void {
    const message = messageOf("MPI_Send", buf);
    this.#requireDest("MPI_Send", dest);
    requireTag("MPI_Send", tag);
    this.messages.send(message, dest, tag);
  }

  ssend(buf: MessageBuffer, dest: number, tag = 0): void {
    this.#sendAs("MPI_Ssend", "synchronous", buf, dest, tag);
  }

  bsend(buf: MessageBuffer, dest: number, tag = 0): void {
    this.#sendAs("MPI_Bsend", "buffered", buf, dest, tag);
  }

  rsend(buf: MessageBuffer, dest: number, tag = 0): void {
    this.#sendAs("MPI_Rsend", "ready", buf, dest, tag);
  }

  recv(buf: MessageBuffer, source: number = ANY_SOURCE, tag: number = ANY_TAG): Status {
    const message = messageOf("MPI_Recv", buf);
    this.#requireSource("MPI_Recv", source, tag);
    return this.messages.recv(message, source, tag);
  }

  sendrecv(
    sendbuf: MessageBuffer,
    dest: number,
    sendtag: number,
    recvbuf: MessageBuffer,
    source: number,
    recvtag: number,
  ): Status {
    const call = "MPI_Sendrecv";
    const [sent, received] = [messageOf(call, sendbuf), messageOf(call, recvbuf)];
    this.#requireDest(call, dest);
    this.#requireSource(call, source, recvtag);
    requireTag(call, sendtag);
    return this.messages.sendrecv(sent, dest, sendtag, received, source, recvtag);
  }

  sendrecvReplace(
    buf: MessageBuffer,
    dest: number,
    sendtag: number,
    source: number,
    recvtag: number,
  ): Status {
    const call = "MPI_Sendrecv_replace";
    const message = messageOf(call, buf);
    this.#requireDest(call, dest);
    this.#requireSource(call, source, recvtag);
    requireTag(call, sendtag);
    return this.messages.sendrecvReplace(message, dest, sendtag, source, recvtag);
  }

  isend(buf: MessageBuffer, dest: number, tag = 0): Request {
    const message = messageOf("MPI_Isend", buf);
    this.#requireDest("MPI_Isend", dest);
    requireTag("MPI_Isend", tag);
    return this.messages.isend(message, dest, tag);
  }

  issend(buf: MessageBuffer, dest: number, tag = 0): Request {
    return this.#isendAs("MPI_Issend", "synchronous", buf, dest, tag);
  }

  ibsend(buf: MessageBuffer, dest: number, tag = 0): Request {
    return this.#isendAs("MPI_Ibsend", "buffered", buf, dest, tag);
  }

  irsend(buf: MessageBuffer, dest: number, tag = 0): Request {
    return this.#isendAs("MPI_Irsend", "ready", buf, dest, tag);
  }

  irecv(buf: MessageBuffer, source: number = ANY_SOURCE, tag: number = ANY_TAG): Request {
    const message = messageOf("MPI_Irecv", buf);
    this.#requireSource("MPI_Irecv", source, tag);
    return this.messages.irecv(message, source, tag);
  }

  isendrecv(
    sendbuf: MessageBuffer,
    dest: number,
    sendtag: number,
    recvbuf: MessageBuffer,
    source: number,
    recvtag: number,
  ): Request {
    const call = "MPI_Isendrecv";
    const [sent, received] = [messageOf(call, sendbuf), messageOf(call, recvbuf)];
    this.#requireDest(call, dest);
    this.#requireSource(call, source, recvtag);
    requireTag(call, sendtag);
    const receive = this.messages.irecv(received, source, recvtag);
    return new ExchangeRequest(receive, () => this.messages.isend(sent, dest, sendtag));
  }

  isendrecvReplace(
    buf: MessageBuffer,
    dest: number,
    sendtag: number,
    source: number,
    recvtag: number,
  ): Request {
    const call = "MPI_Isendrecv_replace";
    const message = messageOf(call, buf);
    this.#requireDest(call, dest);
    this.#requireSource(call, source, recvtag);
    requireTag(call, sendtag);
    const copy = Uint8Array.from(packedBytes(message));
    const receive = this.messages.irecv(message, source, recvtag);
    return new ExchangeRequest(receive, () => this.messages.isend(copy, dest, sendtag));
  }

  sendInit(buf: MessageBuffer, dest: number, tag = 0): PersistentRequest {
    return this.#initAs("MPI_Send_init", "standard", buf, dest, tag);
  }

  ssendInit(buf: MessageBuffer, dest: number, tag = 0): PersistentRequest {
    return this.#initAs("MPI_Ssend_init", "synchronous", buf, dest, tag);
  }

  bsendInit(buf: MessageBuffer, dest: number, tag = 0): PersistentRequest {
    return this.#initAs("MPI_Bsend_init", "buffered", buf, dest, tag);
  }

  rsendInit(buf: MessageBuffer, dest: number, tag = 0): PersistentRequest {
    return this.#initAs("MPI_Rsend_init", "ready", buf, dest, tag);
  }

  recvInit(
    buf: MessageBuffer,
    source: number = ANY_SOURCE,
    tag: number = ANY_TAG,
  ): PersistentRequest {
    const message = messageOf("MPI_Recv_init", buf);
    this.#requireSource("MPI_Recv_init", source, tag);
    return this.messages.recvInit(message, source, tag);
  }

  probe(source: number = ANY_SOURCE, tag: number = ANY_TAG): Status {
    this.#requireSource("MPI_Probe", source, tag);
    return this.messages.probe(source, tag);
  }

  iprobe(source: number = ANY_SOURCE, tag: number = ANY_TAG): Status | undefined {
    this.#requireSource("MPI_Iprobe", source, tag);
    return this.messages.iprobe(source, tag);
  }

  mprobe(source: number = ANY_SOURCE, tag: number = ANY_TAG): MatchedMessage {
    this.#requireSource("MPI_Mprobe", source, tag);
    return new MatchedMessage(this.messages.mprobe(source, tag));
  }

  improbe(source: number = ANY_SOURCE, tag: number = ANY_TAG): MatchedMessage | undefined {
    this.#requireSource("MPI_Improbe", source, tag);
    const found = this.messages.improbe(source, tag);
    return found && new MatchedMessage(found);
  }

  #sendAs(call: string, mode: SendMode, buf: MessageBuffer, dest: number, tag: number): void {
    const message = messageOf(call, buf);
    this.#requireDest(call, dest);
    requireTag(call, tag);
    this.messages.sendAs(message, dest, tag, mode);
  }

  #isendAs(call: string, mode: SendMode, buf: MessageBuffer, dest: number, tag: number): Request {
    const message = messageOf(call, buf);
    this.#requireDest(call, dest);
    requireTag(call, tag);
    return this.messages.isendAs(message, dest, tag, mode);
  }

  #initAs(
    call: string,
    mode: SendMode,
    buf: MessageBuffer,
    dest: number,
    tag: number,
  ): PersistentRequest {
    const message = messageOf(call, buf);
    this.#requireDest(call, dest);
    requireTag(call, tag);
    return this.messages.sendInit(message, dest, tag, mode);
  }

  #requireDest(call: string, dest: number): void {
    if ((dest | 0) === dest && dest < this.peers && (dest >= 0 || dest === PROC_NULL)) return;
    throw rankError(call, "MPI_ERR_RANK", dest, this.peers);
  }

  #requireSource(call: string, source: number, tag: number): void {
    if ((source | 0) !== source || source >= this.peers || source < PROC_NULL) {
      throw rankError(call, "MPI_ERR_RANK", source, this.peers);
    }
    if (tag !== ANY_TAG) requireTag(call, tag);
  }
}

/** The error of a rank that a communicator does not have. */
export function rankError(call: string, code: string, rank: number, size: number): MpiError {
  return new MpiError({ code, call, why: `rank ${rank} is not in a communicator of ${size}` });
}

function requireTag(call: string, tag: number): void {
  if ((tag | 0) === tag && tag >= 0) return;
  throw new MpiError({ code: "MPI_ERR_TAG", call, why: `tag ${tag} is not allowed` });
}
