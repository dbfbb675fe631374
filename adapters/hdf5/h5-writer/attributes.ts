/**
 * Writes the attributes of an object: in its header if they are few and small, else in a fractal heap with trees.
 *
 *     attribute, version 3   u8 3, u8 flags (1: committed datatype), u16 sizes of name, datatype and dataspace,
 *                            u8 character set of the name, name, datatype, dataspace, elements
 *
 * Source: HDF5 File Format Specification, sections IV.A.2.m (attribute) and IV.A.2.v (attribute info).
 *
 * @module
 */

import { type Datatype, itemSizeOf } from "../datatype/datatype.js";
import type { CreationOrder, SourceAttribute, SourceObject } from "../description.js";
import { countOfShape } from "../h5-file/box-copy.js";
import { lookup3 } from "../h5-file/lookup3.js";
import { encodeDataspace } from "../messages/dataspace-message.js";
import { encodeDatatype } from "../messages/datatype-message.js";
import { FieldWriter } from "../messages/field-codec.js";
import { TREE_TYPE, writeTree } from "./btree-v2.js";
import { UNDEFINED_ADDRESS } from "./fields.js";
import { ATTRIBUTE_HEAP, HeapWriter } from "./fractal-heap.js";
import { COMPACT_COUNT_MAX, MESSAGE_SIZE_MAX } from "./limits.js";
import { MESSAGE, type Message } from "./object-header.js";
import type { WriteContext } from "./write-context.js";

const HAS_COMMITTED_TYPE = 1;
const CHARSETS = ["ascii", "utf8"] as const;
/** Bytes of the address of a committed datatype in a message. */
const COMMITTED_SIZE = 10;
const ORDER_TRACKED = 1;
const ORDER_INDEXED = 2;

/** A datatype message: the datatype itself, or the address of a committed one. */
export function encodeTypeMessage(
  { objects }: Pick<WriteContext, "objects">,
  type: Datatype,
  committed: string | undefined,
): Uint8Array {
  if (committed === undefined) return encodeDatatype(type);
  return new FieldWriter(16).u8(2).u8(2).u64(objects.useType(committed, type)).finish();
}

/** Encodes attributes as far as they are known without their elements. */
function encodeHead(context: WriteContext, attribute: SourceAttribute): FieldWriter {
  const { name, nameCharset, type, committedType, space } = attribute;
  const text = Buffer.from(`${name}\0`);
  const datatype = encodeTypeMessage(context, type, committedType);
  const dataspace = encodeDataspace(space);
  return new FieldWriter(text.length + datatype.length + dataspace.length + 64)
    .u8(3)
    .u8(committedType === undefined ? 0 : HAS_COMMITTED_TYPE)
    .u16(text.length)
    .u16(datatype.length)
    .u16(dataspace.length)
    .u8(CHARSETS.indexOf(nameCharset))
    .raw(text)
    .raw(datatype)
    .raw(dataspace);
}

/** Bytes of the elements of an attribute. */
function elementsSize({ type, space }: SourceAttribute): number {
  if (space.kind === "null") return 0;
  return itemSizeOf(type) * (space.kind === "simple" ? countOfShape(space.shape) : 1);
}

/** Bytes of an attribute when it is encoded. */
function sizeOf(attribute: SourceAttribute): number {
  const { name, type, committedType, space } = attribute;
  const typeSize = committedType === undefined ? encodeDatatype(type).length : COMMITTED_SIZE;
  const headSize = 9 + Buffer.byteLength(name) + 1 + typeSize + encodeDataspace(space).length;
  return headSize + elementsSize(attribute);
}

async function encodeAttribute(
  context: WriteContext,
  attribute: SourceAttribute,
  path: string,
): Promise<Uint8Array> {
  const head = encodeHead(context, attribute);
  const size = elementsSize(attribute);
  if (size === 0) return head.finish();
  const what = `attribute "${attribute.name}" of "${path}"`;
  const report = (why: string) =>
    context.counts.note(`${path}@${attribute.name}`, "DER_NONEXIST", why);
  const elements = await attribute.read();
  const bytes = await context.elements.convert(attribute.type, elements, { what, report });
  return head.raw(bytes).finish();
}

