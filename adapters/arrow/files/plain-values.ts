/**
 * Values of columns as plain ones, for text formats and for people.
 *
 *     integers, durations              number; bigint where they have 64 bits
 *     floats                           number
 *     decimals                         text, with all digits
 *     dates, times, timestamps         ISO 8601 text; with `Z` if the column has a time zone
 *     bytes                            base64 text
 *     lists, maps                      list; of a map, of { key, value }
 *     structs                          object
 *
 * @module
 */

import {
  type Data,
  DataType,
  DateUnit,
  type Field,
  type TimeUnit,
  Type,
  type UnionMode,
  type Vector,
} from "apache-arrow";
import { childrenOf } from "../ipc/types.js";
import {
  bytesAt,
  decimalAt,
  isTextType,
  isValid,
  numbersOf,
  unitsPerSecond,
} from "../table/scalars.js";
import { isoDate, isoTime, isoTimestamp } from "./times.js";

/** A value of a column. */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue };

/** Reads the value of a row. */
export type PlainReader = (row: number) => PlainValue;

function decimalText(value: bigint, scale: number): string {
  if (scale <= 0) return String(value * 10n ** BigInt(-scale));
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return value < 0n ? `-${text}` : text;
}

function dateReader(data: Data): PlainReader {
  const values = data.values as unknown as ArrayLike<number | bigint>;
  const isDays = (data.type as DataType & { unit: DateUnit }).unit === DateUnit.DAY;
  return (row) => {
    const value = BigInt(values[row] as number | bigint);
    if (isDays) return isoDate(value);
    const text = isoTimestamp(value, 1000n, "");
    return text.endsWith("T00:00:00.000") ? text.slice(0, 10) : text;
  };
}

function timeReader(data: Data): PlainReader {
  const values = data.values as unknown as ArrayLike<number | bigint>;
  const { unit, timezone } = data.type as DataType & { unit: TimeUnit; timezone?: string | null };
  const perSecond = unitsPerSecond(unit);
  if (DataType.isTime(data.type)) {
    return (row) => isoTime(BigInt(values[row] as number | bigint), perSecond);
  }
  const zone = timezone ? "Z" : "";
  return (row) => isoTimestamp(BigInt(values[row] as number | bigint), perSecond, zone);
}

function listReader(data: Data): PlainReader {
  const read = readerOf(data.children[0] as Data);
  const { type, stride } = data;
  const offsets = data.valueOffsets as unknown as ArrayLike<number | bigint>;
  const size = DataType.isFixedSizeList(type) ? type.listSize : undefined;
  return (row) => {
    const start = size === undefined ? Number(offsets[row]) : row * stride;
    const end = size === undefined ? Number(offsets[row + 1]) : start + size;
    return Array.from({ length: end - start }, (_, index) => read(start + index));
  };
}

function structReader(data: Data): PlainReader {
  const names = childrenOf(data.type).map(({ name }: Field) => name);
  const readers = data.children.map(readerOf);
  return (row) => {
    const entries = names.map((name, index) => [name, readers[index]?.(row) ?? null] as const);
    return Object.fromEntries(entries);
  };
}

function unionReader(data: Data): PlainReader {
  const type = data.type as DataType & { mode: UnionMode; typeIds: Int32Array };
  const readers = data.children.map(readerOf);
  const ids = data.typeIds as unknown as Int8Array;
  const offsets = data.valueOffsets as unknown as Int32Array | undefined;
  const isDense = DataType.isDenseUnion(type);
  const childOf = new Map([...type.typeIds].map((id, index) => [id, index]));
  return (row) => {
    const child = childOf.get(ids[row] as number) as number;
    return readers[child]?.(isDense ? (offsets?.[row] as number) : row) ?? null;
  };
}

function dictionaryReader(data: Data): PlainReader {
  const indices = data.values as unknown as ArrayLike<number | bigint>;
  const chunks = (data.dictionary as Vector).data.map((chunk) => ({
    length: chunk.length,
    read: readerOf(chunk),
  }));
  return (row) => {
    let index = Number(indices[row]);
    for (const { length, read } of chunks) {
      if (index < length) return read(index);
      index -= length;
    }
    return null;
  };
}

/** A reader of values that are not null. */
function valueReader(data: Data): PlainReader {
  const { type } = data;
  switch (type.typeId) {
    case Type.Dictionary:
      return dictionaryReader(data);
    case Type.Bool:
      return (row) => {
        const bit = data.offset + row;
        return (((data.values as Uint8Array)[bit >> 3] as number) & (1 << (bit & 7))) !== 0;
      };
    case Type.Decimal:
      return (row) =>
        decimalText(decimalAt(data, row), (type as DataType & { scale: number }).scale);
    case Type.Date:
      return dateReader(data);
    case Type.Time:
    case Type.Timestamp:
      return timeReader(data);
    case Type.Interval: {
      const values = data.values as unknown as ArrayLike<number>;
      const { stride } = data;
      return (row) =>
        Array.from({ length: stride }, (_, at) => values[row * stride + at] as number);
    }
    case Type.List:
    case Type.LargeList:
    case Type.FixedSizeList:
    case Type.Map:
      return listReader(data);
    case Type.Struct:
      return structReader(data);
    case Type.Union:
      return unionReader(data);
    case Type.Int:
    case Type.Float:
    case Type.Duration: {
      const values = numbersOf(data);
      return (row) => values[row] as number | bigint;
    }
    default: {
      const encoding = isTextType(type) ? "utf8" : "base64";
      return (row) => {
        const bytes = bytesAt(data, row);
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding);
      };
    }
  }
}

/** A reader of the values of a column. */
export function readerOf(data: Data): PlainReader {
  if (data.type.typeId === Type.Null) return () => null;
  const read = valueReader(data);
  if (data.nullCount === 0 || DataType.isUnion(data.type)) return read;
  return (row) => (isValid(data, row) ? read(row) : null);
}

/** A value as JSON: 64-bit integers with all their digits, `NaN` and infinities as text. */
export function jsonText(value: PlainValue): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return JSON.stringify(String(value));
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value !== "object" || value === null) {
    return Object.is(value, -0) ? "-0.0" : JSON.stringify(value);
  }
  const entries = Object.entries(value as { readonly [name: string]: PlainValue });
  return `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${jsonText(one)}`).join(",")}}`;
}
