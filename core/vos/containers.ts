/**
 * Containers and their commits, as the index knows them.
 *
 *     container             u32 id             ─▶ u8 version, 16 bytes UUID, text label,
 *                                                 varint retained commits, u64 horizon, u64 next oid,
                                                 varint retained milliseconds, u64 newest commit before
                                                 the horizon (version 1: without the last two)
 *     containerLabel        label              ─▶ u32 id
 *     commit                u32 id, epoch inv. ─▶ u8 version, bytes transaction id, varint bytes,
 *                                                 varint contributors
 *     commitByTransaction   16 bytes           ─▶ u32 container, u64 epoch
 *
 * The *horizon* is the oldest epoch that can still be read without a snapshot: aggregation raises it
 * before it removes anything, and forgets the commits before it, also those that a snapshot shows.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";

const RECORD_VERSION = 1;
const CONTAINER_VERSION = 2;

/** The durable properties of a container. */
export interface ContainerRecord {
  readonly id: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  readonly label: string;
  /** How many of the newest commits can always be read. */
  readonly retainCommits: number;
  /** For how long what was the newest version can be read, in milliseconds. */
  readonly retainMs: number;
  /** Reads before this epoch are refused, unless a snapshot is of exactly their epoch. */
  readonly horizon: Epoch;
  /** The newest commit before the horizon; 0 if there was none. */
  readonly forgotten: Epoch;
  /** The user's part of the next object id. */
  readonly nextOid: bigint;
}

/** One commit of a container. */
export interface CommitRecord {
  /** Where the commit's changes are visible from. */
  readonly epoch: Epoch;
  /** Transaction id, 16 bytes; a commit by one process alone has none. */
  readonly transactionId: Uint8Array | undefined;
  /** Bytes of array data that the commit published. */
  readonly bytes: number;
  /** Writers that took part. */
  readonly contributors: number;
}

function containerKey(id: number): Uint8Array {
  return new KeyBuilder(KeySpace.container).u32(id).done();
}

function labelKey(label: string): Uint8Array {
  return new KeyBuilder(KeySpace.containerLabel).component(Buffer.from(label)).done();
}

function decodeContainer(value: Uint8Array, id: number): ContainerRecord {
  const reader = new ByteReader(value, `the record of container ${id}`);
  const version = reader.u8();
  if (version !== 1 && version !== CONTAINER_VERSION) {
    throw reader.malformed("its version is unknown");
  }
  const uuid = reader.raw(16).slice();
  const label = reader.text();
  const retainCommits = reader.varint();
  const horizon = reader.u64();
  const nextOid = reader.u64();
  // Version 1 did not say which commit was the last before the horizon: any may have been.
  const unknown = horizon === 0n ? 0n : horizon - 1n;
  const isFirst = version === 1;
  const retainMs = isFirst ? 0 : reader.varint();
  const forgotten = isFirst ? unknown : reader.u64();
  reader.end();
  return { id, uuid, label, retainCommits, retainMs, horizon, forgotten, nextOid };
}

/** Reads a container, or `undefined`. */
export function getContainer(reader: IndexReader, id: number): ContainerRecord | undefined {
  const value = reader.get(containerKey(id));
  return value === undefined ? undefined : decodeContainer(value, id);
}

/** Reads the container of a label, or `undefined`. */
export function getContainerByLabel(
  reader: IndexReader,
  label: string,
): ContainerRecord | undefined {
  const value = reader.get(labelKey(label));
  if (value === undefined) return undefined;
  return getContainer(reader, new ByteReader(value, `the label ${label}`).u32());
}

/** Stores a container; with `isNew`, also its label. */
export function putContainer(tx: IndexTransaction, record: ContainerRecord, isNew = false): void {
  const value = new ByteWriter(64)
    .u8(CONTAINER_VERSION)
    .raw(record.uuid)
    .text(record.label)
    .varint(record.retainCommits)
    .u64(record.horizon)
    .u64(record.nextOid)
    .varint(record.retainMs)
    .u64(record.forgotten)
    .finish();
  tx.put(containerKey(record.id), value);
  if (isNew) tx.put(labelKey(record.label), new ByteWriter(4).u32(record.id).finish());
}

/** Removes a container and its label; what it holds is removed elsewhere. */
export function removeContainer(tx: IndexTransaction, { id, label }: ContainerRecord): void {
  tx.remove(containerKey(id));
  tx.remove(labelKey(label));
}

