/**
 * A target: one versioned object store, as one process sees it.
 *
 * Everything above reaches a store through the {@link Target} interface, so that a target on another
 * node can take its place. {@link LocalTarget} is the embedded one: this process reads the index and
 * the segments itself, and writes to its own log.
 *
 * @module
 */

import path from "node:path";
import type { Device } from "../device/device.js";
import { closedError, DaosError, isDaosError } from "../errors.js";
import { nextCounter, readCounter } from "../index/counters.js";
import type { IndexReader, IndexStore, IndexTransaction } from "../index/index-store.js";
import { patiently } from "../index/unguarded.js";
import { LogWriter } from "../log/log-writer.js";
import { SegmentCache } from "../log/segment-reader.js";
import { listSegments, type SegmentRecord } from "../log/segment-record.js";
import { type RecoveryReport, SegmentStore } from "../log/segment-store.js";
import { addWriter, removeWriter } from "../log/writer-record.js";
import {
  Aggregation,
  type AggregationReport,
  type AggregationSource,
  emptyMemory,
  type PassOptions,
} from "./aggregation.js";
import type { ArrayAddress } from "./array-address.js";
import { ArrayCache, listWindows } from "./array-cache.js";
import { ArrayReader, type ArraySource } from "./array-reader.js";
import { type CommitRequest, type Committed, commit, restart } from "./commit.js";
import { CommitBell } from "./commit-bell.js";
import { type CommitBatch, nextCommits } from "./commit-feed.js";
import {
  type CommitRecord,
  type ContainerRecord,
  containerGone,
  epochOfTransaction,
  getContainer,
  getContainerByLabel,
  listCommits,
  listContainers,
  putContainer,
} from "./containers.js";
import { markDestroyed, type ReclaimReport, reclaimContainers } from "./destruction.js";
import type { ContainerChange, DiffOptions } from "./diff.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";
import { epochAtTime, type Moment } from "./epoch-at-time.js";
import { HandleTable } from "./handle-locks.js";
import { KeyView } from "./key-view.js";
import { putProperty, type StoredProperty } from "./metadata.js";
import type { ObjectAddress } from "./names.js";
import { OwnLayer } from "./own-layer.js";
import { pinnedDiff } from "./pinned-diff.js";
import { type Pin, PinTable } from "./pins.js";
import type { ReadSet } from "./read-set.js";
import { type Retention, retentionOf, setRetention } from "./retention.js";
import { type RolledBack, rollBack } from "./rollback.js";
import { Scrubber, type ScrubReport, type ScrubSource } from "./scrub.js";
import {
  createSnapshot,
  destroySnapshot,
  epochGone,
  getSnapshot,
  isReadable,
  listSnapshots,
  type SnapshotRecord,
} from "./snapshots.js";
import { Transaction, type TransactionOwner } from "./transaction.js";
import { INDEX_FILE, setLimits, type TargetUsage, type TierLimits, targetUsage } from "./usage.js";

/** How properties and attributes are read and changed; see metadata.ts. */
export interface Metadata {
  readonly reader: IndexReader;
  transact(what: string, body: (tx: IndexTransaction) => void): void;
}

