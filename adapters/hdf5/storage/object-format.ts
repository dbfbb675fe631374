/**
 * What makes an object of the namespace a part of an HDF5 file.
 *
 * A header is the single value under dkey `.`, akey `H5_OBJECT` of the object:
 *
 *     version 2   u8 2, u8 kind (0 file, 1 dataset, 2 group, 3 datatype), messages up to the end
 *     message     u8 type, bytes
 *     types       HDF5's: 0x01 dataspace, 0x02 links (u8: 1 order tracked, 2 indexed), 0x03 datatype,
 *                 0x05 fill value, 0x08 layout (see `layout-format.ts`), 0x0b filters, 0x0d comment,
 *                 0x15 attributes (u8 as of links); ours: 0x80 16 bytes id of the committed datatype,
 *                 0x82 an item of the heap of the fill value, in the order of the items, 0x83 the fill value
 *                 as elements of the dataset hold it, if it points to items
 *     version 1   u8 1, u8 kind (0 file, 1 dataset); of a dataset also: datatype and dataspace as in
 *                 `first-format.ts`
 *
 * Bodies of HDF5's types are those of the HDF5 file format (`messages/`), but for what is said here. A
 * group without a header has none of these facts. Version 1 is read, version 2 is written.
 *
 * @module
 */

import { ByteReader, ByteWriter, DaosError } from "../../../core/index.js";
import { type Datatype, hasSlots } from "../datatype/datatype.js";
import type { CreationOrder, DatasetDescription, FillDescription } from "../description.js";
import { decodeDataspace, encodeDataspace } from "../messages/dataspace-message.js";
import { decodeDatatype, encodeDatatype } from "../messages/datatype-message.js";
import { decodeFill, encodeFill } from "../messages/fill-message.js";
import { decodeFilters, encodeFilters } from "../messages/filter-message.js";
import { readFirstSpace, readFirstType } from "./first-format.js";
import { readLayout, type Storage, writeLayout } from "./layout-format.js";

/** The dkey of headers: a name that no file can have. */
export const HEADER_DKEY = Buffer.from(".");
/** The akey of headers. */
export const HEADER_AKEY = Buffer.from("H5_OBJECT");

const VERSION = 2;
const FIRST_VERSION = 1;
/** Durable: DO NOT CHANGE THESE VALUES. */
const KINDS = ["file", "dataset", "group", "datatype"] as const;
/** Durable: DO NOT CHANGE THESE VALUES. */
const MESSAGE = {
  dataspace: 0x01,
  links: 0x02,
  datatype: 0x03,
  fill: 0x05,
  layout: 0x08,
  filters: 0x0b,
  comment: 0x0d,
  attributes: 0x15,
  committedType: 0x80,
  fillItem: 0x82,
  fillStored: 0x83,
} as const;
const IS_TRACKED = 1;
const IS_INDEXED = 2;
const OID_SIZE = 16;
const LOW_HALF = 0xffff_ffff_ffff_ffffn;

/** Neither tracked nor indexed. */
export const NO_ORDER: CreationOrder = { isTracked: false, isIndexed: false };
/** The fill value of a dataset that says nothing of it. */
export const DEFAULT_FILL: FillDescription = {
  allocation: "default",
  time: "ifset",
  value: undefined,
};

/** What all kinds of objects have. */
export interface ObjectFacts {
  readonly attributeOrder: CreationOrder;
  readonly comment: string | undefined;
}

/** The header of a group, or of the root of a file. */
export interface GroupHeader extends ObjectFacts {
  readonly kind: "file" | "group";
  readonly linkOrder: CreationOrder;
}

/** The header of a dataset. */
export interface DatasetHeader extends ObjectFacts {
  readonly kind: "dataset";
  readonly description: DatasetDescription;
  readonly storage: Storage;
  /** The fill value as elements hold it, if it points to items of the dataset's heap. */
  readonly fillStored?: Uint8Array | undefined;
}

/** The header of a committed datatype. */
export interface DatatypeHeader extends ObjectFacts {
  readonly kind: "datatype";
  readonly type: Datatype;
}

