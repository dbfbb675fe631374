/**
 * A container: a versioned set of objects, changed by transactions.
 *
 *     writers   begin() ─▶ Transaction ─▶ commit(), or prepare() here and publish() on one process
 *     readers   view() ─▶ ContainerView: everything as of one epoch, kept until it is closed
 *
 * @module
 */

import type { Rights } from "../access/acl.js";
import type { Device } from "../device/device.js";
import { DaosError } from "../errors.js";
import { AGGREGATION_STEP_MS_DEFAULT, OID_REQUEST_COUNT_MAX, VIEW_RETRIES_MAX } from "../limits.js";
import type { ArrayAttributes } from "../object/array-format.js";
import type { ArrayCreateOptions, ArrayObject } from "../object/array-object.js";
import { ContainerObjects } from "../object/container-objects.js";
import type { DaosObject } from "../object/daos-object.js";
import type { KeyValue, KvKeyKind } from "../object/key-value.js";
import type { CallOptions } from "../object/object-access.js";
import {
  type AggregationOptions,
  type AggregationReport,
  summedAggregation,
} from "../vos/aggregation.js";
import type { Committed } from "../vos/commit.js";
import type { CommitRecord, ContainerRecord } from "../vos/containers.js";
import { decodeContribution } from "../vos/contribution-format.js";
import type { ContainerChange, DiffOptions } from "../vos/diff.js";
import { EPOCH_HEAD, type Epoch } from "../vos/epoch.js";
import type { Moment } from "../vos/epoch-at-time.js";
import type { HandleLock } from "../vos/handle-locks.js";
import { parseObjectClass, resolveObjectClass } from "../vos/object-class.js";
import { makeObjectId, type ObjectId, type ObjectType } from "../vos/object-id.js";
import type { Pin } from "../vos/pins.js";
import { checkRetention, type Retention } from "../vos/retention.js";
import type { RolledBack } from "../vos/rollback.js";
import { epochGone, noSuchSnapshot, type SnapshotRecord } from "../vos/snapshots.js";
import type { Target } from "../vos/target.js";
import type { Transaction } from "../vos/transaction.js";
import { Administered, type AdministeredOrigin } from "./administered.js";
import { BackgroundAggregation, type BackgroundOptions } from "./background-aggregation.js";
import { CollectiveTransaction } from "./collective-transaction.js";
import { ContainerTransaction, type TransactionScope } from "./container-transaction.js";
import { OidRange } from "./oid-range.js";
import { CONTAINER_PROPERTIES } from "./properties.js";
import type { RankGroup } from "./rank-group.js";
import {
  type RunOptions,
  type RunSource,
  runTransaction,
  runTransactionAsync,
  type TransactionResult,
} from "./run-transaction.js";
import { openView } from "./unpinned-view.js";
import { formatUuid } from "./uuid.js";
import type { ContainerView } from "./view.js";
import {
  type CommitSource,
  CommitWatch,
  checkEpoch,
  type WaitOptions,
  type WatchOptions,
  waitForCommit,
} from "./watch.js";

/** The version that a snapshot names. */
export interface NamedVersion {
  /** Name of the snapshot. */
  readonly snapshot: string;
}

/** The version that was the newest at a time. */
export interface TimedVersion {
  /** A Date, or nanoseconds since 1970-01-01 UTC. */
  readonly time: Moment;
}

/** A version of a container. */
export type Version = Epoch | NamedVersion | TimedVersion;

/** What a container handle is made of. */
export interface ContainerOrigin {
  readonly record: ContainerRecord;
  readonly device: Device;
  readonly pool: string;
  readonly readOnly: boolean;
  readonly rights: Rights;
  readonly lock: HandleLock;
  readonly rename: (label: string) => void;
  readonly defaults: AdministeredOrigin["defaults"];
}

/** An open container. */
export class Container extends Administered {
  readonly #target: Target;
  readonly #origin: ContainerOrigin;
  #openObjects: ContainerObjects | undefined;

  readonly #oids: OidRange;
  #isOpen = true;

  constructor(target: Target, origin: ContainerOrigin) {
    super();
    this.#oids = new OidRange((count) => target.allocateOids(origin.record.id, count));
    this.#target = target;
    this.#origin = origin;
  }

  /** The container's label. */
  get label(): string {
    const { record } = this.#origin;
    return this.#named ?? record.label;
  }

  #named: string | undefined;

