/**
 * What users and administrators say about a pool or a container: properties, which the store knows, and
 * attributes, which only their owner does.
 *
 *     property    u32 scope, component name  ─▶  u8 version, u8 kind (0 text, 1 number), text or varint
 *     attribute   u32 scope, the name's bytes ─▶  u8 version, the value's bytes
 *
 * The scope is a container's id, or 0 for the pool: ids of containers begin with 1.
 *
 * @module
 */

import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";

const RECORD_VERSION = 1;
/** Durable: DO NOT CHANGE THESE VALUES. */
const KIND = { text: 0, number: 1 } as const;
/** Space byte and scope. */
const PREFIX_SIZE = 5;

/** The scope of the pool's own properties and attributes. */
export const POOL_SCOPE = 0;

/** A property as it is stored. */
export type StoredProperty = string | number;

function propertyKey(scope: number, name: string): Uint8Array {
  return new KeyBuilder(KeySpace.property).u32(scope).component(Buffer.from(name)).done();
}

function decodeProperty(name: string, value: Uint8Array): StoredProperty {
  const fields = new ByteReader(value, `property ${name}`);
  if (fields.u8() !== RECORD_VERSION) throw fields.malformed("its version is unknown");
  const kind = fields.u8();
  if (kind !== KIND.text && kind !== KIND.number) throw fields.malformed("its kind is unknown");
  const property = kind === KIND.text ? fields.text() : fields.varint();
  fields.end();
  return property;
}

/** A stored property, or `undefined` if it has its default. */
export function getProperty(
  reader: IndexReader,
  scope: number,
  name: string,
): StoredProperty | undefined {
  const value = reader.get(propertyKey(scope, name));
  return value === undefined ? undefined : decodeProperty(name, value);
}

/** All stored properties of a scope. */
export function listProperties(reader: IndexReader, scope: number): Map<string, StoredProperty> {
  const prefix = new KeyBuilder(KeySpace.property).u32(scope).done();
  const found = new Map<string, StoredProperty>();
  reader.visit({ start: prefix, end: prefixEnd(prefix) }, (key, value) => {
    const name = Buffer.from(new KeyReader(key.subarray(4)).component()).toString();
    found.set(name, decodeProperty(name, value));
    return true;
  });
  return found;
}

/** Stores a property; `undefined` gives it its default again. */
export function putProperty(
  tx: IndexTransaction,
  scope: number,
  name: string,
  property: StoredProperty | undefined,
): void {
  const key = propertyKey(scope, name);
  if (property === undefined) {
    if (tx.get(key) !== undefined) tx.remove(key);
    return;
  }
  const writer = new ByteWriter(64).u8(RECORD_VERSION);
  if (typeof property === "string") writer.u8(KIND.text).text(property);
  else writer.u8(KIND.number).varint(property);
  tx.put(key, writer.finish());
}

function attributeKey(scope: number, name: string): Uint8Array {
  return new KeyBuilder(KeySpace.attribute).u32(scope).raw(Buffer.from(name)).done();
}

/** The names of a scope's attributes, in bytewise order. */
export function listAttributes(reader: IndexReader, scope: number): string[] {
  const prefix = new KeyBuilder(KeySpace.attribute).u32(scope).done();
  const names: string[] = [];
  const visitor = (key: Uint8Array) => {
    names.push(Buffer.from(key.subarray(PREFIX_SIZE)).toString());
    return true;
  };
  reader.visit({ start: prefix, end: prefixEnd(prefix) }, visitor, { heads: true });
  return names;
}

/** An attribute, copied, or `undefined`. */
export function getAttribute(
  reader: IndexReader,
  scope: number,
  name: string,
): Uint8Array | undefined {
  const value = reader.get(attributeKey(scope, name));
  if (value === undefined) return undefined;
  const fields = new ByteReader(value, `attribute ${name}`);
  if (fields.u8() !== RECORD_VERSION) throw fields.malformed("its version is unknown");
  return fields.raw(fields.remaining).slice();
}

/** Stores an attribute. */
export function putAttribute(
  tx: IndexTransaction,
  scope: number,
  { name, value }: { name: string; value: Uint8Array },
): void {
  const record = new ByteWriter(value.length + 1).u8(RECORD_VERSION).raw(value).finish();
  tx.put(attributeKey(scope, name), record);
}

/** Removes an attribute. */
export function removeAttribute(tx: IndexTransaction, scope: number, name: string): void {
  tx.remove(attributeKey(scope, name));
}
