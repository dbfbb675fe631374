/**
 * MpiError: every failure that MPI, PMIx or a wrong call to them can cause.
 *
 * A message has three parts: what was attempted, why it failed, what to do.
 *
 *     MPI_Recv failed: MPI_ERR_TRUNCATE: message truncated. Pass a buffer at least as long as ...
 *
 * @module
 */

/** Facts about a failure. */
export interface MpiErrorDetails {
  /** Stable code: the name of an MPI error class, or one of this package's own (see MpiError.code). */
  readonly code: string;
  /** What was attempted, by its name in the MPI or PMIx standard. */
  readonly call: string;
  /** Why it failed, without a final period. */
  readonly why: string;
  /** What the caller can do about it, without a final period; default: advice known for the code. */
  readonly remedy?: string;
  /** Error class as the library numbers it; 0 for mistakes found before the library was called. */
  readonly errorClass?: number;
  /** Error code as the library numbers it; 0 for mistakes found before the library was called. */
  readonly errorCode?: number;
  /** The failure underneath, if there is one. */
  readonly cause?: unknown;
}

/** Advice by code, where one sentence fits all causes. */
const REMEDIES: Readonly<Record<string, string>> = {
  MPI_ERR_BUFFER: "Pass a buffer that is long enough; attach one at a time for buffered sends",
  MPI_ERR_ARG: "Compare the arguments with the documentation of the call",
  MPI_ERR_KEYVAL: "Use a name of PredefinedAttribute, or a Keyval",
  MPI_ERR_GROUP: "Use a group of ranks of the communicator",
  MPI_ERR_TRUNCATE: "Pass a receive buffer at least as long as the message",
  MPI_ERR_RANK: "Use a rank from 0 to size - 1, PROC_NULL, or ANY_SOURCE in a receive",
  MPI_ERR_ROOT: "Use a root from 0 to size - 1",
  MPI_ERR_TAG: "Use a tag from 0 to 32767, or ANY_TAG in a receive",
  MPI_ERR_COMM: "Use a communicator that has not been freed",
  MPI_ERR_REQUEST: "Wait for a request once, and keep its status",
  MPI_ERR_TYPE: "Pass a typed array, DataView, ArrayBuffer or Buffer of matching element type",
  MPI_ERR_COUNT: "Send in parts, or use a wider element type",
  MPI_ERR_OP: "Use one of Op that is defined for the element type",
  MPI_ERR_ACCESS: "Check the permissions of the file and its folder, and the mode",
  MPI_ERR_BAD_FILE: "Give the path of a file that can be opened",
  MPI_ERR_FILE: "Use a file that has not been closed",
  MPI_ERR_FILE_EXISTS: "Leave Mode.EXCL out, or give another path",
  MPI_ERR_FILE_IN_USE: "Close the file everywhere else first",
  MPI_ERR_IO: "Check the storage, and that the arguments fit the file",
  MPI_ERR_NO_SPACE: "Free space on the storage, or write less",
  MPI_ERR_NO_SUCH_FILE: "Check the path, or add Mode.CREATE",
  MPI_ERR_QUOTA: "Free space, or raise the quota",
  MPI_ERR_READ_ONLY: "Open the file for writing, on storage that can be written",
  MPI_ERR_UNSUPPORTED_DATAREP: "Use the representation native",
  MPI_ERR_WIN: "Use a window that has not been freed",
  MPI_ERR_RMA_SYNC: "Begin and end epochs in pairs: fence, start and complete, lock and unlock",
  MPI_ERR_RMA_RANGE: "Use a place inside of the target's window",
  MPI_ERR_RMA_ATTACH: "Attach each byte once; detach it first",
  MPI_ERR_INFO: "Use an Info that has not been freed",
  MPI_ERR_INFO_KEY: "Use a shorter key; Open MPI takes up to 36 bytes, MPICH up to 255",
  MPI_ERR_INFO_VALUE: "Use a shorter value; Open MPI takes up to 256 bytes, MPICH up to 1024",
  MPI_ERR_SPAWN: "Check the command, and that the job has slots for more processes",
  MPI_ERR_PORT: "Use the name of a port that is open",
  MPI_ERR_NAME: "Publish the name first, with a server of names that both jobs use",
  MPI_ERR_SERVICE: "Publish with a server of names: ompi-server, or hydra_nameserver",
  MPI_ERR_UNSUPPORTED_OPERATION:
    "Use a library of a newer version: Open MPI 4.1 or newer, or one of MPI 4.0",
  MPI_FINALIZED: "Do all communication before finalize()",
  MPI_NOT_ACTIVE: "Call init() or world() first",
  MPI_NOT_BUILT:
    "Install an MPI library (Debian: libopenmpi-dev openmpi-bin) and run node-mpi-setup",
};

/** A failure of MPI or PMIx, or a wrong use of them. @mpi MPI_Error_string */
export class MpiError extends Error {
  /** "MpiError". */
  override readonly name = "MpiError";
  /**
   * Stable code. An MPI error class by its standard name (`MPI_ERR_TRUNCATE`, `MPI_ERR_RANK`,
   * `MPI_ERR_COMM`, `MPI_ERR_BUFFER` for a short buffer, ...), a PMIx status (`PMIX_ERR_TIMEOUT`),
   * or `MPI_NOT_BUILT`, `MPI_WRONG_LAUNCHER`, `MPI_NOT_ACTIVE`, `MPI_FINALIZED`, `MPI_DEADLOCK`
   * (a one-rank communicator would wait for itself forever), `PMIX_NOT_BUILT`, `PMIX_NO_SERVER`.
   */
  readonly code: string;
  /** What was attempted, by its name in the MPI or PMIx standard. */
  readonly call: string;
  /**
   * Error class as the library numbers it; 0 for mistakes found before the library was called.
   *
   * @mpi MPI_Error_class
   */
  readonly errorClass: number;
  /** Error code as the library numbers it; 0 for mistakes found before the library was called. */
  readonly errorCode: number;

  /**
   * @param details What was attempted, why it failed, what to do.
   */
  constructor(details: MpiErrorDetails) {
    const { code, call, why, cause } = details;
    const remedy = details.remedy ?? REMEDIES[code];
    const advice = remedy === undefined ? "" : ` ${remedy}.`;
    super(`${call} failed: ${why}.${advice}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.call = call;
    this.errorClass = details.errorClass ?? 0;
    this.errorCode = details.errorCode ?? 0;
  }
}

/**
 * Makes the error of a failed library call; the addon calls it.
 *
 * @internal
 */
export function libraryError(
  call: string,
  errorCode: number,
  errorClass: number,
  code: string,
  text: string,
): MpiError {
  return new MpiError({ code, call, why: text.trim().replace(/\.$/, ""), errorClass, errorCode });
}
