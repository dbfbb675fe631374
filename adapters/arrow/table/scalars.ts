/**
 * Values of columns that can be compared: with literals, and with each other for statistics.
 *
 *     integers, floats, days, times      number, or bigint where they have 64 bits
 *     timestamps, durations              bigint, in the column's unit
 *     decimals                           bigint, without the point
 *     text, bytes                        bytes, in the order of their bytes: that of code points
 *     truth values                       0 and 1
 *
 * @module
 */

import { type Data, DataType, DateUnit, Precision, type TimeUnit, Type } from "apache-arrow";

/** A value that can be compared with those of the same type. */
export type Scalar = number | bigint | Uint8Array;

/** How the values of a type are compared; `undefined` for types whose values are not. */
export type ScalarKind = "number" | "bigint" | "decimal" | "bytes" | "bool" | undefined;

/** How the values of a type are compared. Those of a dictionary are its values. */
export function scalarKind(type: DataType): ScalarKind {
  switch (type.typeId) {
    case Type.Dictionary:
      return scalarKind((type as DataType & { dictionary: DataType }).dictionary);
    case Type.Bool:
      return "bool";
    case Type.Int:
    case Type.Time:
      return (type as DataType & { bitWidth: number }).bitWidth === 64 ? "bigint" : "number";
    case Type.Float:
      return "number";
    case Type.Date:
      return (type as DataType & { unit: DateUnit }).unit === DateUnit.DAY ? "number" : "bigint";
    case Type.Timestamp:
    case Type.Duration:
      return "bigint";
    case Type.Decimal:
      return "decimal";
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
    case Type.Binary:
    case Type.LargeBinary:
    case Type.BinaryView:
    case Type.FixedSizeBinary:
      return "bytes";
    default:
      return undefined;
  }
}

/** Compares two scalars of one kind: below, at or above 0. */
export function compareScalars(a: Scalar, b: Scalar): number {
  if (typeof a === "object") return Buffer.compare(a, b as Uint8Array);
  const other = b as number | bigint;
  return a < other ? -1 : a > other ? 1 : 0;
}

/** Parts of a second, by unit. */
export function unitsPerSecond(unit: TimeUnit): bigint {
  return 10n ** BigInt(3 * unit);
}

const half = new DataView(new ArrayBuffer(4));

/** The value of a 16-bit float. */
export function fromHalf(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return (sign === 0 ? 1 : -1) * fraction * 2 ** -24;
  const wide = exponent === 31 ? 0xff : exponent + 112;
  half.setUint32(0, (sign | (wide << 23) | (fraction << 13)) >>> 0);
  return half.getFloat32(0);
}

/** The numbers of a column, as they are or widened; for kinds `number` and `bigint`. */
export function numbersOf(data: Data): ArrayLike<number> | ArrayLike<bigint> {
  const { type } = data;
  const values = data.values as unknown as ArrayLike<number>;
  if (type.typeId !== Type.Float) return values;
  if ((type as DataType & { precision: Precision }).precision !== Precision.HALF) return values;
  return Float32Array.from({ length: data.length }, (_, row) => fromHalf(values[row] as number));
}

/** A decimal without its point. */
export function decimalAt(data: Data, row: number): bigint {
  const words = data.values as Uint32Array;
  const { stride } = data;
  let value = BigInt.asIntN(32, BigInt(words[(row + 1) * stride - 1] as number));
  for (let word = stride - 2; word >= 0; word--) {
    value = (value << 32n) | BigInt(words[row * stride + word] as number);
  }
  return value;
}

/** The bytes of a text, or of bytes; a view of the column's buffer. */
export function bytesAt(data: Data, row: number): Uint8Array {
  const values = data.values as Uint8Array;
  const { typeId } = data.type;
  if (typeId === Type.FixedSizeBinary) {
    return values.subarray(row * data.stride, (row + 1) * data.stride);
  }
  if (typeId === Type.Utf8View || typeId === Type.BinaryView) return viewedBytes(data, row);
  const offsets = data.valueOffsets as unknown as ArrayLike<number | bigint>;
  return values.subarray(Number(offsets[row]), Number(offsets[row + 1]));
}

const VIEW_INLINE_MAX = 12;

function viewedBytes(data: Data, row: number): Uint8Array {
  const views = data.values as Uint8Array;
  const view = new DataView(views.buffer, views.byteOffset + row * 16, 16);
  const size = view.getInt32(0, true);
  if (size <= VIEW_INLINE_MAX) return views.subarray(row * 16 + 4, row * 16 + 4 + size);
  const { variadicBuffers } = data as Data & { variadicBuffers: readonly Uint8Array[] };
  const offset = view.getInt32(12, true);
  return (variadicBuffers[view.getInt32(8, true)] as Uint8Array).subarray(offset, offset + size);
}

/** Whether a row is not null. */
export function isValid(data: Data, row: number): boolean {
  const bitmap = data.nullBitmap as Uint8Array | undefined;
  if (bitmap === undefined || bitmap.length === 0) return data.type.typeId !== Type.Null;
  const bit = data.offset + row;
  return ((bitmap[bit >> 3] as number) & (1 << (bit & 7))) !== 0;
}

/** The value of a row that is not null. */
export function scalarAt(data: Data, kind: ScalarKind, row: number): Scalar {
  switch (kind) {
    case "bytes":
      return bytesAt(data, row);
    case "decimal":
      return decimalAt(data, row);
    case "bool": {
      const bit = data.offset + row;
      return ((data.values as Uint8Array)[bit >> 3] as number) & (1 << (bit & 7)) ? 1 : 0;
    }
    default:
      return numbersOf(data)[row] as number | bigint;
  }
}

/** Whether the scalars of a type are texts. */
export function isTextType(type: DataType): boolean {
  const { typeId } = DataType.isDictionary(type) ? type.dictionary : type;
  return typeId === Type.Utf8 || typeId === Type.LargeUtf8 || typeId === Type.Utf8View;
}
