/**
 * A target: one versioned object store, as one process sees it.
 *
 * Everything above reaches a store through the {@link Target} interface, so that a target on another
 * node can take its place. The embedded one is `local-target.ts`.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import type { RecoveryReport } from "../log/segment-store.js";
import type { AggregationReport, PassOptions } from "./aggregation.js";
import type { ArrayAddress } from "./array-address.js";
import type { ArrayReader } from "./array-reader.js";
import type { CommitRequest, Committed } from "./commit.js";
import type { CommitBell } from "./commit-bell.js";
import type { CommitBatch } from "./commit-feed.js";
import type { CommitRecord, ContainerRecord } from "./containers.js";
import type { ReclaimReport } from "./destruction.js";
import type { ContainerChange, DiffOptions } from "./diff.js";
import type { Epoch } from "./epoch.js";
import type { Moment } from "./epoch-at-time.js";
import type { HandleTable } from "./handle-locks.js";
import type { KeyView } from "./key-view.js";
import type { CopyableValue, LongValue } from "./long-value.js";
import type { StoredProperty } from "./metadata.js";
import type { ObjectAddress } from "./names.js";
import type { MarkChange, MarkedObject, MarkedSnapshot, MarkRange } from "./object-marks.js";
import type { OwnLayer } from "./own-layer.js";
import type { Pin } from "./pins.js";
import type { ReadSet } from "./read-set.js";
import type { Retention } from "./retention.js";
import type { RolledBack } from "./rollback.js";
import type { ScrubReport } from "./scrub.js";
import type { SnapshotRecord } from "./snapshots.js";
import type { Transaction } from "./transaction.js";
import type { TargetUsage, TierLimits } from "./usage.js";

/** How properties and attributes are read and changed; see metadata.ts. */
export interface Metadata {
  readonly reader: IndexReader;
  transact(what: string, body: (tx: IndexTransaction) => void): void;
}

/** How marks of the objects of a snapshot are read and changed; see object-marks.ts. */
export interface ObjectMarks {
  /** Changes marks, all of them or none. @returns How many of the objects were marked before. */
  change(place: MarkedSnapshot, changes: readonly MarkChange[]): number;
  /** Marks in the order of the object ids. */
  list(place: MarkedSnapshot, range: MarkRange): MarkedObject[];
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
  /** A value that does not lie in the index, to be copied. */
  value(object: ObjectAddress, value: LongValue): CopyableValue;
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
  /** Marks of the objects of snapshots. */
  readonly marks: ObjectMarks;
  /** Lets go of a snapshot, and of its marks. */
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
