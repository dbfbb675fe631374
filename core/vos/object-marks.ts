/**
 * Marks of the objects of a snapshot: a few bytes that a program keeps with an object while it works through
 * all of them, so that a later one goes on where it ended.
 *
 *     snapshot      ... ─▶ from version 2 on: u64 table          drawn with the first mark
 *     mark          u32 container, u64 table, 16 bytes oid ─▶ u8 version, the mark
 *     freed table   u32 container, u64 table ─▶ u8 version       of a snapshot that was destroyed
 *
 * 1. A mark is put in one transaction with the check that its snapshot is there, and a snapshot is destroyed in
 *    one with the record that its table is free: no mark comes into a freed table.
 * 2. Marks of a freed table are removed in short transactions, by who destroyed the snapshot, or, if that
 *    was killed, by the next aggregation of the container. The record goes last. Doing it twice does no harm.
 *
 * Which objects there are is not stored: the snapshot's epoch says so.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import { nextCounter } from "../index/counters.js";
import type { IndexReader, IndexStore, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";
import { inSteps } from "../index/steps.js";
import { AGGREGATION_STEP_COUNT } from "../limits.js";
import { type ObjectId, oidBytes, oidOfBytes } from "./object-id.js";
import {
  getStoredSnapshot,
  putSnapshot,
  type SnapshotRecord,
  type StoredSnapshot,
} from "./snapshots.js";

const RECORD_VERSION = 1;
/** Space byte, container and table. */
const TABLE_PREFIX_SIZE = 13;

/** An object and its mark. */
export interface MarkedObject {
  /** The object. */
  readonly oid: ObjectId;
  /** Its mark. */
  readonly mark: Uint8Array;
}

/** A snapshot that was opened. */
export interface MarkedSnapshot {
  readonly container: number;
  readonly snapshot: SnapshotRecord;
}

/** A change of a mark. */
export interface MarkChange {
  readonly oid: ObjectId;
  /** `undefined` takes the mark away. */
  readonly mark: Uint8Array | undefined;
}

/** Which marks are wanted. */
export interface MarkRange {
  /** The first object that is looked at. */
  readonly first: ObjectId;
  /** The last one; to the end by default. */
  readonly last?: ObjectId;
  /** Marks at most. */
  readonly limit: number;
}

function tableKey(space: number, container: number, table: bigint): KeyBuilder {
  return new KeyBuilder(space).u32(container).u64(table);
}

function markKey(container: number, table: bigint, oid: ObjectId): Uint8Array {
  return tableKey(KeySpace.objectMark, container, table).raw(oidBytes(oid)).done();
}

/**
 * The snapshot as it is now, if it is the one that was opened: names are given again.
 *
 * @throws {@link DaosError} `DER_NONEXIST`.
 */
function currentSnapshot(
  reader: IndexReader,
  container: number,
  { name, epoch, created }: SnapshotRecord,
): StoredSnapshot {
  const found = getStoredSnapshot(reader, container, name);
  if (found !== undefined && found.epoch === epoch && found.created === created) return found;
  const what = `Using the object table of snapshot ${JSON.stringify(name)}`;
  const text = { what, why: "the snapshot was destroyed", remedy: "open that of another one" };
  throw new DaosError("DER_NONEXIST", text, { name, epoch });
}

/** Changes marks of a snapshot, which was opened before. @returns How many objects were marked before. */
export function changeMarks(
  tx: IndexTransaction,
  { container, snapshot }: MarkedSnapshot,
  changes: readonly MarkChange[],
): number {
  const current = currentSnapshot(tx, container, snapshot);
  let { table } = current;
  if (table === 0n) {
    if (changes.every(({ mark }) => mark === undefined)) return 0;
    table = nextCounter(tx, "table");
    putSnapshot(tx, container, { ...current, table });
  }
  let known = 0;
  for (const { oid, mark } of changes) {
    const key = markKey(container, table, oid);
    const isMarked = tx.get(key) !== undefined;
    if (isMarked) known += 1;
    if (mark !== undefined) {
      tx.put(key, new ByteWriter(mark.length + 1).u8(RECORD_VERSION).raw(mark).finish());
    } else if (isMarked) tx.remove(key);
  }
  return known;
}

function decodeMark(value: Uint8Array): Uint8Array {
  const reader = new ByteReader(value, "the mark of an object");
  if (reader.u8() !== RECORD_VERSION) throw reader.malformed("its version is unknown");
  return Buffer.from(value.subarray(1));
}

/** Marks of a snapshot, which was opened before, in the order of the object ids. */
export function listMarks(
  reader: IndexReader,
  { container, snapshot }: MarkedSnapshot,
  { first, last, limit }: MarkRange,
): MarkedObject[] {
  const { table } = currentSnapshot(reader, container, snapshot);
  const found: MarkedObject[] = [];
  if (table === 0n || limit <= 0) return found;
  const all = tableKey(KeySpace.objectMark, container, table).done();
  const start = markKey(container, table, first);
  reader.visit({ start, end: prefixEnd(all) }, (key, value) => {
    const oid = oidOfBytes(key.subarray(TABLE_PREFIX_SIZE));
    if (last !== undefined && oid > last) return false;
    found.push({ oid, mark: decodeMark(value) });
    return found.length < limit;
  });
  return found;
}

/** Says of a table that its snapshot is gone. */
export function freeTable(tx: IndexTransaction, container: number, table: bigint): void {
  if (table === 0n) return;
  tx.put(tableKey(KeySpace.freedTable, container, table).done(), Uint8Array.of(RECORD_VERSION));
}

/** The tables of a container whose snapshots are gone. */
function freedTables(reader: IndexReader, container: number): bigint[] {
  const start = new KeyBuilder(KeySpace.freedTable).u32(container).done();
  const found: bigint[] = [];
  reader.visit({ start, end: prefixEnd(start) }, (key) => {
    const fields = new KeyReader(key);
    fields.u32();
    found.push(fields.u64());
    return true;
  });
  return found;
}

/** Removes the marks of freed tables, in short transactions; yields after each how many. */
export function* removeFreedMarks(
  index: IndexStore,
  container: number,
): Generator<number, void, undefined> {
  for (const table of freedTables(index, container)) {
    const prefix = tableKey(KeySpace.objectMark, container, table).done();
    const what = "Removing marks of a destroyed snapshot";
    for (;;) {
      const items: Uint8Array[] = [];
      const visitor = (key: Uint8Array) => {
        items.push(key.slice());
        return items.length < AGGREGATION_STEP_COUNT;
      };
      index.visit({ start: prefix, end: prefixEnd(prefix) }, visitor, { heads: true });
      if (items.length === 0) break;
      const remove = (tx: IndexTransaction, keys: readonly Uint8Array[]) => {
        for (const key of keys) tx.remove(key);
        return keys.length;
      };
      yield* inSteps(index, { what, items, countMax: AGGREGATION_STEP_COUNT }, remove);
    }
    const record = tableKey(KeySpace.freedTable, container, table).done();
    index.transact(what, (tx) => tx.remove(record), "reclaim");
  }
}
