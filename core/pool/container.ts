/**
 * A container: a versioned set of objects, changed by transactions.
 *
 *     writers   begin() ─▶ Transaction ─▶ commit(), or prepare() here and publish() on one process
 *     readers   view() ─▶ ContainerView: everything as of one epoch, kept until it is closed
 *
 * Here are its transactions and objects; `container-versions.ts` has its history, `container-handle.ts`
 * what every handle has.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { OID_REQUEST_COUNT_MAX } from "../limits.js";
import type { ArrayAttributes } from "../object/array-format.js";
import type { ArrayCreateOptions, ArrayObject } from "../object/array-object.js";
import { ContainerObjects } from "../object/container-objects.js";
import type { DaosObject } from "../object/daos-object.js";
import type { KeyValue, KvKeyKind } from "../object/key-value.js";
import type { CallOptions } from "../object/object-access.js";
import type { Committed } from "../vos/commit.js";
import { decodeContribution } from "../vos/contribution-format.js";
import type { Epoch } from "../vos/epoch.js";
import { getProperty } from "../vos/metadata.js";
import {
  type ClassHints,
  chooseObjectClass,
  parseObjectClass,
  resolveObjectClass,
} from "../vos/object-class.js";
import { kindOfType, makeObjectId, type ObjectId, type ObjectType } from "../vos/object-id.js";
import type { Target } from "../vos/target.js";
import type { Transaction } from "../vos/transaction.js";
import type { TargetUsage } from "../vos/usage.js";
import { CollectiveTransaction } from "./collective-transaction.js";
import type { ContainerOrigin } from "./container-handle.js";
import { type ContainerInfo, containerInfo } from "./container-info.js";
import { ContainerTransaction, type TransactionScope } from "./container-transaction.js";
import { ContainerVersions } from "./container-versions.js";
import { OidRange } from "./oid-range.js";
import type { RankGroup } from "./rank-group.js";
import {
  type RunOptions,
  type RunSource,
  runTransaction,
  runTransactionAsync,
  type TransactionResult,
} from "./run-transaction.js";

/** Targets of an embedded pool. */
const TARGETS = 1;

/** User parts of object ids that follow one another. */
export interface OidSpan {
  /** The first of them. */
  readonly first: bigint;
  /** How many. */
  readonly count: number;
}

/** An open container. */
export class Container extends ContainerVersions {
  readonly #oids: OidRange;
  #openObjects: ContainerObjects | undefined;

  constructor(target: Target, origin: ContainerOrigin) {
    super(target, origin);
    this.#oids = new OidRange((count) => target.allocateOids(origin.record.id, count));
  }

  /** What is known of the container without reading its objects. */
  query(): ContainerInfo {
    this.requireOpen(`Querying container "${this.label}"`);
    return containerInfo(this.target, this.id);
  }

  /** The space of the pool that the container is in, which all of its containers share. */
  usage(): TargetUsage {
    this.requireOpen(`Asking for the space of container "${this.label}"`);
    return this.target.usage();
  }

