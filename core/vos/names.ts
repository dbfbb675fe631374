/**
 * Objects, dkeys and akeys as the beginnings of index keys.
 *
 *     object     `akey` space, u32 container, 16 bytes oid
 *     dkey       object, component dkey
 *     akey       dkey, component akey
 *     long key   `longKey` space, then as above from the container on  ─▶  the whole dkey or akey
 *
 * A key of more than 256 bytes is in the index by its first 256 bytes and a hash (component.ts); its whole is
 * stored once beside it, and compared.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import {
  hashOf,
  longBase,
  readComponent,
  SHORT_COMPONENT_SIZE_MAX,
  writeShort,
} from "../index/component.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeySpace, prefixEnd } from "../index/key-codec.js";
import { KEY_SIZE_MAX } from "../limits.js";
import {
  formatOid,
  type ObjectId,
  objectTypeOf,
  oidOfBytes,
  usesIntegerKeys,
} from "./object-id.js";

/** Space byte, container and object id. */
export const OBJECT_PREFIX_SIZE = 21;
const OID_OFFSET = 5;
/** Two long keys of one object that agree in their first 256 bytes and in a 128-bit hash. */
const COLLISIONS_MAX = 256;

/** An object of a container. */
export interface ObjectAddress {
  readonly container: number;
  readonly oid: ObjectId;
}

// One key is built at a time.
const scratch = new Uint8Array(2048);
const scratchView = new DataView(scratch.buffer);

/** The beginning of the keys of an object, in one of the spaces that are ordered by object. */
export function objectPrefix(
  { container, oid }: ObjectAddress,
  space: number = KeySpace.akey,
): Uint8Array {
  scratch[0] = space;
  scratchView.setUint32(1, container);
  scratchView.setBigUint64(OID_OFFSET, oid >> 64n);
  scratchView.setBigUint64(OID_OFFSET + 8, oid & 0xffff_ffff_ffff_ffffn);
  return scratch.slice(0, OBJECT_PREFIX_SIZE);
}

/** The object of a key that begins with an object. */
export function objectOfKey(key: Uint8Array): ObjectId {
  return oidOfBytes(key.subarray(OID_OFFSET, OBJECT_PREFIX_SIZE));
}

/** Whether a key is long, so that its place in the index has to be looked up. */
export function isLong(key: Uint8Array): boolean {
  return key.length > SHORT_COMPONENT_SIZE_MAX;
}

/** An object's prefix, gone on with keys that are not long. */
export function shortPrefix(
  object: Uint8Array,
  dkey: Uint8Array,
  akey?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  scratch.set(object);
  let end = writeShort(scratch, object.length, dkey);
  if (akey !== undefined) end = writeShort(scratch, end, akey);
  return scratch.slice(0, end);
}

/** The same beginning of keys in another space that is ordered by object. */
export function inSpace(prefix: Uint8Array, space: number): Uint8Array {
  const key = Uint8Array.from(prefix);
  key[0] = space;
  return key;
}

/** The name of a key for look-ups in memory. */
export function latin1(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}

/** A key as it is shown to people: the first 64 bytes of it, quoted. */
export function keyText(key: Uint8Array): string {
  return JSON.stringify(Buffer.from(key.subarray(0, 64)).toString());
}

function nameKey(prefix: Uint8Array): Uint8Array {
  return inSpace(prefix, KeySpace.longKey);
}

/** The place of a long key, and the number that a new one would get. */
interface LongPlace {
  readonly base: Uint8Array;
  readonly number: number;
  readonly exists: boolean;
}

function findLong(
  reader: IndexReader,
  parent: Uint8Array,
  key: Uint8Array,
  hash: (bytes: Uint8Array) => Uint8Array,
): LongPlace {
  const base = Buffer.concat([parent, longBase(key, hash(key))]);
  const start = nameKey(base);
  const used = new Set<number>();
  let found: number | undefined;
  reader.visit({ start, end: prefixEnd(start) }, (nameOf, whole) => {
    // Names of the akeys of a long dkey go on behind its number.
    if (nameOf.length !== start.length + 1) return true;
    const number = nameOf[start.length] as number;
    used.add(number);
    if (Buffer.compare(whole, key) === 0) found = number;
    return found === undefined;
  });
  if (found !== undefined) return { base, number: found, exists: true };
  let number = 0;
  while (used.has(number)) number += 1;
  return { base, number, exists: false };
}

