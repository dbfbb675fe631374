/**
 * Known buffers: the addon remembers where the buffer of its last blocking send lies, and that of its last
 * receive, so that the next call with the same one need not pass it.
 *
 * Passing a typed array and three numbers to the addon takes 40 ns, longer than a library needs for a
 * short message. A loop that sends from the same buffer passes nothing: see `sendAgain` in mpi-p2p.c.
 *
 * @module
 */

import type { MpiTypedArray } from "../buffers.js";
import type { Message } from "./message-buffer.js";

/** Elements of the largest buffer that is remembered, and so kept from the garbage collector. */
const LENGTH_MAX = 8192;

/** The buffer that the addon remembers of one kind of call. */
export class KnownBuffer {
  #array: MpiTypedArray | undefined;
  /** Changes when memory is transferred or resized; never 0, which is the length of what is gone. */
  #length = 0;
  #unit = 1;

  /** Bytes of one of its elements. */
  get unit(): number {
    return this.#unit;
  }

  /** Whether the addon knows where this message lies. */
  knows(message: Message): boolean {
    return message === this.#array && this.#array.length === this.#length;
  }

  /** Before a call that passes a buffer, and may fail. */
  forget(): void {
    this.#array = undefined;
  }

  /** After the call. */
  remember(message: Message): void {
    if (!ArrayBuffer.isView(message)) return;
    const array = message as MpiTypedArray;
    if (!(array.length > 0 && array.length <= LENGTH_MAX)) return;
    this.#array = array;
    this.#length = array.length;
    this.#unit = array.BYTES_PER_ELEMENT;
  }
}
