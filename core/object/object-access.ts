/**
 * How the calls of objects reach their container: in a transaction if one is given; else reads see the newest
 * version, and updates take part in a group commit.
 *
 * Storage is synchronous underneath, so that a call does its work before it returns and its promise says
 * what came of it. A signal that is aborted rejects the call before anything is done, as in node:fs.
 *
 * @module
 */

import type { TransactionScope } from "../pool/container-transaction.js";
import type { RunOptions, TransactionResult } from "../pool/run-transaction.js";
import type { ContainerView } from "../pool/view.js";
import type { Epoch } from "../vos/epoch.js";
import type { Transaction } from "../vos/transaction.js";

/** Options of all calls. */
export interface CallOptions {
  /** The transaction that the call is part of; by default it stands alone. */
  readonly tx?: TransactionScope | undefined;
  /** Refuses the call once it is aborted; a list stops at its next batch. */
  readonly signal?: AbortSignal | undefined;
}

/** What objects need of their container. */
export interface ObjectSource {
  /** A view of the newest version. */
  view(): ContainerView;
  /** Takes part in a group commit. */
  submit(body: (own: Transaction) => void, options?: { isPlain?: boolean }): Promise<Epoch>;
  runTransaction<T>(
    body: (scope: TransactionScope) => T,
    options?: RunOptions,
  ): TransactionResult<T>;
}

/** Reads in the call's transaction, or the newest version. */
export function reading<T>(
  source: ObjectSource,
  { tx, signal }: CallOptions,
  body: (view: ContainerView) => T,
): T {
  signal?.throwIfAborted();
  if (tx !== undefined) return body(tx.view);
  using view = source.view();
  return body(view);
}

/**
 * Writes in the call's transaction, or in a commit.
 *
 * @returns The epoch of the commit; `undefined` in a transaction, whose commit will have it.
 */
export async function writing(
  source: ObjectSource,
  { tx, signal }: CallOptions,
  body: (own: Transaction) => void,
  options: { isPlain?: boolean } = {},
): Promise<Epoch | undefined> {
  signal?.throwIfAborted();
  if (tx === undefined) return source.submit(body, options);
  body(tx.own);
  return undefined;
}

/**
 * Reads and writes at one moment, in the call's transaction or in one of its own.
 *
 * @returns As {@link writing}.
 */
export async function changing(
  source: ObjectSource,
  { tx, signal }: CallOptions,
  body: (scope: TransactionScope) => void,
): Promise<Epoch | undefined> {
  signal?.throwIfAborted();
  if (tx === undefined) return source.runTransaction(body, { signal }).epoch;
  body(tx);
  return undefined;
}
