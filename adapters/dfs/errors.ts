/**
 * Failures of the file system front end: a `DaosError` that also says what a POSIX call would.
 *
 * @module
 */

import {
  DaosError,
  type DaosErrorCode,
  type ErrorFacts,
  type ErrorText,
  isDaosError,
} from "../../core/index.js";

/** The POSIX code of a DAOS code, where the failure itself does not say a better one. */
const POSIX_CODES: Partial<Record<DaosErrorCode, string>> = {
  DER_BUSY: "EBUSY",
  DER_EPOCH_GONE: "ESTALE",
  DER_EP_RO: "EROFS",
  DER_EXIST: "EEXIST",
  DER_INVAL: "EINVAL",
  DER_KEY2BIG: "ENAMETOOLONG",
  DER_NONEXIST: "ENOENT",
  DER_NOSPACE: "ENOSPC",
  DER_NOSYS: "ENOSYS",
  DER_NO_HDL: "EBADF",
  DER_NO_PERM: "EACCES",
  DER_REC2BIG: "EFBIG",
  DER_TX_RESTART: "EAGAIN",
};

/** A failure of the file system front end. Its `name` is `DaosError`, so that `isDaosError` knows it. */
export class DfsError extends DaosError {
  /** POSIX code: `ENOENT`, `EEXIST`, `ENOTDIR`, `EISDIR`, `ENOTEMPTY`, `EROFS`, `EINVAL` and others. */
  readonly posix: string;

  /** @param posix POSIX code; the others as for `DaosError`. */
  constructor(
    posix: string,
    code: DaosErrorCode,
    text: ErrorText,
    facts: ErrorFacts = {},
    cause?: unknown,
  ) {
    super(code, text, { ...facts, posix }, cause);
    this.posix = posix;
  }
}

/** Whether `error` is a {@link DfsError}, optionally of one POSIX code. Works across realms. */
export function isDfsError(error: unknown, posix?: string): error is DfsError {
  if (!isDaosError(error)) return false;
  const code = (error as Partial<DfsError>).posix;
  return typeof code === "string" && (posix === undefined || code === posix);
}

/** Runs `body`; gives a `DaosError` that it throws its POSIX code. */
export function withPosixErrors<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!isDaosError(error) || isDfsError(error)) throw error;
    const { code, text, facts } = error;
    const posix = typeof facts.posix === "string" ? facts.posix : (POSIX_CODES[code] ?? "EIO");
    throw new DfsError(posix, code, text, facts, error);
  }
}

/** The error for a directory where a file is needed. */
export function isDirectoryError(path: string, what: string): DfsError {
  const remedy = "name a file in it";
  const text = { what: `${what} "${path}"`, why: "it is a directory", remedy };
  return new DfsError("EISDIR", "DER_INVAL", text, { path });
}

/** The error for a file where a directory is needed. */
export function notDirectoryError(path: string, what: string): DfsError {
  const remedy = "name a directory";
  const text = { what: `${what} "${path}"`, why: "it is a file, not a directory", remedy };
  return new DfsError("ENOTDIR", "DER_INVAL", text, { path });
}
