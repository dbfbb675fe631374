/**
 * Errors of the Arrow front end.
 *
 * @module
 */

import { DaosError, type ErrorFacts } from "../../core/index.js";

/** An argument that makes no sense. */
export function invalid(
  what: string,
  why: string,
  remedy: string,
  facts: ErrorFacts = {},
): DaosError {
  return new DaosError("DER_INVAL", { what, why, remedy }, facts);
}

/** Bytes that are no Arrow IPC, or damaged ones. */
export function malformed(what: string, why: string): DaosError {
  return invalid(what, why, "write the data again with a program that follows the Arrow format");
}

/** Arrow data of a kind that is not read here. */
export function unsupported(what: string, why: string, remedy: string): DaosError {
  return new DaosError("DER_NOSYS", { what, why, remedy });
}
