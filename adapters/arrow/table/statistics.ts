/**
 * What is known of a column of a batch without reading it: how many nulls, the least and the largest value.
 *
 * Long texts are kept by their first bytes: the least one as a prefix, which is not larger, the largest one as a
 * prefix that was increased. NaN is neither least nor largest; whether there is one is remembered.
 *
 * @module
 */

import type { Data, DataType } from "apache-arrow";
import { DataType as Types } from "apache-arrow";
import type { ByteReader, ByteWriter } from "../../../core/index.js";
import { STATISTIC_TEXT_SIZE_MAX } from "../limits.js";
import {
  compareScalars,
  isValid,
  numbersOf,
  type Scalar,
  type ScalarKind,
  scalarAt,
  scalarKind,
} from "./scalars.js";

/** Of one column of one batch. */
export interface ColumnStatistics {
  readonly nullCount: number;
  /** A value that none is below, and one that none is above; `undefined` if that is not known. */
  readonly bounds: { readonly min: Scalar; readonly max: Scalar } | undefined;
  /** Whether there may be a NaN. */
  readonly hasNan: boolean;
}

interface Range {
  min: Scalar | undefined;
  max: Scalar | undefined;
  hasNan: boolean;
}

/** Values that are looked at together. */
const STEP = 4;

/**
 * As {@link includeNumbers}, without nulls. Most values lie within what was seen before, and those that do not often
 * increase: each is found out for four at once.
 */
function includeAllNumbers(values: ArrayLike<number>, count: number, range: Range): void {
  let row = 0;
  // A NaN is not equal to itself, and compares with nothing.
  // biome-ignore lint/suspicious/noSelfCompare: works for numbers and 64-bit integers alike
  while (row < count && values[row] !== values[row]) row += 1;
  let hasNan = row > 0;
  let min = values[row] as number;
  let max = min;
  while (row < count) {
    const end = Math.min(row + STEP, count);
    if (end - row === STEP) {
      const a = values[row] as number;
      const b = values[row + 1] as number;
      const c = values[row + 2] as number;
      const d = values[row + 3] as number;
      const isWithin =
        a >= min &&
        a <= max &&
        b >= min &&
        b <= max &&
        c >= min &&
        c <= max &&
        d >= min &&
        d <= max;
      const isIncreasing = !isWithin && a >= min && a <= b && b <= c && c <= d;
      if (isIncreasing && d > max) max = d;
      if (isWithin || isIncreasing) {
        row = end;
        continue;
      }
    }
    for (; row < end; row++) {
      const value = values[row] as number;
      if (value < min) min = value;
      else if (value > max) max = value;
      // biome-ignore lint/suspicious/noSelfCompare: as above
      else if (value !== value) hasNan = true;
    }
  }
  range.hasNan = hasNan;
  if (min === undefined) return;
  range.min = min;
  range.max = max;
}

function includeNumbers(data: Data, range: Range): void {
  const values = numbersOf(data) as ArrayLike<number>;
  if (data.nullCount === 0) {
    includeAllNumbers(values, data.length, range);
    return;
  }
  let min = values[0] as number;
  let max = min;
  let isFirst = true;
  for (let row = 0; row < data.length; row++) {
    if (!isValid(data, row)) continue;
    const value = values[row] as number;
    if (isFirst) {
      // A NaN is not equal to itself, and compares with nothing.
      // biome-ignore lint/suspicious/noSelfCompare: works for numbers and 64-bit integers alike
      if (value !== value) range.hasNan = true;
      else {
        min = value;
        max = value;
        isFirst = false;
      }
    } else if (value < min) min = value;
    else if (value > max) max = value;
    // biome-ignore lint/suspicious/noSelfCompare: as above
    else if (value !== value) range.hasNan = true;
  }
  if (isFirst) return;
  range.min = min;
  range.max = max;
}

function includeOthers(data: Data, kind: ScalarKind, range: Range): void {
  for (let row = 0; row < data.length; row++) {
    if (!isValid(data, row)) continue;
    const value = scalarAt(data, kind, row);
    if (range.min === undefined || compareScalars(value, range.min) < 0) range.min = value;
    if (range.max === undefined || compareScalars(value, range.max) > 0) range.max = value;
  }
}

