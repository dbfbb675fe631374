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
 * If the communicator itself fails, the outcome is not known here. The leases of this rank's log end then:
 * its bytes are those of the commit, or nobody's, and are not written over in either case.
 *
 * @module
 */

import { DaosError, isDaosError } from "../errors.js";
import type { Committed } from "../vos/commit.js";
import type { Epoch } from "../vos/epoch.js";
import type { Transaction } from "../vos/transaction.js";
import type { Container } from "./container.js";
import { askRoot, decodeError, encodeError, onRoot, type RankGroup } from "./rank-group.js";

const COMMIT_ROOT = 0;
const EMPTY = 0;
const CONTRIBUTES = 1;
const FAILED = 2;

function canceled(): DaosError {
  const remedy = "write the data again and commit";
  const text = { what: "Committing collectively", why: "it was aborted", remedy };
  return new DaosError("DER_CANCELED", text);
}

function contribute(transaction: Transaction, rank: number): Uint8Array {
  if (!transaction.isOpen)
    return Buffer.concat([Uint8Array.of(FAILED), encodeError(canceled(), rank)]);
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
  if (written.length === 0) return encodeCommitted({ epoch: newestEpoch(container), bytes: 0 });
  const parts = written.map((part) => part.subarray(1));
  return encodeCommitted(container.publish(parts, transactionId));
}

function encodeCommitted({ epoch, bytes }: Committed): Uint8Array {
  const encoded = Buffer.alloc(16);
  encoded.writeBigUInt64BE(epoch);
  encoded.writeDoubleBE(bytes, 8);
  return encoded;
}

function decodeCommitted(encoded: Uint8Array): Committed {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  return { epoch: view.getBigUint64(0), bytes: view.getFloat64(8) };
}

function newestEpoch(container: Container): Epoch {
  using view = container.view();
  return view.epoch;
}

/** The newest version of a container, the same on all ranks. Collective. */
export function newestEpochOfAll(group: RankGroup, container: Container): Epoch {
  const newest = () => encodeCommitted({ epoch: newestEpoch(container), bytes: 0 });
  return decodeCommitted(onRoot(group, COMMIT_ROOT, newest)).epoch;
}

/**
 * Commits a transaction of every rank, as one. Collective.
 *
 * @param transaction This rank's part; settled or aborted when the call ends. One that was aborted before
 *   lets the commit fail on all ranks.
 * @param transactionId Used on the root: 16 bytes, unique to this commit.
 * @returns The epoch, the newest one if no rank had written anything, and the bytes of all ranks.
 * @throws `DaosError` on every rank, if a rank failed to flush or the commit failed: nothing is visible then;
 *   `DER_CANCELED` if a rank had aborted. An error of the communicator leaves the outcome open.
 */
export function commitCollectively(
  group: RankGroup,
  container: Container,
  transaction: Transaction,
  transactionId: Uint8Array,
): Committed {
  try {
    const own = contribute(transaction, group.rank);
    const outcome = askRoot(group, { root: COMMIT_ROOT, own }, (contributions) => {
      return publish(container, contributions, transactionId);
    });
    transaction.settle();
    return decodeCommitted(outcome);
  } catch (error) {
    if (isDaosError(error)) transaction.abort();
    else transaction.abandon();
    throw error;
  }
}
