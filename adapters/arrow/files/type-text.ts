/**
 * Arrow types and schemas as text, as pyarrow prints types; and back.
 *
 *     step: int32, energy: float64 not null, at: timestamp[us, tz=UTC], tags: list<utf8>, place: struct<x: float32>
 *
 * @module
 */

import {
  Binary,
  Bool,
  DataType,
  DateDay,
  DateMillisecond,
  DateUnit,
  Decimal,
  Dictionary,
  Duration,
  Field,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  LargeBinary,
  LargeUtf8,
  List,
  Null,
  type Precision,
  Schema,
  Struct,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimeSecond,
  Timestamp,
  type TimeUnit,
  Type,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from "apache-arrow";
import { invalid } from "../errors.js";
import { childrenOf } from "../ipc/types.js";
import { NESTING_MAX } from "../limits.js";

const UNITS = ["s", "ms", "us", "ns"] as const;
const TIMES = [TimeSecond, TimeMillisecond, TimeMicrosecond, TimeNanosecond] as const;

const SIMPLE: Readonly<Record<string, new () => DataType>> = {
  null: Null,
  bool: Bool,
  int8: Int8,
  int16: Int16,
  int32: Int32,
  int64: Int64,
  uint8: Uint8,
  uint16: Uint16,
  uint32: Uint32,
  uint64: Uint64,
  float16: Float16,
  float32: Float32,
  float64: Float64,
  utf8: Utf8,
  large_utf8: LargeUtf8,
  binary: Binary,
  large_binary: LargeBinary,
  date32: DateDay,
  date64: DateMillisecond,
};
/** Other names of the same. */
const ALIASES: Readonly<Record<string, string>> = {
  string: "utf8",
  large_string: "large_utf8",
  float: "float32",
  double: "float64",
  halffloat: "float16",
};

function nestedText(type: DataType): string | undefined {
  const children = childrenOf(type);
  const inner = children.map(({ name, type: child }) => `${name}: ${typeText(child)}`).join(", ");
  const item = () => typeText(children[0]?.type as DataType);
  switch (type.typeId) {
    case Type.List:
      return `list<${item()}>`;
    case Type.LargeList:
      return `large_list<${item()}>`;
    case Type.FixedSizeList:
      return `fixed_size_list<${item()}>[${(type as DataType & { listSize: number }).listSize}]`;
    case Type.Struct:
      return `struct<${inner}>`;
    case Type.Map:
      return `map<${childrenOf(children[0]?.type as DataType)
        .map(({ type: child }) => typeText(child))
        .join(", ")}>`;
    case Type.Union:
      return `${DataType.isDenseUnion(type) ? "dense" : "sparse"}_union<${inner}>`;
    default:
      return undefined;
  }
}

/** A type as text. */
export function typeText(type: DataType): string {
  if (DataType.isDictionary(type)) {
    return `dictionary<${typeText(type.dictionary)}, ${typeText(type.indices)}>`;
  }
  if (DataType.isInt(type)) return `${type.isSigned ? "" : "u"}int${type.bitWidth}`;
  if (DataType.isFloat(type)) return `float${[16, 32, 64][type.precision as Precision]}`;
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? "date32" : "date64";
  const unit = UNITS[(type as DataType & { unit: TimeUnit }).unit];
  if (DataType.isTime(type)) return `time${type.bitWidth}[${unit}]`;
  if (DataType.isTimestamp(type)) {
    return `timestamp[${unit}${type.timezone ? `, tz=${type.timezone}` : ""}]`;
  }
  if (type.typeId === Type.Duration) return `duration[${unit}]`;
  if (DataType.isDecimal(type)) return `decimal${type.bitWidth}(${type.precision}, ${type.scale})`;
  if (DataType.isFixedSizeBinary(type)) return `fixed_size_binary[${type.byteWidth}]`;
  const simple = Object.entries(SIMPLE).find(([, Kind]) => new Kind().typeId === type.typeId);
  return nestedText(type) ?? simple?.[0] ?? String(type).toLowerCase();
}

/** Reads types from left to right. */
class TypeParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  fault(): Error {
    const what = `Reading the schema "${this.#text}"`;
    const why = `there is no type at "${this.#text.slice(this.#at, this.#at + 20)}"`;
    const remedy =
      'write columns as "step: int32, at: timestamp[us], tags: list<utf8>"; see docs/guides/arrow.md for the types';
    return invalid(what, why, remedy);
  }

  /** What a pattern finds here; `undefined` if nothing. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.#text.slice(this.#at));
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #expect(pattern: RegExp): RegExpExecArray {
    const match = this.take(pattern);
    if (match === undefined) throw this.fault();
    return match;
  }

  fields(depth: number): Field[] {
    if (depth > NESTING_MAX) throw this.fault();
    const fields: Field[] = [];
    do {
      const match = this.#expect(/^\s*(?:"((?:[^"\\]|\\.)+)"|([^\s:,<>"]+))\s*:\s*/);
      const name = match[2] ?? (match[1] as string).replace(/\\(.)/g, "$1");
      const type = this.type(depth);
      const isRequired = this.take(/^\s+not null\b/) !== undefined;
      fields.push(new Field(name, type, !isRequired));
    } while (this.take(/^\s*,/) !== undefined);
    return fields;
  }

  type(depth: number): DataType {
    if (depth > NESTING_MAX) throw this.fault();
    if (this.take(/^list</) !== undefined) {
      const item = new Field("item", this.type(depth + 1), true);
      this.#expect(/^\s*>/);
      return new List(item);
    }
    if (this.take(/^struct</) !== undefined) {
      const fields = this.fields(depth + 1);
      this.#expect(/^\s*>/);
      return new Struct(fields);
    }
    if (this.take(/^dictionary</) !== undefined) {
      const values = this.type(depth + 1);
      const indices = this.take(/^\s*,\s*/) === undefined ? new Int32() : this.type(depth + 1);
      this.#expect(/^\s*>/);
      if (!DataType.isInt(indices)) throw this.fault();
      return new Dictionary(values, indices as Int32);
    }
    return this.#parameterized() ?? this.#simple();
  }

  #parameterized(): DataType | undefined {
    const stamp = this.take(/^timestamp\[(s|ms|us|ns)(?:,\s*tz=([^\]]+))?\]/);
    if (stamp !== undefined) {
      return new Timestamp(UNITS.indexOf(stamp[1] as "s"), stamp[2]?.trim() ?? null);
    }
    const time = this.take(/^time(?:32|64)?\[(s|ms|us|ns)\]/);
    if (time !== undefined)
      return new (TIMES[UNITS.indexOf(time[1] as "s")] as typeof TimeSecond)();
    const duration = this.take(/^duration\[(s|ms|us|ns)\]/);
    if (duration !== undefined) return new Duration(UNITS.indexOf(duration[1] as "s"));
    const decimal = this.take(/^decimal(128|256)?\((\d{1,2}),\s*(\d{1,2})\)/);
    if (decimal === undefined) return undefined;
    const [width, precision, scale] = [decimal[1] ?? "128", decimal[2], decimal[3]].map(Number);
    return new Decimal(scale as number, precision as number, width as number);
  }

  #simple(): DataType {
    const start = this.#at;
    const [name = ""] = this.take(/^[a-z_0-9]+/) ?? [];
    const Kind = SIMPLE[ALIASES[name] ?? name];
    if (Kind !== undefined) return new Kind();
    this.#at = start;
    throw this.fault();
  }

  end(): void {
    if (this.take(/^\s*$/) === undefined) throw this.fault();
  }
}

/**
 * Reads a schema that a person wrote.
 *
 * @throws `DaosError` `DER_INVAL`.
 *
 * @example
 * ```ts
 * parseSchema("step: int32, energy: float64 not null, tags: list<utf8>").names; // ["step", "energy", "tags"]
 * ```
 */
export function parseSchema(text: string): Schema {
  const parser = new TypeParser(text);
  const fields = parser.fields(0);
  parser.end();
  return new Schema(fields);
}

/** A schema as {@link parseSchema} reads it, for the types that it knows. */
export function schemaText({ fields }: Schema): string {
  return fields
    .map(({ name, type, nullable }) => {
      const isPlain = /^[^\s:,<>"]+$/.test(name);
      const written = isPlain ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
      return `${written}: ${typeText(type)}${nullable ? "" : " not null"}`;
    })
    .join(", ");
}