/** The range of the values of a dictionary; remembered, since many batches share one. */
const ofDictionaries = new WeakMap<Data, Range>();

function includeDictionary(data: Data, kind: ScalarKind, range: Range): void {
  for (const chunk of data.dictionary?.data ?? []) {
    let known = ofDictionaries.get(chunk);
    if (known === undefined) {
      known = rangeOf(chunk, kind);
      ofDictionaries.set(chunk, known);
    }
    const { min, max } = known;
    range.hasNan ||= known.hasNan;
    if (min === undefined || max === undefined) continue;
    if (range.min === undefined || compareScalars(min, range.min) < 0) range.min = min;
    if (range.max === undefined || compareScalars(max, range.max) > 0) range.max = max;
  }
}

function rangeOf(data: Data, kind: ScalarKind): Range {
  const range: Range = { min: undefined, max: undefined, hasNan: false };
  if (Types.isDictionary(data.type)) includeDictionary(data, kind, range);
  else if (kind === "number" || kind === "bigint") includeNumbers(data, range);
  else if (kind !== undefined) includeOthers(data, kind, range);
  return range;
}

/** A prefix that is above all values that begin with it; `undefined` if there is none. */
function increased(prefix: Uint8Array): Uint8Array | undefined {
  for (let size = prefix.length; size > 0; size--) {
    const last = prefix[size - 1] as number;
    if (last === 0xff) continue;
    const above = new Uint8Array(prefix.subarray(0, size));
    above[size - 1] = last + 1;
    return above;
  }
  return undefined;
}

function kept({ min, max }: Range): ColumnStatistics["bounds"] {
  if (min === undefined || max === undefined) return undefined;
  if (typeof min !== "object" || typeof max !== "object") return { min, max };
  const least = new Uint8Array(min.subarray(0, STATISTIC_TEXT_SIZE_MAX));
  const isShort = max.length <= STATISTIC_TEXT_SIZE_MAX;
  const largest = isShort
    ? new Uint8Array(max)
    : increased(max.subarray(0, STATISTIC_TEXT_SIZE_MAX));
  return largest && { min: least, max: largest };
}

/** Looks at a column of a batch. */
export function statisticsOf(data: Data): ColumnStatistics {
  const nullCount = Types.isUnion(data.type)
    ? 0
    : Types.isNull(data.type)
      ? data.length
      : data.nullCount;
  const range = rangeOf(data, scalarKind(data.type));
  return { nullCount, bounds: kept(range), hasNan: range.hasNan };
}

const HAS_BOUNDS = 1;
const HAS_NAN = 2;

/** Encodes statistics; see docs/internals/arrow-mapping.md. */
export function writeStatistics(writer: ByteWriter, statistics: ColumnStatistics): void {
  const { nullCount, bounds, hasNan } = statistics;
  writer.u8((bounds === undefined ? 0 : HAS_BOUNDS) | (hasNan ? HAS_NAN : 0)).varint(nullCount);
  if (bounds === undefined) return;
  for (const value of [bounds.min, bounds.max]) {
    if (typeof value === "object") writer.bytes(value);
    else if (typeof value === "bigint") writer.text(value.toString());
    else writer.raw(new Uint8Array(Float64Array.of(value).buffer));
  }
}

/** Decodes statistics of a column of a type. */
export function readStatistics(reader: ByteReader, type: DataType): ColumnStatistics {
  const flags = reader.u8();
  const nullCount = reader.varint();
  const hasNan = (flags & HAS_NAN) !== 0;
  if ((flags & HAS_BOUNDS) === 0) return { nullCount, bounds: undefined, hasNan };
  const kind = scalarKind(type);
  const min = readScalar(reader, kind);
  const max = readScalar(reader, kind);
  return { nullCount, bounds: { min, max }, hasNan };
}

function readScalar(reader: ByteReader, kind: ScalarKind): Scalar {
  if (kind === "bytes") return new Uint8Array(reader.bytes());
  if (kind === "bigint" || kind === "decimal") return BigInt(reader.text());
  const { buffer, byteOffset } = reader.raw(8);
  return new DataView(buffer, byteOffset, 8).getFloat64(0, true);
}
