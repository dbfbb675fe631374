/**
 * Where the bytes of an array are looked up: each array is a line of bytes of its own.
 *
 *     path = component dkey, component akey, u32 window
 *
 * A byte array has an empty dkey and akey: no other key is empty. Under a dkey and an akey there are
 * records of a fixed size, with a 63-bit index: record i starts at byte i x size, and a window is
 * 2^52 of those bytes, so that offsets within one are exact numbers.
 *
 * @module
 */

import { readComponent, writeShort } from "../index/component.js";
import type { IndexReader } from "../index/index-store.js";
import { keyOfPrefix, OBJECT_PREFIX_SIZE, type ObjectAddress, objectPrefix } from "./names.js";
import type { ObjectId } from "./object-id.js";

/** Bytes of a window. */
export const WINDOW_SIZE = 2 ** 52;
const WINDOW_BITS = 52n;
/** The number of a window, at the end of a path, in bytes. */
export const WINDOW_FIELD_SIZE = 4;

/** One line of bytes. */
export interface ArrayAddress extends ObjectAddress {
  /** See the module. */
  readonly path: Uint8Array;
}

const NO_KEY = new Uint8Array();

function pathOfByteArray(): Uint8Array {
  const path = new Uint8Array(8);
  writeShort(path, writeShort(path, 0, NO_KEY), NO_KEY);
  return path;
}

/** The path of the bytes of a byte array. */
export const BYTE_ARRAY_PATH = pathOfByteArray();

/** The address of a byte array. */
export function byteArray(container: number, oid: ObjectId): ArrayAddress {
  return { container, oid, path: BYTE_ARRAY_PATH };
}

/** The address of a window of the array under an akey, given as the beginning of its keys. */
export function arrayUnder(object: ObjectAddress, akey: Uint8Array, window: number): ArrayAddress {
  const path = new Uint8Array(akey.length - OBJECT_PREFIX_SIZE + 4);
  path.set(akey.subarray(OBJECT_PREFIX_SIZE));
  new DataView(path.buffer).setUint32(path.length - 4, window);
  return { ...object, path };
}

/** The window of a path. */
export function windowOfPath(path: Uint8Array): number {
  return new DataView(path.buffer, path.byteOffset + path.length - 4, 4).getUint32(0);
}

/** The beginning of the keys of the akey that an array lies under; `undefined` for a byte array. */
export function akeyOfPath(object: Uint8Array, path: Uint8Array): Uint8Array | undefined {
  if (Buffer.compare(path, BYTE_ARRAY_PATH) === 0) return undefined;
  const prefix = new Uint8Array(object.length + path.length - 4);
  prefix.set(object);
  prefix.set(path.subarray(0, -4), object.length);
  return prefix;
}

/** The keys that an array lies under. */
export interface ArrayKeys {
  readonly dkey: Uint8Array;
  readonly akey: Uint8Array;
}

/** The dkey and akey that an array lies under; `undefined` for a byte array. */
export function keysOfArray(
  reader: IndexReader,
  { container, oid, path }: ArrayAddress,
): ArrayKeys | undefined {
  const prefix = akeyOfPath(objectPrefix({ container, oid }), path);
  if (prefix === undefined) return undefined;
  const { end } = readComponent(prefix, OBJECT_PREFIX_SIZE);
  const dkey = keyOfPrefix(reader, prefix.subarray(0, end), OBJECT_PREFIX_SIZE);
  return { dkey, akey: keyOfPrefix(reader, prefix, end) };
}

/** A part of a range of records that lies in one window, in bytes of the window. */
export interface WindowRange {
  readonly window: number;
  readonly start: number;
  readonly end: number;
}

/** The bytes of records `[index, index + count)`, cut at windows. */
export function windowRanges(index: bigint, count: bigint, recordSize: number): WindowRange[] {
  const ranges: WindowRange[] = [];
  const end = (index + count) * BigInt(recordSize);
  let at = index * BigInt(recordSize);
  while (at < end) {
    const window = at >> WINDOW_BITS;
    const windowEnd = (window + 1n) << WINDOW_BITS;
    const partEnd = end < windowEnd ? end : windowEnd;
    const base = window << WINDOW_BITS;
    ranges.push({ window: Number(window), start: Number(at - base), end: Number(partEnd - base) });
    at = partEnd;
  }
  return ranges;
}

/** The first byte of a window, counted from the start of the array. */
export function windowStart(window: number): bigint {
  return BigInt(window) << WINDOW_BITS;
}
