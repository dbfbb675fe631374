/**
 * The collective commit: what all ranks wrote becomes visible at one epoch, or none of it.
 *
 *     rank 0..n-1   flush own log ─▶ contribution, or the error that the flush met
 *     gather        ─────────────────────▶ root
 *     root          publishes all in one index transaction, or gives up if a rank failed
 *     broadcast     ◀───────────────────── epoch, or error
 *     rank 0..n-1   settle, or abort
 *
 * Each rank flushes before it contributes: when the root commits, everything is on the device. A rank
 * that failed contributes its error, so that no rank waits for it. No data is exchanged, only the few
 * bytes that describe where it lies.
 *
 * @module
 */

import type { Communicator } from "node-mpi-bindings";
import type { Container, Epoch, Transaction } from "../../core/index.js";
import { decodeError, encodeError, gatherBytes, onRoot } from "./collective.js";

const COMMIT_ROOT = 0;
const EMPTY = 0;
const CONTRIBUTES = 1;
const FAILED = 2;

function contribute(transaction: Transaction, rank: number): Uint8Array {
  if (transaction.isEmpty) return Uint8Array.of(EMPTY);
  try {
    return Buffer.concat([Uint8Array.of(CONTRIBUTES), transaction.prepare()]);
  } catch (error) {
    return Buffer.concat([Uint8Array.of(FAILED), encodeError(error, rank)]);
  }
}

function publish(
  container: Container,
  contributions: readonly Uint8Array[],
  transactionId: Uint8Array,
): Uint8Array {
  const failed = contributions.find(([status]) => status === FAILED);
  if (failed !== undefined) throw decodeError(failed.subarray(1));
  const written = contributions.filter(([status]) => status === CONTRIBUTES);
  // With nothing to publish, a sync still shows the newest version of others.
  const epoch =
    written.length === 0
      ? newestEpoch(container)
      : container.publish(
          written.map((part) => part.subarray(1)),
          transactionId,
        ).epoch;
  return encodeEpoch(epoch);
}

function encodeEpoch(epoch: Epoch): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(epoch);
  return bytes;
}

function newestEpoch(container: Container): Epoch {
  using view = container.view();
  return view.epoch;
}

/** The newest version of a container, the same on all ranks. Collective. */
export function newestEpochOfAll(comm: Communicator, container: Container): Epoch {
  const bytes = onRoot(comm, COMMIT_ROOT, () => encodeEpoch(newestEpoch(container)));
  return Buffer.from(bytes).readBigUInt64BE();
}

/**
 * Commits a transaction of every rank, as one. Collective.
 *
 * @param transaction This rank's part; settled or aborted when the call ends.
 * @param transactionId Used on the root: 16 bytes, unique to this commit.
 * @returns The epoch; the newest one if no rank had written anything.
 * @throws `DaosError` on every rank, if a rank failed to flush or the commit failed.
 */
export function commitCollectively(
  comm: Communicator,
  container: Container,
  transaction: Transaction,
  transactionId: Uint8Array,
): Epoch {
  try {
    const own = contribute(transaction, comm.rank);
    const contributions = gatherBytes(comm, own, COMMIT_ROOT);
    const outcome = onRoot(comm, COMMIT_ROOT, () => {
      return publish(container, contributions as Uint8Array[], transactionId);
    });
    transaction.settle();
    return Buffer.from(outcome).readBigUInt64BE();
  } catch (error) {
    transaction.abort();
    throw error;
  }
}