  protected override administered(what: string): AdministeredOrigin {
    this.#requireOpen(what);
    const { rights, readOnly, defaults, rename } = this.#origin;
    const name = `container "${this.label}"`;
    const renamed = (label: string) => {
      rename(label);
      this.#named = label;
    };
    return {
      scope: this.#id,
      name,
      rights,
      readOnly,
      table: CONTAINER_PROPERTIES,
      metadata: () => this.#target.metadata,
      defaults,
      label: () => this.#target.getContainer(this.#id)?.label ?? this.label,
      rename: renamed,
    };
  }

  /** Closes the handle; its views stay. Later calls do nothing, other calls are `DER_NO_HDL`. */
  close(): void {
    this.#isOpen = false;
    this.#origin.lock.release();
  }

  /** Closes the handle at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #requireOpen(what: string): void {
    if (!this.#isOpen) {
      const text = { what, why: "the container handle was closed", remedy: "open it again" };
      throw new DaosError("DER_NO_HDL", text);
    }
    if (this.#target.getContainer(this.#id) !== undefined) return;
    const text = { what, why: "the container was destroyed", remedy: "open another one" };
    throw new DaosError("DER_NONEXIST", text);
  }

  /** The container's UUID. */
  get uuid(): string {
    return formatUuid(this.#origin.record.uuid);
  }

  /** Directory of the pool. */
  get pool(): string {
    return this.#origin.pool;
  }

  /** Whether this handle may only read. */
  get readOnly(): boolean {
    return this.#origin.readOnly;
  }

  get #id(): number {
    return this.#origin.record.id;
  }

  /**
   * Everything as of one epoch. The epoch stays readable until the view is closed.
   *
   * @param at An epoch, a named snapshot, or a time: the newest commit at or before it. The newest commit
   *   by default.
   * @throws {@link DaosError} `DER_EPOCH_GONE` if the epoch was aggregated, `DER_NONEXIST` if there is
   *   no snapshot of that name, `DER_INVAL` for a time in the future.
   */
  view(at?: Version): ContainerView {
    return openView(this.#target, this.#id, this.#pin(at));
  }

  /** Pins the version that a view, or a transaction, reads. */
  #pin(at: Version | undefined): Pin {
    if (!this.#isOpen) this.#requireOpen(`Viewing container "${this.label}"`);
    if (typeof at === "bigint") return this.#pinned(at);
    // Between looking the epoch up and pinning it, aggregation may pass it: look again.
    for (let attempt = 0; ; attempt++) {
      const wanted = this.#epochOf(at);
      try {
        return this.#pinned(wanted);
      } catch (error) {
        if (attempt >= VIEW_RETRIES_MAX || this.#epochOf(at) === wanted) throw error;
      }
    }
  }

  #pinned(epoch: Epoch): Pin {
    return this.#target.pin(this.#id, epoch);
  }

  /** The epoch of a version; of the newest commit if there is none. */
  #epochOf(at: Version | undefined): Epoch {
    if (at === undefined) return this.#target.lastCommit(this.#id);
    if (typeof at === "bigint") return at;
    if ("time" in at) return this.epochAt(at.time);
    const found = this.#target.findSnapshot(this.#id, at.snapshot);
    if (found !== undefined) return found.epoch;
    const what = `Opening snapshot ${JSON.stringify(at.snapshot)} of container "${this.label}"`;
    throw noSuchSnapshot(what, at.snapshot);
  }

  /**
   * The newest commit at or before a moment of wall-clock time, by the clock of the node that committed;
   * 0 before the first one.
   *
   * @param time A Date, which counts whole milliseconds, or nanoseconds since 1970-01-01 UTC.
   * @throws {@link DaosError} `DER_EPOCH_GONE` if what was seen then was aggregated, `DER_INVAL` for a time
   *   in the future: what it shows is not decided yet.
   */
  epochAt(time: Moment): Epoch {
    return this.#target.epochAt(this.#id, time);
  }

  /** What of its history the container keeps readable. */
  get retention(): Retention {
    return this.#target.retention(this.#id);
  }

  /**
   * Changes what of its history the container keeps readable, for all processes. What aggregation took
   * before does not come back.
   *
   * @param change What is left out stays as it is.
   * @throws {@link DaosError} `DER_INVAL`, or `DER_NO_PERM` on a read-only handle.
   *
   * @example
   * ```ts
   * container.setRetention({ seconds: 3600 }); // everything of the last hour
   * ```
   */
  setRetention(change: Partial<Retention>): void {
    const what = `Changing the retention of container "${this.label}"`;
    this.#requireWritable(what);
    checkRetention(what, { ...this.retention, ...change });
    this.#target.setRetention(this.#id, change);
  }