/** The header of an object. */
export type ObjectHeader = GroupHeader | DatasetHeader | DatatypeHeader;

/** What a group without a header is. */
export const PLAIN_GROUP: GroupHeader = {
  kind: "group",
  linkOrder: NO_ORDER,
  attributeOrder: NO_ORDER,
  comment: undefined,
};

/** An object id as 16 bytes, big-endian. */
export function encodeOid(oid: bigint): Buffer {
  const bytes = Buffer.alloc(OID_SIZE);
  bytes.writeBigUInt64BE(oid >> 64n, 0);
  bytes.writeBigUInt64BE(oid & LOW_HALF, 8);
  return bytes;
}

/** The next object id. */
export function readOid(reader: ByteReader): bigint {
  return (reader.u64() << 64n) | reader.u64();
}

function orderBits({ isTracked, isIndexed }: CreationOrder): Uint8Array {
  return Uint8Array.of((isTracked ? IS_TRACKED : 0) | (isIndexed ? IS_INDEXED : 0));
}

function orderOf(body: Uint8Array | undefined): CreationOrder {
  const bits = body?.[0] ?? 0;
  return { isTracked: (bits & IS_TRACKED) !== 0, isIndexed: (bits & IS_INDEXED) !== 0 };
}

function writeDataset(writer: ByteWriter, header: DatasetHeader): void {
  const { type, committedType, space, layout, filters, fill } = header.description;
  const layoutBody = writeLayout(new ByteWriter(32), layout, header.storage).finish();
  writer.u8(MESSAGE.datatype).bytes(encodeDatatype(type));
  if (committedType !== undefined) {
    writer.u8(MESSAGE.committedType).bytes(encodeOid(BigInt(committedType)));
  }
  writer.u8(MESSAGE.dataspace).bytes(encodeDataspace(space));
  writer.u8(MESSAGE.layout).bytes(layoutBody);
  if (filters.length > 0) writer.u8(MESSAGE.filters).bytes(encodeFilters(filters));
  const { allocation, time, value } = fill;
  if (allocation === "default" && time === "ifset" && value === undefined) return;
  const bytes = value === null ? null : value?.bytes;
  writer.u8(MESSAGE.fill).bytes(encodeFill({ allocation, time, bytes }));
  for (const item of value?.heap ?? []) writer.u8(MESSAGE.fillItem).bytes(item);
  if (header.fillStored !== undefined) writer.u8(MESSAGE.fillStored).bytes(header.fillStored);
}

/** Encodes a header. */
export function encodeHeader(header: ObjectHeader): Uint8Array {
  const writer = new ByteWriter(128).u8(VERSION).u8(KINDS.indexOf(header.kind));
  const { attributeOrder, comment } = header;
  if (header.kind === "dataset") writeDataset(writer, header);
  else if (header.kind === "datatype") {
    writer.u8(MESSAGE.datatype).bytes(encodeDatatype(header.type));
  } else if (header.linkOrder.isTracked) {
    writer.u8(MESSAGE.links).bytes(orderBits(header.linkOrder));
  }
  if (attributeOrder.isTracked) writer.u8(MESSAGE.attributes).bytes(orderBits(attributeOrder));
  if (comment !== undefined) writer.u8(MESSAGE.comment).text(comment);
  return writer.finish();
}

/** Opens a record; other versions than these are refused. */
export function openRecord(
  value: Uint8Array,
  what: string,
): { reader: ByteReader; version: number } {
  const reader = new ByteReader(value, what);
  const version = reader.u8();
  if (version === VERSION || version === FIRST_VERSION) return { reader, version };
  throw new DaosError(
    "DER_DF_INCOMPT",
    {
      what: `Reading ${what}`,
      why: `its format version is ${version}, this program knows version ${VERSION}`,
      remedy: "use a release that knows that version",
    },
    { version, known: VERSION },
  );
}

function readFill(
  type: Datatype,
  body: Uint8Array | undefined,
  heap: readonly Uint8Array[],
  what: string,
): FillDescription {
  if (body === undefined) return DEFAULT_FILL;
  const { allocation, time, bytes } = decodeFill(body, what);
  const value = bytes && { bytes, heap: hasSlots(type) ? heap : [] };
  return { allocation, time, value };
}