function withNumber({ base, number }: LongPlace): Uint8Array {
  const prefix = new Uint8Array(base.length + 1);
  prefix.set(base);
  prefix[base.length] = number;
  return prefix;
}

/**
 * The beginning of the keys of a dkey (`parent`: an object), or of an akey (`parent`: a dkey).
 *
 * @returns `undefined` for a long key that nothing was ever stored under.
 */
export function findKey(
  reader: IndexReader,
  parent: Uint8Array,
  key: Uint8Array,
  hash = hashOf,
): Uint8Array | undefined {
  if (!isLong(key)) return shortPrefix(parent, key);
  const place = findLong(reader, parent, key, hash);
  return place.exists ? withNumber(place) : undefined;
}

/** As {@link findKey}; a long key that is new gets its place. */
export function makeKey(
  tx: IndexTransaction,
  parent: Uint8Array,
  key: Uint8Array,
  hash = hashOf,
): Uint8Array {
  if (!isLong(key)) return shortPrefix(parent, key);
  const place = findLong(tx, parent, key, hash);
  if (place.number >= COLLISIONS_MAX) {
    const why = `${COLLISIONS_MAX} keys of the object have the same hash`;
    throw new DaosError("DER_INVAL", { what: "Storing a key", why, remedy: "use another key" });
  }
  const prefix = withNumber(place);
  if (!place.exists) tx.put(nameKey(prefix), key);
  return prefix;
}

/** The dkey or akey that a prefix ends with; it starts at `start`. */
export function keyOfPrefix(reader: IndexReader, prefix: Uint8Array, start: number): Uint8Array {
  const { bytes, isLong: long } = readComponent(prefix, start);
  if (!long) return bytes;
  const whole = reader.get(nameKey(prefix));
  if (whole === undefined) {
    throw new DaosError("DER_DF_INVAL", {
      what: "Reading a long key",
      why: "its name is not in the index",
      remedy: "the pool's files are damaged: restore the pool from a copy",
    });
  }
  return whole;
}

/** Forgets the name of a long key that nothing is stored under any more. */
export function forgetName(tx: IndexTransaction, prefix: Uint8Array, start: number): void {
  if (readComponent(prefix, start).isLong) tx.remove(nameKey(prefix));
}

/**
 * Checks a dkey or akey of an object.
 *
 * @throws {@link DaosError} `DER_KEY2BIG`, or `DER_INVAL` if it is empty or, in an object with integer
 *   keys, not 8 bytes long.
 */
export function checkKey(oid: ObjectId, level: "dkey" | "akey", key: Uint8Array): void {
  const integer = usesIntegerKeys(objectTypeOf(oid), level);
  if (key.length > 0 && key.length <= KEY_SIZE_MAX && (!integer || key.length === 8)) return;
  const what = `Using a ${level} of object ${formatOid(oid)}`;
  if (key.length > KEY_SIZE_MAX) {
    const why = `the ${level} has ${key.length} bytes, more than ${KEY_SIZE_MAX}`;
    throw new DaosError("DER_KEY2BIG", { what, why, remedy: "use a shorter key" });
  }
  const why = integer ? `the ${level} has ${key.length} bytes` : `the ${level} is empty`;
  const remedy = integer
    ? "use integerKey(): the object's type says that its keys are 64-bit integers"
    : "use a key of at least one byte";
  throw new DaosError("DER_INVAL", { what, why, remedy });
}

/** A key of an object with integer keys: 8 bytes, big-endian, so that keys sort as numbers. */
export function integerKey(value: number | bigint): Uint8Array {
  const wanted = typeof value === "bigint" || Number.isSafeInteger(value) ? BigInt(value) : -1n;
  if (wanted < 0n || wanted > 0xffff_ffff_ffff_ffffn) {
    const why = "integer keys are whole numbers, unsigned, of 64 bits; above 2^53 a bigint";
    throw new DaosError("DER_INVAL", {
      what: `Using ${value} as a key`,
      why,
      remedy: "use another",
    });
  }
  const key = new Uint8Array(8);
  new DataView(key.buffer).setBigUint64(0, wanted);
  return key;
}

/** The integer of a key of {@link integerKey}. */
export function integerOfKey(key: Uint8Array): bigint {
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(0);
}
