/**
 * Elements as JSON values: numbers, texts, lists and objects.
 *
 *     64-bit numbers that a double cannot hold   decimal text
 *     NaN, Infinity                              text
 *     enum                                       the name of the value, or the value
 *     opaque, bitfield                           hexadecimal text
 *     references                                 the path of the object, or null; of a region with its selection
 *
 * @module
 */

import {
  type Datatype,
  type FloatType,
  type Hdf5Source,
  itemSizeOf,
  type RawElements,
  type SourceRegion,
} from "daos-ts/hdf5";
import { selectionText } from "./type-text.js";

/** What a value is. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Unsigned whole number of an element. */
function bitsOf(bytes: Uint8Array, order: "little" | "big" | "vax"): bigint {
  let value = 0n;
  const ordered = order === "big" ? bytes : bytes.toReversed();
  for (const byte of ordered) value = (value << 8n) | BigInt(byte);
  return value;
}

function integerOf(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

const field = (bits: bigint, at: number, size: number): bigint =>
  BigInt.asUintN(size, bits >> BigInt(at));

/** The number that a float of any format stands for. */
function floatOf(bytes: Uint8Array, type: FloatType): number {
  const bits = bitsOf(bytes, type.order);
  const sign = field(bits, type.signLocation, 1) === 1n ? -1 : 1;
  const exponent = Number(field(bits, type.exponentLocation, type.exponentSize));
  const mantissa = field(bits, type.mantissaLocation, type.mantissaSize);
  const isImplied = type.normalization === "implied";
  // A set leading bit is part of the mantissa.
  const digits = isImplied ? type.mantissaSize : type.mantissaSize - 1;
  if (exponent === 2 ** type.exponentSize - 1) {
    const rest = isImplied ? mantissa : BigInt.asUintN(digits, mantissa);
    return rest === 0n ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  const isSmall = exponent === 0;
  const whole = isImplied && !isSmall ? mantissa | (1n << BigInt(digits)) : mantissa;
  const power = (isSmall ? 1 : exponent) - type.exponentBias - digits;
  // In two steps: a power beyond the doubles may meet a mantissa that brings it back.
  const half = Math.trunc(power / 2);
  return sign * Number(whole) * 2 ** half * 2 ** (power - half);
}

const numberOf = (value: number): number | string =>
  Number.isFinite(value) ? value : String(value);

function textOf(bytes: Uint8Array, padding: string): string {
  let end = bytes.length;
  if (padding === "nullterm") {
    const zero = bytes.indexOf(0);
    if (zero >= 0) end = zero;
  } else {
    const pad = padding === "spacepad" ? 0x20 : 0;
    while (end > 0 && bytes[end - 1] === pad) end--;
  }
  return Buffer.from(bytes.subarray(0, end)).toString("utf8");
}

/** Makes values of elements of one file. */
export class ValueReader {
  readonly #source: Hdf5Source;
  readonly #paths: ReadonlyMap<string, string>;

  /** @param paths Paths of the objects of the file, by their identity. */
  constructor(source: Hdf5Source, paths: ReadonlyMap<string, string>) {
    this.#source = source;
    this.#paths = paths;
  }

  /** The values of elements, in their order. */
  async values(type: Datatype, elements: RawElements): Promise<JsonValue[]> {
    return this.#list(type, elements.bytes, elements.heap);
  }

  async #list(
    type: Datatype,
    bytes: Uint8Array,
    heap: readonly Uint8Array[],
  ): Promise<JsonValue[]> {
    const size = itemSizeOf(type);
    const values: JsonValue[] = [];
    for (let at = 0; at + size <= bytes.length; at += size) {
      values.push(await this.#value(type, bytes.subarray(at, at + size), heap));
    }
    return values;
  }

  async #value(type: Datatype, bytes: Uint8Array, heap: readonly Uint8Array[]): Promise<JsonValue> {
    switch (type.class) {
      case "integer": {
        const bits = bitsOf(bytes, type.order) >> BigInt(type.bitOffset);
        const { precision, isSigned } = type;
        return integerOf(
          isSigned ? BigInt.asIntN(precision, bits) : BigInt.asUintN(precision, bits),
        );
      }
      case "float":
        return type.order === "vax" ? hex(bytes) : numberOf(floatOf(bytes, type));
      case "enum": {
        const bits = bitsOf(bytes, type.base.order);
        const value = type.base.isSigned ? BigInt.asIntN(8 * bytes.length, bits) : bits;
        return type.members.find((member) => member.value === value)?.name ?? integerOf(value);
      }
      case "string":
        return textOf(bytes, type.padding);
      case "vlenString":
        return textOf(itemOf(bytes, heap), "nullterm");
      case "vlen":
        return this.#list(type.base, itemOf(bytes, heap), heap);
      case "array":
        return nested(await this.#list(type.base, bytes, heap), type.shape);
      case "compound": {
        const members: Record<string, JsonValue> = {};
        for (const { name, offset, type: of } of type.members) {
          members[name] = await this.#value(
            of,
            bytes.subarray(offset, offset + itemSizeOf(of)),
            heap,
          );
        }
        return members;
      }
      case "reference":
        return type.kind === "object"
          ? this.#pathOf(bitsOf(bytes, "little"))
          : this.#region(bytes, heap);
      default:
        return hex(bytes);
    }
  }

  async #pathOf(reference: bigint): Promise<string | null> {
    if (reference === 0n) return null;
    const object = await this.#source.resolve(reference);
    return (object && this.#paths.get(object.id)) ?? `#${reference}`;
  }

  async #region(bytes: Uint8Array, heap: readonly Uint8Array[]): Promise<JsonValue> {
    const index = Number(bitsOf(bytes.subarray(0, 8), "little"));
    const item = heap[index];
    if (index === 0 || item === undefined) return null;
    const { object, selection }: SourceRegion = JSON.parse(Buffer.from(item).toString());
    return `${await this.#pathOf(BigInt(object))} ${selectionText(selection)}`;
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function itemOf(bytes: Uint8Array, heap: readonly Uint8Array[]): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) === 0) return new Uint8Array(0);
  return heap[Number(view.getBigUint64(8, true))] ?? new Uint8Array(0);
}

/** A list as lists of lists, of a shape. */
export function nested(values: readonly JsonValue[], shape: readonly number[]): JsonValue {
  if (shape.length === 0) return values[0] ?? null;
  let level: readonly JsonValue[] = values;
  for (let dimension = shape.length - 1; dimension > 0; dimension--) {
    const extent = shape[dimension] as number;
    const next: JsonValue[] = [];
    for (let at = 0; at < level.length; at += extent) next.push(level.slice(at, at + extent));
    level = next;
  }
  return level;
}
