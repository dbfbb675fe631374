/**
 * Values of attributes in memory: what they are stored as, and what they become.
 *
 * @module
 */

import { DaosError } from "../../core/index.js";
import { hasSlots, SLOT_SIZE } from "./datatype/datatype.js";
import type { Dataspace } from "./description.js";
import {
  arrayOver,
  bytesOf,
  type DType,
  datatypeOf,
  dtypeOf,
  dtypeOfDatatype,
  type TypedArrayOf,
} from "./dtype.js";
import { TEXT } from "./storage/first-format.js";
import type { NamedAttribute, NewAttribute } from "./storage/stored-attributes.js";

/** What an attribute can hold: text, a number, or a list of numbers. */
export type AttributeValue = string | number | bigint | TypedArrayOf<DType>;

const SCALAR: Dataspace = { kind: "scalar" };

/**
 * The attribute for a value: a number becomes a scalar float64, a bigint a scalar int64 (uint64 if it is
 * too large for that), a typed array a list of its elements.
 *
 * @throws `DaosError` `DER_INVAL` for another value.
 */
export function attributeOf(name: string, value: AttributeValue | readonly number[]): NewAttribute {
  const common = { name, committedType: undefined };
  if (typeof value === "string") {
    const text = Buffer.from(value);
    const bytes = Buffer.alloc(SLOT_SIZE);
    bytes.writeUInt32LE(text.length);
    const heap = text.length === 0 ? [] : [text];
    return check({ ...common, type: TEXT, space: SCALAR, elements: { bytes, heap } });
  }
  const elements = toElements(value);
  const dtype = dtypeOf(elements);
  if (elements === undefined || dtype === undefined) throw badAttribute(name, value);
  const shape = [elements.length];
  const isList = typeof value === "object" && value !== null;
  const space: Dataspace = isList ? { kind: "simple", shape, maxShape: shape } : SCALAR;
  const type = datatypeOf(dtype);
  return check({ ...common, type, space, elements: { bytes: bytesOf(elements), heap: [] } });
}

function check(attribute: NewAttribute): NewAttribute {
  if (attribute.name !== "") return attribute;
  const why = "an attribute has no name";
  throw new DaosError("DER_INVAL", { what: "Setting an attribute", why, remedy: "give it one" });
}

function toElements(value: unknown): TypedArrayOf<DType> | undefined {
  if (typeof value === "number") return Float64Array.of(value);
  if (typeof value === "bigint") {
    const signed = BigInt64Array.of(value);
    if (signed[0] === value) return signed;
    const unsigned = BigUint64Array.of(value);
    return unsigned[0] === value ? unsigned : undefined;
  }
  if (ArrayBuffer.isView(value)) return value as TypedArrayOf<DType>;
  const isNumbers = Array.isArray(value) && value.every((item) => typeof item === "number");
  return isNumbers ? Float64Array.from(value) : undefined;
}

function badAttribute(name: string, value: unknown): DaosError {
  const kind = value === null ? "null" : Object.prototype.toString.call(value).slice(8, -1);
  const why = `a value of kind ${kind} (${String(value).slice(0, 40)}) has no type here`;
  const remedy = "give a string, a number, a 64-bit bigint, a typed array or a list of numbers";
  return new DaosError("DER_INVAL", { what: `Setting attribute "${name}"`, why, remedy }, { name });
}

/** The value of an attribute. */
export function valueOfAttribute(attribute: NamedAttribute): AttributeValue | undefined {
  const { type, space, elements } = attribute;
  if (hasSlots(type)) return Buffer.from(elements.heap[0] ?? []).toString();
  const dtype = dtypeOfDatatype(type);
  if (dtype === undefined) return undefined;
  const array = arrayOver(dtype, Uint8Array.from(elements.bytes).buffer);
  return space.kind === "scalar" ? (array[0] as number | bigint) : array;
}
