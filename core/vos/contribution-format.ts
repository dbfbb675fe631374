/**
 * A contribution: what one writer brings to a commit. It travels from rank to rank as bytes.
 *
 * Version 4:
 *
 *     contribution = u8 version, u64 writer, spans, conditions, punches, values, runs, reads; each list
 *                    but the last is a varint count and the items; for reads see read-set-format.ts
 *     span         = varint segment, varint generation, varint start, varint end, u32 tail CRC, u8 seal
 *     condition    = 16 bytes oid, bytes dkey, bytes akey, u8 must exist
 *     punch        = 16 bytes oid, bytes dkey
 *     value        = 16 bytes oid, bytes dkey, bytes akey, bytes record (versions.ts)
 *     run          = 16 bytes oid, u8 kind, by kind, bytes run (run-format.ts)
 *         0 byte array    u64 incarnation, or 2^64 - 1 for any
 *         1 records       bytes dkey, bytes akey, varint window, varint record size, or 0 for the bytes
 *                         of a long value (long-value.ts), whose version is among the values
 *
 * An empty akey, or dkey, stands for the whole dkey, or object. Conditions are met by what the
 * contributions before it leave; its punches come before its values and runs.
 *
 * @module
 */

import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import type { SegmentSpan } from "../log/open-segment.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";
import { type ObjectId, oidBytes, oidOfBytes } from "./object-id.js";
import type { ContributedReads } from "./read-set.js";
import { decodeReads, encodeReads } from "./read-set-format.js";

const CONTRIBUTION_VERSION = 4;
const RUN_OF_BYTES = 0;
const RUN_OF_RECORDS = 1;

/**
 * Stands for whatever an object's newest punch is: a write of this incarnation takes effect also if the
 * object was punched meanwhile.
 */
export const INCARNATION_ANY: Epoch = EPOCH_HEAD;

/** Stands for the record size where a run holds the bytes of a single value. */
export const BYTES_OF_VALUE = 0;

/** What must hold of a key for the commit to go through: nothing, that it is new, that it exists. */
export type KeyCondition = "none" | "insert" | "update";

/** One change of a single value. */
export interface ValueChange {
  /** The object. */
  readonly oid: ObjectId;
  /** Distribution key, 1 byte to 64 KiB. */
  readonly dkey: Uint8Array;
  /** Attribute key, 1 byte to 64 KiB. */
  readonly akey: Uint8Array;
  /** The new value; `undefined` punches the akey. */
  readonly value: Uint8Array | undefined;
  /** `insert`: there is no such akey yet; `update`: there is one. */
  readonly condition: KeyCondition;
}

/** Something that must exist, or must not: an object, a dkey or an akey. */
export interface Existence {
  readonly oid: ObjectId;
  /** Empty for the object. */
  readonly dkey: Uint8Array;
  /** Empty for the dkey. */
  readonly akey: Uint8Array;
  readonly mustExist: boolean;
}

/** A punch of an object, or of a dkey. */
export interface KeyPunch {
  readonly oid: ObjectId;
  /** Empty for the object. */
  readonly dkey: Uint8Array;
}

/** A new version of an akey. */
export interface ValueVersion {
  readonly oid: ObjectId;
  readonly dkey: Uint8Array;
  readonly akey: Uint8Array;
  /** See versions.ts. */
  readonly record: Uint8Array;
  /** The beginning of its keys, where it is known already. */
  readonly prefix?: Uint8Array | undefined;
}

/** Which records a run holds. */
export interface RecordsName {
  readonly dkey: Uint8Array;
  readonly akey: Uint8Array;
  readonly window: number;
  /** In bytes; {@link BYTES_OF_VALUE} if these are the bytes of a single value. */
  readonly recordSize: number;
}

/** What one writer wrote to one array. */
export interface ObjectRun {
  readonly oid: ObjectId;
  /** Of a byte array: the last epoch when it was opened for writing; it was not punched since. */
  readonly incarnation: Epoch;
  /** Which records; `undefined` for a byte array. */
  readonly records: RecordsName | undefined;
  /** Encoded run body. */
  readonly run: Uint8Array;
}

