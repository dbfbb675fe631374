/**
 * Columns out of plain values, those of text formats: see `plain-values.ts` for which stand for what.
 *
 * A value that does not fit its type is refused; nothing is rounded, cut or wrapped silently.
 *
 * @module
 */

import {
  type Data,
  DataType,
  DateUnit,
  type Decimal,
  type Dictionary,
  type Field,
  makeData,
  Precision,
  type TimeUnit,
  Type,
  util,
  Vector,
} from "apache-arrow";
import { elementSize } from "../ipc/assemble.js";
import { flatStride } from "../ipc/load.js";
import { childrenOf } from "../ipc/types.js";
import { isTextType, unitsPerSecond } from "../table/scalars.js";
import { parseDate, parseTime, parseTimestamp } from "./times.js";
import { typeText } from "./type-text.js";

/** A value that does not fit the type of its column. */
export class UnfitValue extends Error {
  /** Number of the row among those given. */
  readonly row: number;

  constructor(row: number, value: unknown, type: DataType) {
    const text = typeof value === "string" ? value : (JSON.stringify(value, shown) ?? "nothing");
    const shortened = text.length > 40 ? `${text.slice(0, 40)}...` : text;
    super(`${JSON.stringify(shortened)} is no value of type ${typeText(type)}`);
    this.row = row;
  }
}

function shown(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

type Numbers = { [index: number]: number | bigint };
type Convert = (value: unknown) => number | bigint | undefined;

const INTEGER = /^[+-]?\d{1,20}$/;

function integerOf(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === "string" && INTEGER.test(value) ? BigInt(value) : undefined;
}

function integerConverter({
  bitWidth,
  isSigned,
}: {
  bitWidth: number;
  isSigned: boolean;
}): Convert {
  const asType = isSigned ? BigInt.asIntN : BigInt.asUintN;
  return (value) => {
    const integer = integerOf(value);
    if (integer === undefined || asType(bitWidth, integer) !== integer) return undefined;
    return bitWidth === 64 ? integer : Number(integer);
  };
}

const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITE: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "+inf": Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  "+infinity": Number.POSITIVE_INFINITY,
  "-infinity": Number.NEGATIVE_INFINITY,
};

/** The number that a text or a number stands for; `undefined` if it is none. */
export function floatOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string") return undefined;
  return FLOAT.test(value) ? Number(value) : INFINITE[value.toLowerCase()];
}

function timeConverter(type: DataType): Convert {
  const { unit } = type as DataType & { unit: TimeUnit };
  const perSecond = unitsPerSecond(unit);
  const parse = (text: string) => {
    return DataType.isTime(type)
      ? parseTime(text, perSecond)
      : parseTimestamp(text, perSecond)?.value;
  };
  const isNarrow = elementSize(type) === 4;
  return (value) => {
    const text = typeof value === "string" ? parse(value) : undefined;
    const units = text ?? integerOf(value);
    if (units === undefined || BigInt.asIntN(64, units) !== units) return undefined;
    return isNarrow ? Number(units) : units;
  };
}

function dateConverter({ unit }: { unit: DateUnit }): Convert {
  if (unit === DateUnit.DAY) {
    return (value) => {
      const days = typeof value === "string" ? parseDate(value) : undefined;
      return days === undefined ? undefined : Number(days);
    };
  }
  return (value) => (typeof value === "string" ? parseTimestamp(value, 1000n)?.value : undefined);
}

function converterOf(type: DataType): Convert | undefined {
  if (DataType.isInt(type)) return integerConverter(type);
  if (DataType.isFloat(type)) {
    if (type.precision !== Precision.HALF) return floatOf;
    return (value) => {
      const number = floatOf(value);
      return number === undefined ? undefined : util.float64ToUint16(number);
    };
  }
  if (DataType.isDate(type)) return dateConverter(type);
  if (DataType.isTime(type) || DataType.isTimestamp(type)) return timeConverter(type);
  if (type.typeId === Type.Duration) return integerConverter({ bitWidth: 64, isSigned: true });
  return undefined;
}

