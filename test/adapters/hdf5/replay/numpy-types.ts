/**
 * NumPy's types as ours, and keys by which they are compared.
 *
 * HDF5 knows more types than NumPy: those that h5py reads as the same type of NumPy's have the same key.
 *
 * @module
 */

import {
  arrayType,
  BOOL,
  complexType,
  compoundType,
  type Datatype,
  enumType,
  type FloatType,
  floatType,
  integerType,
  opaqueType,
  referenceType,
  sequenceType,
  stringType,
  vlenStringType,
} from "daos-ts/hdf5";
import type { RecordedType } from "./recording.ts";

const FLOATS = { 2: "float16", 4: "float32", 8: "float64" } as const;
/** What C calls a long double on x86: 80 bits in 16 bytes. */
const LONG_DOUBLE: FloatType = {
  class: "float",
  size: 16,
  order: "little",
  bitOffset: 0,
  precision: 80,
  padding: { low: 0, high: 0 },
  signLocation: 79,
  exponentLocation: 64,
  exponentSize: 15,
  exponentBias: 16383,
  mantissaLocation: 0,
  mantissaSize: 64,
  normalization: "none",
  innerPadding: 0,
};

/**
 * The datatype of ours; for a type that h5py refuses, a name that we do not have: it is for us to refuse.
 */
export function typeOf(recorded: RecordedType): Datatype {
  const { kind, size, order } = recorded;
  if (recorded.enum !== undefined) {
    const base = integerType(size, kind === "i", order === ">" ? "big" : "little");
    return enumType(Object.fromEntries(recorded.enum.map(([n, v]) => [n, BigInt(v)])), base);
  }
  switch (kind) {
    case "i":
    case "u":
      return integerType(size, kind === "i", order === ">" ? "big" : "little");
    case "f":
      return floatOf(size, order);
    case "b":
      return BOOL;
    case "c":
      return complexType(floatOf(size / 2, order));
    case "S":
      return stringType({ length: size, charset: charsetOf(recorded) });
    case "T":
      return vlenStringType();
    case "V":
      return opaqueType(size);
    case "array":
      return arrayType(typeOf(recorded.base as RecordedType), recorded.shape as number[]);
    case "compound":
      return compoundOf(recorded);
    default:
      return objectType(recorded);
  }
}

function charsetOf({ text }: RecordedType): "ascii" | "utf8" {
  return text?.encoding === "utf-8" ? "utf8" : "ascii";
}

function floatOf(size: number, order: string): FloatType {
  if (size === 16) return LONG_DOUBLE;
  return floatType(FLOATS[size as keyof typeof FLOATS], order === ">" ? "big" : "little");
}

function compoundOf({ fields = [], size }: RecordedType): Datatype {
  if (fields.length === 0) return "a compound without members" as unknown as Datatype;
  const members = Object.fromEntries(fields.map(({ name, dtype }) => [name, typeOf(dtype)]));
  // Elements of variable length take other sizes in NumPy than in files: their members follow one another.
  if (fields.some(({ dtype }) => isObject(dtype))) return compoundType(members);
  return compoundType(members, { offsets: fields.map(({ offset }) => offset), size });
}

function isObject({ kind, base, fields }: RecordedType): boolean {
  if (kind === "compound") return fields?.some(({ dtype }) => isObject(dtype)) === true;
  return kind === "O" || (base !== undefined && isObject(base));
}

/** Types whose elements are Python's objects, and those of h5py's that HDF5 does not know. */
function objectType(recorded: RecordedType): Datatype {
  if (recorded.text !== undefined) return vlenStringType({ charset: charsetOf(recorded) });
  if (recorded.vlen !== undefined) return sequenceType(typeOf(recorded.vlen));
  if (recorded.ref !== undefined) return referenceType(recorded.ref);
  if (recorded.opaque === true) return opaqueType(recorded.size, `NUMPY:${recorded.str}`);
  return `NumPy's ${recorded.kind}${recorded.size}` as unknown as Datatype;
}

/** Whether elements may be any of Python's objects: an attribute of text comes as such. */
export function isAnyObject({ kind, text, vlen, ref }: RecordedType): boolean {
  return kind === "O" && text === undefined && vlen === undefined && ref === undefined;
}

function sizeKey(size: number): number {
  return [1, 2, 4, 8].find((candidate) => candidate >= size) ?? 16;
}

/** The smallest of NumPy's floats that holds all numbers of a type. */
function floatSize({ exponentSize, exponentBias, mantissaSize, size }: FloatType): number {
  if (size > 8) return 16;
  const most = 2 ** exponentSize - 2 - exponentBias;
  const least = 1 - exponentBias;
  const fits = (bias: number, bits: number) =>
    most <= bias && least >= 1 - bias && mantissaSize <= bits;
  return fits(15, 10) ? 2 : fits(127, 23) ? 4 : 8;
}

/** Whether NumPy has Python's objects for elements, or parts of them. */
function hasObjects(type: Datatype): boolean {
  switch (type.class) {
    case "vlen":
    case "vlenString":
    case "reference":
      return true;
    case "array":
      return hasObjects(type.base);
    case "compound":
      return type.members.some((member) => hasObjects(member.type));
    default:
      return false;
  }
}

function orderKey(order: string, size: number): string {
  return size === 1 ? "" : order === "big" ? ">" : "<";
}

/** A key of the NumPy type that h5py reads a type as. */
export function keyOf(type: Datatype): string {
  switch (type.class) {
    case "integer":
    case "bitfield": {
      const size = sizeKey(type.size);
      const isSigned = type.class === "integer" && type.isSigned;
      return `${orderKey(type.order, size)}${isSigned ? "i" : "u"}${size}`;
    }
    case "float":
      return `${orderKey(type.order, 2)}f${floatSize(type)}`;
    case "enum": {
      const members = type.members.map(({ name, value }) => `${name}=${value}`).sort();
      return members.join() === "FALSE=0,TRUE=1" ? "bool" : `${keyOf(type.base)}{${members}}`;
    }
    case "string":
      return `S${type.size}:${type.charset}`;
    case "vlenString":
      return `text:${type.charset}`;
    case "opaque":
      return `V${type.size}${type.tag.startsWith("NUMPY:") ? type.tag : ""}`;
    case "compound":
      return compoundKey(type.members);
    case "array":
      return `(${type.shape})${keyOf(type.base)}`;
    case "vlen":
      return `[${keyOf(type.base)}]`;
    case "reference":
      return `ref:${type.kind}`;
    default:
      return type.class;
  }
}

function compoundKey(members: readonly { name: string; offset: number; type: Datatype }[]): string {
  const isFixed = members.every(({ type }) => !hasObjects(type));
  const list = members.map(
    ({ name, offset, type }) => `${name}@${isFixed ? offset : ""}:${keyOf(type)}`,
  );
  const isComplex = members.length === 2 && members[0]?.name === "r" && members[1]?.name === "i";
  return `${isComplex ? "complex" : ""}{${list}}`;
}
