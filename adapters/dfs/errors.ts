/**
 * Failures of the file system front end: what a POSIX call would say, and the DAOS code beside it.
 *
 * @module
 */

import os from "node:os";
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

const textOf = (fact: unknown) => (typeof fact === "string" ? fact : undefined);

/** What was called: errors say it, as those of `node:fs` do. */
export interface FileCall {
  /** The system call that it would be. */
  readonly syscall: string;
  /** What is done, for messages: `Reading`. */
  readonly what: string;
  /** The path, as it was given. */
  readonly path: string;
  /** The second path. */
  readonly dest?: string | undefined;
}

/** An argument of a type that a call does not take, as `node:fs` reports it. */
export class ArgumentTypeError extends TypeError {
  /** Always `ERR_INVALID_ARG_TYPE`. */
  readonly code = "ERR_INVALID_ARG_TYPE";

  /**
   * @param name Name of the argument.
   * @param wanted What it may be: `a string, a Buffer or a URL`.
   * @param found What it was.
   */
  constructor(name: string, wanted: string, found: unknown) {
    const kind = found === null ? "null" : typeof found;
    super(`The "${name}" argument must be ${wanted}. It was of type ${kind}.`);
  }
}

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
  /** The second path of a call that takes two. */
  readonly dest: string | undefined;
  /** The system call that it would be: `open`, `rename`, `scandir` and others. */
  readonly syscall: string | undefined;
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
    this.path = textOf(facts.path);
    this.dest = textOf(facts.dest);
    this.syscall = textOf(facts.syscall);
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

/** The error for what a path leads to: a `DaosError`, for the front ends that report those. */
function posixError(
  posix: string,
  path: string,
  { what, why, remedy }: ErrorText,
  code: DaosErrorCode = "DER_INVAL",
): DaosError {
  return new DaosError(code, { what: `${what} "${path}"`, why, remedy }, { path, posix });
}

/** The POSIX code of a failure below this front end; `undefined` if it has none of its own. */
export function posixCodeOf(error: unknown): string | undefined {
  return isDaosError(error) ? textOf(error.facts.posix) : undefined;
}

/** The error, with what was called. */
function withCall(error: DfsError, call: FileCall | undefined): DfsError {
  if (call === undefined || error.syscall !== undefined) return error;
  const { syscall, path, dest } = call;
  const facts = { ...error.facts, syscall, path, ...(dest !== undefined && { dest }) };
  return new DfsError(error.code, error.daosCode, error.text, facts, error.cause);
}

/**
 * Runs `body`; gives a `DaosError` that it throws its POSIX code.
 *
 * @param call What was called, for the error.
 */
export function withPosixErrors<T>(body: () => T, call?: FileCall): T {
  try {
    return body();
  } catch (error) {
    if (!isDaosError(error)) throw error;
    if (isDfsError(error)) throw withCall(error, call);
    const { code, text, facts } = error;
    const posix = textOf(facts.posix) ?? POSIX_CODES[code] ?? "EIO";
    throw withCall(new DfsError(posix, code, text, facts, error), call);
  }
}

/** Why a call is refused. */
export interface Refusal {
  /** POSIX code. */
  readonly posix: string;
  /** `DER_INVAL` by default. */
  readonly code?: DaosErrorCode;
  readonly why: string;
  readonly remedy: string;
}

/** The error of a call that is refused. */
export function refusal(call: FileCall, { posix, code, why, remedy }: Refusal): DfsError {
  const { what, path, dest, syscall } = call;
  const both = dest === undefined ? `"${path}"` : `"${path}" -> "${dest}"`;
  const facts = { path, syscall, ...(dest !== undefined && { dest }) };
  return new DfsError(posix, code ?? "DER_INVAL", { what: `${what} ${both}`, why, remedy }, facts);
}

/** The error for a directory where a file is needed. */
export function isDirectoryError(path: string, what: string): DaosError {
  return posixError("EISDIR", path, {
    what,
    why: "it is a directory",
    remedy: "name a file in it",
  });
}

/** The error for a file where a directory is needed. */
export function notDirectoryError(path: string, what: string): DaosError {
  const why = "it is a file, not a directory";
  return posixError("ENOTDIR", path, { what, why, remedy: "name a directory" });
}

/** The error for a path that leads nowhere. */
export function noEntryError(path: string, what: string): DaosError {
  const text = { what, why: "there is no such file", remedy: "correct the path, or create it" };
  return posixError("ENOENT", path, text, "DER_NONEXIST");
}

/** The error for a name that is taken. */
export function existsError(path: string, what: string): DaosError {
  const remedy = "open the existing one, or choose another name";
  return posixError("EEXIST", path, { what, why: "it exists already", remedy }, "DER_EXIST");
}
