/**
 * Mailbox: the messages that the only rank of a communicator sends to itself.
 *
 * Two queues, matched by tag in order, of which at most one has an entry for a given tag:
 * messages that no receive has asked for (copied when sent), and receives that no message has met.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { bytesOf, elementSizeOf, type MpiBuffer } from "./buffers.js";
import { ANY_TAG, PROC_NULL } from "./constants.js";
import { MpiError } from "./errors.js";
import { Status } from "./status.js";

/** Messages that may lie unreceived; more is a program that never receives. */
const MESSAGE_COUNT_MAX = 1 << 20;

interface Message {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

/** A receive that waits for its message. */
export class PendingReceive {
  readonly tag: number;
  readonly #buffer: MpiBuffer;
  /** How it ended; undefined while it waits. */
  outcome: Status | MpiError | undefined;

  constructor(buffer: MpiBuffer, tag: number) {
    this.#buffer = buffer;
    this.tag = tag;
  }

  /** Copies the message into the buffer, or fails if it is too long. */
  deliver(message: Message): void {
    const { bytes, tag } = message;
    if (bytes.byteLength > this.#buffer.byteLength) {
      const why = `a message of ${bytes.byteLength} bytes meets a buffer of ${this.#buffer.byteLength}`;
      this.outcome = new MpiError({ code: "MPI_ERR_TRUNCATE", call: "MPI_Recv", why });
      return;
    }
    bytesOf(this.#buffer).set(bytes);
    this.outcome = new Status(0, tag, bytes.byteLength, elementSizeOf(this.#buffer));
  }
}

/** Messages from a rank to itself. */
export class SoloMailbox {
  readonly #messages: Message[] = [];
  readonly #receives: PendingReceive[] = [];

  /** Sends to rank 0, which is this one, or nowhere. Copies the data. */
  post(buffer: MpiBuffer, dest: number, tag: number): void {
    if (dest === PROC_NULL) return;
    const index = this.#receives.findIndex((receive) => matches(receive.tag, tag));
    const [receive] = index < 0 ? [] : this.#receives.splice(index, 1);
    if (receive) {
      receive.deliver({ tag, bytes: bytesOf(buffer) });
      return;
    }
    if (this.#messages.length >= MESSAGE_COUNT_MAX) {
      const why = `${MESSAGE_COUNT_MAX} messages to this rank itself have not been received`;
      throw new MpiError({ code: "MPI_ERR_NO_MEM", call: "MPI_Send", why });
    }
    this.#messages.push({ tag, bytes: bytesOf(buffer).slice() });
  }

  /** Starts a receive; it has ended at once if a message was there. */
  receive(buffer: MpiBuffer, source: number, tag: number): PendingReceive {
    const receive = new PendingReceive(buffer, tag);
    if (source === PROC_NULL) {
      receive.outcome = new Status(PROC_NULL, ANY_TAG, 0, elementSizeOf(buffer));
      return receive;
    }
    const index = this.#messages.findIndex((message) => matches(tag, message.tag));
    const [message] = index < 0 ? [] : this.#messages.splice(index, 1);
    if (message) receive.deliver(message);
    else this.#receives.push(receive);
    return receive;
  }

  /** Takes back a receive that has not ended. */
  cancel(receive: PendingReceive): void {
    const index = this.#receives.indexOf(receive);
    if (index >= 0) this.#receives.splice(index, 1);
  }
}

function matches(wanted: number, tag: number): boolean {
  return wanted === ANY_TAG || wanted === tag;
}
