/**
 * What DuckDB answers, as Arrow.
 *
 * Types that Arrow does not have, and those that few ask for, are told as text.
 *
 * @module
 */

import type { DuckDBType, DuckDBValue } from "@duckdb/node-api";
import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  makeData,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from "apache-arrow";
import type { DuckDb } from "./duckdb-types.js";

type Values = readonly DuckDBValue[];

/** How columns of a type become Arrow's. */
export interface ResultKind {
  readonly type: DataType;
  readonly column: (values: Values) => Data;
}

/** Which rows have a value, and how many have none. */
function validity(values: Values) {
  const nullBitmap = new Uint8Array((values.length + 7) >> 3);
  let nullCount = 0;
  for (const [row, value] of values.entries()) {
    if (value === null) nullCount += 1;
    else nullBitmap[row >> 3] = (nullBitmap[row >> 3] as number) | (1 << (row & 7));
  }
  return { length: values.length, nullCount, ...(nullCount === 0 ? {} : { nullBitmap }) };
}

type NumberArray = { [index: number]: number | bigint; length: number } & ArrayBufferView;

/** A column of numbers that lie one behind the other. */
function numbers(
  type: DataType,
  make: new (length: number) => NumberArray,
  of: (value: never) => number | bigint = (value) => value,
): ResultKind {
  const column = (values: Values): Data => {
    const data = new make(values.length);
    for (const [row, value] of values.entries()) {
      if (value !== null) data[row] = of(value as never);
    }
    return makeData({ type, ...validity(values), data } as never);
  };
  return { type, column };
}

/** A column of bytes of any length. */
function bytes(type: DataType, of: (value: never) => Uint8Array): ResultKind {
  const column = (values: Values): Data => {
    const parts = values.map((value) => (value === null ? new Uint8Array(0) : of(value as never)));
    const valueOffsets = new Int32Array(values.length + 1);
    for (const [row, { length }] of parts.entries()) {
      valueOffsets[row + 1] = (valueOffsets[row] as number) + length;
    }
    const data = new Uint8Array(Buffer.concat(parts));
    return makeData({ type, ...validity(values), valueOffsets, data } as never);
  };
  return { type, column };
}

const text = (): ResultKind => bytes(new Utf8(), (value) => Buffer.from(String(value)));

function truths(): ResultKind {
  const type = new Bool();
  const column = (values: Values): Data => {
    const data = new Uint8Array((values.length + 7) >> 3);
    for (const [row, value] of values.entries()) {
      if (value === true) data[row >> 3] = (data[row >> 3] as number) | (1 << (row & 7));
    }
    return makeData({ type, ...validity(values), data } as never);
  };
  return { type, column };
}

const WORD_MASK = 0xffff_ffffn;
const DECIMAL_WORDS = 4;

function decimals(precision: number, scale: number, of: (value: never) => bigint): ResultKind {
  const type = new Decimal(scale, precision, 128);
  const column = (values: Values): Data => {
    const data = new Uint32Array(values.length * DECIMAL_WORDS);
    for (const [row, value] of values.entries()) {
      if (value === null) continue;
      let left = BigInt.asUintN(128, of(value as never));
      for (let word = 0; word < DECIMAL_WORDS; word++) {
        data[row * DECIMAL_WORDS + word] = Number(left & WORD_MASK);
        left >>= 32n;
      }
    }
    return makeData({ type, ...validity(values), data } as never);
  };
  return { type, column };
}

function lists(below: ResultKind): ResultKind {
  const type = new List(new Field("item", below.type, true));
  const column = (values: Values): Data => {
    const items = values.map((value) => (value as { items?: Values } | null)?.items ?? []);
    const valueOffsets = new Int32Array(values.length + 1);
    for (const [row, { length }] of items.entries()) {
      valueOffsets[row + 1] = (valueOffsets[row] as number) + length;
    }
    const child = below.column(items.flat());
    return makeData({ type, ...validity(values), valueOffsets, child } as never);
  };
  return { type, column };
}

function structs(names: readonly string[], below: readonly ResultKind[]): ResultKind {
  const fields = names.map((name, index) => {
    return new Field(name, (below[index] as ResultKind).type, true);
  });
  const type = new Struct(fields);
  const column = (values: Values): Data => {
    const entries = values.map((value) => {
      return (value as { entries?: Record<string, DuckDBValue> } | null)?.entries ?? {};
    });
    const children = below.map(({ column: child }, index) => {
      return child(entries.map((entry) => entry[names[index] as string] ?? null));
    });
    return makeData({ type, ...validity(values), children } as never);
  };
  return { type, column };
}

/** Kinds of numbers, by DuckDB's names. */
const NUMBERS: Readonly<Record<string, () => ResultKind>> = {
  TINYINT: () => numbers(new Int8(), Int8Array),
  SMALLINT: () => numbers(new Int16(), Int16Array),
  INTEGER: () => numbers(new Int32(), Int32Array),
  BIGINT: () => numbers(new Int64(), BigInt64Array),
  UTINYINT: () => numbers(new Uint8(), Uint8Array),
  USMALLINT: () => numbers(new Uint16(), Uint16Array),
  UINTEGER: () => numbers(new Uint32(), Uint32Array),
  UBIGINT: () => numbers(new Uint64(), BigUint64Array),
  FLOAT: () => numbers(new Float32(), Float32Array),
  DOUBLE: () => numbers(new Float64(), Float64Array),
  BOOLEAN: truths,
  HUGEINT: () => decimals(38, 0, (value) => value),
  DATE: () => numbers(new DateDay(), Int32Array, ({ days }: { days: number }) => days),
  TIME: () =>
    numbers(new TimeMicrosecond(), BigInt64Array, (value: { micros: bigint }) => value.micros),
  TIMESTAMP: () =>
    numbers(new TimestampMicrosecond(), BigInt64Array, (value: { micros: bigint }) => value.micros),
  TIMESTAMP_S: () =>
    numbers(new TimestampSecond(), BigInt64Array, (value: { seconds: bigint }) => value.seconds),
  TIMESTAMP_MS: () =>
    numbers(new TimestampMillisecond(), BigInt64Array, (value: { millis: bigint }) => value.millis),
  TIMESTAMP_NS: () =>
    numbers(new TimestampNanosecond(), BigInt64Array, (value: { nanos: bigint }) => value.nanos),
  TIMESTAMP_TZ: () =>
    numbers(
      new TimestampMicrosecond("UTC"),
      BigInt64Array,
      (value: { micros: bigint }) => value.micros,
    ),
  BLOB: () => bytes(new Binary(), (value: { bytes: Uint8Array }) => value.bytes),
  VARCHAR: text,
};

/** How columns of a type become Arrow's. */
export function resultKind(duckdb: DuckDb, type: DuckDBType): ResultKind {
  const name = duckdb.DuckDBTypeId[type.typeId] as string;
  const known = NUMBERS[name];
  if (known !== undefined) return known();
  if (type instanceof duckdb.DuckDBDecimalType) {
    return decimals(type.width, type.scale, ({ value }: { value: bigint }) => value);
  }
  if (type instanceof duckdb.DuckDBListType) return lists(resultKind(duckdb, type.valueType));
  if (type instanceof duckdb.DuckDBStructType) {
    const below = type.entryTypes.map((entry) => resultKind(duckdb, entry));
    return structs(type.entryNames, below);
  }
  return text();
}