interface Common {
  readonly type: DataType;
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array | undefined;
}

function commonOf(type: DataType, values: readonly unknown[]): Common {
  const { length } = values;
  const bits = new Uint8Array((length + 7) >> 3);
  let nullCount = 0;
  for (let row = 0; row < length; row++) {
    const value = values[row];
    if (value === null || value === undefined) nullCount += 1;
    else bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
  }
  return { type, length, nullCount, nullBitmap: nullCount > 0 ? bits : undefined };
}

const isNull = (value: unknown) => value === null || value === undefined;

function flatColumn(common: Common, values: readonly unknown[], convert: Convert): Data {
  const { type, length } = common;
  const Kind = type.ArrayType as new (length: number) => Numbers;
  const data = new Kind(length * flatStride(type));
  for (let row = 0; row < length; row++) {
    const value = values[row];
    if (isNull(value)) continue;
    const converted = convert(value);
    if (converted === undefined) throw new UnfitValue(row, value, type);
    data[row] = converted;
  }
  return makeData({ ...common, data } as never) as Data;
}

function boolColumn(common: Common, values: readonly unknown[]): Data {
  const data = new Uint8Array((common.length + 7) >> 3);
  for (const [row, value] of values.entries()) {
    if (isNull(value)) continue;
    const text = typeof value === "string" ? value.toLowerCase() : value;
    const isTrue = text === true || text === "true";
    if (!isTrue && text !== false && text !== "false")
      throw new UnfitValue(row, value, common.type);
    if (isTrue) data[row >> 3] = (data[row >> 3] as number) | (1 << (row & 7));
  }
  return makeData({ ...common, data } as never) as Data;
}

function bytesOf(value: unknown, row: number, type: DataType): Buffer {
  if (typeof value !== "string") throw new UnfitValue(row, value, type);
  return Buffer.from(value, isTextType(type) ? "utf8" : "base64");
}

function bytesColumn(common: Common, values: readonly unknown[]): Data {
  const { type, length } = common;
  const isWide = type.typeId === Type.LargeUtf8 || type.typeId === Type.LargeBinary;
  const valueOffsets = isWide ? new BigInt64Array(length + 1) : new Int32Array(length + 1);
  const parts: Buffer[] = [];
  let end = 0;
  for (let row = 0; row < length; row++) {
    if (!isNull(values[row])) {
      const bytes = bytesOf(values[row], row, type);
      parts.push(bytes);
      end += bytes.length;
    }
    if (valueOffsets instanceof BigInt64Array) valueOffsets[row + 1] = BigInt(end);
    else valueOffsets[row + 1] = end;
  }
  const data = new Uint8Array(end);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return makeData({ ...common, valueOffsets, data } as never) as Data;
}

function decimalColumn(common: Common, values: readonly unknown[]): Data {
  const type = common.type as Decimal;
  const stride = flatStride(type);
  const data = new Uint32Array(common.length * stride);
  for (const [row, value] of values.entries()) {
    if (isNull(value)) continue;
    const [, sign, whole = "", fraction = ""] =
      /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(String(value)) ?? [];
    const digits = whole + fraction.padEnd(type.scale, "0");
    const hasRoom = digits.replace(/^0+/, "").length <= type.precision;
    if (whole === "" || fraction.length > type.scale || !hasRoom) {
      throw new UnfitValue(row, value, type);
    }
    const integer = sign === "-" ? -BigInt(digits) : BigInt(digits);
    for (let word = 0; word < stride; word++) {
      data[row * stride + word] = Number(BigInt.asUintN(32, integer >> BigInt(32 * word)));
    }
  }
  return makeData({ ...common, data } as never) as Data;
}

function dictionaryColumn(common: Common, values: readonly unknown[]): Data {
  const type = common.type as Dictionary;
  const numbers = new Map<unknown, number>();
  const indices = values.map((value) => {
    if (isNull(value)) return null;
    const known = numbers.get(value) ?? numbers.size;
    numbers.set(value, known);
    return known;
  });
  const words = [...numbers.keys()];
  const { values: data } = buildColumn(type.indices, indices);
  const dictionary = new Vector([buildColumn(type.dictionary, words)]);
  return makeData({ ...common, data, dictionary } as never) as Data;
}

