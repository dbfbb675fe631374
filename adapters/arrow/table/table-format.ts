/**
 * The durable values of a table; see docs/internals/arrow-mapping.md for the layout.
 *
 *     header      u8 version, varint id of the next column, varint columns, of each: varint id;
 *                 bytes schema (the metadata of an IPC message)
 *     part        u8 version, u64 u64 object id, varint rows, varint deleted rows
 *     contents    u8 version, varint columns, of each: varint id; varint end of the schema in the file,
 *                 varint dictionaries, of each: varint id, block;
 *                 varint batches, of each: varint rows, block, of each column: statistics
 *     block       varint offset in the file, varint size of the framed metadata, varint size of the body
 *     deleted     u8 version, bytes: bit i is set if row i of the part is deleted
 *
 * @module
 */

import type { Schema } from "apache-arrow";
import { ByteReader, ByteWriter, DaosError, type ObjectId } from "../../../core/index.js";
import { decodeSchema, encodeSchema } from "../ipc/messages.js";
import { type ColumnStatistics, readStatistics, writeStatistics } from "./statistics.js";

/** Durable: DO NOT CHANGE THESE VALUES. */
const VERSION = 1;
/** The dkey of what is stored beside the names of parts: no file can have that name. */
export const TABLE_DKEY: Uint8Array = Buffer.from(".");
/** The akey of a table's header. */
export const TABLE_AKEY: Uint8Array = Buffer.from("ARROW_TABLE");
/** The akey of a part, under its name in the table, and of its contents, in its own object. */
export const PART_AKEY: Uint8Array = Buffer.from("ARROW_PART");
/** The akey of the deleted rows of a part, under its name in the table. */
export const DELETED_AKEY: Uint8Array = Buffer.from("ARROW_DELETED");

/** What a table is. */
export interface TableHeader {
  readonly schema: Schema;
  /** Of each column of the schema, what it is known by in parts: it has another name, but never another id. */
  readonly columnIds: readonly number[];
  readonly nextColumnId: number;
}

/** A part of a table, as its directory has it. */
export interface PartEntry {
  /** The name of its file. */
  readonly name: Uint8Array;
  readonly oid: ObjectId;
  /** Rows in the file. */
  readonly rows: number;
  readonly deletedRows: number;
}

/** Where a message lies in its part's file. */
export interface Block {
  readonly offset: number;
  readonly metadataSize: number;
  readonly bodySize: number;
}

/** A batch of a part. */
export interface BatchEntry extends Block {
  readonly rows: number;
  /** By the part's columns. */
  readonly statistics: readonly ColumnStatistics[];
}

/** What is in a part. */
export interface PartContents {
  readonly columnIds: readonly number[];
  /** Where the schema's message ends in the file, behind its magic number. */
  readonly schemaEnd: number;
  readonly dictionaries: readonly (Block & { readonly id: number })[];
  readonly batches: readonly BatchEntry[];
}

function open(value: Uint8Array, what: string): ByteReader {
  const reader = new ByteReader(value, what);
  const version = reader.u8();
  if (version === VERSION) return reader;
  const why = `its format version is ${version}, this program knows version ${VERSION}`;
  const remedy = "use a release that knows that version";
  throw new DaosError("DER_DF_INCOMPT", { what: `Reading ${what}`, why, remedy });
}

/** Encodes a header. */
export function encodeHeader({ schema, columnIds, nextColumnId }: TableHeader): Uint8Array {
  const writer = new ByteWriter().u8(VERSION).varint(nextColumnId).varint(columnIds.length);
  for (const id of columnIds) writer.varint(id);
  return writer.bytes(encodeSchema(schema)).finish();
}

/**
 * Decodes a header.
 *
 * @throws `DaosError` `DER_DF_INCOMPT` if another format version wrote it, `DER_DF_INVAL` if it is damaged.
 */
export function decodeHeader(value: Uint8Array, path: string): TableHeader {
  const what = `the header of table "${path}"`;
  const reader = open(value, what);
  const nextColumnId = reader.varint();
  const columnIds = Array.from({ length: reader.varint() }, () => reader.varint());
  const schema = decodeSchema(reader.bytes().slice(), `Reading ${what}`);
  reader.end();
  return { schema, columnIds, nextColumnId };
}

/** Encodes what a table's directory has of a part. */
export function encodePart({ oid, rows, deletedRows }: Omit<PartEntry, "name">): Uint8Array {
  const writer = new ByteWriter(40).u8(VERSION);
  writer.u64(oid >> 64n).u64(BigInt.asUintN(64, oid));
  return writer.varint(rows).varint(deletedRows).finish();
}

/** Decodes what a table's directory has of a part. */
export function decodePart(name: Uint8Array, value: Uint8Array): PartEntry {
  const reader = open(value, `part "${Buffer.from(name).toString()}" of a table`);
  const oid = (reader.u64() << 64n) | reader.u64();
  const entry = { name, oid, rows: reader.varint(), deletedRows: reader.varint() };
  reader.end();
  return entry;
}

function writeBlock(writer: ByteWriter, { offset, metadataSize, bodySize }: Block): void {
  writer.varint(offset).varint(metadataSize).varint(bodySize);
}

function readBlock(reader: ByteReader): Block {
  return { offset: reader.varint(), metadataSize: reader.varint(), bodySize: reader.varint() };
}

/** Encodes the contents of a part. */
export function encodeContents(contents: PartContents): Uint8Array {
  const { columnIds, schemaEnd, dictionaries, batches } = contents;
  const writer = new ByteWriter(1024).u8(VERSION).varint(columnIds.length);
  for (const id of columnIds) writer.varint(id);
  writer.varint(schemaEnd).varint(dictionaries.length);
  for (const dictionary of dictionaries) writeBlock(writer.varint(dictionary.id), dictionary);
  writer.varint(batches.length);
  for (const batch of batches) {
    writeBlock(writer.varint(batch.rows), batch);
    for (const statistics of batch.statistics) writeStatistics(writer, statistics);
  }
  return writer.finish();
}

/**
 * Decodes the contents of a part.
 *
 * @param schemaOf Reads the schema of the part, once it is known where it ends.
 */
export function decodeContents(
  value: Uint8Array,
  schemaOf: (end: number) => Schema,
): PartContents & { readonly schema: Schema } {
  const reader = open(value, "the contents of a part of a table");
  const columnIds = Array.from({ length: reader.varint() }, () => reader.varint());
  const schemaEnd = reader.varint();
  const schema = schemaOf(schemaEnd);
  const dictionaries = Array.from({ length: reader.varint() }, () => {
    return { id: reader.varint(), ...readBlock(reader) };
  });
  const batches = Array.from({ length: reader.varint() }, () => {
    const entry = { rows: reader.varint(), ...readBlock(reader) };
    const statistics = schema.fields.map(({ type }) => readStatistics(reader, type));
    return { ...entry, statistics };
  });
  reader.end();
  return { columnIds, schemaEnd, dictionaries, batches, schema };
}

/** Encodes the deleted rows of a part. */
export function encodeDeleted(bits: Uint8Array): Uint8Array {
  return new ByteWriter(bits.length + 16).u8(VERSION).bytes(bits).finish();
}

/** Decodes the deleted rows of a part. */
export function decodeDeleted(value: Uint8Array): Uint8Array {
  const reader = open(value, "the deleted rows of a table");
  const bits = reader.bytes();
  reader.end();
  return bits;
}
