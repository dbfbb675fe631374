/**
 * Reads of users who may only read: they have no place in LMDB's table of readers, which they cannot write, so
 * that writers do not know what they are reading.
 *
 *     state n           read without a place
 *     commit n + 1      frees pages of state n
 *     commit n + 2      done: from now on a transaction may write to them
 *
 * A read that ends before commit n + 2 is done has seen state n. Else what it found is dropped, whatever it looks
 * like, and it is done again in a newer state. A look-up takes microseconds; a long visit beside a writer that
 * commits all the time may never come through, and ends in `DER_BUSY`.
 *
 * @module
 */

import { DaosError, isDaosError } from "../errors.js";
import { UNGUARDED_READS_MAX } from "../limits.js";

/** The error of a read that a writer has overtaken again and again. */
export function overtakenError(path: string): DaosError {
  const what = `Reading the index ${path}`;
  const why =
    "a writer commits so often that what is read is overwritten under a user who may only read";
  const remedy =
    "read again, read less at once, or give the user the right to write the pool's files";
  return new DaosError("DER_BUSY", { what, why, remedy }, { path });
}

/**
 * Makes one read that nothing has overtaken; also errors of one that was are no answer.
 *
 * @param isOvertaken Whether pages of what was read last may be others by now.
 * @throws {@link DaosError} `DER_BUSY` if there is none in a bounded number of attempts.
 */
export function steadily<T>(call: () => T, isOvertaken: () => boolean, path: string): T {
  for (let attempt = 0; attempt < UNGUARDED_READS_MAX; attempt++) {
    try {
      const found = call();
      if (!isOvertaken()) return found;
    } catch (error) {
      if (!isDaosError(error, "DER_BUSY") && !isOvertaken()) throw error;
    }
  }
  throw overtakenError(path);
}

/**
 * Makes one read, which cannot be made again; see {@link steadily}.
 *
 * @throws {@link DaosError} `DER_BUSY` if it was overtaken.
 */
export function once<T>(call: () => T, isOvertaken: () => boolean, path: string): T {
  let found: T;
  try {
    found = call();
  } catch (error) {
    throw isOvertaken() ? overtakenError(path) : error;
  }
  if (isOvertaken()) throw overtakenError(path);
  return found;
}

/** Makes reads that take several steps, each of which may end in `DER_BUSY`. */
export function patiently<T>(call: () => T): T {
  for (let attempt = 1; ; attempt++) {
    try {
      return call();
    } catch (error) {
      if (attempt >= UNGUARDED_READS_MAX || !isDaosError(error, "DER_BUSY")) throw error;
    }
  }
}
