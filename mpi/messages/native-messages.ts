/**
 * Messages through an MPI library: each method is one call of the addon.
 *
 * @module
 */

import { SEND_MODES, type SendMode } from "../constants.js";
import {
  type Handle,
  type MpiLibrary,
  type NativeBuffer,
  type NativeMpi,
  SharedField,
} from "../native-mpi.js";
import { noSpace } from "./bsend-buffer.js";
import { type Message, TypedElements, unitOf } from "./message-buffer.js";
import type { MessageTransport, ProbedMessage } from "./message-transport.js";
import { NativePersistentRequest, NativeRequest, statusOf } from "./native-request.js";
import type { PersistentRequest, Request } from "./request.js";
import type { Status } from "./status.js";

/** A message as the addon takes it. */
export function nativeBuffer(library: MpiLibrary, message: Message): NativeBuffer {
  if (ArrayBuffer.isView(message) || !(message instanceof TypedElements)) return message;
  const { buffer, offset, count, datatype } = message;
  return { buffer, offset, count, type: library.datatypes.handleOf(datatype) };
}

/** Sends and receives of a communicator of a library. */
export class NativeMessages implements MessageTransport {
  readonly #library: MpiLibrary;
  readonly #native: NativeMpi;
  readonly #comm: Handle;

  constructor(library: MpiLibrary, comm: Handle) {
    this.#library = library;
    this.#native = library.native;
    this.#comm = comm;
  }

  send(message: Message, dest: number, tag: number): void {
    const { sent } = this.#library;
    if (sent.knows(message)) {
      this.#shareArguments(dest, tag);
      this.#native.sendAgain();
      return;
    }
    sent.forget();
    this.#native.send(this.#comm, nativeBuffer(this.#library, message), dest, tag);
    sent.remember(message);
  }

  sendAs(message: Message, dest: number, tag: number, mode: SendMode): void {
    this.#requireSpace(message, mode);
    const buffer = nativeBuffer(this.#library, message);
    this.#native.sendAs(this.#comm, buffer, dest, tag, SEND_MODES.indexOf(mode));
  }

  recv(message: Message, source: number, tag: number): Status {
    const { received } = this.#library;
    if (received.knows(message)) {
      this.#shareArguments(source, tag);
      this.#native.recvAgain();
      return statusOf(this.#library, received.unit);
    }
    received.forget();
    this.#native.recv(this.#comm, nativeBuffer(this.#library, message), source, tag);
    received.remember(message);
    return statusOf(this.#library, unitOf(message));
  }

  #shareArguments(rank: number, tag: number): void {
    const { shared } = this.#library;
    shared[SharedField.COMM] = this.#comm;
    shared[SharedField.RANK] = rank;
    shared[SharedField.TAG] = tag;
  }

  sendrecv(
    sent: Message,
    dest: number,
    sendtag: number,
    received: Message,
    source: number,
    recvtag: number,
  ): Status {
    const [out, into] = [nativeBuffer(this.#library, sent), nativeBuffer(this.#library, received)];
    this.#native.sendrecv(this.#comm, out, dest, sendtag, into, source, recvtag);
    return statusOf(this.#library, unitOf(received));
  }

  sendrecvReplace(
    message: Message,
    dest: number,
    sendtag: number,
    source: number,
    recvtag: number,
  ): Status {
    const buffer = nativeBuffer(this.#library, message);
    this.#native.sendrecvReplace(this.#comm, buffer, dest, sendtag, source, recvtag);
    return statusOf(this.#library, unitOf(message));
  }

  isend(message: Message, dest: number, tag: number): Request {
    const buffer = nativeBuffer(this.#library, message);
    return this.#request(this.#native.isend(this.#comm, buffer, dest, tag), message);
  }

  isendAs(message: Message, dest: number, tag: number, mode: SendMode): Request {
    this.#requireSpace(message, mode);
    const buffer = nativeBuffer(this.#library, message);
    const index = SEND_MODES.indexOf(mode);
    return this.#request(this.#native.isendAs(this.#comm, buffer, dest, tag, index), message);
  }

  irecv(message: Message, source: number, tag: number): Request {
    const buffer = nativeBuffer(this.#library, message);
    return this.#request(this.#native.irecv(this.#comm, buffer, source, tag), message);
  }

  sendInit(message: Message, dest: number, tag: number, mode: SendMode): PersistentRequest {
    const buffer = nativeBuffer(this.#library, message);
    const index = SEND_MODES.indexOf(mode);
    const handle = this.#native.sendInit(this.#comm, buffer, dest, tag, index);
    return new NativePersistentRequest(this.#library, handle, unitOf(message));
  }

  recvInit(message: Message, source: number, tag: number): PersistentRequest {
    const buffer = nativeBuffer(this.#library, message);
    const handle = this.#native.recvInit(this.#comm, buffer, source, tag);
    return new NativePersistentRequest(this.#library, handle, unitOf(message));
  }

  probe(source: number, tag: number): Status {
    this.#native.probe(this.#comm, source, tag);
    return statusOf(this.#library, 1);
  }

  iprobe(source: number, tag: number): Status | undefined {
    const isThere = this.#native.iprobe(this.#comm, source, tag);
    return isThere ? statusOf(this.#library, 1) : undefined;
  }

  mprobe(source: number, tag: number): ProbedMessage {
    const handle = this.#native.mprobe(this.#comm, source, tag);
    return new NativeProbedMessage(this.#library, handle);
  }

  improbe(source: number, tag: number): ProbedMessage | undefined {
    const handle = this.#native.improbe(this.#comm, source, tag);
    return handle === undefined ? undefined : new NativeProbedMessage(this.#library, handle);
  }

  /** Without a buffer that can hold the message, some libraries wait for a receive, for ever if it is their own. */
  #requireSpace(message: Message, mode: SendMode): void {
    if (mode !== "buffered") return;
    const attached = this.#native.attachedSize();
    if (message.byteLength + this.#native.bsendOverhead() <= attached) return;
    throw noSpace("MPI_Bsend", message.byteLength, attached);
  }

  #request(handle: Handle, message: Message): Request {
    return new NativeRequest(this.#library, handle, unitOf(message));
  }
}

class NativeProbedMessage implements ProbedMessage {
  readonly #library: MpiLibrary;
  readonly #handle: Handle;
  readonly status: Status;

  constructor(library: MpiLibrary, handle: Handle) {
    this.#library = library;
    this.#handle = handle;
    this.status = statusOf(library, 1);
  }

  recv(message: Message): Status {
    this.#library.native.mrecv(this.#handle, nativeBuffer(this.#library, message));
    return statusOf(this.#library, unitOf(message));
  }

  irecv(message: Message): Request {
    const buffer = nativeBuffer(this.#library, message);
    const handle = this.#library.native.imrecv(this.#handle, buffer);
    return new NativeRequest(this.#library, handle, unitOf(message));
  }
}
