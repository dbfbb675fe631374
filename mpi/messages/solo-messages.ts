/**
 * Messages of the only rank to itself.
 *
 * One difference from a library is a kindness: where the only rank would wait for what it alone could do, it
 * throws `MPI_DEADLOCK` instead of hanging.
 *
 * @module
 */

import { ANY_TAG, PROC_NULL, type SendMode } from "../constants.js";
import { MpiError } from "../errors.js";
import { giveBack, reserve } from "./bsend-buffer.js";
import type { Message } from "./message-buffer.js";
import type { MessageTransport, ProbedMessage } from "./message-transport.js";
import { PersistentRequest, Request } from "./request.js";
import { nothing, PendingReceive, type SentMessage, SoloMailbox } from "./solo-mailbox.js";
import { emptyStatus, Status } from "./status.js";

/** How an operation stands, and how it can be given up. */
interface Operation {
  /** Its outcome; undefined while it goes on. */
  outcome(): Status | MpiError | undefined;
  /** Gives it up; false if it is too late. */
  withdraw(): boolean;
}

/** What both kinds of request do with an operation. */
class Progress {
  readonly #operation: Operation;
  #isCancelled = false;

  constructor(operation: Operation) {
    this.#operation = operation;
  }

  test(): Status | undefined {
    if (this.#isCancelled) return emptyStatus(true);
    const outcome = this.#operation.outcome();
    if (outcome instanceof MpiError) throw outcome;
    return outcome;
  }

  wait(): Status {
    const status = this.test();
    if (status) return status;
    throw deadlock("MPI_Wait");
  }

  cancel(): void {
    if (this.#operation.outcome() === undefined) this.#isCancelled = this.#operation.withdraw();
  }
}

class SoloRequest extends Request {
  readonly #progress: Progress;

  constructor(operation: Operation) {
    super();
    this.#progress = new Progress(operation);
  }

  protected override testForCompletion(): Status | undefined {
    return this.#progress.test();
  }

  protected override waitForCompletion(): Status {
    return this.#progress.wait();
  }

  protected override cancelOperation(): void {
    this.#progress.cancel();
  }

  protected override waitForAny(requests: readonly Request[]): number {
    return waitForAny(requests);
  }
}

class SoloPersistentRequest extends PersistentRequest {
  readonly #make: () => Operation;
  #progress: Progress | undefined;

  constructor(make: () => Operation) {
    super();
    this.#make = make;
  }

  protected override startOperation(): void {
    this.#progress = new Progress(this.#make());
  }

  protected override freeOperation(): void {
    this.#progress = undefined;
  }

  protected override testForCompletion(): Status | undefined {
    return this.#progress?.test();
  }

  protected override waitForCompletion(): Status {
    return (this.#progress as Progress).wait();
  }

  protected override cancelOperation(): void {
    this.#progress?.cancel();
  }

  protected override waitForAny(requests: readonly Request[]): number {
    return waitForAny(requests);
  }
}

/** Nothing happens while the only rank waits: one is complete now, or none ever will be. */
function waitForAny(requests: readonly Request[]): number {
  for (const [index, request] of requests.entries()) {
    try {
      if (request.test() !== undefined) return index;
    } catch {
      return index;
    }
  }
  throw deadlock("MPI_Waitany");
}

/** Sends and receives of a communicator of one rank. */
export class SoloMessages implements MessageTransport {
  readonly #mailbox = new SoloMailbox();
  readonly #requireLive: (call: string) => void;

  /** @param requireLive Throws if the communicator has been freed, or MPI finalized. */
  constructor(requireLive: (call: string) => void) {
    this.#requireLive = requireLive;
  }

  send(message: Message, dest: number, tag: number): void {
    this.#requireLive("MPI_Send");
    this.#mailbox.post(message, dest, tag);
  }

  sendAs(message: Message, dest: number, tag: number, mode: SendMode): void {
    const operation = this.#send(message, dest, tag, mode);
    if (operation.outcome() !== undefined) return;
    operation.withdraw();
    throw deadlock("MPI_Ssend");
  }

  recv(message: Message, source: number, tag: number): Status {
    this.#requireLive("MPI_Recv");
    const receive = this.#mailbox.receive(message, source, tag);
    if (receive.outcome === undefined) {
      this.#mailbox.cancel(receive);
      throw deadlock("MPI_Recv");
    }
    if (receive.outcome instanceof MpiError) throw receive.outcome;
    return receive.outcome;
  }

  sendrecv(
    sent: Message,
    dest: number,
    sendtag: number,
    received: Message,
    source: number,
    recvtag: number,
  ): Status {
    this.#requireLive("MPI_Sendrecv");
    this.#mailbox.post(sent, dest, sendtag);
    return this.recv(received, source, recvtag);
  }

  sendrecvReplace(
    message: Message,
    dest: number,
    sendtag: number,
    source: number,
    recvtag: number,
  ): Status {
    this.#requireLive("MPI_Sendrecv_replace");
    this.#mailbox.post(message, dest, sendtag);
    return this.recv(message, source, recvtag);
  }

  isend(message: Message, dest: number, tag: number): Request {
    return new SoloRequest(this.#send(message, dest, tag, "standard"));
  }

  isendAs(message: Message, dest: number, tag: number, mode: SendMode): Request {
    return new SoloRequest(this.#send(message, dest, tag, mode));
  }

  irecv(message: Message, source: number, tag: number): Request {
    return new SoloRequest(this.#receive(message, source, tag));
  }

  sendInit(message: Message, dest: number, tag: number, mode: SendMode): PersistentRequest {
    this.#requireLive("MPI_Send_init");
    return new SoloPersistentRequest(() => this.#send(message, dest, tag, mode));
  }

  recvInit(message: Message, source: number, tag: number): PersistentRequest {
    this.#requireLive("MPI_Recv_init");
    return new SoloPersistentRequest(() => this.#receive(message, source, tag));
  }

  probe(source: number, tag: number): Status {
    const status = this.iprobe(source, tag);
    if (status) return status;
    throw deadlock("MPI_Probe");
  }

  iprobe(source: number, tag: number): Status | undefined {
    this.#requireLive("MPI_Iprobe");
    if (source === PROC_NULL) return new Status(PROC_NULL, ANY_TAG, 0, 1);
    const found = this.#mailbox.find(tag);
    return found && new Status(0, found.tag, found.bytes.length, 1);
  }

  mprobe(source: number, tag: number): ProbedMessage {
    const found = this.improbe(source, tag);
    if (found) return found;
    throw deadlock("MPI_Mprobe");
  }

  improbe(source: number, tag: number): ProbedMessage | undefined {
    const status = this.iprobe(source, tag);
    if (status === undefined) return undefined;
    return new SoloProbedMessage(
      status,
      source === PROC_NULL ? undefined : this.#mailbox.take(tag),
    );
  }

  #send(message: Message, dest: number, tag: number, mode: SendMode): Operation {
    this.#requireLive("MPI_Isend");
    if (mode === "ready" && dest !== PROC_NULL && !this.#mailbox.isAwaited(tag)) {
      const why = "no receive has been started for a ready send";
      throw new MpiError({ code: "MPI_ERR_OTHER", call: "MPI_Rsend", why });
    }
    const size = message.byteLength;
    if (mode === "buffered" && dest !== PROC_NULL) reserve("MPI_Bsend", size);
    let isReceived = false;
    const onReceived = () => {
      isReceived = true;
      if (mode === "buffered" && dest !== PROC_NULL) giveBack(size);
    };
    this.#mailbox.post(message, dest, tag, onReceived);
    const isDone = () => isReceived || mode !== "synchronous";
    return {
      outcome: () => (isDone() ? emptyStatus() : undefined),
      withdraw: () => this.#mailbox.withdraw(onReceived),
    };
  }

  #receive(message: Message, source: number, tag: number): Operation {
    this.#requireLive("MPI_Irecv");
    const receive = this.#mailbox.receive(message, source, tag);
    return {
      outcome: () => receive.outcome,
      withdraw: () => this.#mailbox.cancel(receive),
    };
  }
}

class SoloProbedMessage implements ProbedMessage {
  readonly status: Status;
  readonly #sent: SentMessage | undefined;

  constructor(status: Status, sent: SentMessage | undefined) {
    this.status = status;
    this.#sent = sent;
  }

  recv(message: Message): Status {
    return this.irecv(message).wait();
  }

  irecv(message: Message): Request {
    const receive = new PendingReceive(message, ANY_TAG);
    if (this.#sent) receive.deliver(this.#sent);
    else receive.outcome = nothing(message);
    return new SoloRequest({ outcome: () => receive.outcome, withdraw: () => false });
  }
}

/** The error of a wait that nothing can end. */
export function deadlock(call: string): MpiError {
  return new MpiError({
    code: "MPI_DEADLOCK",
    call,
    why: "the only rank waits for a message that nobody is left to send",
    remedy: "Send first, or use a nonblocking call",
  });
}
