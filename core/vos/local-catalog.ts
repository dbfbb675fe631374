/**
 * The containers of an embedded target as the index lists them: their records, commits, snapshots and
 * retention. Everything here is a look-up or one transaction of the index; data is in `local-target.ts`.
 *
 * @module
 */

import { DaosError, isDaosError } from "../errors.js";
import { nextCounter, readCounter } from "../index/counters.js";
import type { IndexStore, IndexTransaction } from "../index/index-store.js";
import { patiently } from "../index/unguarded.js";
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
import { markDestroyed } from "./destruction.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";
import { epochAtTime, type Moment } from "./epoch-at-time.js";
import { putProperty, type StoredProperty } from "./metadata.js";
import { changeMarks, freeTable, listMarks, removeFreedMarks } from "./object-marks.js";
import { type Retention, retentionOf, setRetention } from "./retention.js";
import {
  createSnapshot,
  destroySnapshot,
  epochGone,
  getSnapshot,
  isReadable,
  listSnapshots,
  type SnapshotRecord,
} from "./snapshots.js";
import type { Metadata, ObjectMarks } from "./target.js";

/** User parts of object ids below this are kept for well-known objects: a root directory is 1. */
const OIDS_RESERVED = 16n;

/** What an embedded target knows of its containers. */
export abstract class LocalCatalog {
  /** The index, while the target is open. */
  protected abstract get index(): IndexStore;

  /** The time, in nanoseconds since 1970-01-01 UTC. */
  protected abstract now(): bigint;

  /** The last commits of containers, as of one state of the index. */
  readonly #lastCommits = { state: 0, epochs: new Map<number, Epoch>() };

  /** See {@link Target.metadata}. */
  get metadata(): Metadata {
    const index = this.index;
    return { reader: index, transact: (what, body) => index.transact(what, body) };
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
    this.index.transact(`Creating container "${options.label}"`, (tx) => {
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
    return getContainerByLabel(this.index, label);
  }

  getContainer(id: number): ContainerRecord | undefined {
    return getContainer(this.index, id);
  }

  listContainers(): ContainerRecord[] {
    return this.patiently(() => listContainers(this.index));
  }

  allocateOids(container: number, count: number): bigint {
    let first = 0n;
    this.index.transact("Allocating object ids", (tx) => {
      const record = getContainer(tx, container);
      if (record === undefined) throw containerGone(container);
      first = record.nextOid;
      putContainer(tx, { ...record, nextOid: first + BigInt(count) });
    });
    return first;
  }

  listCommits(container: number, options: { epoch: Epoch; limit?: number }): CommitRecord[] {
    // Aggregation raises the horizon first, and forgets the commits before it afterwards.
    const horizon = getContainer(this.index, container)?.horizon ?? 0n;
    const commits = this.patiently(() => listCommits(this.index, container, options));
    return commits.filter(({ epoch }) => epoch >= horizon);
  }

  lastCommit(container: number): Epoch {
    // Taken first: what is committed after it is looked up again next time.
    const state = this.index.stateNumber;
    if (state === 0 || state !== this.#lastCommits.state) {
      this.#lastCommits.state = state;
      this.#lastCommits.epochs.clear();
    }
    const known = this.#lastCommits.epochs.get(container);
    if (known !== undefined) return known;
    const options = { epoch: EPOCH_HEAD, limit: 1 };
    const [newest] = this.patiently(() => listCommits(this.index, container, options));
    const epoch = newest?.epoch ?? 0n;
    if (state !== 0) this.#lastCommits.epochs.set(container, epoch);
    return epoch;
  }

  nextCommits(container: number, options: { after: Epoch; limit: number }): CommitBatch {
    return nextCommits(this.index, container, options);
  }

  epochAt(container: number, time: Moment): Epoch {
    return epochAtTime(this.index, container, { time, now: this.now() });
  }

  retention(container: number): Retention {
    const record = getContainer(this.index, container);
    if (record === undefined) throw containerGone(container);
    return retentionOf(record);
  }

  setRetention(container: number, change: Partial<Retention>): void {
    const set = (tx: IndexTransaction) => setRetention(tx, container, change);
    this.index.transact("Changing a container's retention", set, "reclaim");
  }

  epochOfTransaction(transactionId: Uint8Array): Epoch | undefined {
    return epochOfTransaction(this.index, transactionId);
  }

  requireReadable(container: number, epoch: Epoch): void {
    const index = this.index;
    const record = getContainer(index, container);
    if (record === undefined) throw containerGone(container);
    if (this.patiently(() => isReadable(index, record, epoch))) return;
    throw epochGone(`Opening container ${container} at epoch ${epoch}`, epoch, record.horizon);
  }

  lastEpoch(): Epoch {
    return readCounter(this.index, "epoch");
  }

  createSnapshot(container: number, options: { name: string; epoch?: Epoch }): SnapshotRecord {
    const { name, epoch } = options;
    const now = this.now();
    let created: SnapshotRecord | undefined;
    this.index.transact(`Creating snapshot "${name}"`, (tx) => {
      created = createSnapshot(tx, { container, name, epoch, now });
    });
    return created as SnapshotRecord;
  }

  findSnapshot(container: number, name: string): SnapshotRecord | undefined {
    return getSnapshot(this.index, container, name);
  }

  listSnapshots(container: number): SnapshotRecord[] {
    return this.patiently(() => listSnapshots(this.index, container));
  }

  destroySnapshot(container: number, name: string): void {
    const index = this.index;
    let hasMarks = false;
    const destroy = (tx: IndexTransaction) => {
      const { table } = destroySnapshot(tx, container, name);
      freeTable(tx, container, table);
      hasMarks = table !== 0n;
    };
    index.transact(`Destroying snapshot "${name}"`, destroy, "remove");
    if (!hasMarks) return;
    try {
      for (const _ of removeFreedMarks(index, container));
    } catch (error) {
      // The snapshot is gone; aggregation removes its marks.
      if (!isDaosError(error, "DER_NOSPACE")) throw error;
    }
  }

  /** See {@link Target.marks}. */
  get marks(): ObjectMarks {
    const index = this.index;
    return {
      change: (place, changes) => {
        let known = 0;
        const isRemoval = changes.every(({ mark }) => mark === undefined);
        const body = (tx: IndexTransaction) => {
          known = changeMarks(tx, place, changes);
        };
        index.transact("Marking objects", body, isRemoval ? "remove" : "write");
        return known;
      },
      list: (place, range) => this.patiently(() => listMarks(index, place, range)),
    };
  }

  destroyContainer(id: number): void {
    const destroy = (tx: IndexTransaction) => {
      const record = getContainer(tx, id);
      if (record === undefined) throw containerGone(id);
      markDestroyed(tx, record);
    };
    this.index.transact("Destroying a container", destroy, "remove");
  }

  /** Reads that a writer may overtake, if this user may only read. */
  protected patiently<T>(call: () => T): T {
    return this.index.readOnly ? patiently(call) : call();
  }
}