function readDataset(
  reader: ByteReader,
  bodies: ReadonlyMap<number, Uint8Array>,
  { facts, heap, what }: { facts: ObjectFacts; heap: readonly Uint8Array[]; what: string },
): DatasetHeader {
  const demand = (number: number): Uint8Array => {
    const body = bodies.get(number);
    if (body === undefined) throw reader.malformed(`message ${number} is missing`);
    return body;
  };
  const type = decodeDatatype(demand(MESSAGE.datatype), what);
  const space = decodeDataspace(demand(MESSAGE.dataspace), what);
  const layoutReader = new ByteReader(demand(MESSAGE.layout), what);
  const { layout, storage } = readLayout(layoutReader);
  layoutReader.end();
  const [filters, committed] = [bodies.get(MESSAGE.filters), bodies.get(MESSAGE.committedType)];
  const description: DatasetDescription = {
    type,
    committedType: committed && readOid(new ByteReader(committed, what)).toString(),
    space,
    layout,
    filters: filters === undefined ? [] : decodeFilters(filters, what),
    fill: readFill(type, bodies.get(MESSAGE.fill), heap, what),
  };
  const fillStored = bodies.get(MESSAGE.fillStored);
  const rest = fillStored === undefined ? {} : { fillStored: new Uint8Array(fillStored) };
  return { kind: "dataset", ...facts, description, storage, ...rest };
}

function readMessages(reader: ByteReader, kind: (typeof KINDS)[number], what: string) {
  const bodies = new Map<number, Uint8Array>();
  const heap: Uint8Array[] = [];
  while (reader.remaining > 0) {
    const number = reader.u8();
    const body = reader.bytes();
    if (number === MESSAGE.fillItem) heap.push(new Uint8Array(body));
    else if (Object.values<number>(MESSAGE).includes(number)) bodies.set(number, body);
    else throw reader.malformed(`message ${number} is not known`);
  }
  const comment = bodies.get(MESSAGE.comment);
  const facts: ObjectFacts = {
    attributeOrder: orderOf(bodies.get(MESSAGE.attributes)),
    comment: comment && Buffer.from(comment).toString(),
  };
  if (kind === "dataset") return readDataset(reader, bodies, { facts, heap, what });
  if (kind !== "datatype") {
    return { kind, ...facts, linkOrder: orderOf(bodies.get(MESSAGE.links)) };
  }
  const type = bodies.get(MESSAGE.datatype);
  if (type === undefined) throw reader.malformed("it has no datatype");
  return { kind, ...facts, type: decodeDatatype(type, what) };
}

function readFirst(reader: ByteReader, kind: (typeof KINDS)[number]): ObjectHeader {
  const facts = { attributeOrder: NO_ORDER, comment: undefined };
  if (kind === "file") {
    reader.end();
    return { kind, ...facts, linkOrder: NO_ORDER };
  }
  if (kind !== "dataset") throw reader.malformed("its kind is not known");
  const type = readFirstType(reader);
  const space = readFirstSpace(reader);
  reader.end();
  if (type.class === "vlenString") throw reader.malformed("a dataset has no text");
  const layout = { kind: "contiguous" } as const;
  const rest = { committedType: undefined, layout, filters: [], fill: DEFAULT_FILL };
  return { kind, ...facts, description: { type, space, ...rest }, storage: "linear" };
}

/**
 * Decodes a header.
 *
 * @throws `DaosError` `DER_DF_INCOMPT` if another format version wrote it, `DER_DF_INVAL` if it is
 *   damaged.
 */
export function decodeHeader(value: Uint8Array, name: string): ObjectHeader {
  const what = `the header of HDF5 object "${name}"`;
  const { reader, version } = openRecord(value, what);
  const kind = KINDS[reader.u8()];
  if (kind === undefined) throw reader.malformed("its kind is not known");
  return version === FIRST_VERSION ? readFirst(reader, kind) : readMessages(reader, kind, what);
}
