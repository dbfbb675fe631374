/**
 * A contribution: what one writer brings to a commit. It travels from rank to rank as bytes.
 *
 * Version 1:
 *
 *     contribution = u8 version, u64 writer, varint span count, span[], varint run count, run[],
 *                    varint value count, value[], varint punch count, punch[]
 *     span         = varint segment, varint generation, varint start, varint end, u32 tail CRC, u8 seal
 *     run          = 16 bytes oid, u64 incarnation, bytes run (run-format.ts)
 *     value        = 16 bytes oid, bytes dkey, bytes akey, u8 condition, u8 kind, bytes value
 *     punch        = 16 bytes oid
 *
 * @module
 */

import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import type { SegmentSpan } from "../log/open-segment.js";
import type { Epoch } from "./epoch.js";
import { type ObjectId, oidBytes, oidOfBytes } from "./object-id.js";

const CONTRIBUTION_VERSION = 1;
/** Durable only on the wire between ranks of one release. */
const CONDITIONS = ["none", "insert", "update"] as const;

/** What must hold of a value's key for the commit to go through. */
export type ValueCondition = (typeof CONDITIONS)[number];

/** One change of a single value. */
export interface ValueChange {
  /** The object. */
  readonly oid: ObjectId;
  /** Distribution key, 1 to 255 bytes. */
  readonly dkey: Uint8Array;
  /** Attribute key, 1 to 255 bytes. */
  readonly akey: Uint8Array;
  /** The new value; `undefined` punches it. */
  readonly value: Uint8Array | undefined;
  /** `insert`: there is no value yet; `update`: there is one. */
  readonly condition: ValueCondition;
}

/** What one writer wrote to one array. */
export interface ObjectRun {
  readonly oid: ObjectId;
  /** Punch epoch of the object when it was opened for writing. */
  readonly incarnation: Epoch;
  /** Encoded run body. */
  readonly run: Uint8Array;
}

/** What one writer brings to a commit. */
export interface Contribution {
  readonly writer: bigint;
  readonly spans: readonly SegmentSpan[];
  readonly runs: readonly ObjectRun[];
  readonly values: readonly ValueChange[];
  readonly punches: readonly ObjectId[];
}

/** Encodes a contribution. */
export function encodeContribution(contribution: Contribution): Uint8Array {
  const writer = new ByteWriter(512).u8(CONTRIBUTION_VERSION).u64(contribution.writer);
  writer.varint(contribution.spans.length);
  for (const { segment, generation, start, end, tailCrc, seal } of contribution.spans) {
    writer.varint(segment).varint(generation).varint(start).varint(end);
    writer.u32(tailCrc).u8(seal ? 1 : 0);
  }
  writer.varint(contribution.runs.length);
  for (const { oid, incarnation, run } of contribution.runs) {
    writer.raw(oidBytes(oid)).u64(incarnation).bytes(run);
  }
  writer.varint(contribution.values.length);
  for (const { oid, dkey, akey, value, condition } of contribution.values) {
    writer.raw(oidBytes(oid)).bytes(dkey).bytes(akey).u8(CONDITIONS.indexOf(condition));
    writer.u8(value === undefined ? 1 : 0).bytes(value ?? new Uint8Array());
  }
  writer.varint(contribution.punches.length);
  for (const oid of contribution.punches) writer.raw(oidBytes(oid));
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

function decodeValue(reader: ByteReader): ValueChange {
  const oid = oidOfBytes(reader.raw(16));
  const dkey = reader.bytes();
  const akey = reader.bytes();
  const condition = CONDITIONS[reader.u8()];
  if (condition === undefined) throw reader.malformed("a condition is unknown");
  const punch = reader.u8() === 1;
  const value = reader.bytes();
  return { oid, dkey, akey, condition, value: punch ? undefined : value };
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
  const runs = repeat(reader.varint(), () => ({
    oid: oidOfBytes(reader.raw(16)),
    incarnation: reader.u64(),
    run: reader.bytes(),
  }));
  const values = repeat(reader.varint(), () => decodeValue(reader));
  const punches = repeat(reader.varint(), () => oidOfBytes(reader.raw(16)));
  reader.end();
  return { writer, spans, runs, values, punches };
}
