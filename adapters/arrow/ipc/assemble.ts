/**
 * The buffers of Arrow data, in the order of the IPC format, each from its first row on.
 *
 * Data may be a slice: its bitmaps begin within a byte, its offsets behind 0, its children before its first row.
 * What is stored begins at 0; buffers that need not change are views of the data's own.
 *
 * @module
 */

import { type Data, DataType, Type, UnionMode, type Vector } from "apache-arrow";
import { FieldNode } from "apache-arrow/ipc/metadata/message";
import { malformed } from "../errors.js";
import { childrenOf, hasText } from "./types.js";

/** The parts of a message's body, before they have their places. */
export interface Assembled {
  readonly nodes: FieldNode[];
  readonly buffers: Uint8Array[];
  /** Of each column of views, how many buffers of text or bytes it has. */
  readonly variadicCounts: number[];
}

const NONE = new Uint8Array(0);

/** The bytes of any view. */
export function bytesOfView(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Bits `[start, start + count)` of a bitmap, from the first bit of a byte on. */
export function bitsFrom(bitmap: Uint8Array, start: number, count: number): Uint8Array {
  const size = (count + 7) >> 3;
  const first = start >> 3;
  const shift = start & 7;
  if (shift === 0 && (count & 7) === 0) return bitmap.subarray(first, first + size);
  const bits = new Uint8Array(size);
  for (let at = 0; at < size; at++) {
    const low = (bitmap[first + at] as number) >> shift;
    const high = shift === 0 ? 0 : (bitmap[first + at + 1] ?? 0) << (8 - shift);
    bits[at] = low | high;
  }
  // What lies behind the last row is zero, so that equal data has equal bytes.
  if ((count & 7) !== 0) bits[size - 1] = (bits[size - 1] as number) & ((1 << (count & 7)) - 1);
  return bits;
}

/** At least `size` bytes: data that is null throughout may come without values. */
function atLeast(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length === size) return bytes;
  if (bytes.length > size) return bytes.subarray(0, size);
  const padded = new Uint8Array(size);
  padded.set(bytes);
  return padded;
}

