/**
 * Puts Arrow data of one type together: rows of the second behind those of the first, copied.
 *
 * @module
 */

import { type Data, DataType, makeData, Type, type UnionMode } from "apache-arrow";
import { bitsFrom } from "../ipc/assemble.js";
import { flatStride } from "../ipc/load.js";
import { childrenOf, hasText } from "../ipc/types.js";

/** `UnionMode.Sparse`: the enumeration itself is a type here. */
const SPARSE: UnionMode = 0;
const VIEW_SIZE = 16;
/** Longest text that lies in its view. */
const INLINE_SIZE_MAX = 12;

interface Values {
  subarray(start: number, end: number): Values;
  set(values: Values, at: number): void;
}

/** Bitmaps, one behind the other; `bitmapOf` may say that all bits of data are set. */
function concatBits(
  parts: readonly Data[],
  bitmapOf: (data: Data) => Uint8Array | undefined,
): Uint8Array {
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const bits = new Uint8Array((total + 7) >> 3);
  let at = 0;
  for (const data of parts) {
    const bitmap = bitmapOf(data);
    const from = bitmap === undefined ? undefined : bitsFrom(bitmap, data.offset, data.length);
    for (let row = 0; row < data.length; row++, at++) {
      const isSet = from === undefined || ((from[row >> 3] as number) & (1 << (row & 7))) !== 0;
      if (isSet) bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
    }
  }
  return bits;
}

/** The first elements of arrays, one behind the other. */
function concatValues(arrays: readonly Values[], lengths: readonly number[]): Values {
  const Kind = (arrays[0] as Values).constructor as new (length: number) => Values;
  const result = new Kind(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const [index, array] of arrays.entries()) {
    const length = lengths[index] as number;
    result.set(array.subarray(0, length), at);
    at += length;
  }
  return result;
}

/** Offsets from 0 on, and which elements below each part has. */
function concatOffsets(parts: readonly Data[]) {
  const stored = parts.map((data) => data.valueOffsets as unknown as Int32Array | BigInt64Array);
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const isLarge = stored.some((offsets) => offsets.BYTES_PER_ELEMENT === 8);
  const offsets = isLarge ? new BigInt64Array(total + 1) : new Int32Array(total + 1);
  const ranges: { start: number; end: number }[] = [];
  let [row, base] = [0, 0];
  for (const [index, { length }] of parts.entries()) {
    const own = stored[index] as Int32Array;
    const start = Number(own[0] ?? 0);
    for (let at = 1; at <= length; at++) {
      const end = base + Number(own[at]) - start;
      row += 1;
      if (offsets instanceof BigInt64Array) offsets[row] = BigInt(end);
      else offsets[row] = end;
    }
    const end = length === 0 ? start : Number(own[length]);
    ranges.push({ start, end });
    base += end - start;
  }
  return { offsets, ranges };
}

/** Rows `[start, end)` of a child. */
function rowsOf(child: Data, start: number, end: number): Data {
  return start === 0 && child.length === end ? child : child.slice(start, end - start);
}

function concatText(parts: readonly Data[], common: object): Data {
  const { offsets, ranges } = concatOffsets(parts);
  const chunks = parts.map(({ values }, index) => {
    const { start, end } = ranges[index] as { start: number; end: number };
    return ((values as Uint8Array | undefined) ?? new Uint8Array(0)).subarray(start, end);
  });
  const lengths = chunks.map(({ length }) => length);
  const data = concatValues(chunks as unknown as Values[], lengths);
  return makeData({ ...common, valueOffsets: offsets, data } as never) as Data;
}

/** Views with the buffers of all parts; those of later parts have other numbers then. */
function concatViews(parts: readonly Data[], common: { length: number }): Data {
  const views = new Uint8Array(common.length * VIEW_SIZE);
  const words = new DataView(views.buffer);
  const buffers: Uint8Array[] = [];
  let at = 0;
  for (const data of parts) {
    const { variadicBuffers } = data as Data & { variadicBuffers: readonly Uint8Array[] };
    views.set((data.values as Uint8Array).subarray(0, data.length * VIEW_SIZE), at);
    for (const end = at + data.length * VIEW_SIZE; at < end; at += VIEW_SIZE) {
      if (words.getInt32(at, true) <= INLINE_SIZE_MAX) continue;
      words.setInt32(at + 8, words.getInt32(at + 8, true) + buffers.length, true);
    }
    buffers.push(...variadicBuffers);
  }
  return makeData({ ...common, views, variadicBuffers: buffers } as never) as Data;
}

