/**
 * What the index knows of each segment, and its codec.
 *
 *     free ──lease──▶ leased ──seal──▶ sealed ──lease (the tail)──▶ leased
 *      ▲                                 │
 *      └──────── live size is 0 ─────────┘
 *
 * Key: `segment` space, u64 segment id. Value, version 1:
 *
 *     u8 version, u8 state, u64 writer, varint generation, varint committed size,
 *     u32 CRC of the committed part of the last block, varint live size, varint file size
 *
 * @module
 */

import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";

/** Durable: DO NOT CHANGE THESE VALUES. */
const STATES = ["free", "leased", "sealed"] as const;

/** State of a segment. */
export type SegmentState = (typeof STATES)[number];

/** The index record of a segment. Sizes are in bytes of data. */
export interface SegmentRecord {
  readonly state: SegmentState;
  /** Writer that leases the segment, or leased it last. */
  readonly writer: bigint;
  /** Raised by each lease and each reclaim, so that a commit by an earlier holder is refused. */
  readonly generation: number;
  /** Data below this is committed. */
  readonly committedSize: number;
  /** Seeded CRC of the committed part of the last, partial block; 0 if the last block is full. */
  readonly tailCrc: number;
  /** Bytes that runs refer to. */
  readonly liveSize: number;
  /** What the file may grow to, in bytes of the file: counted against the limit of the tier. */
  readonly fileSize: number;
}

const RECORD_VERSION = 1;

function segmentKey(id: number): Uint8Array {
  return new KeyBuilder(KeySpace.segment).u64(BigInt(id)).done();
}

function decode(value: Uint8Array, id: number): SegmentRecord {
  const reader = new ByteReader(value, `the record of segment ${id}`);
  const version = reader.u8();
  const state = STATES[reader.u8()];
  if (version !== RECORD_VERSION || state === undefined) {
    throw reader.malformed("its version or state is unknown");
  }
  const record = {
    state,
    writer: reader.u64(),
    generation: reader.varint(),
    committedSize: reader.varint(),
    tailCrc: reader.u32(),
    liveSize: reader.varint(),
    fileSize: reader.varint(),
  };
  reader.end();
  return record;
}

/** Reads the record of a segment, or `undefined`. */
export function getSegment(reader: IndexReader, id: number): SegmentRecord | undefined {
  const value = reader.get(segmentKey(id));
  return value === undefined ? undefined : decode(value, id);
}

/** Stores the record of a segment. */
export function putSegment(tx: IndexTransaction, id: number, record: SegmentRecord): void {
  const value = new ByteWriter(48)
    .u8(RECORD_VERSION)
    .u8(STATES.indexOf(record.state))
    .u64(record.writer)
    .varint(record.generation)
    .varint(record.committedSize)
    .u32(record.tailCrc)
    .varint(record.liveSize)
    .varint(record.fileSize)
    .finish();
  tx.put(segmentKey(id), value);
}

/** Removes the record of a segment. */
export function removeSegment(tx: IndexTransaction, id: number): void {
  tx.remove(segmentKey(id));
}

/** All segments, by id. */
export function listSegments(reader: IndexReader): { id: number; record: SegmentRecord }[] {
  const start = Uint8Array.of(KeySpace.segment);
  const segments: { id: number; record: SegmentRecord }[] = [];
  reader.visit({ start, end: prefixEnd(start) }, (key, value) => {
    const id = Number(new KeyReader(key).u64());
    segments.push({ id, record: decode(value, id) });
    return true;
  });
  return segments;
}

/** Changes the live size of a segment; a sealed one that nothing refers to becomes free. */
export function changeLiveSize(tx: IndexTransaction, id: number, change: number): void {
  const record = getSegment(tx, id);
  if (record === undefined) return;
  const liveSize = Math.max(0, record.liveSize + change);
  const state = record.state === "sealed" && liveSize === 0 ? "free" : record.state;
  putSegment(tx, id, { ...record, state, liveSize });
}
