/**
 * Access modes of a file, with the names of the MPI standard.
 *
 * @module
 */

import { DaosError } from "../../core/index.js";

/** Access modes; combine them with `|`. */
export const Mode = {
  /** Create the file if it does not exist. */
  CREATE: 1,
  /** Read only. */
  RDONLY: 2,
  /** Write only. */
  WRONLY: 4,
  /** Read and write. */
  RDWR: 8,
  /** Remove the file when it is closed. */
  DELETE_ON_CLOSE: 16,
  /** Nobody else opens the file meanwhile: a promise of the caller, of which nothing depends here. */
  UNIQUE_OPEN: 32,
  /** With CREATE: fail if the file exists. */
  EXCL: 64,
} as const;

const ACCESS = Mode.RDONLY | Mode.WRONLY | Mode.RDWR;
const KNOWN = ACCESS | Mode.CREATE | Mode.DELETE_ON_CLOSE | Mode.UNIQUE_OPEN | Mode.EXCL;

/** Whether a mode allows reading. */
export function mayRead(amode: number): boolean {
  return (amode & (Mode.RDONLY | Mode.RDWR)) !== 0;
}

/** Whether a mode allows writing. */
export function mayWrite(amode: number): boolean {
  return (amode & (Mode.WRONLY | Mode.RDWR)) !== 0;
}

/**
 * Checks that a mode is one that the standard allows.
 *
 * @throws `DaosError` `DER_INVAL`.
 */
export function checkMode(amode: number, path: string): void {
  const what = `Opening "${path}" with mode ${amode}`;
  const fail = (why: string, remedy: string) => {
    return new DaosError("DER_INVAL", { what, why, remedy }, { amode, mpi: "MPI_ERR_AMODE" });
  };
  const access = amode & ACCESS;
  if (access !== Mode.RDONLY && access !== Mode.WRONLY && access !== Mode.RDWR) {
    throw fail(
      "it is not one kind of access",
      "give one of Mode.RDONLY, Mode.WRONLY and Mode.RDWR",
    );
  }
  if ((amode & ~KNOWN) !== 0) {
    throw fail(`the bits ${amode & ~KNOWN} have no meaning here`, "combine constants of Mode");
  }
  if (access === Mode.RDONLY && (amode & (Mode.CREATE | Mode.EXCL)) !== 0) {
    throw fail("a file that is only read cannot be created", "use Mode.RDWR, or leave CREATE out");
  }
}