function concatChildren(parts: readonly Data[], sizeOf: (data: Data) => number): Data[] {
  return (parts[0] as Data).children.map((_, index) => {
    return concat(parts.map((data) => rowsOf(data.children[index] as Data, 0, sizeOf(data))));
  });
}

function concatUnion(parts: readonly Data[], common: { type: DataType; length: number }): Data {
  const { length } = common;
  const type = common.type as DataType & { typeIds: Int32Array; mode: UnionMode };
  const lengths = parts.map((data) => data.length);
  const ids = parts.map(({ typeIds }) => typeIds as unknown as Values);
  const typeIds = concatValues(ids, lengths) as unknown as Int8Array;
  if (type.mode === SPARSE) {
    const children = concatChildren(parts, (data) => data.length);
    return makeData({ type, length, typeIds, children } as never) as Data;
  }
  const childOf = new Map([...type.typeIds].map((id, index) => [id, index]));
  const bases = new Array<number>(childrenOf(type).length).fill(0);
  const valueOffsets = new Int32Array(length);
  let row = 0;
  for (const data of parts) {
    const own = data.valueOffsets as unknown as Int32Array;
    for (let at = 0; at < data.length; at++, row++) {
      const child = childOf.get(typeIds[row] as number) as number;
      valueOffsets[row] = (own[at] as number) + (bases[child] as number);
    }
    for (const [index, { length: rows }] of data.children.entries()) {
      bases[index] = (bases[index] as number) + rows;
    }
  }
  const children = bases.map((_, index) =>
    concat(parts.map((data) => data.children[index] as Data)),
  );
  return makeData({ type, length, typeIds, valueOffsets, children } as never) as Data;
}

function concatNested(parts: readonly Data[], common: { type: DataType }): Data {
  const { type } = common;
  if (DataType.isStruct(type)) {
    const children = concatChildren(parts, ({ length }) => length);
    return makeData({ ...common, children } as never) as Data;
  }
  if (DataType.isFixedSizeList(type)) {
    const [child] = concatChildren(parts, ({ length }) => length * type.listSize);
    return makeData({ ...common, child } as never) as Data;
  }
  const { offsets, ranges } = concatOffsets(parts);
  const children = parts.map((data, index) => {
    const { start, end } = ranges[index] as { start: number; end: number };
    return rowsOf(data.children[0] as Data, start, end);
  });
  return makeData({ ...common, valueOffsets: offsets, child: concat(children) } as never) as Data;
}

/**
 * Rows of data of one type, one behind the other.
 *
 * @param parts At least one. Of dictionaries, each one begins with the one before it.
 */
export function concat(parts: readonly Data[]): Data {
  const [first] = parts as readonly [Data];
  const { type } = first;
  const { typeId } = type;
  if (parts.length === 1) return first;
  const lengths = parts.map((data) => data.length);
  const length = lengths.reduce((sum, rows) => sum + rows, 0);
  if (typeId === Type.Null) return makeData({ type, length } as never) as Data;
  if (DataType.isUnion(type)) return concatUnion(parts, { type, length });
  const nullCount = parts.reduce((sum, data) => sum + data.nullCount, 0);
  const validity = (data: Data) => (data.nullCount > 0 ? data.nullBitmap : undefined) as Uint8Array;
  const nullBitmap = nullCount > 0 ? concatBits(parts, validity) : undefined;
  const common = { type, length, nullCount, nullBitmap };
  if (hasText(typeId)) return concatText(parts, common);
  if (typeId === Type.Utf8View || typeId === Type.BinaryView) return concatViews(parts, common);
  const isDictionary = DataType.isDictionary(type);
  if (!isDictionary && (childrenOf(type).length > 0 || DataType.isStruct(type))) {
    return concatNested(parts, common);
  }
  if (typeId === Type.Bool) {
    const data = concatBits(parts, ({ values }) => values as Uint8Array);
    return makeData({ ...common, data } as never) as Data;
  }
  const stride = isDictionary ? 1 : flatStride(type);
  const arrays = parts.map(({ values }) => values as unknown as Values);
  const data = concatValues(
    arrays,
    lengths.map((rows) => rows * stride),
  );
  // The last dictionary has the values of the others, under the same numbers.
  const dictionary = isDictionary ? { dictionary: (parts.at(-1) as Data).dictionary } : {};
  return makeData({ ...common, data, ...dictionary } as never) as Data;
}
