/**
 * Failures of MPI files in a container: the error class of the standard, and the DAOS code beside it.
 *
 * @module
 */

import { MpiError } from "node-mpi-bindings";
import {
  type DaosError,
  type DaosErrorCode,
  type ErrorFacts,
  type ErrorText,
  isDaosError,
} from "../../core/index.js";

/** The error class of a DAOS code, where the failure itself does not say a better one. */
const MPI_CODES: Partial<Record<DaosErrorCode, string>> = {
  DER_BUSY: "MPI_ERR_FILE_IN_USE",
  DER_EP_RO: "MPI_ERR_READ_ONLY",
  DER_EXIST: "MPI_ERR_FILE_EXISTS",
  DER_INVAL: "MPI_ERR_ARG",
  DER_KEY2BIG: "MPI_ERR_BAD_FILE",
  DER_MISMATCH: "MPI_ERR_NOT_SAME",
  DER_NONEXIST: "MPI_ERR_NO_SUCH_FILE",
  DER_NOSPACE: "MPI_ERR_NO_SPACE",
  DER_NOSYS: "MPI_ERR_UNSUPPORTED_OPERATION",
  DER_NO_HDL: "MPI_ERR_FILE",
  DER_NO_PERM: "MPI_ERR_ACCESS",
};

/**
 * A failure of a file in a container. It is an `MpiError`, as that of a native file would be: `code` is the error class
 * of the standard, `daosCode` the DAOS code, by which `isDaosError` knows it, and `cause` the `DaosError` itself.
 */
export class FileError extends MpiError {
  /** DAOS code, such as `DER_NOSPACE`. */
  readonly daosCode: DaosErrorCode;
  /** Values that a program may want: paths, sizes in bytes, epochs. */
  readonly facts: ErrorFacts;
  /** The three parts of the store's message. */
  readonly text: ErrorText;

  /** @param invalid Error class of wrong arguments, where the failure says none. */
  constructor(call: string, error: DaosError, invalid?: string) {
    const { what, why, remedy } = error.text;
    const known = error.code === "DER_INVAL" ? invalid : undefined;
    const said = typeof error.facts.mpi === "string" ? error.facts.mpi : undefined;
    const code = said ?? known ?? MPI_CODES[error.code] ?? "MPI_ERR_IO";
    const advice = remedy.charAt(0).toUpperCase() + remedy.slice(1);
    super({
      code,
      call,
      why: `${error.code}: ${what} failed: ${why}`,
      remedy: advice,
      cause: error,
    });
    this.daosCode = error.code;
    this.facts = error.facts;
    this.text = error.text;
  }
}

/** Runs a step; a `DaosError` of it becomes a {@link FileError}. */
export function asMpi<T>(call: string, step: () => T, invalid?: string): T {
  try {
    return step();
  } catch (error) {
    throw isDaosError(error) ? new FileError(call, error, invalid) : error;
  }
}
