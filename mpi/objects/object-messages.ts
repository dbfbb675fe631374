/**
 * ObjectMessages: values of JavaScript as messages, as the lower-case calls of mpi4py send objects of Python.
 *
 *     comm.send(buffer, dest)            memory, in place
 *     comm.objects.send(value, dest)     anything that structuredClone() copies
 *
 * An object is one message of its serialized bytes, whose size its receiver learns by a probe. It shares ranks, tags and
 * order with the messages of buffers: a probe sees both.
 *
 * @module
 */

import { ANY_SOURCE, ANY_TAG } from "../constants.js";
import type { PointToPointCalls } from "../messages/point-to-point.js";
import type { Request } from "../messages/request.js";
import { bytesOfObject } from "./object-codec.js";
import { MatchedObject, ObjectRequest, objectOfMessage } from "./object-request.js";

/**
 * Sends and receives of objects. Methods throw an {@link MpiError} as those of buffers do, and `MPI_ERR_TYPE` for a value
 * that cannot be cloned, or a message that is no object.
 */
export class ObjectMessages {
  readonly #messages: PointToPointCalls;

  /** @param messages A communicator, or an intercommunicator. */
  constructor(messages: PointToPointCalls) {
    this.#messages = messages;
  }

  /** Sends a value; it may be changed when the call returns. */
  send(value: unknown, dest: number, tag = 0): void {
    this.#messages.send(bytesOfObject("Sending an object", value), dest, tag);
  }

  /** Sends a value; returns when its receive has begun. */
  ssend(value: unknown, dest: number, tag = 0): void {
    this.#messages.ssend(bytesOfObject("Sending an object", value), dest, tag);
  }

  /** Starts to send a value as it is now; it may be changed at once. */
  isend(value: unknown, dest: number, tag = 0): Request {
    return this.#messages.isend(bytesOfObject("Sending an object", value), dest, tag);
  }

  /** As `isend`; completes when the receive has begun. */
  issend(value: unknown, dest: number, tag = 0): Request {
    return this.#messages.issend(bytesOfObject("Sending an object", value), dest, tag);
  }

  /** Receives a value. Default: from any source, with any tag. Use `mprobe` to learn where it comes from. */
  recv<T = unknown>(source: number = ANY_SOURCE, tag: number = ANY_TAG): T {
    return objectOfMessage("Receiving an object", this.#messages.mprobe(source, tag)) as T;
  }

  /** Starts to receive a value: see {@link ObjectRequest} for when its message is matched. */
  irecv<T = unknown>(source: number = ANY_SOURCE, tag: number = ANY_TAG): ObjectRequest<T> {
    this.#messages.iprobe(source, tag); // Refuses wrong arguments at once.
    return new ObjectRequest<T>({
      mprobe: () => this.#messages.mprobe(source, tag),
      improbe: () => this.#messages.improbe(source, tag),
    });
  }

  /** Sends a value and receives another one, without deadlock. */
  sendrecv<T = unknown>(
    value: unknown,
    dest: number,
    sendtag = 0,
    source: number = ANY_SOURCE,
    recvtag: number = ANY_TAG,
  ): T {
    this.#messages.iprobe(source, recvtag); // Before anything has been sent.
    const sending = this.isend(value, dest, sendtag);
    try {
      return this.recv<T>(source, recvtag);
    } finally {
      sending.wait();
    }
  }

  /** Waits for a value that only this caller can receive then, and tells where it comes from. */
  mprobe<T = unknown>(source: number = ANY_SOURCE, tag: number = ANY_TAG): MatchedObject<T> {
    return new MatchedObject<T>(this.#messages.mprobe(source, tag));
  }

  /** As `mprobe`; undefined if there is no message. */
  improbe<T = unknown>(
    source: number = ANY_SOURCE,
    tag: number = ANY_TAG,
  ): MatchedObject<T> | undefined {
    const found = this.#messages.improbe(source, tag);
    return found && new MatchedObject<T>(found);
  }
}
