/**
 * The filter 32000 of h5py: LZF, fast and weak.
 *
 *     literals     u8 count - 1 (0 to 31), that many bytes
 *     repetition   u8: length - 2 in the high 3 bits, high 5 bits of the distance - 1; if the length is 7 there,
 *                  u8 what it is more; u8 low bits of the distance - 1
 *
 * Source: the format of LibLZF, by Marc Lehmann.
 *
 * @module
 */

import { itemSizeOf } from "../datatype/datatype.js";
import { elementCount, type Filter } from "./filter.js";

/** Versions of h5py's filter and of LibLZF whose format this is. */
const VERSION = [4, 261] as const;
const LITERALS_MAX = 32;
const DISTANCE_MAX = 8192;
const LENGTH_MAX = 264;
const LONG = 7;
const HASH_BITS = 14;
/** Where three bytes were seen last, by their hash. Work of one call, which does not wait. */
const seen = new Int32Array(1 << HASH_BITS);

function hashAt(bytes: Uint8Array, at: number): number {
  const three =
    ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
  return Math.imul(three, 0x9e3779b1) >>> (32 - HASH_BITS);
}

/** Length of what repeats at `at` what was at `from`; both are known to be apart by less than the distance. */
function repeatedLength(bytes: Uint8Array, from: number, at: number): number {
  const lengthMax = Math.min(bytes.length - at, LENGTH_MAX);
  let length = 0;
  while (length < lengthMax && bytes[from + length] === bytes[at + length]) length++;
  return length;
}

/** @returns `undefined` if it would not be smaller. */
function compress(bytes: Uint8Array): Uint8Array | undefined {
  const target = new Uint8Array(bytes.length);
  seen.fill(-1);
  let size = 0;
  /** First byte that is not written yet: literals. */
  let pending = 0;
  const writeLiterals = (end: number): boolean => {
    while (pending < end) {
      const count = Math.min(LITERALS_MAX, end - pending);
      if (size + count + 1 >= target.length) return false;
      target[size] = count - 1;
      target.set(bytes.subarray(pending, pending + count), size + 1);
      size += count + 1;
      pending += count;
    }
    return true;
  };
  for (let at = 0; at + 2 < bytes.length; ) {
    const hash = hashAt(bytes, at);
    const from = seen[hash] as number;
    seen[hash] = at;
    const isNear = from >= 0 && at - from <= DISTANCE_MAX;
    const length = isNear ? repeatedLength(bytes, from, at) : 0;
    if (length < 3) {
      at++;
      continue;
    }
    if (!writeLiterals(at) || size + 3 >= target.length) return undefined;
    const distance = at - from - 1;
    const rest = length - 2;
    target[size++] = (distance >> 8) | (Math.min(rest, LONG) << 5);
    if (rest >= LONG) target[size++] = rest - LONG;
    target[size++] = distance & 0xff;
    at += length;
    pending = at;
  }
  return writeLiterals(bytes.length) ? target.subarray(0, size) : undefined;
}

function decompress(bytes: Uint8Array, sizeMax: number): Uint8Array {
  const target = Buffer.allocUnsafeSlow(sizeMax);
  let size = 0;
  for (let at = 0; at < bytes.length; ) {
    const control = bytes[at++] as number;
    if (control < LITERALS_MAX) {
      const count = control + 1;
      if (at + count > bytes.length) throw new RangeError("it ends within literals");
      if (size + count > sizeMax) throw new RangeError(`it has more than ${sizeMax} bytes`);
      target.set(bytes.subarray(at, at + count), size);
      at += count;
      size += count;
      continue;
    }
    let length = control >> 5;
    if (length === LONG) length += bytes[at++] ?? 0;
    length += 2;
    if (at >= bytes.length) throw new RangeError("it ends within a repetition");
    const from = size - (((control & 0x1f) << 8) | (bytes[at++] as number)) - 1;
    if (from < 0) throw new RangeError("it repeats what is not there");
    if (size + length > sizeMax) throw new RangeError(`it has more than ${sizeMax} bytes`);
    // What is repeated may overlap what it makes.
    for (let end = size + length, source = from; size < end; ) {
      target[size++] = target[source++] as number;
    }
  }
  return target.subarray(0, size);
}

/** LZF. */
export const lzfFilter: Filter = {
  id: 32000,
  name: "lzf",
  localParameters: (_, { type, chunkShape }) => [
    ...VERSION,
    elementCount(chunkShape) * itemSizeOf(type),
  ],
  encode: (bytes) => compress(bytes),
  decode: (bytes, { sizeMax }) => decompress(bytes, sizeMax),
};
