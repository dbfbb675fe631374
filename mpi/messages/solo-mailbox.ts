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

import { ANY_TAG, PROC_NULL } from "../constants.js";
import { MpiError } from "../errors.js";
import { type Message, packedBytes, placeBytes, unitOf } from "./message-buffer.js";
import { Status } from "./status.js";

/** Messages that may lie unreceived; more is a program that never receives. */
const MESSAGE_COUNT_MAX = 1 << 20;

/** A message that has been sent. */
export interface SentMessage {
  readonly tag: number;
  readonly bytes: Uint8Array;
  /** Called when a receive has taken it. */
  readonly onReceived: (() => void) | undefined;
}

/** A receive that waits for its message. */
export class PendingReceive {
  readonly tag: number;
  readonly #message: Message;
  /** How it ended; undefined while it waits. */
  outcome: Status | MpiError | undefined;

  constructor(message: Message, tag: number) {
    this.#message = message;
    this.tag = tag;
  }

  /** Copies the message into the buffer, or fails if it is too long. */
  deliver({ bytes, tag, onReceived }: SentMessage): void {
    onReceived?.();
    if (bytes.byteLength > this.#message.byteLength) {
      const why = `a message of ${bytes.byteLength} bytes meets a buffer of ${this.#message.byteLength}`;
      this.outcome = new MpiError({ code: "MPI_ERR_TRUNCATE", call: "MPI_Recv", why });
      return;
    }
    placeBytes(this.#message, bytes);
    this.outcome = new Status(0, tag, bytes.byteLength, unitOf(this.#message));
  }
}

/** Messages from a rank to itself. */
export class SoloMailbox {
  readonly #messages: SentMessage[] = [];
  readonly #receives: PendingReceive[] = [];

  /**
   * Sends to rank 0, which is this one, or nowhere. Copies the data.
   *
   * @returns Whether a receive has taken it.
   */
  post(message: Message, dest: number, tag: number, onReceived?: () => void): boolean {
    if (dest === PROC_NULL) {
      onReceived?.();
      return true;
    }
    const sent = { tag, bytes: packedBytes(message), onReceived };
    const index = this.#receives.findIndex((receive) => matches(receive.tag, tag));
    const [receive] = index < 0 ? [] : this.#receives.splice(index, 1);
    if (receive) {
      receive.deliver(sent);
      return true;
    }
    if (this.#messages.length >= MESSAGE_COUNT_MAX) {
      const why = `${MESSAGE_COUNT_MAX} messages to this rank itself have not been received`;
      throw new MpiError({ code: "MPI_ERR_NO_MEM", call: "MPI_Send", why });
    }
    this.#messages.push({ ...sent, bytes: sent.bytes.slice() });
    return false;
  }

  /** Whether a receive with a matching tag is waiting. */
  isAwaited(tag: number): boolean {
    return this.#receives.some((receive) => matches(receive.tag, tag));
  }

  /** Starts a receive; it has ended at once if a message was there. */
  receive(message: Message, source: number, tag: number): PendingReceive {
    const receive = new PendingReceive(message, tag);
    if (source === PROC_NULL) {
      receive.outcome = nothing(message);
      return receive;
    }
    const sent = this.take(tag);
    if (sent) receive.deliver(sent);
    else this.#receives.push(receive);
    return receive;
  }

  /** The first message with a matching tag; it stays. */
  find(tag: number): SentMessage | undefined {
    return this.#messages.find((message) => matches(tag, message.tag));
  }

  /** Takes the first message with a matching tag out. */
  take(tag: number): SentMessage | undefined {
    const index = this.#messages.findIndex((message) => matches(tag, message.tag));
    return index < 0 ? undefined : this.#messages.splice(index, 1)[0];
  }

  /** Takes a message back that nobody has received; false if somebody has. */
  withdraw(onReceived: () => void): boolean {
    const index = this.#messages.findIndex((message) => message.onReceived === onReceived);
    if (index >= 0) this.#messages.splice(index, 1);
    return index >= 0;
  }

  /** Takes back a receive that has not ended; false if it has. */
  cancel(receive: PendingReceive): boolean {
    const index = this.#receives.indexOf(receive);
    if (index >= 0) this.#receives.splice(index, 1);
    return index >= 0;
  }
}

/** The status of a receive from nowhere. */
export function nothing(message: Message): Status {
  return new Status(PROC_NULL, ANY_TAG, 0, unitOf(message));
}

function matches(wanted: number, tag: number): boolean {
  return wanted === ANY_TAG || wanted === tag;
}
