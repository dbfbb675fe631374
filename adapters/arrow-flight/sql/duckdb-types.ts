/**
 * Arrow's types as DuckDB's, and values of the former as those of the latter.
 *
 * @module
 */

import type { DuckDBType, DuckDBValue } from "@duckdb/node-api";
import {
  type Data,
  type DataType,
  DateUnit,
  type Decimal,
  type FixedSizeList,
  type List,
  type Struct,
  TimeUnit,
  Type,
  type Vector,
} from "apache-arrow";

/** DuckDB's module, which is loaded in the process that runs SQL only. */
export type DuckDb = typeof import("@duckdb/node-api");

/** How a column of one type is read. */
export interface ColumnKind {
  readonly type: DuckDBType;
  /** Makes what reads the values of a column, row by row; `null` for nulls. */
  readonly reader: (data: Data) => (row: number) => DuckDBValue;
}

const NANOS_PER_MICRO = 1000n;
const MICROS_PER_MILLI = 1000n;
const MICROS_PER_SECOND = 1_000_000n;
const DAY_MS = 86_400_000n;
const DECIMAL_WIDTH_MAX = 38;

/** A reader of values that lie one behind the other. */
function plain<T>(convert: (value: T) => DuckDBValue): ColumnKind["reader"] {
  return (data) => {
    const values = data.values as unknown as ArrayLike<T>;
    return (row) => (data.getValid(row) ? convert(values[row] as T) : null);
  };
}

const same = plain<number | bigint>((value) => value as never);

/** A reader by apache-arrow's own way to a value. */
function got<T>(vectorOf: (data: Data) => Vector, convert: (value: T) => DuckDBValue) {
  return (data: Data) => {
    const vector = vectorOf(data);
    return (row: number): DuckDBValue => {
      const value = vector.get(row) as T | null;
      return value === null ? null : convert(value);
    };
  };
}

/** Kinds of types without parts. */
function flatKind(duckdb: DuckDb, type: DataType, vectorOf: (data: Data) => Vector) {
  const { typeId } = type;
  switch (typeId) {
    case Type.Null:
      return { type: duckdb.INTEGER, reader: () => () => null };
    case Type.Bool:
      return { type: duckdb.BOOLEAN, reader: got<boolean>(vectorOf, (value) => value) };
    case Type.Int: {
      const { bitWidth, isSigned } = type as DataType & { bitWidth: number; isSigned: boolean };
      const { TINYINT, SMALLINT, INTEGER, BIGINT } = duckdb;
      const { UTINYINT, USMALLINT, UINTEGER, UBIGINT } = duckdb;
      const signed = [TINYINT, SMALLINT, INTEGER, BIGINT];
      const types = isSigned ? signed : [UTINYINT, USMALLINT, UINTEGER, UBIGINT];
      return { type: types[Math.log2(bitWidth) - 3] as DuckDBType, reader: same };
    }
    case Type.Float: {
      const { precision } = type as DataType & { precision: number };
      if (precision === 2) return { type: duckdb.DOUBLE, reader: same };
      const number = got<number>(vectorOf, (value) => value);
      return { type: duckdb.FLOAT, reader: precision === 1 ? same : number };
    }
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
      return { type: duckdb.VARCHAR, reader: got<string>(vectorOf, (value) => value) };
    case Type.Binary:
    case Type.LargeBinary:
    case Type.BinaryView:
    case Type.FixedSizeBinary: {
      const blob = (value: Uint8Array) => new duckdb.DuckDBBlobValue(value);
      return { type: duckdb.BLOB, reader: got<Uint8Array>(vectorOf, blob) };
    }
    case Type.Decimal:
      return decimalKind(duckdb, type as Decimal);
    default:
      return momentKind(duckdb, type);
  }
}

function decimalKind(duckdb: DuckDb, { precision, scale, bitWidth }: Decimal) {
  if (precision > DECIMAL_WIDTH_MAX || bitWidth > 128 || scale < 0) return undefined;
  const words = bitWidth / 32;
  const reader = (data: Data) => {
    const values = data.values as unknown as Uint32Array;
    return (row: number): DuckDBValue => {
      if (!data.getValid(row)) return null;
      let value = 0n;
      for (let word = words - 1; word >= 0; word--) {
        value = (value << 32n) | BigInt(values[row * words + word] as number);
      }
      return new duckdb.DuckDBDecimalValue(BigInt.asIntN(bitWidth, value), precision, scale);
    };
  };
  return { type: duckdb.DECIMAL(precision, scale), reader };
}

