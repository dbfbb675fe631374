/**
 * Datatypes that names do not stand for: other byte orders, text of a fixed size, members, arrays.
 *
 * @example
 * ```ts
 * const particle = compoundType({
 *   id: "uint64",
 *   position: arrayType("float64", [3]),
 *   species: enumType({ electron: 0, ion: 1 }),
 *   tag: stringType({ length: 8 }),
 * });
 * const table = await file.createDataset("particles", { shape: [1000], dtype: particle });
 * ```
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import {
  type ArrayType,
  type BitfieldType,
  type ByteOrder,
  type CharacterSet,
  type CompoundType,
  type Datatype,
  type EnumType,
  type IntegerType,
  integerType,
  itemSizeOf,
  type OpaqueType,
  type ReferenceType,
  type SequenceType,
  type StringPadding,
  type StringType,
  type VlenStringType,
} from "./datatype.js";
import { type DType, datatypeOf } from "./names.js";

function invalid(what: string, why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what: `Making ${what}`, why, remedy });
}

function checkSize(what: string, size: number): void {
  if (Number.isSafeInteger(size) && size >= 1 && size < 2 ** 32) return;
  throw invalid(what, `${size} is no size in bytes`, "give a whole number of at least 1");
}

/** A number type with its most significant byte first. */
export function bigEndian(dtype: DType): Datatype {
  return inOrder(datatypeOf(dtype), "big");
}

function inOrder(type: Datatype, order: ByteOrder): Datatype {
  switch (type.class) {
    case "integer":
    case "float":
    case "bitfield":
    case "time":
      // A single byte has no order: HDF5 says little.
      return type.size === 1 ? type : { ...type, order };
    case "enum":
      return type.base.size === 1 ? type : { ...type, base: { ...type.base, order } };
    case "array":
    case "vlen":
      return { ...type, base: inOrder(type.base, order) };
    case "compound": {
      const members = type.members.map((member) => {
        return { ...member, type: inOrder(member.type, order) };
      });
      return { ...type, members };
    }
    default:
      return type;
  }
}

/**
 * Text of `length` bytes, UTF-8 if not said otherwise; shorter text is followed by zero bytes.
 *
 * @throws `DaosError` `DER_INVAL` for a length below 1.
 */
export function stringType({
  length,
  charset = "utf8",
  padding = "nullpad",
}: {
  readonly length: number;
  readonly charset?: CharacterSet;
  readonly padding?: StringPadding;
}): StringType {
  checkSize("a string type", length);
  return { class: "string", size: length, padding, charset };
}

/** Text of any length. */
export function vlenStringType({
  charset = "utf8",
  padding = "nullterm",
}: {
  readonly charset?: CharacterSet;
  readonly padding?: StringPadding;
} = {}): VlenStringType {
  return { class: "vlenString", padding, charset };
}

/**
 * Names for whole numbers.
 *
 * @param members Names and their numbers.
 * @param base An integer type; `int8` if the numbers fit, else the next larger one, by default.
 * @throws `DaosError` `DER_INVAL` without members, for another base, or for numbers that do not fit it.
 */
export function enumType(
  members: Readonly<Record<string, number | bigint>>,
  base?: DType,
): EnumType {
  const list = Object.entries(members).map(([name, value]) => ({ name, value: BigInt(value) }));
  const type = base === undefined ? smallestFor(list) : datatypeOf(base);
  if (list.length === 0) throw invalid("an enum type", "it has no members", "name some numbers");
  if (type.class !== "integer") {
    throw invalid("an enum type", `its base is of class ${type.class}`, "give an integer type");
  }
  const misfit = list.find(({ value }) => !fits(value, type));
  if (misfit === undefined) return { class: "enum", base: type, members: list };
  throw invalid(
    "an enum type",
    `${misfit.name} = ${misfit.value} does not fit ${type.size} bytes`,
    "give a larger base",
  );
}

function fits(value: bigint, { precision, isSigned }: IntegerType): boolean {
  return value === (isSigned ? BigInt.asIntN(precision, value) : BigInt.asUintN(precision, value));
}

function smallestFor(members: readonly { readonly value: bigint }[]): IntegerType {
  const candidates = [1, 2, 4, 8].map((size) => integerType(size, true));
  const found = candidates.find((type) => members.every(({ value }) => fits(value, type)));
  return found ?? integerType(8, false);
}

/** A compound whose members TypeScript knows. */
export interface CompoundOf<M extends Readonly<Record<string, DType>>> extends CompoundType {
  /** For types only: never set. */
  readonly memberTypes?: M;
}

/**
 * Named members, packed behind one another, or at given places.
 *
 * @param members Names and their types.
 * @param layout `offsets` in bytes, one for each member, and `size` of an element.
 * @throws `DaosError` `DER_INVAL` without members, or for places that overlap or lie outside.
 */
export function compoundType<M extends Readonly<Record<string, DType>>>(
  members: M,
  layout: { readonly offsets?: readonly number[]; readonly size?: number } = {},
): CompoundOf<M> {
  let end = 0;
  const list = Object.entries(members).map(([name, dtype], index) => {
    const type = datatypeOf(dtype);
    const offset = layout.offsets?.[index] ?? end;
    end = Math.max(end, offset + itemSizeOf(type));
    return { name, offset, type };
  });
  const size = layout.size ?? end;
  if (list.length === 0) throw invalid("a compound type", "it has no members", "name some");
  const sorted = [...list].sort((a, b) => a.offset - b.offset);
  const isApart = sorted.every(({ offset }, index) => {
    const before = sorted[index - 1];
    const least = before === undefined ? 0 : before.offset + itemSizeOf(before.type);
    return Number.isSafeInteger(offset) && offset >= least;
  });
  if (isApart && size >= end) return { class: "compound", size, members: list };
  throw invalid("a compound type", "members overlap or lie outside", "correct offsets and size");
}

/** An array type whose base TypeScript knows. */
export interface ArrayOf<B extends DType> extends ArrayType {
  /** For types only: never set. */
  readonly baseType?: B;
}

/**
 * Arrays of one shape as elements.
 *
 * @throws `DaosError` `DER_INVAL` for a shape without dimensions, or with an extent below 1.
 */
export function arrayType<B extends DType>(base: B, shape: readonly number[]): ArrayOf<B> {
  const isShape =
    shape.length > 0 && shape.every((extent) => Number.isSafeInteger(extent) && extent > 0);
  if (isShape) return { class: "array", shape: [...shape], base: datatypeOf(base) };
  const remedy = "give at least one extent, of at least 1 each";
  throw invalid("an array type", `[${shape.join(", ")}] is not a shape`, remedy);
}

/** A sequence type whose base TypeScript knows. */
export interface SequenceOf<B extends DType> extends SequenceType {
  /** For types only: never set. */
  readonly baseType?: B;
}

/** As many elements of another type as each element likes. */
export function sequenceType<B extends DType>(base: B): SequenceOf<B> {
  return { class: "vlen", base: datatypeOf(base) };
}

/** Bytes that only their writer understands. @param tag What they are, in ASCII; at most 255 bytes. */
export function opaqueType(size: number, tag = ""): OpaqueType {
  checkSize("an opaque type", size);
  return { class: "opaque", size, tag };
}

/** Bits without a number. @param size 1, 2, 4 or 8 bytes. */
export function bitfieldType(size: 1 | 2 | 4 | 8): BitfieldType {
  const { isSigned: _, ...rest } = integerType(size, false);
  return { ...rest, class: "bitfield" };
}

/** References to objects, or to elements of datasets. */
export function referenceType(kind: "object" | "region" = "object"): ReferenceType {
  return { class: "reference", kind };
}
