/**
 * The attached buffer of buffered sends: how much of it is in use, where no library keeps it.
 *
 * @module
 */

import { MpiError } from "../errors.js";

/** Bytes of the attached buffer that a message takes beside its data, without a library. */
export const SOLO_BSEND_OVERHEAD = 64;

let capacity: number | undefined;
let used = 0;

/** Attaches `size` bytes. @throws {@link MpiError} `MPI_ERR_BUFFER` if there is a buffer already. */
export function attach(size: number): void {
  if (capacity !== undefined) {
    const why = "a buffer is attached already";
    throw new MpiError({ code: "MPI_ERR_BUFFER", call: "MPI_Buffer_attach", why });
  }
  capacity = size;
}

/** Detaches the buffer; its size. Messages in it have been copied, and stay. */
export function detach(): number {
  const size = capacity ?? 0;
  capacity = undefined;
  used = 0;
  return size;
}

/** Takes space for a message. @throws {@link MpiError} `MPI_ERR_BUFFER` if there is none. */
export function reserve(call: string, size: number): void {
  const needed = size + SOLO_BSEND_OVERHEAD;
  if (used + needed > (capacity ?? 0)) throw noSpace(call, size, capacity ?? 0);
  used += needed;
}

/** The error of a buffered send that does not fit. */
export function noSpace(call: string, size: number, attached: number): MpiError {
  return new MpiError({
    code: "MPI_ERR_BUFFER",
    call,
    why: `a message of ${size} bytes does not fit the attached buffer of ${attached}`,
    remedy: "Attach a larger buffer with attachBuffer(), or receive messages first",
  });
}

/** Gives space back: the message has been received. */
export function giveBack(size: number): void {
  used = Math.max(0, used - size - SOLO_BSEND_OVERHEAD);
}
