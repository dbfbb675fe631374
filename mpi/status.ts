/**
 * Status: what a completed receive says about its message.
 *
 * @module
 */

import { ANY_TAG, PROC_NULL } from "./constants.js";

/** Where a message came from, and how long it was. */
export class Status {
  /** Rank that sent it in the communicator; PROC_NULL if there was no sender, and after a send. */
  readonly source: number;
  /** Its tag; ANY_TAG after a receive from PROC_NULL, and after a send. */
  readonly tag: number;
  /** Its length, in bytes. */
  readonly count: number;
  readonly #elementSize: number;

  /**
   * @param source Rank of the sender.
   * @param tag Tag of the message.
   * @param count Length, in bytes.
   * @param elementSize Size of an element of the receive buffer, in bytes.
   */
  constructor(source: number, tag: number, count: number, elementSize: number) {
    this.source = source;
    this.tag = tag;
    this.count = count;
    this.#elementSize = elementSize;
  }

  /**
   * The message's length in elements of the receive buffer.
   *
   * @returns Undefined if the message is not a whole number of elements (MPI_UNDEFINED).
   */
  getCount(): number | undefined {
    const count = this.count / this.#elementSize;
    return Number.isInteger(count) ? count : undefined;
  }
}

/**
 * The status of a send, which says nothing.
 *
 * @internal
 */
export function emptyStatus(): Status {
  return new Status(PROC_NULL, ANY_TAG, 0, 1);
}
