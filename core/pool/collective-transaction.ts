/**
 * A transaction of all ranks of a communicator: every rank writes, one commit publishes all of it at one
 * epoch, or nothing.
 *
 *     begin (all)      own.write ... (each, no communication)      commit (all)
 *
 * An aborted rank says so when the others commit, so that none of them waits. A rank that died takes its job
 * with it (the launcher ends the others), and what it wrote was never visible. Who was killed within the
 * commit finds out afterwards by the transaction's id.
 *
 * @module
 */

import { DaosError, isDaosError } from "../errors.js";
import type { Committed } from "../vos/commit.js";
import type { Transaction } from "../vos/transaction.js";
import { commitCollectively } from "./collective-commit.js";
import type { Container } from "./container.js";
import { agree, onRoot, type RankGroup, requireOneNode } from "./rank-group.js";

const ROOT = 0;
const ID_SIZE = 16;

/** A transaction of all ranks of a communicator. */
export class CollectiveTransaction {
  /** This rank's part: writes, puts and punches; pass it to reads that should see them. */
  readonly own: Transaction;
  /** The same on all ranks, 16 bytes; keep it, to ask `Container.epochOf` for an unknown outcome. */
  readonly transactionId: Uint8Array;
  readonly #group: RankGroup;
  readonly #container: Container;
  #isDone = false;

  private constructor(
    group: RankGroup,
    container: Container,
    { own, transactionId }: { own: Transaction; transactionId: Uint8Array },
  ) {
    this.#group = group;
    this.#container = container;
    this.own = own;
    this.transactionId = transactionId;
  }

  /** Begins a transaction on all ranks; see `Container.beginCollective`. Collective. */
  static begin(group: RankGroup, container: Container): CollectiveTransaction {
    const what = `Beginning a collective transaction in container "${container.label}"`;
    requireOneNode(group, what);
    const own = Buffer.from(container.uuid);
    const first = onRoot(group, ROOT, () => Buffer.concat([container.newTransactionId(), own]));
    let transaction: Transaction | undefined;
    let failure: unknown;
    try {
      if (Buffer.compare(first.subarray(ID_SIZE), own) !== 0) {
        const why = `rank ${group.rank} has another container open than rank ${ROOT}`;
        const remedy = "open the same container on all ranks";
        throw new DaosError("DER_MISMATCH", { what, why, remedy });
      }
      transaction = container.begin();
    } catch (error) {
      failure = error;
    }
    try {
      agree(group, failure);
    } catch (error) {
      transaction?.abort();
      throw error;
    }
    const transactionId = first.slice(0, ID_SIZE);
    return new CollectiveTransaction(group, container, {
      own: transaction as Transaction,
      transactionId,
    });
  }

  /**
   * Commits what all ranks wrote, at one epoch. Collective: ranks that aborted call it too.
   *
   * @returns The epoch, and the bytes of all ranks; the newest epoch if no rank wrote anything.
   * @throws {@link DaosError} on all ranks: `DER_CANCELED` if a rank aborted, or what a rank met when it
   *   flushed, or the commit itself; nothing is visible then. `DER_TX_UNCERTAIN` if the communicator failed
   *   meanwhile: ask `container.epochOf(transactionId)` when the other ranks have ended.
   */
  commit(): Committed {
    if (this.#isDone) {
      const remedy = "begin another one";
      const text = { what: "Committing collectively", why: "the transaction has ended", remedy };
      throw new DaosError("DER_NO_HDL", text);
    }
    this.#isDone = true;
    try {
      return commitCollectively(this.#group, this.#container, this.own, this.transactionId);
    } catch (error) {
      if (isDaosError(error)) throw error;
      return this.#outcome(error);
    }
  }

  /** What became of a commit in which the communicator failed. */
  #outcome(error: unknown): Committed {
    const epoch = this.#container.epochOf(this.transactionId);
    if (epoch !== undefined) {
      const commit = this.#container.commits().find((each) => each.epoch === epoch);
      return { epoch, bytes: commit?.bytes ?? 0 };
    }
    const transactionId = Buffer.from(this.transactionId).toString("hex");
    const text = {
      what: `Committing collective transaction ${transactionId}`,
      why: `the communicator failed: ${error instanceof Error ? error.message : error}`,
      remedy: "end the job, then ask container.epochOf() whether it was committed",
    };
    throw new DaosError("DER_TX_UNCERTAIN", text, { transactionId }, error);
  }

  /** Drops this rank's part. Local: the other ranks learn of it when all of them, this one too, commit. */
  abort(): void {
    this.own.abort();
  }
}
