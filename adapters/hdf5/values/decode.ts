/**
 * Stored elements as a program gets them; see `elements.ts`.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import {
  type CompoundType,
  type Datatype,
  itemSizeOf,
  type ReferenceType,
  type SequenceType,
  SLOT_SIZE,
  type StringType,
} from "../datatype/datatype.js";
import { complexPartOf, isBool } from "../datatype/usual-types.js";
import type { RawElements, SourceRegion } from "../description.js";
import type { Columns, Elements } from "./elements.js";
import { decodeNumbers } from "./numbers.js";
import { Reference, RegionReference } from "./references.js";
import { decodeText, trimPadding } from "./text.js";

/** How text is given. */
export interface DecodeOptions {
  /** What becomes of the bytes of text; a string of UTF-8 by default. */
  readonly text?: (bytes: Uint8Array) => unknown;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The bytes of one member of every element, behind one another. */
export function gatherMember(
  bytes: Uint8Array,
  { stride, offset, size }: { stride: number; offset: number; size: number },
): Uint8Array {
  const count = bytes.length / stride;
  const packed = new Uint8Array(count * size);
  let target = 0;
  for (let at = offset; at < bytes.length; at += stride) {
    for (let index = 0; index < size; index++) packed[target++] = bytes[at + index] as number;
  }
  return packed;
}

function decodeStrings(
  { size, padding }: StringType,
  bytes: Uint8Array,
  text: (bytes: Uint8Array) => unknown,
): unknown[] {
  return Array.from({ length: bytes.length / size }, (_, index) =>
    text(trimPadding(bytes.subarray(index * size, (index + 1) * size), padding)),
  );
}

/** Calls `each` with count and item of every slot. */
function mapSlots<T>(
  { bytes, heap }: RawElements,
  each: (count: number, item: Uint8Array) => T,
): T[] {
  const view = viewOf(bytes);
  const empty = new Uint8Array(0);
  return Array.from({ length: bytes.length / SLOT_SIZE }, (_, index) => {
    const count = view.getUint32(index * SLOT_SIZE, true);
    const item = Number(view.getBigUint64(index * SLOT_SIZE + 8, true));
    return each(count, count === 0 ? empty : (heap[item] as Uint8Array));
  });
}

function decodeReferences({ kind }: ReferenceType, { bytes, heap }: RawElements) {
  const size = itemSizeOf({ class: "reference", kind });
  const view = viewOf(bytes);
  return Array.from({ length: bytes.length / size }, (_, index) => {
    const value = view.getBigUint64(index * size, true);
    if (value === 0n) return undefined;
    if (kind === "object") return new Reference(value);
    const item = heap[Number(value)] as Uint8Array;
    const { object, selection } = JSON.parse(decodeText(item)) as SourceRegion;
    return new RegionReference(BigInt(object), selection);
  });
}

function decodeSequences(
  { base }: SequenceType,
  elements: RawElements,
  options: DecodeOptions,
): Elements[] {
  const size = itemSizeOf(base);
  return mapSlots(elements, (count, item) => {
    const bytes = Uint8Array.from(item.subarray(0, count * size));
    return decodeElements(base, { bytes, heap: elements.heap }, options);
  });
}

/** The members of a compound, or some of them, as columns. */
export function decodeColumns(
  { members, size }: CompoundType,
  { bytes, heap }: RawElements,
  options: DecodeOptions & { readonly only?: readonly string[] } = {},
): Columns {
  const chosen = options.only ?? members.map(({ name }) => name);
  const columns: Record<string, Elements> = {};
  for (const wanted of chosen) {
    const member = members.find(({ name }) => name === wanted);
    if (member === undefined) continue;
    const place = { stride: size, offset: member.offset, size: itemSizeOf(member.type) };
    const packed = gatherMember(bytes, place);
    // A member may be called what every object has.
    Object.defineProperty(columns, wanted, {
      value: decodeElements(member.type, { bytes: packed, heap }, { ...options }),
      enumerable: true,
    });
  }
  return columns;
}

/**
 * Decodes elements.
 *
 * @param elements Belong to the result from then on: their bytes may be changed, and be its memory.
 */
export function decodeElements(
  type: Datatype,
  elements: RawElements,
  options: DecodeOptions = {},
): Elements {
  const { text = decodeText } = options;
  const { bytes, heap } = elements;
  switch (type.class) {
    case "integer":
    case "float":
    case "bitfield":
      return decodeNumbers(type, bytes);
    case "enum":
      return isBool(type) ? bytes : decodeNumbers(type.base, bytes);
    case "string":
      return decodeStrings(type, bytes, text) as string[];
    case "vlenString":
      return mapSlots(elements, (count, item) => text(item.subarray(0, count))) as string[];
    case "vlen":
      return decodeSequences(type, elements, options);
    case "array":
      return decodeElements(type.base, elements, options);
    case "reference":
      return decodeReferences(type, elements);
    case "compound": {
      const part = complexPartOf(type);
      return part === undefined
        ? decodeColumns(type, { bytes, heap }, { text })
        : decodeNumbers(part, bytes);
    }
    default:
      return bytes;
  }
}

/** Extents that the elements of a type have of their own: those of array types. */
export function innerShapeOf(type: Datatype): readonly number[] {
  return type.class === "array" ? [...type.shape, ...innerShapeOf(type.base)] : [];
}
