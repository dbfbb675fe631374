/**
 * Literals of predicates, as values of the column that they are compared with.
 *
 * @module
 */

import { type DataType, DateUnit, type TimeUnit, Type } from "apache-arrow";
import { invalid } from "../errors.js";
import type { Literal } from "./predicate.js";
import { isTextType, type Scalar, scalarKind, unitsPerSecond } from "./scalars.js";

/** A literal in the units of its column. */
export interface BoundLiteral {
  readonly value: Scalar;
  /** Whether it is `value`; else it lies between `value` and the next larger one. */
  readonly isExact: boolean;
}

const EXACT = true;
const NANOSECONDS = 10n ** 9n;
const DAY_SECONDS = 86_400n;
const DIGITS = /^-?\d+$/;
const MOMENT =
  /^(\d{4,6}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/;
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/;

function misfit(column: string, type: DataType, literal: unknown): Error {
  const shown = typeof literal === "string" ? `"${literal.slice(0, 60)}"` : String(literal);
  const why = `${shown} is no value of column "${column}" of type ${String(type)}`;
  return invalid("Selecting rows", why, "give a literal of the column's type", { column });
}

/** A fraction of two integers as a literal, rounded down. */
function quotient(value: bigint, divisor: bigint): BoundLiteral {
  const rest = value % divisor;
  const floor = rest < 0n ? value / divisor - 1n : value / divisor;
  return { value: floor, isExact: rest === 0n };
}

function fraction(digits: string | undefined): bigint {
  return BigInt((digits ?? "").padEnd(9, "0"));
}

/** Nanoseconds since 1970 of ISO 8601 text; without a zone it is UTC. */
function momentOf(text: string): bigint | undefined {
  const [, day, minutes = "00:00", seconds = "00", digits, zone = "Z"] = MOMENT.exec(text) ?? [];
  if (day === undefined) return undefined;
  const ms = Date.parse(`${day}T${minutes}:${seconds}${zone}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + fraction(digits);
}

function timeOf(text: string): bigint | undefined {
  const [, hours, minutes, seconds = "0", digits] = TIME.exec(text) ?? [];
  if (hours === undefined) return undefined;
  const whole = BigInt(hours) * 3600n + BigInt(minutes as string) * 60n + BigInt(seconds);
  return whole * NANOSECONDS + fraction(digits);
}

/** Text that stands for a date, a time or a timestamp. */
function bindMoment(type: DataType, text: string): BoundLiteral | undefined {
  const { unit } = type as DataType & { unit: number };
  if (type.typeId === Type.Time) {
    const time = timeOf(text);
    return time === undefined
      ? undefined
      : quotient(time * unitsPerSecond(unit as TimeUnit), NANOSECONDS);
  }
  const moment = momentOf(text);
  if (moment === undefined) return undefined;
  if (type.typeId !== Type.Date) {
    return quotient(moment * unitsPerSecond(unit as TimeUnit), NANOSECONDS);
  }
  return unit === DateUnit.DAY
    ? quotient(moment, DAY_SECONDS * NANOSECONDS)
    : quotient(moment, 1_000_000n);
}

function bindDecimal(scale: number, literal: Literal): BoundLiteral | undefined {
  const text = typeof literal === "number" ? String(literal) : String(literal);
  const found = /^(-?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,4}))?$/.exec(text);
  if (found === null || `${found[2]}${found[3]}` === "") return undefined;
  const [, sign, whole = "", part = "", exponent = "0"] = found;
  const digits = BigInt(`${sign}${whole}${part}`);
  const shift = scale + Number(exponent) - part.length;
  return shift >= 0
    ? { value: digits * 10n ** BigInt(shift), isExact: EXACT }
    : quotient(digits, 10n ** BigInt(-shift));
}

function bindBytes(type: DataType, literal: Literal): BoundLiteral | undefined {
  if (typeof literal !== "string") return undefined;
  if (isTextType(type)) return { value: Buffer.from(literal), isExact: EXACT };
  if (!/^0x([0-9a-f]{2})*$/i.test(literal)) return undefined;
  return { value: Buffer.from(literal.slice(2), "hex"), isExact: EXACT };
}

function isMoment({ typeId }: DataType): boolean {
  return typeId === Type.Date || typeId === Type.Time || typeId === Type.Timestamp;
}

function bindInteger(type: DataType, literal: Literal): BoundLiteral | undefined {
  if (typeof literal === "string" && DIGITS.test(literal)) {
    return { value: BigInt(literal), isExact: EXACT };
  }
  if (typeof literal === "string") return isMoment(type) ? bindMoment(type, literal) : undefined;
  // Numbers and 64-bit integers compare by their values.
  return typeof literal === "boolean" ? undefined : { value: literal, isExact: EXACT };
}

function bindNumber(type: DataType, literal: Literal): BoundLiteral | undefined {
  const isFloat = type.typeId === Type.Float;
  if (typeof literal === "string" && isFloat) {
    const value = Number(literal);
    const isNumber = literal.trim() !== "" && (!Number.isNaN(value) || literal === "NaN");
    return isNumber ? { value, isExact: EXACT } : undefined;
  }
  return bindInteger(type, literal);
}

function bound(type: DataType, literal: Literal): BoundLiteral | undefined {
  switch (scalarKind(type)) {
    case "bool":
      return typeof literal === "boolean" ? { value: literal ? 1 : 0, isExact: EXACT } : undefined;
    case "bytes":
      return bindBytes(type, literal);
    case "decimal":
      if (typeof literal === "boolean") return undefined;
      return bindDecimal((type as DataType & { scale: number }).scale, literal);
    case "bigint":
      return bindInteger(type, literal);
    case "number":
      return bindNumber(type, literal);
    default:
      return undefined;
  }
}

/**
 * A literal as a value of a column.
 *
 * @throws `DaosError` `DER_INVAL` if it is none.
 */
export function bindLiteral(column: string, type: DataType, literal: unknown): BoundLiteral {
  const plain =
    type.typeId === Type.Dictionary
      ? (type as DataType & { dictionary: DataType }).dictionary
      : type;
  const isLiteral = ["number", "string", "boolean", "bigint"].includes(typeof literal);
  const value = isLiteral ? bound(plain, literal as Literal) : undefined;
  if (value === undefined) throw misfit(column, type, literal);
  return value;
}
