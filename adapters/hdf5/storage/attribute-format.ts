/**
 * An attribute: the single value under dkey `/` and its name, akey `H5_ATTR` of its object.
 *
 *     version 2   u8 2, u8 flags (1 name is UTF-8, 2 has an order, 4 has a committed datatype), if it has:
 *                 varint order of creation, 16 bytes id of the committed datatype; bytes datatype, bytes
 *                 dataspace (both as in the HDF5 file format), bytes elements, then the items of their
 *                 heap, each as bytes
 *     version 1   under dkey its name: u8 1, datatype, dataspace as in `first-format.ts`, bytes elements in
 *                 row-major order, or UTF-8 text
 *
 * No link begins with a slash: what a link is called does not matter to attributes. Elements are as
 * {@link RawElements} says. Version 1 is read, version 2 is written.
 *
 * @module
 */

import { type ByteReader, ByteWriter } from "../../../core/index.js";
import { type CharacterSet, type Datatype, itemSizeOf, SLOT_SIZE } from "../datatype/datatype.js";
import type { Dataspace, RawElements } from "../description.js";
import { decodeDataspace, encodeDataspace } from "../messages/dataspace-message.js";
import { decodeDatatype, encodeDatatype } from "../messages/datatype-message.js";
import { readFirstSpace, readFirstType } from "./first-format.js";
import { encodeOid, openRecord, readOid } from "./object-format.js";

/** The akey of attributes. */
export const ATTRIBUTE_AKEY = Buffer.from("H5_ATTR");

const VERSION = 2;
const IS_UTF8 = 1;
const HAS_ORDER = 2;
const HAS_COMMITTED_TYPE = 4;

/** An attribute, but for its name. */
export interface StoredAttribute {
  readonly nameCharset: CharacterSet;
  /** Place in the order of creation, if that is tracked. */
  readonly order: number | undefined;
  readonly type: Datatype;
  /** Identity of the committed datatype that it uses, if it does. */
  readonly committedType: string | undefined;
  readonly space: Dataspace;
  readonly elements: RawElements;
}

/** Number of elements of a dataspace. */
export function countOf(space: Dataspace): number {
  if (space.kind !== "simple") return space.kind === "null" ? 0 : 1;
  return space.shape.reduce((product, extent) => product * extent, 1);
}

/** The dkey of an attribute. */
export function attributeDkey(name: string): Buffer {
  return Buffer.from(`/${name}`);
}

/** The name of the attribute under a dkey. */
export function attributeNameOf(dkey: Uint8Array, value: Uint8Array): string {
  const name = Buffer.from(dkey).toString();
  return value[0] === 1 ? name : name.slice(1);
}

/** Encodes an attribute. */
export function encodeAttribute(attribute: StoredAttribute): Uint8Array {
  const { nameCharset, order, type, committedType, space, elements } = attribute;
  const flags =
    (nameCharset === "utf8" ? IS_UTF8 : 0) |
    (order === undefined ? 0 : HAS_ORDER) |
    (committedType === undefined ? 0 : HAS_COMMITTED_TYPE);
  const writer = new ByteWriter(64 + elements.bytes.length).u8(VERSION).u8(flags);
  if (order !== undefined) writer.varint(order);
  if (committedType !== undefined) writer.raw(encodeOid(BigInt(committedType)));
  writer.bytes(encodeDatatype(type)).bytes(encodeDataspace(space)).bytes(elements.bytes);
  for (const item of elements.heap) writer.bytes(item);
  return writer.finish();
}

function slotOf(text: Uint8Array): RawElements {
  const bytes = Buffer.alloc(SLOT_SIZE);
  bytes.writeUInt32LE(text.length);
  return { bytes, heap: text.length === 0 ? [] : [new Uint8Array(text)] };
}

function readFirst(reader: ByteReader): StoredAttribute {
  const type = readFirstType(reader);
  const space = readFirstSpace(reader);
  const bytes = new Uint8Array(reader.bytes());
  reader.end();
  const elements = type.class === "vlenString" ? slotOf(bytes) : { bytes, heap: [] };
  const rest = { nameCharset: "utf8", order: undefined, committedType: undefined } as const;
  return { ...rest, type, space, elements };
}

function readSecond(reader: ByteReader, what: string): StoredAttribute {
  const flags = reader.u8();
  const order = (flags & HAS_ORDER) === 0 ? undefined : reader.varint();
  const committedType = (flags & HAS_COMMITTED_TYPE) === 0 ? undefined : readOid(reader).toString();
  const type = decodeDatatype(reader.bytes(), what);
  const space = decodeDataspace(reader.bytes(), what);
  const bytes = new Uint8Array(reader.bytes());
  const heap: Uint8Array[] = [];
  while (reader.remaining > 0) heap.push(new Uint8Array(reader.bytes()));
  const nameCharset = (flags & IS_UTF8) === 0 ? "ascii" : "utf8";
  return { nameCharset, order, type, committedType, space, elements: { bytes, heap } };
}

/**
 * Decodes an attribute.
 *
 * @throws `DaosError` `DER_DF_INCOMPT` if another format version wrote it, `DER_DF_INVAL` if it is
 *   damaged.
 */
export function decodeAttribute(value: Uint8Array, name: string): StoredAttribute {
  const what = `attribute "${name}"`;
  const { reader, version } = openRecord(value, what);
  const attribute = version === VERSION ? readSecond(reader, what) : readFirst(reader);
  const { type, space, elements } = attribute;
  if (elements.bytes.length !== countOf(space) * itemSizeOf(type)) {
    throw reader.malformed("its size is wrong");
  }
  return attribute;
}
