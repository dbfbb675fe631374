/**
 * Events on channels of `node:diagnostics_channel`. Where nobody subscribes, an event costs one look.
 *
 *     daos:commit       {@link CommitEvent}
 *     daos:aggregation  {@link AggregationEvent}, for each step
 *     daos:recover      {@link RecoverEvent}
 *     daos:csum         {@link FailureEvent}
 *     daos:nospace      {@link FailureEvent}
 *
 * A subscriber is called before the call that caused the event returns: it must be quick. What it throws
 * becomes an uncaught exception, and does not touch the store.
 *
 * @module
 */

import { channel } from "node:diagnostics_channel";
import type { DaosError } from "../errors.js";

/** A commit took effect. */
export interface CommitEvent {
  /** Number of the container. */
  readonly container: number;
  /** The commit. */
  readonly epoch: bigint;
  /** Bytes of array data that it published. */
  readonly bytes: number;
  /** How many transactions took part. */
  readonly contributors: number;
}

/** A step of aggregation. */
export interface AggregationEvent {
  /** Number of the container. */
  readonly container: number;
  /** Runs that were removed. */
  readonly runs: number;
  /** Versions of keys that were removed. */
  readonly values: number;
  /** Bytes that were freed. */
  readonly bytes: number;
  /** Bytes that were moved. */
  readonly copied: number;
}

/** What dead writers left was taken back. */
export interface RecoverEvent {
  /** What was done; see `RecoveryReport`. */
  readonly report: object;
}

/** Something failed that an administrator should know of. */
export interface FailureEvent {
  /** What the caller gets. */
  readonly error: DaosError;
}

/** The channels, for those who publish. */
export const events = {
  commit: channel("daos:commit"),
  aggregation: channel("daos:aggregation"),
  recover: channel("daos:recover"),
  csum: channel("daos:csum"),
  nospace: channel("daos:nospace"),
} as const;
