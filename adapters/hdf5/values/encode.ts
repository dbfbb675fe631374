/**
 * Elements as they are stored, from what a program gives; see `elements.ts`.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import {
  type CompoundType,
  type Datatype,
  hasReferences,
  hasSlots,
  itemSizeOf,
  REGION_REFERENCE_SIZE,
  type ReferenceType,
  type SequenceType,
  SLOT_SIZE,
  type StringType,
} from "../datatype/datatype.js";
import { bytesOf } from "../datatype/names.js";
import { complexPartOf, isBool } from "../datatype/usual-types.js";
import type { RawElements } from "../description.js";
import { encodeNumbers, type NumberList, type NumberType } from "./numbers.js";
import { Reference, RegionReference } from "./references.js";
import { encodeText } from "./text.js";

function invalid(why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what: "Encoding elements", why, remedy });
}

function kindOf(value: unknown): string {
  return value === null ? "null" : Object.prototype.toString.call(value).slice(8, -1);
}

function listOf(value: unknown, of: string): ArrayLike<unknown> {
  if (Array.isArray(value)) return value;
  if (isNumber(value) || typeof value === "string" || value instanceof Reference) return [value];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return value as Uint8Array;
  throw invalid(`a value of kind ${kindOf(value)} was given for ${of}`, "give a list or an array");
}

function isNumber(value: unknown): value is number | bigint | boolean {
  return typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
}

/** Numbers that were given, whatever they are in. */
function numbersOf(value: unknown): NumberList {
  const list = listOf(value, "numbers");
  if (ArrayBuffer.isView(list)) return list as NumberList;
  const items = list as unknown[];
  const other = items.find((item) => !isNumber(item));
  if (other === undefined) return items as number[];
  throw invalid(`${kindOf(other)} is no number`, "give numbers, or bigints for 64-bit integers");
}

/** Parts of which an element of a type has several in a list: numbers of complex ones, elements of arrays. */
function unitsOf(type: Datatype): number {
  switch (type.class) {
    case "array":
      return type.shape.reduce((count, extent) => count * extent, unitsOf(type.base));
    case "opaque":
    case "time":
      return type.size;
    case "compound":
      return complexPartOf(type) === undefined ? 1 : 2;
    default:
      return 1;
  }
}

/**
 * Number of elements that were given.
 *
 * @throws `DaosError` `DER_INVAL` if they are no elements of the type, or not whole ones.
 */
export function countGiven(type: Datatype, elements: unknown): number {
  if (type.class === "array") {
    const inner = type.shape.reduce((count, extent) => count * extent, 1);
    return wholeCount(countGiven(type.base, elements) / inner);
  }
  if (type.class === "compound" && complexPartOf(type) === undefined) {
    const counts = type.members.map((member) =>
      countGiven(member.type, columnOf(elements, member.name)),
    );
    const first = counts[0] ?? 0;
    if (counts.every((count) => count === first)) return first;
    throw invalid("columns are of different lengths", "give as many elements for each member");
  }
  return wholeCount(listOf(elements, `type ${type.class}`).length / unitsOf(type));
}

function wholeCount(count: number): number {
  if (Number.isSafeInteger(count)) return count;
  throw invalid("the last element is not complete", "give whole elements");
}

function columnOf(elements: unknown, name: string): unknown {
  if (typeof elements === "object" && elements !== null && Object.hasOwn(elements, name)) {
    return (elements as Record<string, unknown>)[name];
  }
  throw invalid(`there is no column for member "${name}"`, "give an object with all members");
}

/** Items that slots point to, while they are gathered. */
class HeapItems {
  readonly items: Uint8Array[];

  constructor(type: Datatype) {
    // Where there are references to regions, item 0 stands for none.
    this.items = hasSlots(type) && hasReferences(type) ? [new Uint8Array(0)] : [];
  }

