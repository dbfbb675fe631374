/**
 * Takes rows out of Arrow data, and makes rows of nulls.
 *
 * @module
 */

import { type Data, DataType, makeData, Type, UnionMode } from "apache-arrow";
import { elementSize } from "../ipc/assemble.js";
import { flatStride } from "../ipc/load.js";
import { childrenOf, hasText } from "../ipc/types.js";
import { isValid } from "./scalars.js";

function gatheredBits(rows: Int32Array, isSet: (row: number) => boolean): Uint8Array {
  const bits = new Uint8Array((rows.length + 7) >> 3);
  for (let at = 0; at < rows.length; at++) {
    if (isSet(rows[at] as number)) bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
  }
  return bits;
}

interface Values {
  subarray(start: number, end: number): Values;
  set(values: Values, at: number): void;
  [index: number]: number | bigint;
}

function gatheredValues(data: Data, rows: Int32Array, stride: number): unknown {
  const values = data.values as unknown as Values;
  const Kind = (data.values as object).constructor as new (length: number) => Values;
  const result = new Kind(rows.length * stride);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    if (stride === 1) result[at] = values[row] as number;
    else result.set(values.subarray(row * stride, (row + 1) * stride), at * stride);
  }
  return result;
}

/** Offsets of the rows taken, and which elements below they take. */
function gatheredOffsets(data: Data, rows: Int32Array) {
  const offsets = data.valueOffsets as unknown as ArrayLike<number | bigint>;
  const starts = Array.from(rows, (row) => Number(offsets[row]));
  const ends = Array.from(rows, (row) => Number(offsets[row + 1]));
  const sizes = starts.map((start, at) =>
    isValid(data, rows[at] as number) ? (ends[at] as number) - start : 0,
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const isLarge = (data.valueOffsets as unknown as Int32Array).BYTES_PER_ELEMENT === 8;
  const valueOffsets = isLarge
    ? new BigInt64Array(rows.length + 1)
    : new Int32Array(rows.length + 1);
  let end = 0;
  for (const [at, size] of sizes.entries()) {
    end += size;
    if (valueOffsets instanceof BigInt64Array) valueOffsets[at + 1] = BigInt(end);
    else valueOffsets[at + 1] = end;
  }
  return { valueOffsets, starts, sizes, total };
}

function gatheredText(data: Data, rows: Int32Array, common: object): Data {
  const { valueOffsets, starts, sizes, total } = gatheredOffsets(data, rows);
  const bytes = new Uint8Array(total);
  const values = data.values as Uint8Array;
  let at = 0;
  for (const [index, size] of sizes.entries()) {
    const start = starts[index] as number;
    bytes.set(values.subarray(start, start + size), at);
    at += size;
  }
  return makeData({ ...common, valueOffsets, data: bytes } as never) as Data;
}

/** Rows `[start, start + size)` of each range, one behind the other. */
function rowsOfRanges(
  starts: readonly number[],
  sizes: readonly number[],
  total: number,
): Int32Array {
  const rows = new Int32Array(total);
  let at = 0;
  for (const [index, size] of sizes.entries()) {
    const start = starts[index] as number;
    for (let row = 0; row < size; row++) rows[at++] = start + row;
  }
  return rows;
}

function gatheredNested(data: Data, rows: Int32Array, common: object): Data {
  const { type, children } = data;
  if (DataType.isStruct(type)) {
    return makeData({ ...common, children: children.map((child) => gather(child, rows)) } as never);
  }
  const [child] = children as [Data];
  if (DataType.isFixedSizeList(type)) {
    const size = type.listSize;
    const taken = Int32Array.from({ length: rows.length * size }, (_, at) => {
      return (rows[Math.floor(at / size)] as number) * size + (at % size);
    });
    return makeData({ ...common, child: gather(child, taken) } as never) as Data;
  }
  const { valueOffsets, starts, sizes, total } = gatheredOffsets(data, rows);
  const taken = gather(child, rowsOfRanges(starts, sizes, total));
  return makeData({ ...common, valueOffsets, child: taken } as never) as Data;
}

function gatheredUnion(data: Data, rows: Int32Array): Data {
  const { type, children } = data;
  const ids = data.typeIds as unknown as Int8Array;
  const typeIds = Int8Array.from(rows, (row) => ids[row] as number);
  const common = { type, length: rows.length, typeIds };
  if ((type as DataType & { mode: UnionMode }).mode === UnionMode.Sparse) {
    return makeData({ ...common, children: children.map((child) => gather(child, rows)) } as never);
  }
  const offsets = data.valueOffsets as unknown as Int32Array;
  const valueOffsets = Int32Array.from(rows, (row) => offsets[row] as number);
  return makeData({ ...common, valueOffsets, children } as never) as Data;
}

/** Rows of data in a given order, copied. */
export function gather(data: Data, rows: Int32Array): Data {
  const { type } = data;
  const { length } = rows;
  const { typeId } = type;
  if (typeId === Type.Null) return makeData({ type, length } as never) as Data;
  if (DataType.isUnion(type)) return gatheredUnion(data, rows);
  const hasNulls = data.nullCount > 0;
  const nullBitmap = hasNulls ? gatheredBits(rows, (row) => isValid(data, row)) : undefined;
  const common = { type, length, nullBitmap, nullCount: hasNulls ? -1 : 0 };
  if (DataType.isDictionary(type)) {
    const { dictionary } = data;
    return makeData({
      ...common,
      data: gatheredValues(data, rows, 1),
      dictionary,
    } as never) as Data;
  }
  if (hasText(typeId)) return gatheredText(data, rows, common);
  if (typeId === Type.Utf8View || typeId === Type.BinaryView) {
    const { variadicBuffers } = data as Data & { variadicBuffers: readonly Uint8Array[] };
    return makeData({ ...common, views: gatheredValues(data, rows, 16), variadicBuffers } as never);
  }
  if (childrenOf(type).length > 0 || DataType.isStruct(type)) {
    return gatheredNested(data, rows, common);
  }
  if (typeId === Type.Bool) {
    const values = data.values as Uint8Array;
    const isSet = (row: number) => {
      const bit = data.offset + row;
      return ((values[bit >> 3] as number) & (1 << (bit & 7))) !== 0;
    };
    return makeData({ ...common, data: gatheredBits(rows, isSet) } as never) as Data;
  }
  return makeData({
    ...common,
    data: gatheredValues(data, rows, flatStride(type)),
  } as never) as Data;
}

/** A column of nulls. */
export function nullColumn(type: DataType, length: number): Data {
  const { typeId } = type;
  if (typeId === Type.Null) return makeData({ type, length } as never) as Data;
  const common = { type, length, nullCount: length, nullBitmap: new Uint8Array((length + 7) >> 3) };
  const child = childrenOf(type)[0]?.type;
  if (DataType.isUnion(type)) {
    // A union has no nulls of its own: its first type has them.
    const typeIds = new Int8Array(length).fill(type.typeIds[0] as number);
    const children = childrenOf(type).map((field) => nullColumn(field.type, length));
    const valueOffsets = Int32Array.from({ length }, (_, row) => row);
    return makeData({ type, length, typeIds, valueOffsets, children } as never) as Data;
  }
  if (DataType.isDictionary(type)) {
    const bytes = new Uint8Array(length * elementSize(type.indices));
    return makeData({ ...common, data: viewOf(type.indices, bytes) } as never) as Data;
  }
  const isLarge =
    typeId === Type.LargeUtf8 || typeId === Type.LargeBinary || typeId === Type.LargeList;
  const valueOffsets = isLarge ? new BigInt64Array(length + 1) : new Int32Array(length + 1);
  if (hasText(typeId)) {
    return makeData({ ...common, valueOffsets, data: new Uint8Array(0) } as never) as Data;
  }
  if (typeId === Type.Utf8View || typeId === Type.BinaryView) {
    return makeData({ ...common, views: new Uint8Array(length * 16) } as never) as Data;
  }
  if (DataType.isStruct(type)) {
    const children = type.children.map((field) => nullColumn(field.type, length));
    return makeData({ ...common, children } as never) as Data;
  }
  if (DataType.isFixedSizeList(type)) {
    const values = nullColumn(child as DataType, length * type.listSize);
    return makeData({ ...common, child: values } as never) as Data;
  }
  if (child !== undefined) {
    return makeData({ ...common, valueOffsets, child: nullColumn(child, 0) } as never) as Data;
  }
  const size =
    typeId === Type.Bool ? (length + 7) >> 3 : length * flatStride(type) * elementSize(type);
  return makeData({ ...common, data: viewOf(type, new Uint8Array(size)) } as never) as Data;
}

function viewOf(type: DataType, bytes: Uint8Array): ArrayBufferView {
  const Kind = type.ArrayType as new (buffer: ArrayBufferLike) => ArrayBufferView;
  return new Kind(bytes.buffer);
}
