/**
 * Finds types for the values of text formats.
 *
 *     true, false                                    bool
 *     whole numbers of 64 bits, no leading zeros     int64
 *     other numbers                                  float64
 *     2026-02-03                                     date32
 *     2026-02-03T04:05:06, with or without Z         timestamp[us], with time zone UTC
 *     other text                                     utf8
 *     lists and objects of JSON                      list, struct
 *     nothing but nulls                              utf8; null in a list or struct
 *
 * @module
 */

import {
  Bool,
  type DataType,
  DateDay,
  Field,
  Float64,
  Int64,
  List,
  Null,
  Struct,
  Timestamp,
  TimeUnit,
  Utf8,
} from "apache-arrow";
import { floatOf } from "./build-column.js";
import { parseDate, parseTimestamp } from "./times.js";

/** Values of more than one kind, for which there is no type. */
export class MixedValues extends Error {}

const INTEGER = /^(0|[+-]?[1-9]\d{0,18}|-0)$/;

function isInteger(text: string): boolean {
  return INTEGER.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

function isNumber(text: string): boolean {
  return floatOf(text) !== undefined && !/^[+-]?0\d/.test(text);
}

/** The type of times that all texts are; `undefined` if they are not. */
function timesType(texts: readonly string[]): DataType | undefined {
  if (texts.every((text) => parseDate(text) !== undefined)) return new DateDay();
  let zones = 0;
  for (const text of texts) {
    const parsed = parseTimestamp(text, 1_000_000n);
    if (parsed === undefined) return undefined;
    if (parsed.hasZone) zones += 1;
  }
  if (zones > 0 && zones < texts.length) return undefined;
  return new Timestamp(TimeUnit.MICROSECOND, zones > 0 ? "UTC" : null);
}

/** The type of texts, as CSV has them. */
export function inferText(values: readonly (string | null)[]): DataType {
  const texts = values.filter((value): value is string => value !== null);
  if (texts.length === 0) return new Utf8();
  if (texts.every((text) => /^(true|false)$/i.test(text))) return new Bool();
  if (texts.every(isInteger)) return new Int64();
  if (texts.every(isNumber)) return new Float64();
  return timesType(texts) ?? new Utf8();
}

type Kind = "boolean" | "number" | "text" | "list" | "object";

function kindOf(value: unknown): Kind {
  if (Array.isArray(value)) return "list";
  if (typeof value === "string") return "text";
  if (typeof value === "boolean") return "boolean";
  return typeof value === "object" ? "object" : "number";
}

/** The names of objects, in the order in which they are met. */
export function namesOf(values: readonly unknown[]): string[] {
  const names = new Set<string>();
  for (const value of values) for (const name of Object.keys(value as object)) names.add(name);
  return [...names];
}

function isWhole(value: unknown): boolean {
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value;
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

/**
 * The type of values of JSON.
 *
 * @throws {@link MixedValues} if they are of several kinds.
 */
export function inferJson(values: readonly unknown[], isInner = false): DataType {
  const known = values.filter((value) => value !== null && value !== undefined);
  if (known.length === 0) return isInner ? new Null() : new Utf8();
  const kind = kindOf(known[0]);
  const other = known.find((value) => kindOf(value) !== kind);
  if (other !== undefined) {
    throw new MixedValues(`there are values of kind ${kind} and of kind ${kindOf(other)}`);
  }
  switch (kind) {
    case "boolean":
      return new Bool();
    case "number":
      return known.every(isWhole) ? new Int64() : new Float64();
    case "text":
      return timesType(known as string[]) ?? new Utf8();
    case "list":
      return new List(new Field("item", inferJson((known as unknown[][]).flat(), true), true));
    case "object":
      return new Struct(
        namesOf(known).map((name) => {
          const inner = known.map((value) => (value as Record<string, unknown>)[name]);
          return new Field(name, inferJson(inner, true), true);
        }),
      );
  }
}
