/**
 * Who writes to a pool: a record for each writer, from its first write until it closes the pool, or
 * until a recovery finds it dead.
 *
 * Key: `writer` space, u64 writer id. Value, version 1: u8 version, text owner, varint process id.
 *
 * @module
 */

import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import { nextCounter } from "../index/counters.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";

const RECORD_VERSION = 1;

/** A writer of a pool. */
export interface WriterRecord {
  /** Never used twice in a pool. */
  readonly id: bigint;
  /** What it called itself when it connected: its place in a job, or its host. */
  readonly owner: string;
  /** Process id, on its host. */
  readonly pid: number;
}

function writerKey(id: bigint): Uint8Array {
  return new KeyBuilder(KeySpace.writer).u64(id).done();
}

/** Draws an id for a new writer and records it. */
export function addWriter(
  tx: IndexTransaction,
  { owner, pid }: Omit<WriterRecord, "id">,
): WriterRecord {
  const id = nextCounter(tx, "writer");
  tx.put(writerKey(id), new ByteWriter(64).u8(RECORD_VERSION).text(owner).varint(pid).finish());
  return { id, owner, pid };
}

/** Forgets a writer. */
export function removeWriter(tx: IndexTransaction, id: bigint): void {
  tx.remove(writerKey(id));
}

/** The writers of a pool, oldest first. */
export function listWriters(reader: IndexReader): WriterRecord[] {
  const start = Uint8Array.of(KeySpace.writer);
  const writers: WriterRecord[] = [];
  reader.visit({ start, end: prefixEnd(start) }, (key, value) => {
    const id = new KeyReader(key).u64();
    const fields = new ByteReader(value, `the record of writer ${id}`);
    if (fields.u8() !== RECORD_VERSION) throw fields.malformed("its version is unknown");
    writers.push({ id, owner: fields.text(), pid: fields.varint() });
    return true;
  });
  return writers;
}
