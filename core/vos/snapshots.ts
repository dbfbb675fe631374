/**
 * Named snapshots: epochs of a container that stay readable until the name is destroyed.
 *
 *     snapshot    u32 container, component name ─▶ u8 version, u64 epoch, u64 creation time
 *                                                  (nanoseconds since 1970), and from version 2 on:
 *                                                  u64 table of marks (object-marks.ts)
 *
 * A snapshot below the container's horizon can be read at exactly its epoch; the epochs around it are
 * gone. Who checks and who removes meet as with pins:
 *
 * 1. A snapshot is created in one transaction with the check that its epoch can be read, so that
 *    aggregation, which raises the horizon first and reads the snapshots afterwards, sees it or has
 *    refused it.
 * 2. Aggregation reads the snapshots before the pins: a reader that pinned the epoch of a snapshot and
 *    found it there afterwards is seen, whoever destroys it then.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import { readCounter } from "../index/counters.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";
import { SNAPSHOT_NAME_SIZE_MAX, SNAPSHOTS_MAX } from "../limits.js";
import { getContainer, listCommits } from "./containers.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";
import { getProperty } from "./metadata.js";

/** A named snapshot of a container. */
export interface SnapshotRecord {
  /** Unique in its container. */
  readonly name: string;
  /** What it shows. */
  readonly epoch: Epoch;
  /** When it was created, in nanoseconds since 1970-01-01 UTC. */
  readonly created: bigint;
}

/** A snapshot as it is stored. */
export interface StoredSnapshot extends SnapshotRecord {
  /** The number of its table of marks; 0 before the first mark. */
  readonly table: bigint;
}

/** Of a snapshot without marks, and of one with them. */
const RECORD_VERSIONS = { plain: 1, marked: 2 } as const;
const NAME_PATTERN = /^[A-Za-z0-9._:-]+$/;
/** Space byte and container precede the name; a KeyReader skips one byte itself. */
const NAME_SKIP = 4;

function snapshotKey(container: number, name: string): Uint8Array {
  return new KeyBuilder(KeySpace.snapshot).u32(container).component(Buffer.from(name)).done();
}

function decode(name: string, value: Uint8Array): StoredSnapshot {
  const reader = new ByteReader(value, `snapshot "${name}"`);
  const version = reader.u8();
  const isMarked = version === RECORD_VERSIONS.marked;
  if (!isMarked && version !== RECORD_VERSIONS.plain) {
    throw reader.malformed("its version is unknown");
  }
  const facts = { name, epoch: reader.u64(), created: reader.u64() };
  const table = isMarked ? reader.u64() : 0n;
  reader.end();
  return { ...facts, table };
}

/** Stores a snapshot's record. */
export function putSnapshot(
  tx: IndexTransaction,
  container: number,
  { name, epoch, created, table }: StoredSnapshot,
): void {
  const version = table === 0n ? RECORD_VERSIONS.plain : RECORD_VERSIONS.marked;
  const value = new ByteWriter(25).u8(version).u64(epoch).u64(created);
  if (table !== 0n) value.u64(table);
  tx.put(snapshotKey(container, name), value.finish());
}

/** The snapshot of a name, or `undefined`. */
export function getSnapshot(
  reader: IndexReader,
  container: number,
  name: string,
): SnapshotRecord | undefined {
  const stored = getStoredSnapshot(reader, container, name);
  return stored && shown(stored);
}

function shown({ name, epoch, created }: StoredSnapshot): SnapshotRecord {
  return { name, epoch, created };
}

/** The same, with its table of marks. */
export function getStoredSnapshot(
  reader: IndexReader,
  container: number,
  name: string,
): StoredSnapshot | undefined {
  // A name that cannot exist is not looked up: its key may be longer than a key can be.
  if (!isName(name)) return undefined;
  const value = reader.get(snapshotKey(container, name));
  return value === undefined ? undefined : decode(name, value);
}

/** The snapshots of a container, oldest epoch first; of one epoch, by name. */
export function listSnapshots(reader: IndexReader, container: number): SnapshotRecord[] {
  const prefix = new KeyBuilder(KeySpace.snapshot).u32(container).done();
  const found: SnapshotRecord[] = [];
  reader.visit({ start: prefix, end: prefixEnd(prefix) }, (key, value) => {
    const name = Buffer.from(new KeyReader(key.subarray(NAME_SKIP)).component()).toString();
    found.push(shown(decode(name, value)));
    return true;
  });
  return found.sort((a, b) => (a.epoch === b.epoch ? 0 : a.epoch < b.epoch ? -1 : 1));
}

/** How many snapshots a container has, also if one of them cannot be read. */
export function countSnapshots(reader: IndexReader, container: number): number {
  const prefix = new KeyBuilder(KeySpace.snapshot).u32(container).done();
  let count = 0;
  reader.visit({ start: prefix, end: prefixEnd(prefix) }, () => {
    count += 1;
    return true;
  });
  return count;
}