/** A versioned object store. Calls are synchronous; errors are {@link DaosError}s. */
export interface Target {
  /** Creates a container. */
  createContainer(options: {
    label: string;
    uuid: Uint8Array;
    retainCommits: number;
    retainMs: number;
    properties?: ReadonlyMap<string, StoredProperty>;
  }): ContainerRecord;
  /** Finds a container by label. */
  findContainer(label: string): ContainerRecord | undefined;
  /** The container of an id, as it is now. */
  getContainer(id: number): ContainerRecord | undefined;
  /** Makes a container invisible; {@link reclaim} gives its space back. */
  destroyContainer(id: number): void;
  /** Takes back, in steps, what destroyed containers left that nobody uses. */
  reclaim(): Generator<ReclaimReport, void, undefined>;
  /** Properties and attributes of the pool and its containers. */
  readonly metadata: Metadata;
  /** Open handles of the pool and its containers. */
  readonly handles: HandleTable;
  /** All containers. */
  listContainers(): ContainerRecord[];
  /** Draws `count` user parts of object ids; returns the first. */
  allocateOids(container: number, count: number): bigint;
  /** Commits of a container that can be read, newest first. */
  listCommits(container: number, options: { epoch: Epoch; limit?: number }): CommitRecord[];
  /** Epoch of the newest commit of a container; 0 before the first. */
  lastCommit(container: number): Epoch;
  /** Commits after an epoch, oldest first. */
  nextCommits(container: number, options: { after: Epoch; limit: number }): CommitBatch;
  /** Rings when the index may have changed. */
  readonly bell: CommitBell;
  /** The version that a container had at a time. */
  epochAt(container: number, time: Moment): Epoch;
  /** What differs between two versions. */
  diff(
    container: number,
    how: { from: Epoch; to: Epoch } & Required<DiffOptions>,
  ): Generator<ContainerChange, void, undefined>;
  /** Shows an earlier version again, by a new commit. */
  rollBack(container: number, to: Epoch): RolledBack;
  /** What of its history a container keeps. */
  retention(container: number): Retention;
  /** Changes what of its history a container keeps. */
  setRetention(container: number, change: Partial<Retention>): void;
  /** Epoch of a transaction, or `undefined` if it was not committed (or long ago). */
  epochOfTransaction(transactionId: Uint8Array): Epoch | undefined;
  /** Keeps an epoch readable until the pin is released. */
  pin(container: number, epoch: Epoch): Pin;
  /**
   * Makes sure that an epoch can be read still.
   *
   * @throws {@link DaosError} `DER_EPOCH_GONE`, or `DER_NONEXIST` if the container is gone.
   */
  requireReadable(container: number, epoch: Epoch): void;
  /** The last epoch that was drawn: commits to come are later. */
  lastEpoch(): Epoch;
  /** The keys of a container at an epoch. */
  keys(container: number, epoch: Epoch): KeyView;
  /** An array at an epoch; what is older than `since` is hidden. */
  array(array: ArrayAddress, version: { epoch: Epoch; since: Epoch }): ArrayReader;
  /** The windows of the array under an akey that runs lie in, increasing. */
  windows(object: ObjectAddress, akey: Uint8Array): number[];
  /** The keys of the container of a transaction at an epoch, with its changes on top. */
  ownLayer(transaction: Transaction, epoch: Epoch): OwnLayer;
  /** Begins a transaction; `reads` is what it has read by the time of its commit. */
  begin(container: number, reads?: ReadSet): Transaction;
  /** Publishes contributions at one epoch. */
  commit(request: CommitRequest): Committed;
  /** Names an epoch and keeps it readable until the name is destroyed. */
  createSnapshot(container: number, options: { name: string; epoch?: Epoch }): SnapshotRecord;
  /** The snapshot of a name. */
  findSnapshot(container: number, name: string): SnapshotRecord | undefined;
  /** The snapshots of a container, oldest epoch first. */
  listSnapshots(container: number): SnapshotRecord[];
  /** Lets go of a snapshot. */
  destroySnapshot(container: number, name: string): void;
  /**
   * Removes what no reader can see and merges the rest, in steps; then takes back what dead writers left.
   */
  aggregate(container: number, options: PassOptions): Generator<AggregationReport, void, undefined>;
  /** Checks the stored bytes of all containers, in steps of about `stepSize` bytes. */
  scrub(stepSize: number): Generator<ScrubReport, void, undefined>;
  /** Takes back what dead writers left. */
  recover(): RecoveryReport;
  /** Counts and space. */
  usage(): TargetUsage;
  /** Changes the limits of the tiers. */
  setLimits(limits: TierLimits): void;
  /** Ends the writer's leases and closes everything. */
  close(): void;
}

/** Where an embedded target lies, and what it is reached through. */
export interface LocalTargetOptions {
  readonly device: Device;
  readonly index: IndexStore;
  /** Directory of the index and the pins. */
  readonly scm: string;
  /** Directory of the segments. */
  readonly nvme: string;
  /** The pool's UUID, 16 bytes. */
  readonly poolUuid: Uint8Array;
  /** Whether commits survive a power cut. */
  readonly durable: boolean;
  /** What this process calls itself when it writes. */
  readonly owner: string;
}

/** User parts of object ids below this are kept for well-known objects: a root directory is 1. */
const OIDS_RESERVED = 16n;

const NO_AGGREGATION = { runs: 0, merged: 0, values: 0, bytes: 0, copied: 0, isBusy: false };

/** File of the pinned epochs, in the `scm` directory. */
export const PINS_FILE = "pins";

/** The embedded target. One per open pool handle. */
export class LocalTarget implements Target, TransactionOwner {
  readonly #options: LocalTargetOptions;
  readonly #source: ArraySource;
  readonly #store: SegmentStore;
  readonly #segments: SegmentCache;
  readonly #pins: PinTable;
  readonly #transactions = new Set<Transaction>();
  readonly #passes = new Set<Generator<AggregationReport, void, undefined>>();
  readonly #memory = emptyMemory();
  readonly bell: CommitBell;
  readonly handles: HandleTable;
  #writer: LogWriter | undefined;
  #open = true;