  add(item: Uint8Array): bigint {
    return BigInt(this.items.push(item) - 1);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textOf(value: unknown): Uint8Array {
  if (typeof value === "string") return encodeText(value);
  if (value instanceof Uint8Array) return value;
  throw invalid(`${kindOf(value)} is no text`, "give strings, or their bytes");
}

function encodeStrings({ size, padding }: StringType, elements: unknown): Uint8Array {
  const list = listOf(elements, "text");
  const bytes = new Uint8Array(list.length * size);
  if (padding === "spacepad") bytes.fill(0x20);
  const most = padding === "nullterm" ? size - 1 : size;
  for (let index = 0; index < list.length; index++) {
    const text = textOf(list[index]);
    if (text.length > Math.max(most, 1)) {
      const why = `text of ${text.length} bytes does not fit ${most}`;
      throw invalid(why, "shorten it, or use a larger type or one of any length");
    }
    bytes.set(text, index * size);
  }
  return bytes;
}

function encodeTexts(elements: unknown, heap: HeapItems): Uint8Array {
  const list = listOf(elements, "text");
  const bytes = new Uint8Array(list.length * SLOT_SIZE);
  const view = viewOf(bytes);
  for (let index = 0; index < list.length; index++) {
    const text = textOf(list[index]);
    if (text.length === 0) continue;
    if (text.includes(0)) {
      const why = "text of any length holds a zero byte, at which HDF5 would end it";
      throw invalid(why, "leave it out, or use a fixed size, bytes or a sequence of uint8");
    }
    view.setUint32(index * SLOT_SIZE, text.length, true);
    view.setBigUint64(index * SLOT_SIZE + 8, heap.add(text), true);
  }
  return bytes;
}

function encodeSequences({ base }: SequenceType, elements: unknown, heap: HeapItems): Uint8Array {
  const list = listOf(elements, "sequences");
  const bytes = new Uint8Array(list.length * SLOT_SIZE);
  const view = viewOf(bytes);
  for (let index = 0; index < list.length; index++) {
    const sequence = list[index];
    const count = countGiven(base, sequence);
    if (count === 0) continue;
    // Items are kept; the program may change its own array.
    const item = Uint8Array.from(encode(base, sequence, heap));
    view.setUint32(index * SLOT_SIZE, count, true);
    view.setBigUint64(index * SLOT_SIZE + 8, heap.add(item), true);
  }
  return bytes;
}

function encodeReferences({ kind }: ReferenceType, elements: unknown, heap: HeapItems): Uint8Array {
  const list = listOf(elements, "references");
  const size = itemSizeOf({ class: "reference", kind });
  const bytes = new Uint8Array(list.length * size);
  const view = viewOf(bytes);
  for (let index = 0; index < list.length; index++) {
    const reference = list[index];
    if (reference === undefined) continue;
    const isRegion = reference instanceof RegionReference;
    if (!(reference instanceof Reference) || isRegion !== (size === REGION_REFERENCE_SIZE)) {
      throw invalid(`${kindOf(reference)} is no reference to an ${kind}`, "take it from `ref`");
    }
    if (!isRegion) {
      view.setBigUint64(index * size, reference.object, true);
      continue;
    }
    const { object, selection } = reference;
    const item = encodeText(JSON.stringify({ object: object.toString(), selection }));
    view.setBigUint64(index * size, heap.add(item), true);
  }
  return bytes;
}

/** Puts the bytes of one member into every element. */
export function scatterMember(
  packed: Uint8Array,
  bytes: Uint8Array,
  { stride, offset, size }: { stride: number; offset: number; size: number },
): void {
  let source = 0;
  for (let at = offset; at < bytes.length; at += stride) {
    for (let index = 0; index < size; index++) bytes[at + index] = packed[source++] as number;
  }
}

function encodeColumns({ members, size }: CompoundType, elements: unknown, heap: HeapItems) {
  const [first] = members;
  const count = first === undefined ? 0 : countGiven(first.type, columnOf(elements, first.name));
  const bytes = new Uint8Array(count * size);
  for (const { name, offset, type } of members) {
    const packed = encode(type, columnOf(elements, name), heap);
    scatterMember(packed, bytes, { stride: size, offset, size: itemSizeOf(type) });
  }
  return bytes;
}

function encode(type: Datatype, elements: unknown, heap: HeapItems): Uint8Array {
  switch (type.class) {
    case "integer":
    case "float":
    case "bitfield":
      return encodeNumbers(type as NumberType, numbersOf(elements));
    case "enum":
      return isBool(type) ? encodeBools(elements) : encodeNumbers(type.base, numbersOf(elements));
    case "string":
      return encodeStrings(type, elements);
    case "vlenString":
      return encodeTexts(elements, heap);
    case "vlen":
      return encodeSequences(type, elements, heap);
    case "array":
      return encode(type.base, elements, heap);
    case "reference":
      return encodeReferences(type, elements, heap);
    case "compound": {
      const part = complexPartOf(type);
      return part === undefined
        ? encodeColumns(type, elements, heap)
        : encodeNumbers(part, numbersOf(elements));
    }
    default:
      return encodeBytes(elements);
  }
}

function encodeBools(elements: unknown): Uint8Array {
  const numbers = numbersOf(elements);
  return Uint8Array.from({ length: numbers.length }, (_, index) => (numbers[index] ? 1 : 0));
}

function encodeBytes(elements: unknown): Uint8Array {
  if (ArrayBuffer.isView(elements)) return bytesOf(elements);
  throw invalid(`${kindOf(elements)} was given for bytes`, "give a Uint8Array");
}

/**
 * Encodes elements.
 *
 * @returns Bytes and items; the bytes may be those of `elements` themselves.
 * @throws `DaosError` `DER_INVAL` for what is no element of the type, or text that does not fit.
 */
export function encodeElements(type: Datatype, elements: unknown): RawElements {
  const heap = new HeapItems(type);
  const bytes = encode(type, elements, heap);
  return { bytes, heap: heap.items };
}
