/**
 * Errors of the Flight server: what a `DaosError` is in gRPC and in HTTP.
 *
 * A bug is told as such, without its text: what a program thinks of itself is not for everybody who can connect.
 *
 * @module
 */

import { status as Status } from "@grpc/grpc-js";
import { DaosError, type DaosErrorCode, type ErrorFacts, isDaosError } from "../../core/index.js";
import { ERROR_TEXT_LENGTH_MAX } from "./limits.js";

/** The statuses of a code, in gRPC and in HTTP. */
const STATUSES: Partial<Record<DaosErrorCode, readonly [grpc: Status, http: number]>> = {
  DER_NO_PERM: [Status.PERMISSION_DENIED, 403],
  DER_INVAL: [Status.INVALID_ARGUMENT, 400],
  DER_MISMATCH: [Status.INVALID_ARGUMENT, 400],
  DER_KEY2BIG: [Status.INVALID_ARGUMENT, 400],
  DER_REC2BIG: [Status.INVALID_ARGUMENT, 400],
  DER_EP_RO: [Status.FAILED_PRECONDITION, 409],
  DER_EXIST: [Status.ALREADY_EXISTS, 409],
  DER_NONEXIST: [Status.NOT_FOUND, 404],
  DER_EPOCH_GONE: [Status.NOT_FOUND, 410],
  DER_NOSPACE: [Status.RESOURCE_EXHAUSTED, 507],
  DER_NOSYS: [Status.UNIMPLEMENTED, 501],
  DER_SETUP: [Status.UNIMPLEMENTED, 501],
  DER_BUSY: [Status.UNAVAILABLE, 503],
  DER_NO_HDL: [Status.UNAVAILABLE, 503],
  DER_TX_RESTART: [Status.ABORTED, 409],
  DER_TX_UNCERTAIN: [Status.UNKNOWN, 500],
  DER_TIMEDOUT: [Status.DEADLINE_EXCEEDED, 504],
  DER_CANCELED: [Status.CANCELLED, 499],
  DER_CSUM: [Status.DATA_LOSS, 500],
  DER_RF: [Status.DATA_LOSS, 500],
  DER_DF_INVAL: [Status.DATA_LOSS, 500],
  DER_DF_INCOMPT: [Status.FAILED_PRECONDITION, 500],
};

/** A caller who did not say who it is, or not truly. */
export class UnauthenticatedError extends DaosError {}

/** What a client is told of a failure. */
export interface ClientError {
  readonly grpc: Status;
  readonly http: number;
  readonly code: string;
  readonly text: string;
}

/** What a client is told of a failure. */
export function clientError(error: unknown): ClientError {
  if (!isDaosError(error)) {
    const text = "The server failed for a reason of its own; its log has more";
    return { grpc: Status.INTERNAL, http: 500, code: "DER_MISC", text };
  }
  const [grpc, http] = STATUSES[error.code] ?? [Status.INTERNAL, 500];
  // Half of a character of two units cannot be sent.
  const text = error.message.slice(0, ERROR_TEXT_LENGTH_MAX).replace(/\p{Surrogate}/gu, "\ufffd");
  const { code } = error;
  if (error instanceof UnauthenticatedError) {
    return { grpc: Status.UNAUTHENTICATED, http: 401, code, text };
  }
  return { grpc, http, code, text };
}

/** A request that makes no sense. */
export function badRequest(
  what: string,
  why: string,
  remedy: string,
  facts: ErrorFacts = {},
): DaosError {
  return new DaosError("DER_INVAL", { what, why, remedy }, facts);
}

/** A request for something that this server does not do. */
export function notServed(what: string, why: string, remedy: string): DaosError {
  return new DaosError("DER_NOSYS", { what, why, remedy });
}

/** A call that its client, or the server's end, cut off. */
export function cancelled(what: string, why = "the client cancelled it"): DaosError {
  return new DaosError("DER_CANCELED", { what, why, remedy: "call again" });
}

/** A call that waited too long for its client. */
export function idleTooLong(what: string, limitMs: number): DaosError {
  const why = `the client neither sent nor took anything for ${limitMs / 1000} s`;
  return new DaosError("DER_TIMEDOUT", { what, why, remedy: "read and write without long pauses" });
}

/** A call beside as many as the server takes. */
export function tooManyCalls(what: string, limit: number): DaosError {
  const why = `${limit} calls are open already`;
  return new DaosError("DER_BUSY", { what, why, remedy: "wait until some have ended" });
}
