/**
 * Runs a body in a transaction until its commit goes through: conflicts are expected, and repeated.
 *
 * Between two attempts lies a pause of random length, so that those that met once do not meet again; its
 * bound doubles with each attempt.
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";
import { DaosError, isDaosError } from "../errors.js";
import {
  TRANSACTION_ATTEMPTS_DEFAULT,
  TRANSACTION_ATTEMPTS_MAX,
  TRANSACTION_BACKOFF_MS_MAX,
  TRANSACTION_BACKOFF_MS_MIN,
} from "../limits.js";
import type { Epoch } from "../vos/epoch.js";
import type { ContainerTransaction, TransactionScope } from "./container-transaction.js";

/** How a transaction is run. */
export interface RunOptions {
  /** Times that it is tried before `DER_TX_RESTART` is thrown; 16 by default, at least 1. */
  readonly attempts?: number;
  /** Ends it between two attempts. */
  readonly signal?: AbortSignal | undefined;
}

/** What came of a transaction. */
export interface TransactionResult<T> {
  /** What its body returned. */
  readonly value: T;
  /** Where its writes are visible; without any, the version that it read. */
  readonly epoch: Epoch;
}

/** What the runners need of a container. */
export interface RunSource {
  begin(): ContainerTransaction;
  /** Random bytes, for the pauses. */
  random(size: number): Uint8Array;
}

const WHAT = "Running a transaction";
/** What a thread that waits looks at: nothing ever changes it. */
const waitCell = new Int32Array(new SharedArrayBuffer(4));

function attemptsOf({ attempts = TRANSACTION_ATTEMPTS_DEFAULT }: RunOptions): number {
  const isCount = Number.isSafeInteger(attempts) && attempts >= 1;
  if (isCount && attempts <= TRANSACTION_ATTEMPTS_MAX) return attempts;
  const why = `${attempts} is no number of attempts`;
  const remedy = `give 1 to ${TRANSACTION_ATTEMPTS_MAX}`;
  throw new DaosError("DER_INVAL", { what: WHAT, why, remedy });
}

/** Milliseconds until the next attempt, or throws if there is none, or the error is of another kind. */
function pauseAfter(
  error: unknown,
  { attempt, attempts }: { attempt: number; attempts: number },
  random: (size: number) => Uint8Array,
): number {
  if (!isDaosError(error, "DER_TX_RESTART")) throw error;
  if (attempt >= attempts) {
    const { why } = error.text;
    const times = attempt === 1 ? "once" : `${attempt} times`;
    const remedy = "try it later, let it read less, or allow more attempts";
    const text = { what: WHAT, why: `it was tried ${times}; ${why}`, remedy };
    throw new DaosError("DER_TX_RESTART", text, { ...error.facts, attempts: attempt }, error);
  }
  const bound = Math.min(TRANSACTION_BACKOFF_MS_MAX, TRANSACTION_BACKOFF_MS_MIN * 2 ** attempt);
  return (bound * Buffer.from(random(4)).readUInt32BE()) / 2 ** 32;
}

/** Refuses a body that has only begun: its writes would miss the commit. */
function requireSettled(value: unknown): void {
  if (typeof (value as { then?: unknown } | undefined)?.then !== "function") return;
  const why = "its body returned a promise";
  throw new DaosError("DER_INVAL", { what: WHAT, why, remedy: "use runTransactionAsync()" });
}

/** See {@link Container.runTransaction}. */
export function runTransaction<T>(
  { begin, random }: RunSource,
  body: (scope: TransactionScope) => T,
  options: RunOptions = {},
): TransactionResult<T> {
  const attempts = attemptsOf(options);
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    using transaction = begin();
    try {
      const value = body(transaction);
      requireSettled(value);
      return { value, epoch: transaction.commit() };
    } catch (error) {
      transaction.abort();
      const pauseMs = pauseAfter(error, { attempt, attempts }, random);
      Atomics.wait(waitCell, 0, 0, pauseMs);
    }
  }
}

/** See {@link Container.runTransactionAsync}. */
export async function runTransactionAsync<T>(
  { begin, random }: RunSource,
  body: (scope: TransactionScope) => Promise<T>,
  options: RunOptions = {},
): Promise<TransactionResult<T>> {
  const attempts = attemptsOf(options);
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    using transaction = begin();
    try {
      const value = await body(transaction);
      options.signal?.throwIfAborted();
      return { value, epoch: transaction.commit() };
    } catch (error) {
      transaction.abort();
      const pauseMs = pauseAfter(error, { attempt, attempts }, random);
      await sleep(pauseMs, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
}
