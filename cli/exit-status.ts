/**
 * Exit statuses: one for each kind of failure, so that a script can tell them apart.
 *
 * Stable: DO NOT CHANGE THESE VALUES. docs/guides/command-line.md has the table for users.
 *
 * @module
 */

import { isDaosError } from "../core/index.js";

/** The statuses. */
export const ExitStatus = {
  /** It is done. */
  ok: 0,
  /** A failure of no other kind: a bug. */
  unexpected: 1,
  /** The command line or one of its values makes no sense. */
  usage: 2,
  /** Pool, container, file, version or name is not there. */
  notFound: 3,
  /** It is there already. */
  exists: 4,
  /** The user may not, or the version cannot be changed. */
  notPermitted: 5,
  /** A tier or file system is full. */
  noSpace: 6,
  /** Somebody uses it, or changed it meanwhile: try again. */
  busy: 7,
  /** Stored data is damaged. */
  damaged: 8,
  /** A device failed. */
  inputOutput: 9,
  /** Not possible on this machine, file system or with this release. */
  notPossible: 10,
  /** A part of the work was done, and a part failed. */
  partial: 11,
} as const;

/** A status. */
export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/** The status of each code of a `DaosError`. */
const STATUS_OF_CODE: Readonly<Record<string, ExitStatus>> = {
  DER_NO_PERM: ExitStatus.notPermitted,
  DER_NO_HDL: ExitStatus.unexpected,
  DER_INVAL: ExitStatus.usage,
  DER_EXIST: ExitStatus.exists,
  DER_NONEXIST: ExitStatus.notFound,
  DER_NOSPACE: ExitStatus.noSpace,
  DER_NOSYS: ExitStatus.notPossible,
  DER_BUSY: ExitStatus.busy,
  DER_MISC: ExitStatus.partial,
  DER_MISMATCH: ExitStatus.usage,
  DER_IO: ExitStatus.inputOutput,
  DER_EP_RO: ExitStatus.notPermitted,
  DER_KEY2BIG: ExitStatus.usage,
  DER_REC2BIG: ExitStatus.usage,
  DER_CSUM: ExitStatus.damaged,
  DER_RF: ExitStatus.damaged,
  DER_DF_INVAL: ExitStatus.damaged,
  DER_DF_INCOMPT: ExitStatus.notPossible,
  DER_TX_RESTART: ExitStatus.busy,
  DER_EPOCH_GONE: ExitStatus.notFound,
  DER_TIMEDOUT: ExitStatus.busy,
  DER_CANCELED: ExitStatus.busy,
  DER_TX_UNCERTAIN: ExitStatus.busy,
  DER_SETUP: ExitStatus.notPossible,
};

/** The status of a code; `undefined` for one that has none yet. */
export function statusOfCode(code: string): ExitStatus | undefined {
  return STATUS_OF_CODE[code];
}

/** The status with which a program that met `error` ends. */
export function exitStatusOf(error: unknown): ExitStatus {
  if (!isDaosError(error)) return ExitStatus.unexpected;
  return statusOfCode(error.code) ?? ExitStatus.unexpected;
}