  /**
   * What differs between two versions, in either direction: objects, dkeys and akeys that were added, removed
   * or changed, and ranges of arrays that were written or punched in between.
   *
   * Streams, in the order of object ids and keys; something comes before what it holds. Both versions stay
   * readable until the generator ends: run it to its end, or leave its loop. Cost follows the changes if both
   * versions are retained; from a snapshot older than those, or with very many changes, all keys are
   * looked at. An akey that changed from a value to an array, or its record size, is told of without ranges.
   *
   * @param options `compare: true` reads values and bytes, and tells of real differences only.
   * @throws {@link DaosError} `DER_EPOCH_GONE`, `DER_NONEXIST`, `DER_INVAL` as {@link view}; `DER_CSUM` if
   *   compared bytes are damaged.
   *
   * @example
   * ```ts
   * for (const change of container.diff({ snapshot: "before" }, container.epochAt(new Date()))) {
   *   if (change.level === "bytes") console.log(change.oid, change.start, change.end);
   * }
   * ```
   */
  diff(
    from: Version,
    to: Version,
    { compare = false }: DiffOptions = {},
  ): Generator<ContainerChange, void, undefined> {
    const versions = { from: this.#epochOf(from), to: this.#epochOf(to) };
    for (const epoch of [versions.from, versions.to]) {
      checkEpoch(`Comparing versions of container "${this.label}"`, epoch);
    }
    return this.#target.diff(this.#id, { ...versions, compare });
  }

  /**
   * Shows an earlier version again, by a new commit: all of it, or nothing, whoever is killed when. History
   * stays: the versions in between, and snapshots of them, can be read as before.
   *
   * No data is copied. It is one index transaction, whose size follows what was changed since `to` (about
   * 15 us for each key), and other commits wait for it. Back to a snapshot that is older than the retained
   * commits, all keys of the container are looked at. An object that was removed since is a new incarnation:
   * who had opened it before must open it again.
   *
   * @returns The new commit; the newest one, if nothing has changed since `to`.
   * @throws {@link DaosError} `DER_EPOCH_GONE`, `DER_NONEXIST`, `DER_INVAL` as {@link view}; `DER_NO_PERM` on
   *   a read-only handle, `DER_NOSPACE` if the index is full. Nothing is changed then.
   *
   * @example
   * ```ts
   * container.createSnapshot("before");
   * const { epoch } = container.rollback({ snapshot: "before" });
   * ```
   */
  rollback(to: Version): RolledBack {
    this.#requireWritable(`Rolling back container "${this.label}"`);
    const epoch = this.#epochOf(to);
    checkEpoch(`Rolling back container "${this.label}"`, epoch);
    return this.#target.rollBack(this.#id, epoch);
  }

  get #commits(): CommitSource {
    const { bell } = this.#target;
    return { bell, next: (options) => this.#target.nextCommits(this.#id, options) };
  }

  /**
   * The commits of the container, by whatever process, as they come: in order, each once.
   *
   * Without a server: listeners hear of writes to the index from the operating system. A commit pays
   * nothing for them, and one whose news is lost is found within a second or a few.
   *
   * @param options `from`: the epoch after which commits are wanted (that of the last one known); the
   *   newest commit now by default. `signal` ends the loop.
   * @returns An endless async iterator. It ends when it is left, aborted, or the pool is closed, and
   *   throws `DER_NONEXIST` when the container is destroyed. A commit that comes after a gap, because
   *   aggregation was faster than the watch, says so by `skipped`.
   * @throws {@link DaosError} `DER_EPOCH_GONE` if commits after `from` were aggregated already.
   *
   * @example
   * ```ts
   * for await (const { epoch } of container.watch({ signal })) {
   *   using view = container.view(epoch);
   * }
   * ```
   */
  watch({ from, signal }: WatchOptions = {}): CommitWatch {
    const source = this.#commits;
    if (from !== undefined) {
      const what = `Watching container "${this.label}" from epoch ${from}`;
      checkEpoch(what, from);
      const { skipped, horizon } = this.#target.nextCommits(this.#id, { after: from, limit: 1 });
      if (skipped) throw epochGone(what, from, horizon);
    }
    return new CommitWatch(source, from ?? this.#target.lastCommit(this.#id), signal);
  }

  /**
   * Waits for a commit at or after an epoch: a consumer that needs what a producer will publish.
   *
   * @param epoch That of the last commit known, plus one, to wait for the next.
   * @param options `signal` and `timeoutMs` end the wait.
   * @returns The oldest such commit that can still be read.
   * @throws {@link DaosError} `DER_TIMEDOUT`, `DER_NO_HDL` if the pool is closed, `DER_NONEXIST` if the
   *   container is destroyed, `DER_INVAL`; the signal's reason if it is aborted.
   */
  async waitFor(epoch: Epoch, options: WaitOptions = {}): Promise<CommitRecord> {
    return await waitForCommit(this.#commits, epoch, options);
  }

  /**
   * Names an epoch: it stays readable, whatever is aggregated, until the snapshot is destroyed.
   *
   * @param name 1 to 127 letters, digits and the characters `. _ : -`; unique in the container.
   * @param epoch The newest commit by default; else one that can be read now. One of the future is
   *   taken as the newest.
   * @throws {@link DaosError} `DER_EXIST`, `DER_EPOCH_GONE` if the epoch was aggregated, `DER_INVAL` for
   *   a bad name, `DER_NOSPACE` if the container has as many as it may have, `DER_NO_PERM` on a
   *   read-only handle. Nothing is changed then.
   *
   * @example
   * ```ts
   * container.createSnapshot("before-restart");
   * using view = container.view({ snapshot: "before-restart" });
   * ```
   */
  createSnapshot(name: string, epoch?: Epoch): SnapshotRecord {
    this.#requireWritable(`Creating snapshot "${name}" of container "${this.label}"`);
    const options = epoch === undefined ? { name } : { name, epoch };
    return this.#target.createSnapshot(this.#id, options);
  }

  /** The named snapshots, oldest epoch first. */
  listSnapshots(): SnapshotRecord[] {
    return this.#target.listSnapshots(this.#id);
  }

  /**
   * Destroys a snapshot. Open views of it stay; the next aggregation frees what nothing else sees.
   *
   * @throws {@link DaosError} `DER_NONEXIST`, or `DER_NO_PERM` on a read-only handle.
   */
  destroySnapshot(name: string): void {
    this.#requireWritable(`Destroying snapshot "${name}" of container "${this.label}"`);
    this.#target.destroySnapshot(this.#id, name);
  }

  /**
   * Draws a new object id. Ids are drawn from the index in ranges; what is left at close is lost.
   *
   * @param objectClass Name of an object class; by default one that fits an embedded pool, S1.
   * @throws {@link DaosError} `DER_INVAL` if the pool has too few targets for it, `DER_NO_PERM`.
   */
  allocateOid(
    type: (typeof ObjectType)[keyof typeof ObjectType],
    objectClass: string = "SX",
  ): ObjectId {
    this.#requireWritable("Allocating an object id");
    const resolved = resolveObjectClass(parseObjectClass(objectClass), 1);
    return makeObjectId(type, this.#oids.next(), resolved);
  }

  /**
   * Draws user parts of object ids that nobody else gets.
   *
   * @param count How many, from 1 to 2^32.
   * @returns The first of them; see {@link makeObjectId}.
   */
  allocateOids(count: number): { first: bigint; count: number } {
    const what = `Allocating ${count} object ids`;
    this.#requireWritable(what);
    if (!Number.isInteger(count) || count < 1 || count > OID_REQUEST_COUNT_MAX) {
      const remedy = `ask for 1 to ${OID_REQUEST_COUNT_MAX}`;
      throw new DaosError("DER_INVAL", { what, why: "that is no count", remedy }, { count });
    }
    return { first: this.#target.allocateOids(this.#id, count), count };
  }

  /**
   * Begins a transaction.
   *
   * @throws {@link DaosError} `DER_NO_PERM` on a read-only handle.
   */
  begin(): Transaction {
    this.#requireWritable(`Beginning a transaction in container "${this.label}"`);
    return this.#target.begin(this.#id);
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
      const request = { container: this.#id, transactionId: undefined, contributions };
      const committed = this.#target.commit(request);
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
    if (at === undefined) this.#requireWritable(`Beginning a transaction in "${this.label}"`);
    const version = at !== undefined && "epoch" in at ? at.epoch : at;
    const [target, container] = [this.#target, this.#id];
    const pin = () => this.#pin(version);
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
    const { device } = this.#origin;
    return { begin: () => this.beginTransaction(), random: (size) => device.random(size) };
  }

  get #objects(): ContainerObjects {
    this.#openObjects ??= new ContainerObjects(this, {
      begin: () => this.begin(),
      commit: (request) => {
        return this.#target.commit({ ...request, container: this.#id, transactionId: undefined });
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
    this.#requireWritable(`Committing to container "${this.label}"`);
    const decoded = contributions.map(decodeContribution);
    return this.#target.commit({ container: this.#id, transactionId, contributions: decoded });
  }

  /** A new transaction id, 16 bytes. With it, the outcome of a commit can be asked after a crash. */
  newTransactionId(): Uint8Array {
    return this.#origin.device.random(16);
  }

  /** The epoch of a committed transaction; `undefined` if it was not committed, or is long past. */
  epochOf(transactionId: Uint8Array): Epoch | undefined {
    return this.#target.epochOfTransaction(transactionId);
  }

  /** Commits from the oldest retained one on, newest first. Snapshots of older ones are not among them. */
  commits(): CommitRecord[] {
    return this.#target.listCommits(this.#id, { epoch: EPOCH_HEAD });
  }

  /**
   * What a writer remembers of an object that it opens: the last epoch. A commit of writes to the object is
   * refused with `DER_NONEXIST` if it was removed after that.
   */
  incarnation(_oid: ObjectId): Epoch {
    return this.#target.lastEpoch();
  }

  /**
   * Removes versions that no reader can see, merges what is left, and frees space: the whole pass at once.
   * Data is copied out of segments that are mostly dead (a third or more), and where an array lies
   * scattered in small parts.
   *
   * @param options `compact: false` changes the index only and copies nothing.
   * @returns What was done; nothing if another aggregation of the container is running.
   * @throws {@link DaosError} `DER_NO_PERM` on a read-only handle, `DER_NOSPACE` or `DER_IO` if the index
   *   cannot be written. What was done by then stays done; every version that is kept reads as before.
   */
  aggregate(options: { compact?: boolean } = {}): AggregationReport {
    return summedAggregation(this.aggregateSteps({ ...options, stepMs: Infinity }));
  }

  /**
   * The same in short steps, safe beside writers, readers and other aggregations: between steps nothing
   * of the index is held. End the generator, or let it end, before the next pass.
   *
   * @param options `stepMs`: milliseconds after which a step ends, at the next transaction; 10 by default.
   * @returns What each step has done.
   * @throws {@link DaosError} as {@link aggregate} does, `DER_INVAL` for a bad time, `DER_NO_HDL` if the pool
   *   was closed.
   *
   * @example
   * ```ts
   * for (const { bytes } of container.aggregateSteps({ stepMs: 5 })) {
   *   freed += bytes;
   *   await setImmediate();
   * }
   * ```
   */
  aggregateSteps(options: AggregationOptions = {}): Generator<AggregationReport, void, undefined> {
    const what = `Aggregating container "${this.label}"`;
    this.#requireWritable(what);
    const { stepMs = AGGREGATION_STEP_MS_DEFAULT, compact = true } = options;
    if (!(stepMs >= 0)) {
      const text = { what, why: `stepMs is ${stepMs}`, remedy: "give a number of milliseconds" };
      throw new DaosError("DER_INVAL", text, { stepMs });
    }
    return this.#target.aggregate(this.#id, { stepMs, compact, isBackground: false });
  }

  /**
   * Aggregates in the background, in short steps on a timer that does not keep the process alive, for at
   * most a share of the time. While nothing is committed there is next to nothing to do.
   *
   * @returns A handle; {@link BackgroundAggregation.stop} it, or close the pool.
   * @throws {@link DaosError} `DER_INVAL` for a bad option, `DER_NO_PERM` on a read-only handle.
   *
   * @example
   * ```ts
   * using aggregation = container.startAggregation({ share: 0.05 });
   * ```
   */
  startAggregation(options: BackgroundOptions = {}): BackgroundAggregation {
    this.#requireWritable(`Aggregating container "${this.label}"`);
    const { stepMs = AGGREGATION_STEP_MS_DEFAULT, compact = true, ...timing } = options;
    const beginPass = () =>
      this.#target.aggregate(this.#id, { stepMs, compact, isBackground: true });
    return new BackgroundAggregation(beginPass, timing);
  }

  #requireWritable(what: string): void {
    if (!this.#isOpen) this.#requireOpen(what);
    if (!this.#origin.readOnly) return;
    const why = "the handle is read-only";
    throw new DaosError("DER_NO_PERM", { what, why, remedy: 'connect with mode "rw"' });
  }
}
