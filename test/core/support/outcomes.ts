/**
 * What came of a step: done, or refused with one of some codes.
 *
 * @module
 */

import { type DaosErrorCode, isDaosError } from "daos-ts";
import { type ContainerState, isRefused } from "./container-model.ts";

/** Whether an error has one of the codes that a commit may fail with. */
export function isAmong(
  expected: ContainerState | readonly DaosErrorCode[],
  error: unknown,
): boolean {
  return isRefused(expected) && expected.some((code) => isDaosError(error, code));
}

/** What `body` returns, or the code of its typed error. */
export function outcome(body: () => string): string {
  try {
    return body();
  } catch (error) {
    if (isDaosError(error)) return error.code;
    throw error;
  }
}

/** The epoch that a line begins with. */
export function epochIn(line: string | undefined): bigint {
  return BigInt((line ?? "").split(" ")[0] as string);
}
