/**
 * Turns numbers that libhdf5 gave little-endian into the byte order of their type.
 *
 * @module
 */

import { type Datatype, itemSizeOf } from "../../datatype/datatype.js";

/** Numbers of an element whose bytes are to be turned, as [first byte, bytes] pairs. */
function turnedFields(type: Datatype, at: number, found: [number, number][]): [number, number][] {
  switch (type.class) {
    case "integer":
    case "float":
    case "bitfield":
    case "time":
      if (type.order === "big" && type.size > 1) found.push([at, type.size]);
      break;
    case "enum":
      turnedFields(type.base, at, found);
      break;
    case "compound":
      for (const { offset, type: of } of type.members) turnedFields(of, at + offset, found);
      break;
    case "array": {
      const size = itemSizeOf(type.base);
      const end = at + itemSizeOf(type);
      for (let item = at; item < end; item += size) turnedFields(type.base, item, found);
    }
  }
  return found;
}

/** Turns elements in place. */
export function restoreByteOrder(type: Datatype, bytes: Uint8Array): void {
  const fields = turnedFields(type, 0, []);
  if (fields.length === 0) return;
  const size = itemSizeOf(type);
  for (let item = 0; item < bytes.length; item += size) {
    for (const [at, width] of fields) bytes.subarray(item + at, item + at + width).reverse();
  }
}
