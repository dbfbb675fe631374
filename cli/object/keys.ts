/**
 * Object ids and keys, as people read and write them.
 *
 * @module
 */

import { DaosError, integerOfKey, ObjectType } from "../../core/index.js";

const TYPE_NAMES = new Map<number, string>(
  Object.entries(ObjectType).map(([name, number]) => [number, name]),
);
const INTEGER_KEYS: Readonly<Record<"dkey" | "akey", readonly string[]>> = {
  dkey: ["dkeyUint64", "multiUint64", "kvUint64"],
  akey: ["akeyUint64", "multiUint64"],
};

/** The name of an object's type; its number, if it has none. */
export function typeOf(oid: bigint): string {
  const type = Number(oid >> 120n);
  return TYPE_NAMES.get(type) ?? String(type);
}

/**
 * An object id as `formatOid` prints it.
 *
 * @throws {@link DaosError} `DER_INVAL`.
 */
export function parseOid(written: string | undefined): bigint {
  const match = /^(?:0x)?([0-9a-f]{1,16})\.(?:0x)?([0-9a-f]{1,16})$/i.exec(written ?? "");
  if (match !== null) return (BigInt(`0x${match[1]}`) << 64n) | BigInt(`0x${match[2]}`);
  const what = `Reading object id "${written}"`;
  const why = "it is not two hexadecimal numbers with a point between";
  throw new DaosError("DER_INVAL", { what, why, remedy: "take one from `daos object list`" });
}

/** A key of an object for people: a number, text if it is text, else hexadecimal. */
export function keyText(oid: bigint, level: "dkey" | "akey", key: Uint8Array): string {
  if (INTEGER_KEYS[level].includes(typeOf(oid))) return String(integerOfKey(key));
  const written = Buffer.from(key).toString("utf8");
  const isText = Buffer.from(written).equals(key) && /^[^\p{Cc}\p{Cs}]*$/u.test(written);
  return isText ? written : `0x${Buffer.from(key).toString("hex")}`;
}
