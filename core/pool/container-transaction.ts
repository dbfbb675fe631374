/**
 * A serializable transaction: a pinned version to read, and writes on top of it.
 *
 *     begin ─▶ view (remembers what is read) + writes ─▶ commit ─▶ epoch
 *                 ▲                                        │ DER_TX_RESTART: another one changed
 *                 └──────────── restart, at the newest ────┘ what was read; nothing is published
 *
 * @module
 */

import { DaosError } from "../errors.js";
import type { KeyCondition, ValueChange } from "../vos/contribution-format.js";
import type { Epoch } from "../vos/epoch.js";
import type { ObjectId } from "../vos/object-id.js";
import type { PatternRange } from "../vos/pattern.js";
import type { Pin } from "../vos/pins.js";
import { ReadSet } from "../vos/read-set.js";
import type { AkeyUpdate } from "../vos/records.js";
import type { Target } from "../vos/target.js";
import type { Transaction } from "../vos/transaction.js";
import { openView } from "./unpinned-view.js";
import type { ContainerView } from "./view.js";

/** What code in a transaction works with. */
export interface TransactionScope {
  /** The version that the transaction reads, with its own writes on top. */
  readonly view: ContainerView;
  /** Takes the transaction's writes. */
  readonly own: Transaction;
}

/** What a transaction needs of its container. */
export interface TransactionSource {
  readonly target: Target;
  readonly container: number;
  /** Pins the version that is read: a given one, or the newest. */
  pin(): Pin;
  /** Whether writes are refused: the version is not the newest. */
  readonly isSnapshot: boolean;
}

/** What happened to a transaction. */
type State = "open" | "committed" | "aborted";

/**
 * A transaction with its view. Commit it, or abort it: until then its version stays pinned.
 *
 * @example
 * ```ts
 * using transaction = container.beginTransaction();
 * const before = transaction.view.getValue(oid, dkey, akey);
 * transaction.put({ oid, dkey, akey, value: next(before), condition: "none" });
 * const epoch = transaction.commit(); // DER_TX_RESTART: somebody else was faster
 * ```
 */
export class ContainerTransaction implements TransactionScope {
  readonly #source: TransactionSource;
  #state: State = "open";
  #scope: { readonly view: ContainerView; readonly own: Transaction | undefined };

  constructor(source: TransactionSource) {
    this.#source = source;
    this.#scope = this.#begin();
  }

  #begin(): { view: ContainerView; own: Transaction | undefined } {
    const { target, container, isSnapshot } = this.#source;
    const pin = this.#source.pin();
    try {
      if (isSnapshot) return { view: openView(target, container, pin), own: undefined };
      const reads = new ReadSet(pin.epoch);
      const own = target.begin(container, reads);
      return { view: openView(target, container, pin, { own, reads }), own };
    } catch (error) {
      pin.release();
      throw error;
    }
  }

  /** The version that is read, with own writes on top. */
  get view(): ContainerView {
    return this.#scope.view;
  }

  /** The version that is read. */
  get epoch(): Epoch {
    return this.#scope.view.epoch;
  }

  /**
   * Takes the writes.
   *
   * @throws {@link DaosError} `DER_EP_RO` in a snapshot transaction, `DER_NO_HDL` after its end.
   */
  get own(): Transaction {
    this.#requireOpen("Writing in a transaction");
    const { own } = this.#scope;
    if (own !== undefined) return own;
    const what = `Writing in a transaction at epoch ${this.epoch}`;
    const remedy = "begin a transaction without a snapshot or an epoch";
    throw new DaosError("DER_EP_RO", { what, why: "old versions cannot be written", remedy });
  }

  #requireOpen(what: string): void {
    if (this.#state === "open") return;
    const why = `the transaction was ${this.#state}`;
    throw new DaosError("DER_NO_HDL", { what, why, remedy: "begin another one" });
  }

  /** See {@link Transaction.put}. */
  put(change: ValueChange): void {
    this.own.put(change);
  }

  /** See {@link Transaction.update}. */
  update(
    oid: ObjectId,
    dkey: Uint8Array,
    updates: readonly AkeyUpdate[],
    options: { readonly condition?: KeyCondition } = {},
  ): void {
    this.own.update(oid, dkey, updates, options);
  }

  /** Appends the bytes of a range of a byte array; a punch that comes meanwhile does not matter. */
  write(oid: ObjectId, range: PatternRange, bytes: Uint8Array): void {
    this.own.write(oid, range, bytes);
  }

  /** Punches a range of a byte array. */
  punchRange(oid: ObjectId, range: PatternRange): void {
    this.own.punchRange(oid, range);
  }

  /** See {@link Transaction.punch}. */
  punch(oid: ObjectId, condition: "none" | "update" = "none"): void {
    this.own.punch(oid, condition);
  }

  /** See {@link Transaction.punchDkey}. */
  punchDkey(oid: ObjectId, dkey: Uint8Array, condition: "none" | "update" = "none"): void {
    this.own.punchDkey(oid, dkey, condition);
  }

  /** See {@link Transaction.punchAkey}. */
  punchAkey(
    oid: ObjectId,
    dkey: Uint8Array,
    akey: Uint8Array,
    condition: "none" | "update" = "none",
  ): void {
    this.own.punchAkey(oid, dkey, akey, condition);
  }

  /**
   * Publishes the writes at one epoch, if nothing that was read has changed since. A transaction without
   * writes has nothing to publish: its view was consistent.
   *
   * @returns Where the writes are visible; of a transaction without any, the version that it read.
   * @throws {@link DaosError} `DER_TX_RESTART` if another commit changed what was read: {@link restart} it
   *   then. Else see `commit.ts`. Nothing is visible then, and the writes are gone.
   */
  commit(): Epoch {
    this.#requireOpen("Committing a transaction");
    const { own, view } = this.#scope;
    const { target, container } = this.#source;
    try {
      if (own === undefined || own.isEmpty) {
        own?.abort();
        return this.#end("committed", view.epoch);
      }
      const contributions = [own.contribution()];
      const request = { container, transactionId: undefined, contributions, isPinned: true };
      const { epoch } = target.commit(request);
      own.settle();
      return this.#end("committed", epoch);
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  #end(state: State, epoch: Epoch): Epoch {
    this.#state = state;
    this.#scope.view.close();
    return epoch;
  }

  /** Drops the writes. After the end of the transaction it does nothing. */
  abort(): void {
    if (this.#state !== "open") return;
    this.#scope.own?.abort();
    this.#end("aborted", 0n);
  }

  /**
   * Begins again, at the newest version (a snapshot transaction: at its own): reads and writes have to be
   * repeated. Also after a commit that failed.
   *
   * @throws {@link DaosError} `DER_NO_HDL` if it was committed.
   */
  restart(): void {
    if (this.#state === "committed") this.#requireOpen("Restarting a transaction");
    this.abort();
    this.#scope = this.#begin();
    this.#state = "open";
  }

  /** Aborts what was not committed at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.abort();
  }
}