  constructor(options: LocalTargetOptions) {
    const { device, index, nvme: directory, poolUuid, durable } = options;
    const openIndex = () => this.#index;
    this.#options = options;
    const dropReaders = () => this.#segments.drop();
    const origin = { device, index, directory, poolUuid, durable, dropReaders };
    this.#store = new SegmentStore(origin);
    this.#segments = new SegmentCache(device, poolUuid, (id) => this.#store.path(id));
    this.#pins = new PinTable(device, path.join(options.scm, PINS_FILE));
    this.bell = new CommitBell(path.join(options.scm, INDEX_FILE));
    this.handles = new HandleTable(device, path.join(options.scm, PINS_FILE));
    this.#source = { segments: this.#segments, arrays: new ArrayCache(openIndex) };
  }

  get #index(): IndexStore {
    if (!this.#open) throw closedError("Using a container");
    return this.#options.index;
  }

  /** The process's log; its id is drawn at the first write. */
  get writer(): LogWriter {
    if (this.#writer === undefined) {
      const { owner } = this.#options;
      let id = 0n;
      // Also who only removes something is a writer.
      const draw = (tx: IndexTransaction) => {
        id = addWriter(tx, { owner, pid: process.pid }).id;
      };
      this.#index.transact("Drawing a writer id", draw, "remove");
      this.#writer = new LogWriter(this.#store, id);
    }
    return this.#writer;
  }