interface StoredAttribute {
  readonly name: Buffer;
  readonly hash: number;
  readonly id: Uint8Array;
  readonly order: number;
}

/** Records are the same in both trees, but for the checksum of the name at the end. */
function recordOf({ id, order, hash }: StoredAttribute, hasHash: boolean): Uint8Array {
  const writer = new FieldWriter(20).raw(id).u8(0).u32(order);
  return (hasHash ? writer.u32(hash) : writer).finish();
}

function compareNames(first: StoredAttribute, second: StoredAttribute): number {
  return first.hash - second.hash || Buffer.compare(first.name, second.name);
}

/** Where dense attributes are. */
interface DenseAttributes {
  readonly heap: number;
  readonly names: number;
  readonly orders: number | undefined;
}

/** Writes attributes into a heap, one after the other: only one of them is in memory. */
async function writeDense(
  context: WriteContext,
  attributes: readonly SourceAttribute[],
  path: string,
  isIndexed: boolean,
): Promise<DenseAttributes> {
  const { target } = context;
  const sizeMax = attributes.reduce((most, one) => Math.max(most, sizeOf(one)), 0);
  const heap = new HeapWriter(target, ATTRIBUTE_HEAP, sizeMax);
  const stored: StoredAttribute[] = [];
  for (const [order, attribute] of attributes.entries()) {
    const name = Buffer.from(attribute.name);
    const id = heap.put(await encodeAttribute(context, attribute, path));
    stored.push({ name, hash: lookup3(name), id, order });
  }
  const orders = stored.map((one) => recordOf(one, false));
  const names = stored.sort(compareNames).map((one) => recordOf(one, true));
  const [nameSize, orderSize] = [heap.idSize + 9, heap.idSize + 5];
  return {
    heap: heap.finish(),
    names: writeTree(target, TREE_TYPE.attributeNames, { records: names, recordSize: nameSize }),
    orders: isIndexed
      ? writeTree(target, TREE_TYPE.attributeOrder, { records: orders, recordSize: orderSize })
      : undefined,
  };
}

function attributeInfo(
  { isTracked, isIndexed }: CreationOrder,
  count: number,
  dense: DenseAttributes | undefined,
): Message {
  const hasIndex = isTracked && isIndexed;
  const info = new FieldWriter(40).u8(0);
  info.u8((isTracked ? ORDER_TRACKED : 0) | (hasIndex ? ORDER_INDEXED : 0));
  if (isTracked) info.u16(count);
  info.u64(dense?.heap ?? UNDEFINED_ADDRESS).u64(dense?.names ?? UNDEFINED_ADDRESS);
  if (hasIndex) info.u64(dense?.orders ?? UNDEFINED_ADDRESS);
  return { type: MESSAGE.attributeInfo, body: info.finish() };
}

/** What was written of the attributes of an object. */
export interface WrittenAttributes {
  /** They say where the attributes are, or are them. */
  readonly messages: Message[];
  readonly count: number;
}

/** Writes the attributes of an object. */
export async function writeAttributes(
  context: WriteContext,
  object: SourceObject,
  path: string,
): Promise<WrittenAttributes> {
  const attributes: SourceAttribute[] = [];
  for await (const attribute of object.attributes()) attributes.push(attribute);
  const count = attributes.length;
  const order = object.attributeOrder;
  const isSmall = attributes.every((attribute) => sizeOf(attribute) <= MESSAGE_SIZE_MAX);
  if (count > COMPACT_COUNT_MAX || !isSmall) {
    const hasIndex = order.isTracked && order.isIndexed;
    const dense = await writeDense(context, attributes, path, hasIndex);
    return { messages: [attributeInfo(order, count, dense)], count };
  }
  const messages: Message[] = [];
  if (count > 0 || order.isTracked) messages.push(attributeInfo(order, count, undefined));
  for (const [index, attribute] of attributes.entries()) {
    const body = await encodeAttribute(context, attribute, path);
    messages.push({ type: MESSAGE.attribute, body, order: index });
  }
  return { messages, count };
}