/** Gives a container another label, which no other one has. */
export function renameContainer(
  tx: IndexTransaction,
  record: ContainerRecord,
  label: string,
): void {
  tx.remove(labelKey(record.label));
  putContainer(tx, { ...record, label }, true);
}

/** All containers, by id. */
export function listContainers(reader: IndexReader): ContainerRecord[] {
  const start = Uint8Array.of(KeySpace.container);
  const found: ContainerRecord[] = [];
  reader.visit({ start, end: prefixEnd(start) }, (key, value) => {
    found.push(decodeContainer(value, new KeyReader(key).u32()));
    return true;
  });
  return found;
}

function commitKey(container: number, epoch: Epoch): Uint8Array {
  return new KeyBuilder(KeySpace.commit).u32(container).newest(epoch).done();
}

const NO_ID = new Uint8Array();

function transactionKey(transactionId: Uint8Array): Uint8Array {
  return new KeyBuilder(KeySpace.commitByTransaction).raw(transactionId).done();
}

/** Stores a commit. */
export function putCommit(tx: IndexTransaction, container: number, commit: CommitRecord): void {
  const value = new ByteWriter(32)
    .u8(RECORD_VERSION)
    .bytes(commit.transactionId ?? NO_ID)
    .varint(commit.bytes)
    .varint(commit.contributors)
    .finish();
  tx.put(commitKey(container, commit.epoch), value);
  const found = new ByteWriter(12).u32(container).u64(commit.epoch).finish();
  if (commit.transactionId) tx.put(transactionKey(commit.transactionId), found);
}

/** Forgets a commit. */
export function removeCommit(tx: IndexTransaction, container: number, commit: CommitRecord): void {
  tx.remove(commitKey(container, commit.epoch));
  if (commit.transactionId) tx.remove(transactionKey(commit.transactionId));
}

/** The epoch of a transaction, or `undefined` if no kept commit has its id. */
export function epochOfTransaction(
  reader: IndexReader,
  transactionId: Uint8Array,
): Epoch | undefined {
  const value = reader.get(transactionKey(transactionId));
  if (value === undefined) return undefined;
  const fields = new ByteReader(value, "a transaction record");
  fields.u32();
  return fields.u64();
}

function decodeCommit(key: Uint8Array, value: Uint8Array): CommitRecord {
  const fields = new ByteReader(value, "a commit");
  if (fields.u8() !== RECORD_VERSION) throw fields.malformed("its version is unknown");
  const id = fields.bytes();
  const transactionId = id.length === 0 ? undefined : id.slice();
  const epoch = new KeyReader(key.subarray(4)).newest();
  return { epoch, transactionId, bytes: fields.varint(), contributors: fields.varint() };
}

/** Commits of a container at or before `epoch`, newest first. */
export function listCommits(
  reader: IndexReader,
  container: number,
  options: { epoch: Epoch; limit?: number },
): CommitRecord[] {
  const prefix = new KeyBuilder(KeySpace.commit).u32(container).done();
  const start = commitKey(container, options.epoch);
  const commits: CommitRecord[] = [];
  reader.visit({ start, end: prefixEnd(prefix) }, (key, value) => {
    if (commits.length === options.limit) return false;
    commits.push(decodeCommit(key, value));
    return true;
  });
  return commits;
}

/** Commits of a container after `epoch`, oldest first. */
export function listCommitsAfter(
  reader: IndexReader,
  container: number,
  { epoch, limit }: { epoch: Epoch; limit: number },
): CommitRecord[] {
  const start = new KeyBuilder(KeySpace.commit).u32(container).done();
  const commits: CommitRecord[] = [];
  const visitor = (key: Uint8Array, value: Uint8Array) => {
    commits.push(decodeCommit(key, value));
    return commits.length < limit;
  };
  const end = commitKey(container, epoch);
  if (epoch < EPOCH_HEAD) reader.visit({ start, end }, visitor, { reverse: true });
  return commits;
}

/** The error of using a container that is not there any more. */
export function containerGone(container: number): DaosError {
  const text = {
    what: `Using container ${container}`,
    why: "it was destroyed",
    remedy: "open another container",
  };
  return new DaosError("DER_NONEXIST", text, { container });
}