/** What one writer brings to a commit. */
export interface Contribution {
  readonly writer: bigint;
  readonly spans: readonly SegmentSpan[];
  readonly conditions: readonly Existence[];
  readonly punches: readonly KeyPunch[];
  readonly values: readonly ValueVersion[];
  readonly runs: readonly ObjectRun[];
  /** What must be as it was read for the commit to go through. */
  readonly reads?: ContributedReads | undefined;
}

function encodeRuns(writer: ByteWriter, runs: readonly ObjectRun[]): void {
  writer.varint(runs.length);
  for (const { oid, incarnation, records, run } of runs) {
    writer.raw(oidBytes(oid));
    if (records === undefined) {
      writer.u8(RUN_OF_BYTES).u64(incarnation);
    } else {
      writer.u8(RUN_OF_RECORDS).bytes(records.dkey).bytes(records.akey);
      writer.varint(records.window).varint(records.recordSize);
    }
    writer.bytes(run);
  }
}

/** Encodes a contribution. */
export function encodeContribution(contribution: Contribution): Uint8Array {
  const writer = new ByteWriter(512).u8(CONTRIBUTION_VERSION).u64(contribution.writer);
  writer.varint(contribution.spans.length);
  for (const { segment, generation, start, end, tailCrc, seal } of contribution.spans) {
    writer.varint(segment).varint(generation).varint(start).varint(end);
    writer.u32(tailCrc).u8(seal ? 1 : 0);
  }
  writer.varint(contribution.conditions.length);
  for (const { oid, dkey, akey, mustExist } of contribution.conditions) {
    writer
      .raw(oidBytes(oid))
      .bytes(dkey)
      .bytes(akey)
      .u8(mustExist ? 1 : 0);
  }
  writer.varint(contribution.punches.length);
  for (const { oid, dkey } of contribution.punches) writer.raw(oidBytes(oid)).bytes(dkey);
  writer.varint(contribution.values.length);
  for (const { oid, dkey, akey, record } of contribution.values) {
    writer.raw(oidBytes(oid)).bytes(dkey).bytes(akey).bytes(record);
  }
  encodeRuns(writer, contribution.runs);
  encodeReads(writer, contribution.reads);
  return writer.finish();
}

function decodeSpan(reader: ByteReader): SegmentSpan {
  return {
    segment: reader.varint(),
    generation: reader.varint(),
    start: reader.varint(),
    end: reader.varint(),
    tailCrc: reader.u32(),
    seal: reader.u8() === 1,
  };
}

function decodeRunOf(reader: ByteReader): ObjectRun {
  const oid = oidOfBytes(reader.raw(16));
  const kind = reader.u8();
  if (kind === RUN_OF_BYTES) {
    return { oid, incarnation: reader.u64(), records: undefined, run: reader.bytes() };
  }
  if (kind !== RUN_OF_RECORDS) throw reader.malformed("the kind of a run is unknown");
  const records = {
    dkey: reader.bytes(),
    akey: reader.bytes(),
    window: reader.varint(),
    recordSize: reader.varint(),
  };
  return { oid, incarnation: 0n, records, run: reader.bytes() };
}

function repeat<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  for (let index = 0; index < count; index++) items.push(read());
  return items;
}

/**
 * Decodes a contribution.
 *
 * @throws {@link DaosError} `DER_DF_INVAL` if the bytes do not follow the grammar.
 */
export function decodeContribution(bytes: Uint8Array): Contribution {
  const reader = new ByteReader(bytes, "a contribution to a commit");
  if (reader.u8() !== CONTRIBUTION_VERSION) {
    throw reader.malformed("another release of the program made it");
  }
  const writer = reader.u64();
  const spans = repeat(reader.varint(), () => decodeSpan(reader));
  const conditions = repeat(reader.varint(), () => ({
    oid: oidOfBytes(reader.raw(16)),
    dkey: reader.bytes(),
    akey: reader.bytes(),
    mustExist: reader.u8() === 1,
  }));
  const punches = repeat(reader.varint(), () => ({
    oid: oidOfBytes(reader.raw(16)),
    dkey: reader.bytes(),
  }));
  const values = repeat(reader.varint(), () => ({
    oid: oidOfBytes(reader.raw(16)),
    dkey: reader.bytes(),
    akey: reader.bytes(),
    record: reader.bytes(),
  }));
  const runs = repeat(reader.varint(), () => decodeRunOf(reader));
  const reads = decodeReads(reader);
  reader.end();
  return { writer, spans, conditions, punches, values, runs, reads };
}
