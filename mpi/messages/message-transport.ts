/**
 * The narrow hole that a library, or the one-rank communicator, fills for messages. Arguments are sound.
 *
 * @module
 */

import type { SendMode } from "../constants.js";
import type { Message } from "./message-buffer.js";
import type { PersistentRequest, Request } from "./request.js";
import type { Status } from "./status.js";

/** A message that was found by a probe, for one receive. */
export interface ProbedMessage {
  recv(message: Message): Status;
  irecv(message: Message): Request;
  readonly status: Status;
}

/** Sends and receives of one communicator. */
export interface MessageTransport {
  send(message: Message, dest: number, tag: number): void;
  sendAs(message: Message, dest: number, tag: number, mode: SendMode): void;
  recv(message: Message, source: number, tag: number): Status;
  sendrecv(
    sent: Message,
    dest: number,
    sendtag: number,
    received: Message,
    source: number,
    recvtag: number,
  ): Status;
  sendrecvReplace(
    message: Message,
    dest: number,
    sendtag: number,
    source: number,
    recvtag: number,
  ): Status;
  isend(message: Message, dest: number, tag: number): Request;
  isendAs(message: Message, dest: number, tag: number, mode: SendMode): Request;
  irecv(message: Message, source: number, tag: number): Request;
  sendInit(message: Message, dest: number, tag: number, mode: SendMode): PersistentRequest;
  recvInit(message: Message, source: number, tag: number): PersistentRequest;
  probe(source: number, tag: number): Status;
  iprobe(source: number, tag: number): Status | undefined;
  mprobe(source: number, tag: number): ProbedMessage;
  improbe(source: number, tag: number): ProbedMessage | undefined;
}
