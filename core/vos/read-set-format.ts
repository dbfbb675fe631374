/**
 * The reads of a transaction as bytes, in its contribution to a commit.
 *
 *     reads  = u8 0: none; or u8 1, u64 epoch, varint count, read[]
 *     read   = u8 kind, by kind
 *         0 value      16 bytes oid, bytes dkey, bytes akey
 *         1 exists     16 bytes oid, bytes dkey
 *         2 array      16 bytes oid, bytes dkey, bytes akey, varint window, pattern, varint from, varint to
 *         3 windows    16 bytes oid, bytes dkey, bytes akey, varint first window, varint last window
 *         4 keys       16 bytes oid, bytes dkey, bytes first, bytes last
 *         5 values     16 bytes oid, bytes akey, bytes first, bytes last
 *         6 objects    16 bytes first oid, 16 bytes last oid
 *         7 object     16 bytes oid
 *         8 container
 *     pattern = varint start, varint block length, varint level count, { varint stride, varint count }[]
 *
 * Nothing of it is stored.
 *
 * @module
 */

import { isDaosError } from "../errors.js";
import type { ByteReader, ByteWriter } from "../index/byte-codec.js";
import { oidBytes, oidOfBytes } from "./object-id.js";
import { Pattern, type PatternLevel } from "./pattern.js";
import type { ContributedReads, Read } from "./read-set.js";

const ReadKind = {
  value: 0,
  exists: 1,
  array: 2,
  windows: 3,
  keys: 4,
  values: 5,
  objects: 6,
  object: 7,
  container: 8,
} as const;

function encodePattern(writer: ByteWriter, { start, blockLength, levels }: Pattern): void {
  writer.varint(start).varint(blockLength).varint(levels.length);
  for (const { stride, count } of levels) writer.varint(stride).varint(count);
}

function decodePattern(reader: ByteReader): Pattern {
  const start = reader.varint();
  const blockLength = reader.varint();
  const levels: PatternLevel[] = [];
  for (let level = reader.varint(); level > 0; level--) {
    levels.push({ stride: reader.varint(), count: reader.varint() });
  }
  try {
    return new Pattern({ start, blockLength, levels });
  } catch (error) {
    if (!isDaosError(error, "DER_INVAL")) throw error;
    throw reader.malformed(error.text.why);
  }
}

function encodeRead(writer: ByteWriter, read: Read): void {
  switch (read.kind) {
    case "value":
      writer.u8(ReadKind.value).raw(oidBytes(read.oid)).bytes(read.dkey).bytes(read.akey);
      return;
    case "exists":
      writer.u8(ReadKind.exists).raw(oidBytes(read.oid)).bytes(read.dkey);
      return;
    case "array": {
      const { range } = read;
      writer.u8(range === undefined ? ReadKind.windows : ReadKind.array);
      writer.raw(oidBytes(read.oid)).bytes(read.dkey).bytes(read.akey).varint(read.windowFirst);
      if (range === undefined) {
        writer.varint(read.windowLast);
        return;
      }
      encodePattern(writer, range.pattern);
      writer.varint(range.from).varint(range.to);
      return;
    }
    case "keys":
      writer.u8(ReadKind.keys).raw(oidBytes(read.oid)).bytes(read.dkey);
      writer.bytes(read.first).bytes(read.last);
      return;
    case "values":
      writer.u8(ReadKind.values).raw(oidBytes(read.oid)).bytes(read.akey);
      writer.bytes(read.first).bytes(read.last);
      return;
    case "objects":
      writer.u8(ReadKind.objects).raw(oidBytes(read.first)).raw(oidBytes(read.last));
      return;
    case "object":
      writer.u8(ReadKind.object).raw(oidBytes(read.oid));
      return;
    case "container":
      writer.u8(ReadKind.container);
  }
}

/** Encodes the reads of a transaction. */
export function encodeReads(writer: ByteWriter, contributed: ContributedReads | undefined): void {
  writer.u8(contributed === undefined ? 0 : 1);
  if (contributed === undefined) return;
  writer.u64(contributed.epoch).varint(contributed.reads.length);
  for (const read of contributed.reads) encodeRead(writer, read);
}

function decodeArray(reader: ByteReader, isRange: boolean): Read {
  const array = { oid: oidOfBytes(reader.raw(16)), dkey: reader.bytes(), akey: reader.bytes() };
  const windowFirst = reader.varint();
  if (!isRange) {
    const windowLast = reader.varint();
    return { kind: "array", ...array, windowFirst, windowLast, range: undefined };
  }
  const range = { pattern: decodePattern(reader), from: reader.varint(), to: reader.varint() };
  if (range.from >= range.to || range.to > range.pattern.size) {
    throw reader.malformed("a range that was read lies outside its pattern");
  }
  return { kind: "array", ...array, windowFirst, windowLast: windowFirst, range };
}

function decodeRead(reader: ByteReader): Read {
  const kind = reader.u8();
  if (kind === ReadKind.container) return { kind: "container" };
  if (kind === ReadKind.array || kind === ReadKind.windows) {
    return decodeArray(reader, kind === ReadKind.array);
  }
  const oid = oidOfBytes(reader.raw(16));
  switch (kind) {
    case ReadKind.value:
      return { kind: "value", oid, dkey: reader.bytes(), akey: reader.bytes() };
    case ReadKind.exists:
      return { kind: "exists", oid, dkey: reader.bytes() };
    case ReadKind.keys:
      return {
        kind: "keys",
        oid,
        dkey: reader.bytes(),
        first: reader.bytes(),
        last: reader.bytes(),
      };
    case ReadKind.values:
      return {
        kind: "values",
        oid,
        akey: reader.bytes(),
        first: reader.bytes(),
        last: reader.bytes(),
      };
    case ReadKind.objects:
      return { kind: "objects", first: oid, last: oidOfBytes(reader.raw(16)) };
    case ReadKind.object:
      return { kind: "object", oid };
    default:
      throw reader.malformed("the kind of a read is unknown");
  }
}

/**
 * Decodes the reads of a transaction.
 *
 * @throws {@link DaosError} `DER_DF_INVAL` if the bytes do not follow the grammar.
 */
export function decodeReads(reader: ByteReader): ContributedReads | undefined {
  const has = reader.u8();
  if (has > 1) throw reader.malformed("it neither has reads nor has none");
  if (has === 0) return undefined;
  const epoch = reader.u64();
  const reads: Read[] = [];
  for (let left = reader.varint(); left > 0; left--) reads.push(decodeRead(reader));
  return { epoch, reads };
}
