/**
 * Access modes and origins of a file, with the names and values of the MPI standard.
 *
 * @module
 */

import { MpiError } from "../errors.js";

/** Access modes of a file; combine them with `|`. */
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
  /** A promise of the caller: nobody else has the file open meanwhile. */
  UNIQUE_OPEN: 32,
  /** With CREATE: fail if the file exists. */
  EXCL: 64,
  /** All file pointers start at the end of the file. */
  APPEND: 128,
  /** Only the shared file pointer is used, as with a tape or a pipe. */
  SEQUENTIAL: 256,
} as const;

/** What an offset of a seek counts from. */
export const Seek = {
  /** The start of the view. */
  SET: 0,
  /** The pointer as it is. */
  CUR: 1,
  /** The end of the file. */
  END: 2,
} as const;

/** The displacement of a new view of a file that was opened with `Mode.SEQUENTIAL`: where the shared pointer is. */
export const DISPLACEMENT_CURRENT = -1;

const ACCESS = Mode.RDONLY | Mode.WRONLY | Mode.RDWR;
const ALL = Object.values(Mode).reduce((all, bit) => all | bit, 0);

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
 * @throws {@link MpiError} `MPI_ERR_AMODE`.
 */
export function checkMode(amode: number): void {
  const why = faultOf(amode);
  if (why === undefined) return;
  throw new MpiError({
    code: "MPI_ERR_AMODE",
    call: "MPI_File_open",
    why: `the mode is ${amode}: ${why}`,
    remedy: "Combine one of Mode.RDONLY, Mode.WRONLY, Mode.RDWR with other constants of Mode",
  });
}

function faultOf(amode: number): string | undefined {
  if (!Number.isInteger(amode) || amode < 0 || (amode & ~ALL) !== 0) return "it has unknown bits";
  const access = amode & ACCESS;
  if (access !== Mode.RDONLY && access !== Mode.WRONLY && access !== Mode.RDWR) {
    return "it is not one kind of access";
  }
  if (access === Mode.RDONLY && (amode & (Mode.CREATE | Mode.EXCL)) !== 0) {
    return "a file that is only read cannot be created";
  }
  if (access === Mode.RDWR && (amode & Mode.SEQUENTIAL) !== 0) {
    return "a sequential file is either read or written";
  }
  return undefined;
}