/** Whether an epoch of a container can be read: it is not before the horizon, or a snapshot's. */
export function isReadable(
  reader: IndexReader,
  { id, horizon }: { id: number; horizon: Epoch },
  epoch: Epoch,
): boolean {
  return epoch >= horizon || listSnapshots(reader, id).some((found) => found.epoch === epoch);
}

function isName(name: string): boolean {
  return NAME_PATTERN.test(name) && name.length <= SNAPSHOT_NAME_SIZE_MAX;
}

/** The error for an epoch that was aggregated. */
export function epochGone(what: string, epoch: Epoch, horizon: Epoch): DaosError {
  return new DaosError(
    "DER_EPOCH_GONE",
    {
      what,
      why: `versions before epoch ${horizon} were aggregated`,
      remedy: "use a later epoch or a snapshot; retain more commits, or create snapshots in time",
    },
    { epoch, horizon },
  );
}

function requireNew(tx: IndexReader, what: string, { container, name }: NewSnapshot): void {
  if (!isName(name)) {
    const remedy = `use 1 to ${SNAPSHOT_NAME_SIZE_MAX} letters, digits and the characters . _ : -`;
    throw new DaosError("DER_INVAL", { what, why: "that is no name", remedy }, { name });
  }
  if (getSnapshot(tx, container, name) !== undefined) {
    const remedy = "choose another name, or destroy that snapshot first";
    throw new DaosError("DER_EXIST", { what, why: "it exists already", remedy }, { name });
  }
  const count = listSnapshots(tx, container).length;
  // 0, the default, leaves it to the limit of all containers.
  const allowed = Number(getProperty(tx, container, "max_snapshot") ?? 0) || SNAPSHOTS_MAX;
  if (count >= allowed) {
    const why = `the container has ${count} snapshots, the most that it may have`;
    throw new DaosError("DER_NOSPACE", { what, why, remedy: "destroy some of them" }, { count });
  }
}

/** What is to be created. */
export interface NewSnapshot {
  readonly container: number;
  readonly name: string;
  /** The newest commit's if absent. */
  readonly epoch: Epoch | undefined;
  /** Nanoseconds since 1970. */
  readonly now: bigint;
}

/**
 * Creates a snapshot. An epoch of the future is taken as now.
 *
 * @throws {@link DaosError} `DER_INVAL`, `DER_EXIST`, `DER_NOSPACE` if there are too many,
 *   `DER_EPOCH_GONE` if the epoch was aggregated, `DER_NONEXIST` if the container is gone.
 */
export function createSnapshot(tx: IndexTransaction, given: NewSnapshot): SnapshotRecord {
  const { container, name, now } = given;
  const what = `Creating snapshot ${JSON.stringify(name)}`;
  requireNew(tx, what, given);
  const owner = getContainer(tx, container);
  if (owner === undefined) {
    const remedy = "open another container";
    throw new DaosError("DER_NONEXIST", { what, why: "the container was destroyed", remedy });
  }
  const [newest] = listCommits(tx, container, { epoch: EPOCH_HEAD, limit: 1 });
  const last = readCounter(tx, "epoch");
  const wanted = given.epoch ?? newest?.epoch ?? 0n;
  if (wanted < 0n) {
    const text = { what, why: `${wanted} is no epoch`, remedy: "give the epoch of a commit" };
    throw new DaosError("DER_INVAL", text, { epoch: wanted });
  }
  // Commits to come draw later epochs than the last one: a snapshot of the future would change.
  const epoch = wanted < last ? wanted : last;
  if (!isReadable(tx, owner, epoch)) throw epochGone(what, epoch, owner.horizon);
  const record = { name, epoch, created: now };
  putSnapshot(tx, container, { ...record, table: 0n });
  return record;
}

/**
 * Destroys a snapshot; aggregation frees what only it saw.
 *
 * @returns What it was.
 * @throws {@link DaosError} `DER_NONEXIST`.
 */
export function destroySnapshot(
  tx: IndexTransaction,
  container: number,
  name: string,
): StoredSnapshot {
  const found = getStoredSnapshot(tx, container, name);
  if (found === undefined) {
    throw noSuchSnapshot(`Destroying snapshot ${JSON.stringify(name)}`, name);
  }
  tx.remove(snapshotKey(container, name));
  return found;
}

/** The error for a name that no snapshot has. */
export function noSuchSnapshot(what: string, name: string): DaosError {
  const why = "the container has no snapshot of that name";
  const remedy = "choose one of container.listSnapshots()";
  return new DaosError("DER_NONEXIST", { what, why, remedy }, { name });
}