/** Kinds of dates, times and timestamps. */
function momentKind(duckdb: DuckDb, type: DataType): ColumnKind | undefined {
  const { unit, timezone } = type as DataType & { unit: number; timezone?: string | null };
  if (type.typeId === Type.Date) {
    const days = (value: number | bigint) => {
      const day = unit === DateUnit.DAY ? Number(value) : Number(BigInt(value) / DAY_MS);
      return new duckdb.DuckDBDateValue(day);
    };
    return { type: duckdb.DATE, reader: plain<number | bigint>(days) };
  }
  const micros = (value: number | bigint): bigint => {
    const wide = BigInt(value);
    if (unit === TimeUnit.SECOND) return wide * MICROS_PER_SECOND;
    if (unit === TimeUnit.MILLISECOND) return wide * MICROS_PER_MILLI;
    return unit === TimeUnit.MICROSECOND ? wide : wide / NANOS_PER_MICRO;
  };
  if (type.typeId === Type.Time) {
    const time = (value: number | bigint) => new duckdb.DuckDBTimeValue(micros(value));
    return { type: duckdb.TIME, reader: plain(time) };
  }
  if (type.typeId !== Type.Timestamp) return undefined;
  if (timezone) {
    const moment = (value: bigint) => new duckdb.DuckDBTimestampTZValue(micros(value));
    return { type: duckdb.TIMESTAMPTZ, reader: plain(moment) };
  }
  if (unit === TimeUnit.NANOSECOND) {
    const nanos = (value: bigint) => new duckdb.DuckDBTimestampNanosecondsValue(value);
    return { type: duckdb.TIMESTAMP_NS, reader: plain(nanos) };
  }
  const moment = (value: bigint) => new duckdb.DuckDBTimestampValue(micros(value));
  return { type: duckdb.TIMESTAMP, reader: plain(moment) };
}

/** Kinds of lists: their values are read one by one. */
function listKind(
  duckdb: DuckDb,
  type: List | FixedSizeList,
  kindOf: (type: DataType) => ColumnKind | undefined,
): ColumnKind | undefined {
  const below = kindOf((type.children[0] as { type: DataType }).type);
  if (below === undefined) return undefined;
  const fixed = (type as FixedSizeList).listSize as number | undefined;
  const reader = (data: Data) => {
    const read = below.reader(data.children[0] as Data);
    const offsets = data.valueOffsets as unknown as ArrayLike<number | bigint>;
    return (row: number): DuckDBValue => {
      if (!data.getValid(row)) return null;
      const start = fixed === undefined ? Number(offsets[row]) : row * fixed;
      const end = fixed === undefined ? Number(offsets[row + 1]) : start + fixed;
      const items = Array.from({ length: end - start }, (_, item) => read(start + item));
      return new duckdb.DuckDBListValue(items);
    };
  };
  return { type: duckdb.LIST(below.type), reader };
}

function structKind(
  duckdb: DuckDb,
  { children }: Struct,
  kindOf: (type: DataType) => ColumnKind | undefined,
): ColumnKind | undefined {
  const names = children.map(({ name }) => name as string);
  const below = children.map(({ type }) => kindOf(type as DataType));
  if (names.length === 0 || below.includes(undefined)) return undefined;
  const kinds = below as ColumnKind[];
  const types = names.map((name, index) => [name, (kinds[index] as ColumnKind).type]);
  const reader = (data: Data) => {
    const readers = kinds.map((kind, index) => kind.reader(data.children[index] as Data));
    return (row: number): DuckDBValue => {
      if (!data.getValid(row)) return null;
      const entries = names.map((name, index) => [name, readers[index]?.(row) ?? null]);
      return new duckdb.DuckDBStructValue(Object.fromEntries(entries));
    };
  };
  return { type: duckdb.STRUCT(Object.fromEntries(types)), reader };
}

/**
 * How DuckDB sees columns of a type; `undefined` if it does not.
 *
 * @param vectorOf Makes a vector of data.
 */
export function columnKind(
  duckdb: DuckDb,
  type: DataType,
  vectorOf: (data: Data) => Vector,
): ColumnKind | undefined {
  const kindOf = (below: DataType) => columnKind(duckdb, below, vectorOf);
  switch (type.typeId) {
    case Type.Dictionary: {
      const { dictionary } = type as DataType & { dictionary: DataType };
      const below = kindOf(dictionary);
      if (below === undefined) return undefined;
      const reader = (data: Data) => {
        const values = data.dictionary as Vector;
        const chunks = values.data.map((chunk) => ({ chunk, read: below.reader(chunk) }));
        const indices = data.values as unknown as ArrayLike<number | bigint>;
        return (row: number): DuckDBValue => {
          if (!data.getValid(row)) return null;
          let index = Number(indices[row]);
          for (const { chunk, read } of chunks) {
            if (index < chunk.length) return read(index);
            index -= chunk.length;
          }
          return null;
        };
      };
      return { type: below.type, reader };
    }
    case Type.List:
    case Type.LargeList:
    case Type.FixedSizeList:
      return listKind(duckdb, type as List, kindOf);
    case Type.Struct:
      return structKind(duckdb, type as Struct, kindOf);
    default:
      return flatKind(duckdb, type, vectorOf);
  }
}
