/**
 * Failures of the file system front end: what a POSIX call would say, and the DAOS code beside it.
 *
 * @module
 */

import os from "node:os";
import {
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

/**
 * A failure of the file system front end, as `node:fs` reports it: `code` is the POSIX code. Its `name`
 * is `DaosError` and `daosCode` the DAOS code, by which `isDaosError` knows it.
 */
export class DfsError extends Error {
  /** "DaosError", in every realm and copy of the package. */
  override readonly name = "DaosError";
  /** POSIX code: `ENOENT`, `EEXIST`, `ENOTDIR`, `EISDIR`, `ENOTEMPTY`, `EROFS`, `EINVAL` and others. */
  readonly code: string;
  /** DAOS code, such as `DER_NONEXIST`. */
  readonly daosCode: DaosErrorCode;
  /** The system's number for the POSIX code, negative as in `node:fs`. */
  readonly errno: number;
  /** The path that was used, if the failure is about one. */
  readonly path: string | undefined;
  /** Values that a program may want: paths, sizes in bytes, epochs. */
  readonly facts: ErrorFacts;
  /** The three parts of the message. */
  readonly text: ErrorText;

  /** @param code POSIX code; the others as for `DaosError`. */
  constructor(
    code: string,
    daosCode: DaosErrorCode,
    text: ErrorText,
    facts: ErrorFacts = {},
    cause?: unknown,
  ) {
    const remedy = text.remedy.charAt(0).toUpperCase() + text.remedy.slice(1);
    const message = `${code}: ${text.what} failed: ${text.why}. ${remedy}.`;
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.daosCode = daosCode;
    this.errno = -((os.constants.errno as Record<string, number>)[code] ?? os.constants.errno.EIO);
    this.path = typeof facts.path === "string" ? facts.path : undefined;
    this.facts = { ...facts, posix: code };
    this.text = text;
  }
}

/** Whether `error` is a {@link DfsError}, optionally of one POSIX code. Works across realms. */
export function isDfsError(error: unknown, code?: string): error is DfsError {
  if (!isDaosError(error)) return false;
  const found = error as unknown as DfsError;
  return typeof found.daosCode === "string" && (code === undefined || found.code === code);
}

/** The error for a path that leads to something of the wrong kind. */
function posixError(
  code: string,
  { what, path, why, remedy }: { what: string; path: string; why: string; remedy: string },
): DfsError {
  const text = { what: `${what} "${path}"`, why, remedy };
  return new DfsError(code, "DER_INVAL", text, { path });
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
  return posixError("EISDIR", { what, path, why: "it is a directory", remedy });
}

/** The error for a file where a directory is needed. */
export function notDirectoryError(path: string, what: string): DfsError {
  const remedy = "name a directory";
  return posixError("ENOTDIR", { what, path, why: "it is a file, not a directory", remedy });
}
