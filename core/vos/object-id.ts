/**
 * Object ids: 128 bits, of which the store uses the top 32 as DAOS does.
 *
 *     bits 127..120  type      119..112  redundancy      111..96  groups      95..0  the user's
 *
 * @module
 */

import { DaosError } from "../errors.js";

/** Object types with DAOS's numbers. Durable: DO NOT CHANGE THESE VALUES. */
export const ObjectType = {
  /** Keys in no promised order. */
  multiHashed: 0,
  /** Dkeys are 64-bit integers. */
  dkeyUint64: 2,
  /** Akeys are 64-bit integers. */
  akeyUint64: 3,
  /** Dkeys and akeys are 64-bit integers. */
  multiUint64: 4,
  /** Dkeys in lexical order. */
  dkeyLexical: 5,
  /** Akeys in lexical order. */
  akeyLexical: 6,
  /** Keys in lexical order: directories, groups. */
  multiLexical: 7,
  /** A key-value store: one value a dkey. */
  kvHashed: 8,
  /** The same, with 64-bit integers as dkeys. */
  kvUint64: 9,
  /** The same, with dkeys in lexical order. */
  kvLexical: 10,
  /** Cells addressed by index; their size is stored with the object. Dkeys are 64-bit integers. */
  array: 11,
  /** The same; who opens it knows the size of its cells. */
  arrayAttr: 12,
  /** Bytes addressed by offset: files, datasets. */
  arrayByte: 13,
} as const;

const INTEGER_DKEYS: readonly number[] = [
  ObjectType.dkeyUint64,
  ObjectType.multiUint64,
  ObjectType.kvUint64,
  ObjectType.array,
  ObjectType.arrayAttr,
];
const INTEGER_AKEYS: readonly number[] = [ObjectType.akeyUint64, ObjectType.multiUint64];

/** Whether the dkeys or akeys of objects of a type are 64-bit integers. */
export function usesIntegerKeys(type: number, level: "dkey" | "akey"): boolean {
  return (level === "dkey" ? INTEGER_DKEYS : INTEGER_AKEYS).includes(type);
}

/** A 128-bit object id. */
export type ObjectId = bigint;

const USER_BITS = 96n;
const TYPE_SHIFT = 120n;
const REDUNDANCY_SHIFT = 112n;
const GROUPS_SHIFT = 96n;
/** In a class's number, the groups lie below its redundancy. */
const CLASS_REDUNDANCY_SHIFT = 2 ** 24;
const GROUPS_MAX = 0xfffe;

/**
 * Composes an object id from a type and up to 96 user bits.
 *
 * @param objectClass A resolved object class, such as `ObjectClass.S1`; 0, which is read as S1, by default.
 * @throws {@link DaosError} `DER_INVAL` if the user's part is too large, or the class is not resolved.
 *
 * @example
 * ```ts
 * makeObjectId(ObjectType.arrayByte, 17n, ObjectClass.S1);
 * ```
 */
export function makeObjectId(
  type: (typeof ObjectType)[keyof typeof ObjectType],
  user: bigint,
  objectClass = 0,
): ObjectId {
  const redundancy = Math.floor(objectClass / CLASS_REDUNDANCY_SHIFT);
  const groups = objectClass % CLASS_REDUNDANCY_SHIFT;
  if (!(Number.isInteger(objectClass) && redundancy <= 0xff && groups <= GROUPS_MAX)) {
    throw new DaosError("DER_INVAL", {
      what: `Making an object id of class ${objectClass}`,
      why: "the class is not resolved to a number of groups",
      remedy: "draw ids with container.allocateOid(), which resolves it",
    });
  }
  if (user < 0n || user >> USER_BITS !== 0n) {
    throw new DaosError("DER_INVAL", {
      what: `Making an object id of ${user}`,
      why: "the user's part of an object id has 96 bits",
      remedy: "draw ids with container.allocateOids()",
    });
  }
  const placed = (BigInt(redundancy) << REDUNDANCY_SHIFT) | (BigInt(groups) << GROUPS_SHIFT);
  return (BigInt(type) << TYPE_SHIFT) | placed | user;
}

/** The object class of an object id; 0 if it was made without one. */
export function objectClassOf(oid: ObjectId): number {
  const redundancy = Number((oid >> REDUNDANCY_SHIFT) & 0xffn);
  return redundancy * CLASS_REDUNDANCY_SHIFT + Number((oid >> GROUPS_SHIFT) & 0xffffn);
}

/** Type number of an object id. */
export function objectTypeOf(oid: ObjectId): number {
  // One object is used many times in a row; a shift of 128 bits makes a number each time.
  if (oid !== lastOid) {
    lastOid = oid;
    lastType = Number(oid >> TYPE_SHIFT);
  }
  return lastType;
}

let lastOid: ObjectId = -1n;
let lastType = -1;

/** The 16 bytes of an object id, big-endian, as keys hold it. */
export function oidBytes(oid: ObjectId): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, oid >> 64n);
  view.setBigUint64(8, oid & 0xffff_ffff_ffff_ffffn);
  return bytes;
}

/** The object id of 16 bytes. */
export function oidOfBytes(bytes: Uint8Array): ObjectId {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
}

/** An object id as DAOS prints it: high and low halves, in hexadecimal. */
export function formatOid(oid: ObjectId): string {
  return `${(oid >> 64n).toString(16)}.${(oid & 0xffff_ffff_ffff_ffffn).toString(16)}`;
}

/** Whether objects of a type are arrays, or key-value stores: those are spread widely by default. */
export function kindOfType(type: number): { isArray: boolean; isKeyValue: boolean } {
  const { kvHashed, kvUint64, kvLexical, array, arrayAttr, arrayByte } = ObjectType;
  const isAmong = (...types: number[]) => types.includes(type);
  return {
    isArray: isAmong(array, arrayAttr, arrayByte),
    isKeyValue: isAmong(kvHashed, kvUint64, kvLexical),
  };
}
