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
  // What is left of an element stays behind the others.
  result.set(bytes.subarray(count * size), count * size);
  return result;
}

/** shuffle. */
export const shuffleFilter: Filter = {
  id: 2,
  name: "shuffle",
  localParameters: (_, { type }) => [itemSizeOf(type)],
  encode: (bytes, { parameters }) => transpose(bytes, parameters[0] ?? 1, true),
  decode: (bytes, { parameters }) => transpose(bytes, parameters[0] ?? 1, false),
};