  createContainer(options: {
    label: string;
    uuid: Uint8Array;
    retainCommits: number;
    retainMs: number;
    properties?: ReadonlyMap<string, StoredProperty>;
  }): ContainerRecord {
    const { properties = new Map(), ...fields } = options;
    let created: ContainerRecord | undefined;
    this.#index.transact(`Creating container "${options.label}"`, (tx) => {
      if (getContainerByLabel(tx, options.label) !== undefined) {
        throw new DaosError(
          "DER_EXIST",
          {
            what: `Creating container "${options.label}"`,
            why: "the pool has a container of that label",
            remedy: "open it, or choose another label",
          },
          { label: options.label },
        );
      }
      const id = Number(nextCounter(tx, "container"));
      created = { ...fields, id, horizon: 0n, forgotten: 0n, nextOid: OIDS_RESERVED };
      putContainer(tx, created, true);
      for (const [name, value] of properties) putProperty(tx, id, name, value);
    });
    return created as ContainerRecord;
  }

  findContainer(label: string): ContainerRecord | undefined {
    return getContainerByLabel(this.#index, label);
  }

  getContainer(id: number): ContainerRecord | undefined {
    return getContainer(this.#index, id);
  }

  destroyContainer(id: number): void {
    const destroy = (tx: IndexTransaction) => {
      const record = getContainer(tx, id);
      if (record === undefined) throw containerGone(id);
      markDestroyed(tx, record);
    };
    this.#index.transact("Destroying a container", destroy, "remove");
  }

  *reclaim(): Generator<ReclaimReport, void, undefined> {
    const { device, scm } = this.#options;
    const isOpen = (container: number) => this.handles.isOpen(container);
    const pinsPath = path.join(scm, PINS_FILE);
    const source = { index: this.#index, device, pins: this.#pins, pinsPath, isOpen };
    let isAny = false;
    for (const step of reclaimContainers(source)) {
      isAny = true;
      yield step;
    }
    if (isAny && this.#open) this.#store.recover();
  }

  /** See {@link Target.metadata}. */
  get metadata(): Metadata {
    const index = this.#index;
    return { reader: index, transact: (what, body) => index.transact(what, body) };
  }

  listContainers(): ContainerRecord[] {
    return this.#patiently(() => listContainers(this.#index));
  }

  allocateOids(container: number, count: number): bigint {
    let first = 0n;
    this.#index.transact("Allocating object ids", (tx) => {
      const record = getContainer(tx, container);
      if (record === undefined) throw containerGone(container);
      first = record.nextOid;
      putContainer(tx, { ...record, nextOid: first + BigInt(count) });
    });
    return first;
  }

  listCommits(container: number, options: { epoch: Epoch; limit?: number }): CommitRecord[] {
    // Aggregation raises the horizon first, and forgets the commits before it afterwards.
    const horizon = getContainer(this.#index, container)?.horizon ?? 0n;
    const commits = this.#patiently(() => listCommits(this.#index, container, options));
    return commits.filter(({ epoch }) => epoch >= horizon);
  }

  lastCommit(container: number): Epoch {
    const options = { epoch: EPOCH_HEAD, limit: 1 };
    const [newest] = this.#patiently(() => listCommits(this.#index, container, options));
    return newest?.epoch ?? 0n;
  }

  nextCommits(container: number, options: { after: Epoch; limit: number }): CommitBatch {
    return nextCommits(this.#index, container, options);
  }

  epochAt(container: number, time: Moment): Epoch {
    return epochAtTime(this.#index, container, { time, now: this.#options.device.now() });
  }

  diff(
    container: number,
    how: { from: Epoch; to: Epoch } & Required<DiffOptions>,
  ): Generator<ContainerChange, void, undefined> {
    return pinnedDiff(
      {
        openIndex: () => this.#index,
        pin: (of, epoch) => this.pin(of, epoch),
        keys: (of, epoch) => this.keys(of, epoch),
        array: (array, version) => this.array(array, version),
      },
      container,
      how,
    );
  }

  rollBack(container: number, to: Epoch): RolledBack {
    // Pinned, so that aggregation leaves what the transaction is to find.
    const pin = this.pin(container, to);
    try {
      return rollBack(this.#index, pin, this.#options.device.now());
    } finally {
      pin.release();
    }
  }

  retention(container: number): Retention {
    const record = getContainer(this.#index, container);
    if (record === undefined) throw containerGone(container);
    return retentionOf(record);
  }

  setRetention(container: number, change: Partial<Retention>): void {
    const set = (tx: IndexTransaction) => setRetention(tx, container, change);
    this.#index.transact("Changing a container's retention", set, "reclaim");
  }

  epochOfTransaction(transactionId: Uint8Array): Epoch | undefined {
    return epochOfTransaction(this.#index, transactionId);
  }

  pin(container: number, epoch: Epoch): Pin {
    // A new version to read is the moment to let go of segments that only old ones used.
    this.#segments.sweep();
    // Commits to come draw later epochs than the last one: a view of the future would change.
    const last = readCounter(this.#index, "epoch");
    const pin = this.#pins.pin(container, epoch < last ? epoch : last);
    try {
      this.requireReadable(container, epoch);
      return pin;
    } catch (error) {
      pin.release();
      throw error;
    }
  }

  requireReadable(container: number, epoch: Epoch): void {
    const index = this.#index;
    const record = getContainer(index, container);
    if (record === undefined) throw containerGone(container);
    if (this.#patiently(() => isReadable(index, record, epoch))) return;
    throw epochGone(`Opening container ${container} at epoch ${epoch}`, epoch, record.horizon);
  }

  /** Reads that a writer may overtake, if this user may only read. */
  #patiently<T>(call: () => T): T {
    return this.#index.readOnly ? patiently(call) : call();
  }

  lastEpoch(): Epoch {
    return readCounter(this.#index, "epoch");
  }

  keys(container: number, epoch: Epoch): KeyView {
    return new KeyView(() => this.#index, container, epoch);
  }

  array(array: ArrayAddress, version: { epoch: Epoch; since: Epoch }): ArrayReader {
    return new ArrayReader(this.#source, array, version);
  }

  windows(object: ObjectAddress, akey: Uint8Array): number[] {
    return listWindows(this.#index, object, akey);
  }

  ownLayer(transaction: Transaction, epoch: Epoch): OwnLayer {
    return new OwnLayer(() => this.#index, transaction, epoch);
  }

  begin(container: number, reads?: ReadSet): Transaction {
    if (!this.#open) throw closedError("Beginning a transaction");
    const transaction = new Transaction(this, container, reads);
    this.#transactions.add(transaction);
    return transaction;
  }

  /** See {@link TransactionOwner}. */
  othersOpen(transaction: Transaction): boolean {
    for (const other of this.#transactions) {
      if (other !== transaction && other.bytes > 0) return true;
    }
    return false;
  }

  /** See {@link TransactionOwner}. */
  closed(transaction: Transaction): void {
    this.#transactions.delete(transaction);
  }

  commit(request: CommitRequest): Committed {
    const pins = request.isPinned ? [] : this.#pinReads(request);
    try {
      return commit(this.#index, request, this.#options.device.now());
    } finally {
      for (const pin of pins) pin.release();
    }
  }

  /**
   * Pins the versions that contributions of other processes read, so that they can be compared. Those
   * that read them hold pins of their own, unless they died: then the versions may be gone.
   */
  #pinReads({ container, contributions }: CommitRequest): Pin[] {
    const epochs = new Set(contributions.flatMap(({ reads }) => (reads ? [reads.epoch] : [])));
    const pins: Pin[] = [];
    const horizon = getContainer(this.#index, container)?.horizon ?? 0n;
    const readers = [...epochs].some((epoch) => epoch < horizon)
      ? this.#pins.epochsOf(container)
      : [];
    try {
      for (const epoch of epochs) {
        if (epoch < horizon && !readers.includes(epoch)) {
          throw restart(`the version that was read, ${epoch}, is gone`, { epoch, horizon });
        }
        pins.push(this.#pins.pin(container, epoch));
        // Aggregation may have come in between.
        const now = getContainer(this.#index, container)?.horizon ?? 0n;
        if (epoch < now && epoch >= horizon && !this.#pins.epochsOf(container).includes(epoch)) {
          throw restart(`the version that was read, ${epoch}, is gone`, { epoch, horizon: now });
        }
      }
      return pins;
    } catch (error) {
      for (const pin of pins) pin.release();
      throw error;
    }
  }

  createSnapshot(container: number, options: { name: string; epoch?: Epoch }): SnapshotRecord {
    const { name, epoch } = options;
    const now = this.#options.device.now();
    let created: SnapshotRecord | undefined;
    this.#index.transact(`Creating snapshot "${name}"`, (tx) => {
      created = createSnapshot(tx, { container, name, epoch, now });
    });
    return created as SnapshotRecord;
  }

  findSnapshot(container: number, name: string): SnapshotRecord | undefined {
    return getSnapshot(this.#index, container, name);
  }

  listSnapshots(container: number): SnapshotRecord[] {
    return this.#patiently(() => listSnapshots(this.#index, container));
  }

  destroySnapshot(container: number, name: string): void {
    const destroy = (tx: IndexTransaction) => destroySnapshot(tx, container, name);
    this.#index.transact(`Destroying snapshot "${name}"`, destroy, "remove");
  }

  *aggregate(
    container: number,
    options: PassOptions,
  ): Generator<AggregationReport, void, undefined> {
    const pass = new Aggregation(this.#aggregationSource(), container, options).steps();
    this.#passes.add(pass);
    try {
      yield* pass;
    } finally {
      this.#passes.delete(pass);
    }
    if (!this.#open) throw closedError("Aggregating a container");
    for (const _ of this.reclaim()) yield NO_AGGREGATION;
    this.#store.recover();
  }

  #aggregationSource(): AggregationSource {
    const { device, poolUuid, owner, scm } = this.#options;
    const openIndex = () => this.#index;
    const store = this.#store;
    return {
      get index() {
        return openIndex();
      },
      device,
      owner,
      store,
      pins: this.#pins,
      pinsPath: path.join(scm, PINS_FILE),
      memory: this.#memory,
      releaseLog: (isToEmpty) => this.#releaseLog(isToEmpty),
      openSegments: () => new SegmentCache(device, poolUuid, (id) => store.path(id)),
    };
  }

  /** Ends the leases of this process's own log if it is idle and one of its segments is to be emptied. */
  #releaseLog(isToEmpty: (id: number, record: SegmentRecord) => boolean): void {
    const writer = this.#writer;
    if (writer === undefined || [...this.#transactions].some(({ bytes }) => bytes > 0)) return;
    const isOwn = ({ state, writer: holder }: SegmentRecord) =>
      state === "leased" && holder === writer.id;
    const segments = listSegments(this.#index);
    if (segments.some(({ id, record }) => isOwn(record) && isToEmpty(id, record))) writer.close();
  }

  scrub(stepSize: number): Generator<ScrubReport, void, undefined> {
    const { device, poolUuid } = this.#options;
    const openIndex = () => this.#index;
    const source: ScrubSource = {
      get index() {
        return openIndex();
      },
      segments: { device, poolUuid, pathOf: (id) => this.#store.path(id) },
    };
    return new Scrubber(source, stepSize).steps();
  }

  recover(): RecoveryReport {
    return this.#store.recover();
  }

  usage(): TargetUsage {
    return targetUsage({ ...this.#options, index: this.#index });
  }

  setLimits(limits: TierLimits): void {
    this.#segments.drop();
    setLimits({ ...this.#options, index: this.#index }, limits);
  }

  /** Ends the writer's leases and forgets it. */
  #closeWriter(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    writer.close();
    try {
      const forget = (tx: IndexTransaction) => removeWriter(tx, writer.id);
      this.#index.transact("Forgetting a writer", forget, "reclaim");
    } catch (error) {
      // On a full disk the record stays; it says nothing of what is stored.
      if (!isDaosError(error)) throw error;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.bell.close();
    for (const transaction of this.#transactions) transaction.abort();
    for (const pass of this.#passes) pass.return();
    this.#closeWriter();
    this.#segments.close();
    this.#pins.close();
    this.handles.close();
    this.#open = false;
    this.#options.index.close();
  }
}