function listColumn(common: Common, values: readonly unknown[]): Data {
  const { type, length } = common;
  const [item] = childrenOf(type) as [Field];
  const size = DataType.isFixedSizeList(type) ? type.listSize : undefined;
  const all: unknown[] = [];
  const ends = new Int32Array(length + 1);
  for (let row = 0; row < length; row++) {
    const value = values[row];
    const isBad = !Array.isArray(value) || (size !== undefined && value.length !== size);
    if (!isNull(value) && isBad) throw new UnfitValue(row, value, type);
    if (!isNull(value)) for (const one of value as unknown[]) all.push(one);
    else for (let at = 0; at < (size ?? 0); at++) all.push(null);
    ends[row + 1] = all.length;
  }
  const child = built(item.type, all, (at) => ends.findIndex((end) => end > at) - 1);
  if (size !== undefined) return makeData({ ...common, child } as never) as Data;
  const valueOffsets =
    type.typeId === Type.LargeList ? BigInt64Array.from(ends, (end) => BigInt(end)) : ends;
  return makeData({ ...common, valueOffsets, child } as never) as Data;
}

function structColumn(common: Common, values: readonly unknown[]): Data {
  const { type } = common;
  const fields = childrenOf(type);
  const names = new Set(fields.map(({ name }) => name));
  for (const [row, value] of values.entries()) {
    if (isNull(value)) continue;
    const isObject = typeof value === "object" && !Array.isArray(value);
    const isKnown = isObject && Object.keys(value as object).every((name) => names.has(name));
    if (!isKnown) throw new UnfitValue(row, value, type);
  }
  const children = fields.map(({ name, type: child }) => {
    return buildColumn(
      child,
      values.map((value) => (value as Record<string, unknown> | null | undefined)?.[name]),
    );
  });
  return makeData({ ...common, children } as never) as Data;
}

/** Builds a column of items, whose faults are those of the rows that they are in. */
function built(type: DataType, values: readonly unknown[], rowOf: (at: number) => number): Data {
  try {
    return buildColumn(type, values);
  } catch (error) {
    if (!(error instanceof UnfitValue)) throw error;
    throw new UnfitValue(rowOf(error.row), values[error.row], type);
  }
}

/** Whether columns of a type can be built. */
export function isBuildable(type: DataType): boolean {
  if (DataType.isDictionary(type)) return isBuildable(type.dictionary);
  const { typeId } = type;
  if (typeId === Type.List || typeId === Type.LargeList || typeId === Type.FixedSizeList) {
    return childrenOf(type).every((field) => isBuildable(field.type));
  }
  if (typeId === Type.Struct) return childrenOf(type).every((field) => isBuildable(field.type));
  const others = [Type.Null, Type.Bool, Type.Utf8, Type.LargeUtf8, Type.Binary, Type.LargeBinary];
  return [...others, Type.Decimal].includes(typeId) || converterOf(type) !== undefined;
}

/**
 * Builds a column.
 *
 * @param type One that {@link isBuildable}.
 * @param values One for each row; `null` and `undefined` are null.
 * @throws {@link UnfitValue}
 */
export function buildColumn(type: DataType, values: readonly unknown[]): Data {
  const common = commonOf(type, values);
  const { typeId } = type;
  if (typeId === Type.Null) {
    const row = values.findIndex((value) => !isNull(value));
    if (row >= 0) throw new UnfitValue(row, values[row], type);
    return makeData({ type, length: values.length } as never) as Data;
  }
  if (DataType.isDictionary(type)) return dictionaryColumn(common, values);
  if (typeId === Type.Bool) return boolColumn(common, values);
  if (typeId === Type.Decimal) return decimalColumn(common, values);
  if (typeId === Type.Struct) return structColumn(common, values);
  if (childrenOf(type).length > 0) return listColumn(common, values);
  const convert = converterOf(type);
  return convert === undefined ? bytesColumn(common, values) : flatColumn(common, values, convert);
}
