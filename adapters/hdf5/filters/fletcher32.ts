/**
 * HDF5's filter 3: a checksum behind the chunk.
 *
 * @module
 */

import { DaosError } from "../../../core/errors.js";
import type { Filter } from "./filter.js";

const CHECKSUM_SIZE = 4;
/** Words whose sums fit 32 bits. */
const WORDS_AT_ONCE = 360;

/** Fletcher's checksum of big-endian words of 16 bits; an odd last byte is the high one of a word. */
export function fletcher32(bytes: Uint8Array): number {
  let [first, second, at] = [0, 0, 0];
  let words = bytes.length >>> 1;
  while (words > 0) {
    const now = Math.min(words, WORDS_AT_ONCE);
    words -= now;
    for (const end = at + 2 * now; at < end; at += 2) {
      first += ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      second += first;
    }
    first = (first & 0xffff) + (first >>> 16);
    second = (second & 0xffff) + (second >>> 16);
  }
  if (bytes.length % 2 === 1) {
    first += (bytes[bytes.length - 1] as number) << 8;
    second += first;
    first = (first & 0xffff) + (first >>> 16);
    second = (second & 0xffff) + (second >>> 16);
  }
  first = (first & 0xffff) + (first >>> 16);
  second = (second & 0xffff) + (second >>> 16);
  return ((second << 16) | first) >>> 0;
}

/** The same with the bytes of each half swapped, as HDF5 before 1.6.3 wrote it on some machines. */
function swapped(checksum: number): number {
  return (((checksum & 0x00ff00ff) << 8) | ((checksum >>> 8) & 0x00ff00ff)) >>> 0;
}

/** fletcher32. */
export const fletcher32Filter: Filter = {
  id: 3,
  name: "fletcher32",
  encode: (bytes) => {
    const result = Buffer.allocUnsafe(bytes.length + CHECKSUM_SIZE);
    result.set(bytes);
    result.writeUInt32LE(fletcher32(bytes), bytes.length);
    return result;
  },
  decode: (bytes) => {
    const size = bytes.length - CHECKSUM_SIZE;
    if (size < 0) throw new Error("it is shorter than its checksum");
    const data = bytes.subarray(0, size);
    const stored = Buffer.from(bytes.buffer, bytes.byteOffset + size).readUInt32LE();
    const computed = fletcher32(data);
    if (stored === computed || stored === swapped(computed)) return data;
    const why = `its checksum is ${computed}, stored is ${stored}`;
    const remedy = "the chunk is damaged: restore it from a copy";
    throw new DaosError("DER_CSUM", { what: "Reading a chunk", why, remedy }, { stored, computed });
  },
};
