/**
 * Destroying a container: invisible at once, its space back step by step.
 *
 *     first transaction    container, label  ─▶  `destroyed` record: nobody finds it any more, and
 *                                                commits to it are refused
 *     then                 runs (with the live sizes of segments), keys, punches, changes, commits,
 *                          snapshots, attributes, properties, in short transactions
 *     last transaction     the `destroyed` record
 *
 * A kill leaves the record, and any later reclaim goes on with it. Nothing is removed while somebody
 * still has the container open or pins an epoch of it: like a file that was unlinked, it goes when the
 * last handle and the last view are closed, and never shows less than it did.
 *
 *     destroyed    u32 id ─▶ u8 version, 16 bytes UUID, text label
 *
 * @module
 */

import type { Device } from "../device/device.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import type { IndexReader, IndexStore, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";
import { inSteps } from "../index/steps.js";
import { AGGREGATION_STEP_COUNT } from "../limits.js";
import { lockAggregation } from "./aggregation-lock.js";
import { type ContainerRecord, listCommits, removeCommit, removeContainer } from "./containers.js";
import { EPOCH_HEAD } from "./epoch.js";
import type { PinTable } from "./pins.js";
import { containerPrefix, RunChanges, readRuns, type StoredRun } from "./run-list.js";

const RECORD_VERSION = 1;

/** Spaces whose keys begin with a container's id and refer to nothing else. */
const PLAIN_SPACES = [
  KeySpace.akey,
  KeySpace.dkeyPunch,
  KeySpace.longKey,
  KeySpace.object,
  KeySpace.change,
  KeySpace.snapshot,
  KeySpace.objectMark,
  KeySpace.freedTable,
  KeySpace.removed,
  KeySpace.attribute,
  KeySpace.property,
] as const;

/** A container that is being destroyed. */
export interface DestroyedContainer {
  readonly id: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  readonly label: string;
}

function destroyedKey(id: number): Uint8Array {
  return new KeyBuilder(KeySpace.destroyed).u32(id).done();
}

/** Makes a container invisible; its space comes back with {@link reclaimContainers}. */
export function markDestroyed(tx: IndexTransaction, record: ContainerRecord): void {
  const { id, uuid, label } = record;
  removeContainer(tx, record);
  tx.put(destroyedKey(id), new ByteWriter(64).u8(RECORD_VERSION).raw(uuid).text(label).finish());
}

/** The containers that are being destroyed, by id. */
export function listDestroyed(reader: IndexReader): DestroyedContainer[] {
  const start = Uint8Array.of(KeySpace.destroyed);
  const found: DestroyedContainer[] = [];
  reader.visit({ start, end: prefixEnd(start) }, (key, value) => {
    const id = new KeyReader(key).u32();
    const fields = new ByteReader(value, `the record of the destroyed container ${id}`);
    if (fields.u8() !== RECORD_VERSION) throw fields.malformed("its version is unknown");
    found.push({ id, uuid: fields.raw(16).slice(), label: fields.text() });
    return true;
  });
  return found;
}

/** What a reclaim works on. */
export interface ReclaimSource {
  readonly index: IndexStore;
  readonly device: Device;
  readonly pins: PinTable;
  /** The pins file, which carries the locks of aggregation. */
  readonly pinsPath: string;
  /** Whether any process has a handle of a container. */
  readonly isOpen: (container: number) => boolean;
}

/** What a step of a reclaim has removed. */
export interface ReclaimReport {
  /** Containers that are wholly gone. */
  readonly containers: number;
  /** Entries of the index. */
  readonly entries: number;
  /** Bytes of array data that nothing refers to any more. */
  readonly bytes: number;
}

/** Removes what destroyed containers left, as far as nobody uses them; yields after each transaction. */
export function* reclaimContainers(
  source: ReclaimSource,
): Generator<ReclaimReport, void, undefined> {
  for (const { id } of listDestroyed(source.index)) {
    if (source.isOpen(id) || source.pins.epochsOf(id).length > 0) continue;
    // The same lock as aggregation: a pass that still runs, or another reclaim, comes first.
    const lock = lockAggregation(source.device, source.pinsPath, id);
    if (lock === undefined) continue;
    try {
      yield* removeRuns(source.index, id);
      yield* removeCommits(source.index, id);
      for (const space of PLAIN_SPACES) yield* removeSpace(source.index, space, id);
      const forget = (tx: IndexTransaction) => {
        tx.remove(destroyedKey(id));
        const layout = Buffer.from(`layout/${id}`);
        tx.remove(new KeyBuilder(KeySpace.pool).component(layout).done());
      };
      source.index.transact("Forgetting a destroyed container", forget, "reclaim");
      yield { containers: 1, entries: 1, bytes: 0 };
    } finally {
      lock.release();
    }
  }
}

function* removeRuns(index: IndexStore, id: number): Generator<ReclaimReport, void, undefined> {
  const remove = (tx: IndexTransaction, runs: readonly StoredRun[]) => {
    const changes = new RunChanges(tx);
    let entries = 0;
    for (const run of runs) {
      if (!changes.isUnchanged(run)) continue;
      changes.remove(run);
      entries += 1;
    }
    return { containers: 0, entries, bytes: -changes.finish() };
  };
  for (const items of readRuns(index, containerPrefix(id))) {
    const what = "Removing runs of a destroyed container";
    yield* inSteps(index, { what, items, countMax: AGGREGATION_STEP_COUNT }, remove);
  }
}

function* removeCommits(index: IndexStore, id: number): Generator<ReclaimReport, void, undefined> {
  for (;;) {
    const items = listCommits(index, id, { epoch: EPOCH_HEAD, limit: AGGREGATION_STEP_COUNT });
    if (items.length === 0) return;
    const remove = (tx: IndexTransaction, commits: typeof items) => {
      for (const commit of commits) removeCommit(tx, id, commit);
      return { containers: 0, entries: commits.length, bytes: 0 };
    };
    const what = "Removing commits of a destroyed container";
    yield* inSteps(index, { what, items, countMax: AGGREGATION_STEP_COUNT }, (tx, commits) =>
      remove(tx, [...commits]),
    );
  }
}

function* removeSpace(
  index: IndexStore,
  space: number,
  id: number,
): Generator<ReclaimReport, void, undefined> {
  const prefix = new KeyBuilder(space).u32(id).done();
  for (;;) {
    const items: Uint8Array[] = [];
    const visitor = (key: Uint8Array) => {
      items.push(key.slice());
      return items.length < AGGREGATION_STEP_COUNT;
    };
    index.visit({ start: prefix, end: prefixEnd(prefix) }, visitor, { heads: true });
    if (items.length === 0) return;
    const remove = (tx: IndexTransaction, keys: readonly Uint8Array[]) => {
      for (const key of keys) tx.remove(key);
      return { containers: 0, entries: keys.length, bytes: 0 };
    };
    const what = "Removing keys of a destroyed container";
    yield* inSteps(index, { what, items, countMax: AGGREGATION_STEP_COUNT }, remove);
  }
}
