/**
 * Expected failures: one class, stable codes, and a message that helps.
 *
 * A message has three parts, always in this order: what was attempted, why it failed, what to do.
 *
 *     Connecting to pool "/scratch/p" failed: the directory does not exist. Create it with
 *     Pool.create() or correct the path.
 *
 * Absence of a value is `undefined`, not an error. A broken invariant is an assertion, not an error.
 *
 * @module
 */

/** Stable codes with the numbers of DAOS's `daos_errno.h`; `DER_EPOCH_GONE` and `DER_SETUP` are ours. */
export const ERROR_NUMBERS = {
  /** The user, or the handle's mode, does not allow it. */
  DER_NO_PERM: 1001,
  /** The handle was closed. */
  DER_NO_HDL: 1002,
  /** An argument makes no sense. */
  DER_INVAL: 1003,
  /** It is there already. */
  DER_EXIST: 1004,
  /** It is not there. */
  DER_NONEXIST: 1005,
  /** A tier is full. */
  DER_NOSPACE: 1007,
  /** Not possible here: on this file system, across nodes. */
  DER_NOSYS: 1010,
  /** It did not happen in the time that was given. */
  DER_TIMEDOUT: 1011,
  /** Somebody uses it. */
  DER_BUSY: 1012,
  /** It was given up before it was done. */
  DER_CANCELED: 1018,
  /** A failure of another kind, reported by another rank. */
  DER_MISC: 1025,
  /** Ranks, or versions, do not agree. */
  DER_MISMATCH: 1031,
  /** The device failed. */
  DER_IO: 2001,
  /** Old versions cannot be written. */
  DER_EP_RO: 2010,
  /** A key is too long. */
  DER_KEY2BIG: 2012,
  /** A value is too large. */
  DER_REC2BIG: 2013,
  /** Stored bytes do not match their checksum. */
  DER_CSUM: 2021,
  /** A file of the pool is damaged. */
  DER_DF_INVAL: 2022,
  /** Another format version wrote it. */
  DER_DF_INCOMPT: 2023,
  /** The transaction lost to another one: write again and commit. */
  DER_TX_RESTART: 2025,
  /** More failed than the redundancy covers: data may be lost. */
  DER_RF: 2031,
  /** Whether the transaction was committed is not known: ask with its id. */
  DER_TX_UNCERTAIN: 2033,
  /** The version was aggregated (not one of DAOS's numbers). */
  DER_EPOCH_GONE: 2900,
  /** The native addons were not built (not one of DAOS's numbers). */
  DER_SETUP: 2901,
} as const;

/** A stable error code. */
export type DaosErrorCode = keyof typeof ERROR_NUMBERS;

/** The three parts of a message; each is a clause without a final period. */
export interface ErrorText {
  /** What was attempted, with its values: `Opening container "a" of pool "/p"`. */
  readonly what: string;
  /** Why it failed: `the pool has no such container`. */
  readonly why: string;
  /** What the caller can do about it: `create it with pool.createContainer("a")`. */
  readonly remedy: string;
}

/** Typed facts of a failure, for programs. */
export type ErrorFacts = Readonly<Record<string, string | number | bigint | boolean>>;

/** A failure that a correct program can meet. Its `code` is stable, its message is for people. */
export class DaosError extends Error {
  /** "DaosError", in every realm and copy of the package. */
  override readonly name = "DaosError";
  /** Stable code, such as `DER_NONEXIST`. */
  readonly code: DaosErrorCode;
  /** DAOS's number for the code. */
  readonly errno: number;
  /** Values that a program may want: paths, sizes in bytes, epochs. */
  readonly facts: ErrorFacts;
  /** The three parts of the message. */
  readonly text: ErrorText;

  /**
   * @param code Stable code.
   * @param text What was attempted, why it failed, what to do.
   * @param facts Values for programs.
   * @param cause The failure underneath, if there is one.
   */
  constructor(code: DaosErrorCode, text: ErrorText, facts: ErrorFacts = {}, cause?: unknown) {
    const remedy = text.remedy.charAt(0).toUpperCase() + text.remedy.slice(1);
    super(`${text.what} failed: ${text.why}. ${remedy}.`, cause === undefined ? {} : { cause });
    this.code = code;
    this.errno = ERROR_NUMBERS[code];
    this.facts = facts;
    this.text = text;
  }
}

/**
 * Whether `error` is a {@link DaosError}, optionally of one code. Works across realms and copies of
 * the package, where `instanceof` does not.
 */
export function isDaosError(error: unknown, code?: DaosErrorCode): error is DaosError {
  // A front end may use `code` for the codes of its own standard, and keep ours beside it.
  const candidate = error as (Partial<DaosError> & { daosCode?: unknown }) | undefined;
  return (
    typeof candidate === "object" &&
    candidate !== null &&
    (candidate.name === "DaosError" || typeof candidate.daosCode === "string") &&
    (code === undefined || (candidate.daosCode ?? candidate.code) === code)
  );
}

/** The POSIX code of a system error ("ENOSPC"), or `undefined`. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/**
 * Turns a failure of the file system or the index into a {@link DaosError}; passes a DaosError on.
 *
 * @param error What was thrown.
 * @param what What was attempted.
 * @param path File or directory concerned.
 */
export function storageError(error: unknown, what: string, path: string): DaosError {
  if (isDaosError(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  const code = systemCode(error);
  const facts = { path, ...(code === undefined ? {} : { system: code }) };
  if (code === "ENOSPC" || code === "EDQUOT" || /No space left|MDB_MAP_FULL/.test(why)) {
    const full = `no space is left where ${path} lies`;
    const remedy = "free space on that file system, then try again; nothing was committed";
    return new DaosError("DER_NOSPACE", { what, why: full, remedy }, facts, error);
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    const denied = `the system does not allow it on ${path} (${code})`;
    const remedy = "give this user access to the pool directory, or connect read-only";
    return new DaosError("DER_NO_PERM", { what, why: denied, remedy }, facts, error);
  }
  const remedy = "check the device and the pool directory; nothing was committed";
  return new DaosError("DER_IO", { what, why: `${path}: ${why}`, remedy }, facts, error);
}

/** The error of an operation on a pool handle that was closed. */
export function closedError(what: string): DaosError {
  const remedy = "connect to the pool again";
  return new DaosError("DER_NO_HDL", { what, why: "the pool was closed", remedy });
}

/** Throws an Error if an invariant of the program does not hold. Stays on in production. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${invariant}`);
}