  /**
   * Draws a new object id. Ids are drawn from the index in ranges; what is left at close is lost.
   *
   * @param objectClass Name of an object class, or hints by which one is chosen, together with the type and
   *   the container's `rd_fac`; no hints by default. On the one target of an embedded pool that is S1.
   * @throws {@link DaosError} `DER_INVAL` if the pool has too few targets for it, `DER_NO_PERM`.
   */
  allocateOid(
    type: (typeof ObjectType)[keyof typeof ObjectType],
    objectClass: string | ClassHints = {},
  ): ObjectId {
    this.requireWritable("Allocating an object id");
    const resolved =
      typeof objectClass === "string"
        ? resolveObjectClass(parseObjectClass(objectClass), TARGETS)
        : this.#chosenClass(type, objectClass);
    return makeObjectId(type, this.#oids.next(), resolved);
  }

  #chosenClass(type: number, hints: ClassHints): number {
    // Fixed at creation, so that it is read once.
    this.#redundancyFactor ??= Number(
      getProperty(this.target.metadata.reader, this.id, "rd_fac") ?? 0,
    );
    const redundancyFactor = this.#redundancyFactor;
    const count = { domains: TARGETS, targets: TARGETS };
    return chooseObjectClass({ redundancyFactor, ...kindOfType(type), ...count, hints });
  }

  #redundancyFactor: number | undefined;

  /**
   * Draws user parts of object ids that nobody else gets.
   *
   * @param count How many, from 1 to 2^32.
   * @returns The first of them; see {@link makeObjectId}.
   */
  allocateOids(count: number): OidSpan {
    const what = `Allocating ${count} object ids`;
    this.requireWritable(what);
    if (!Number.isInteger(count) || count < 1 || count > OID_REQUEST_COUNT_MAX) {
      const remedy = `ask for 1 to ${OID_REQUEST_COUNT_MAX}`;
      throw new DaosError("DER_INVAL", { what, why: "that is no count", remedy }, { count });
    }
    return { first: this.target.allocateOids(this.id, count), count };
  }

  /**
   * Begins a transaction.
   *
   * @throws {@link DaosError} `DER_NO_PERM` on a read-only handle.
   */
  begin(): Transaction {
    this.requireWritable(`Beginning a transaction in container "${this.label}"`);
    return this.target.begin(this.id);
  }

  /**
   * Begins a transaction of all ranks of a communicator: every rank writes, and one commit publishes all of
   * it at one epoch. Collective.
   *
   * @param group A communicator of node-mpi-bindings, or whatever gathers and broadcasts.
   * @throws {@link DaosError} on all ranks: `DER_NOSYS` if the ranks are on several nodes, `DER_MISMATCH` if
   *   they have different containers open, `DER_NO_PERM` if a handle is read-only.
   *
   * @example
   * ```ts
   * const transaction = container.beginCollective(world());
   * transaction.own.write(oid, range, bytes, incarnation);
   * const { epoch } = transaction.commit();
   * ```
   */
  beginCollective(group: RankGroup): CollectiveTransaction {
    return CollectiveTransaction.begin(group, this);
  }

  /**
   * Commits a transaction of this process alone.
   *
   * @returns The epoch at which its writes are visible.
   * @throws {@link DaosError} see `commit.ts`; the transaction is aborted then, and nothing is visible.
   */
  commit(transaction: Transaction): Committed {
    try {
      const contributions = [transaction.contribution()];
      // Who would ask for the outcome after a crash does not know an id.
      const request = { container: this.id, transactionId: undefined, contributions };
      const committed = this.target.commit(request);
      transaction.settle();
      return committed;
    } catch (error) {
      transaction.abort();
      throw error;
    }
  }

  /** Runs `body` in a transaction and commits it; aborts it if the body throws. */
  update(body: (transaction: Transaction) => void): Committed {
    const transaction = this.begin();
    try {
      body(transaction);
    } catch (error) {
      transaction.abort();
      throw error;
    }
    return this.commit(transaction);
  }

  /**
   * Begins a serializable transaction: a version to read, and writes on top of it.
   *
   * @param at Which version; the newest by default. A transaction at a given one only reads.
   * @throws {@link DaosError} `DER_NO_PERM` on a read-only handle, unless a version is given; as
   *   {@link view} does.
   */
  beginTransaction(
    at?: { readonly snapshot: string } | { readonly epoch: Epoch },
  ): ContainerTransaction {
    if (at === undefined) this.requireWritable(`Beginning a transaction in "${this.label}"`);
    const version = at !== undefined && "epoch" in at ? at.epoch : at;
    const [target, container] = [this.target, this.id];
    const pin = () => this.pinVersion(version);
    return new ContainerTransaction({ target, container, pin, isSnapshot: at !== undefined });
  }

  /**
   * Runs `body` in a serializable transaction and commits it: what it read and what it wrote happen at
   * one moment. If another commit changed what it read, it is run again, at the newest version, after a
   * short pause: it should have no effects but through `scope`. It aborts if the body throws.
   *
   * @param body Reads `scope.view` and writes to `scope.own`. It must not return a promise.
   * @returns What the body returned, and the epoch of the commit.
   * @throws {@link DaosError} `DER_TX_RESTART` if all attempts failed, with their number; what the body
   *   throws; see `commit.ts`. Nothing is visible then.
   *
   * @example
   * ```ts
   * const { value: total } = container.runTransaction(({ view, own }) => {
   *   const count = Number(view.getValue(oid, dkey, akey)?.[0] ?? 0) + 1;
   *   own.put({ oid, dkey, akey, value: Uint8Array.of(count), condition: "none" });
   *   return count;
   * });
   * ```
   */
  runTransaction<T>(
    body: (scope: TransactionScope) => T,
    options?: RunOptions,
  ): TransactionResult<T> {
    return runTransaction(this.#runSource(), body, options);
  }

  /**
   * As {@link runTransaction}, with a body that may wait. Others commit meanwhile: the longer it takes,
   * the likelier it runs again.
   */
  runTransactionAsync<T>(
    body: (scope: TransactionScope) => Promise<T>,
    options?: RunOptions,
  ): Promise<TransactionResult<T>> {
    return runTransactionAsync(this.#runSource(), body, options);
  }

  #runSource(): RunSource {
    const { device } = this.origin;
    return { begin: () => this.beginTransaction(), random: (size) => device.random(size) };
  }

  get #objects(): ContainerObjects {
    this.#openObjects ??= new ContainerObjects(this, {
      begin: () => this.begin(),
      commit: (request) => {
        return this.target.commit({ ...request, container: this.id, transactionId: undefined });
      },
    });
    return this.#openObjects;
  }

  /** Opens an object by its keys; nothing is looked up, and the first update creates it. */
  openObject(oid: ObjectId): DaosObject {
    return this.#objects.openObject(oid);
  }

  /**
   * Opens a key-value store.
   *
   * @throws {@link DaosError} `DER_INVAL` if the id is not one of a key-value store.
   */
  openKeyValue(oid: ObjectId): KeyValue {
    return this.#objects.openKeyValue(oid);
  }

  /**
   * Creates a key-value store: draws an id for one.
   *
   * @param keys `lexical` (the default) or `hashed` for text and bytes, `integer` for 64-bit integers.
   * @throws {@link DaosError} `DER_INVAL`, or `DER_NO_PERM` on a read-only handle.
   */
  createKeyValue(keys: KvKeyKind = "lexical"): KeyValue {
    return this.#objects.createKeyValue(keys);
  }

  /**
   * Opens an array.
   *
   * @param options `given`: cell and chunk size of an array that does not store them (`arrayAttr`).
   * @throws {@link DaosError} `DER_NONEXIST` if there is none, `DER_INVAL` if the id is not one of an array.
   */
  openArray(
    oid: ObjectId,
    options: CallOptions & { given?: ArrayAttributes } = {},
  ): Promise<ArrayObject> {
    return this.#objects.openArray(oid, options);
  }

  /**
   * Creates an array: draws an id for one, and stores its cell and chunk size unless it is one of bytes.
   *
   * @throws {@link DaosError} `DER_INVAL`, or `DER_NO_PERM` on a read-only handle.
   */
  createArray(options: ArrayCreateOptions & CallOptions = {}): Promise<ArrayObject> {
    return this.#objects.createArray(options);
  }

  /**
   * Publishes what several writers prepared, at one epoch: all of it, or nothing. Each writer then
   * settles its transaction, or aborts it if this fails.
   *
   * @param contributions Results of `Transaction.prepare()`, in rank order.
   * @param transactionId 16 bytes; see {@link newTransactionId}.
   */
  publish(contributions: readonly Uint8Array[], transactionId: Uint8Array): Committed {
    this.requireWritable(`Committing to container "${this.label}"`);
    const decoded = contributions.map(decodeContribution);
    return this.target.commit({ container: this.id, transactionId, contributions: decoded });
  }

  /** A new transaction id, 16 bytes. With it, the outcome of a commit can be asked after a crash. */
  newTransactionId(): Uint8Array {
    return this.origin.device.random(16);
  }

  /** The epoch of a committed transaction; `undefined` if it was not committed, or is long past. */
  epochOf(transactionId: Uint8Array): Epoch | undefined {
    return this.target.epochOfTransaction(transactionId);
  }

  /**
   * What a writer remembers of an object that it opens: the last epoch. A commit of writes to the object is
   * refused with `DER_NONEXIST` if it was removed after that.
   */
  incarnation(_oid: ObjectId): Epoch {
    return this.target.lastEpoch();
  }
}