/** Bytes of one element, in the units that the type's arrays have. */
export function elementSize({ ArrayType }: DataType): number {
  return (ArrayType as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
}

function addFlat(to: Assembled, data: Data): void {
  const values = data.values as ArrayBufferView | undefined;
  const isDictionary = DataType.isDictionary(data.type);
  const type = isDictionary ? data.type.indices : data.type;
  const size = elementSize(type) * (isDictionary ? 1 : data.stride) * data.length;
  to.buffers.push(atLeast(values === undefined ? NONE : bytesOfView(values), size));
}

/** The first and last offset of data with offsets, and the offsets moved to begin at 0. */
function rebased(data: Data): { begin: number; end: number; offsets: Uint8Array } {
  const { length } = data;
  const stored = data.valueOffsets as unknown as Int32Array | BigInt64Array | undefined;
  const isLarge = stored !== undefined && stored.BYTES_PER_ELEMENT === 8;
  if (stored === undefined || stored.length <= length) {
    if (length > 0) throw malformed("Writing Arrow data", "offsets are missing");
    const isWide = isLarge || data.type.typeId === Type.LargeUtf8 || isLargeType(data.type);
    return { begin: 0, end: 0, offsets: new Uint8Array(isWide ? 8 : 4) };
  }
  const offsets = stored.subarray(0, length + 1);
  const begin = Number(offsets[0]);
  const end = Number(offsets[length]);
  if (begin === 0) return { begin, end, offsets: bytesOfView(offsets) };
  const moved = isLarge
    ? (offsets as BigInt64Array).map((offset) => offset - BigInt(begin))
    : (offsets as Int32Array).map((offset) => offset - begin);
  return { begin, end, offsets: bytesOfView(moved) };
}

function isLargeType({ typeId }: DataType): boolean {
  return typeId === Type.LargeUtf8 || typeId === Type.LargeBinary || typeId === Type.LargeList;
}

function addText(to: Assembled, data: Data): void {
  const { begin, end, offsets } = rebased(data);
  const values = data.values as Uint8Array | undefined;
  to.buffers.push(offsets, values === undefined ? NONE : values.subarray(begin, end));
}

function addViews(to: Assembled, data: Data): void {
  const { length, variadicBuffers } = data as Data & { variadicBuffers: readonly Uint8Array[] };
  const values = data.values as Uint8Array | undefined;
  to.buffers.push(atLeast(values ?? NONE, length * 16));
  for (const buffer of variadicBuffers) to.buffers.push(bytesOfView(buffer));
  to.variadicCounts.push(variadicBuffers.length);
}

/** Rows `[start, start + length)` of a child; itself, if those are all. */
function part(child: Data, start: number, length: number): Data {
  if (start === 0 && child.length === length) return child;
  if (child.length < start + length) {
    throw malformed("Writing Arrow data", `a child has ${child.length} rows of ${start + length}`);
  }
  return child.slice(start, length);
}

function addUnion(to: Assembled, data: Data): void {
  const type = data.type as DataType & { mode: UnionMode; typeIds: Int32Array };
  const { length, children } = data;
  const typeIds = (data.typeIds as unknown as Int8Array).subarray(0, length);
  to.buffers.push(bytesOfView(typeIds));
  if (type.mode === UnionMode.Sparse) {
    for (const child of children) add(to, part(child, 0, length));
    return;
  }
  const stored = (data.valueOffsets as unknown as Int32Array).subarray(0, length);
  const childOf = new Map([...type.typeIds].map((id, index) => [id, index]));
  const starts = children.map(() => Number.POSITIVE_INFINITY);
  const ends = children.map(() => 0);
  for (let row = 0; row < length; row++) {
    const child = childOf.get(typeIds[row] as number) as number;
    const offset = stored[row] as number;
    if (offset < (starts[child] as number)) starts[child] = offset;
    if (offset >= (ends[child] as number)) ends[child] = offset + 1;
  }
  const offsets = stored.map((offset, row) => {
    return offset - (starts[childOf.get(typeIds[row] as number) as number] as number);
  });
  to.buffers.push(bytesOfView(offsets));
  for (const [index, child] of children.entries()) {
    const start = Math.min(starts[index] as number, ends[index] as number);
    add(to, part(child, start, (ends[index] as number) - start));
  }
}

function addNested(to: Assembled, data: Data): void {
  const { type, length, children } = data;
  if (DataType.isUnion(type)) addUnion(to, data);
  else if (DataType.isStruct(type)) {
    for (const child of children) add(to, part(child, 0, length));
  } else if (DataType.isFixedSizeList(type)) {
    add(to, part(children[0] as Data, 0, length * type.listSize));
  } else {
    const { begin, end, offsets } = rebased(data);
    to.buffers.push(offsets);
    add(to, part(children[0] as Data, begin, end - begin));
  }
}

function hasViews(typeId: Type): boolean {
  return typeId === Type.Utf8View || typeId === Type.BinaryView;
}

/** Adds a node and its buffers, and those of what is in it. */
function add(to: Assembled, data: Data): void {
  const { type, length, offset } = data;
  const { typeId } = type;
  if (typeId === Type.Null) {
    to.nodes.push(new FieldNode(length, length));
    return;
  }
  const isUnion = DataType.isUnion(type);
  const nullCount = isUnion ? 0 : data.nullCount;
  to.nodes.push(new FieldNode(length, nullCount));
  if (!isUnion) {
    to.buffers.push(nullCount > 0 ? bitsFrom(data.nullBitmap as Uint8Array, offset, length) : NONE);
  }
  if (DataType.isDictionary(type)) addFlat(to, data);
  else if (typeId === Type.Bool) {
    to.buffers.push(bitsFrom((data.values as Uint8Array | undefined) ?? NONE, offset, length));
  } else if (hasText(typeId)) addText(to, data);
  else if (hasViews(typeId)) addViews(to, data);
  else if (childrenOf(type).length > 0 || DataType.isStruct(type)) addNested(to, data);
  else addFlat(to, data);
}

/** The buffers of columns, or of one chunk of a dictionary. */
export function assemble(columns: Iterable<Data>): Assembled {
  const assembled: Assembled = { nodes: [], buffers: [], variadicCounts: [] };
  for (const column of columns) add(assembled, column);
  return assembled;
}

/** The dictionary of data; `undefined` for other types. */
export function dictionaryOf(data: Data): Vector | undefined {
  return DataType.isDictionary(data.type) ? (data.dictionary as Vector) : undefined;
}
