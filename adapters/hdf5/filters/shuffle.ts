/**
 * HDF5's filter 2: the first bytes of all elements, then the second ones, and so on.
 *
 * @module
 */

import { itemSizeOf } from "../datatype/datatype.js";
import type { Filter } from "./filter.js";

/** Moves bytes between elements in order and their bytes side by side. */
export function transpose(bytes: Uint8Array, size: number, isForward: boolean): Uint8Array {
  const count = Math.floor(bytes.length / size);
  if (size <= 1 || count <= 1) return bytes;
  const result = new Uint8Array(bytes.length);
  if (size % 4 === 0 && bytes.byteOffset % 4 === 0) {
    if (isForward) splitWords(bytes, result, size);
    else joinWords(bytes, result, size);
  } else {
    for (let part = 0; part < size; part++) {
      let [apart, together] = [part * count, part];
      if (isForward) {
        for (const end = apart + count; apart < end; apart++, together += size) {
          result[apart] = bytes[together] as number;
        }
      } else {
        for (const end = apart + count; apart < end; apart++, together += size) {
          result[together] = bytes[apart] as number;
        }
      }
    }
  }
  // What is left of an element stays behind the others.
  result.set(bytes.subarray(count * size), count * size);
  return result;
}

/** The same for elements of whole words, of which four bytes are taken at once: twice as fast. */
function splitWords(bytes: Uint8Array, result: Uint8Array, size: number): void {
  const count = Math.floor(bytes.length / size);
  const step = size / 4;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, count * step);
  for (let part = 0; part < step; part++) {
    const first = 4 * part * count;
    for (let at = first, word = part; word < words.length; at++, word += step) {
      const value = words[word] as number;
      result[at] = value;
      result[at + count] = value >>> 8;
      result[at + 2 * count] = value >>> 16;
      result[at + 3 * count] = value >>> 24;
    }
  }
}

function joinWords(bytes: Uint8Array, result: Uint8Array, size: number): void {
  const count = Math.floor(bytes.length / size);
  const step = size / 4;
  const words = new Uint32Array(result.buffer, 0, count * step);
  for (let part = 0; part < step; part++) {
    const first = 4 * part * count;
    for (let at = first, word = part; word < words.length; at++, word += step) {
      words[word] =
        (bytes[at] as number) |
        ((bytes[at + count] as number) << 8) |
        ((bytes[at + 2 * count] as number) << 16) |
        ((bytes[at + 3 * count] as number) << 24);
    }
  }
}

/** shuffle. */
export const shuffleFilter: Filter = {
  id: 2,
  name: "shuffle",
  localParameters: (_, { type }) => [itemSizeOf(type)],
  encode: (bytes, { parameters }) => transpose(bytes, parameters[0] ?? 1, true),
  decode: (bytes, { parameters }) => transpose(bytes, parameters[0] ?? 1, false),
};
