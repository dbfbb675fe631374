/**
 * Elements in memory: what a program gets and gives for each type.
 *
 *     numbers     a typed array in the machine's byte order; `float16` and `bfloat16` a Float32Array, other
 *                 floats that no typed array has a Float64Array, odd integers the next larger array
 *     bool        a Uint8Array of 0 and 1                 enum      the numbers
 *     complex     real and imaginary parts in turn        opaque    the bytes, behind one another
 *     text        a list of strings                       bitfield  unsigned integers
 *     array       the elements of its base; its shape is appended to that of the selection
 *     compound    columns: an object with the elements of each member
 *     vlen        a list with the elements of each sequence
 *     reference   a list of {@link Reference}; `undefined` is none
 *
 * @module
 */

import type { ArrayOf, CompoundOf, SequenceOf } from "../datatype/constructors.js";
import type {
  BitfieldType,
  EnumType,
  FloatType,
  IntegerType,
  OpaqueType,
  ReferenceType,
  StringType,
  VlenStringType,
} from "../datatype/datatype.js";
import type {
  DType,
  DTypeName,
  NumberArray,
  NumericName,
  TypedArrayOf,
} from "../datatype/names.js";
import type { Reference } from "./references.js";

/** Elements of a compound: those of each member, by name. */
export interface Columns {
  /** The elements of a member. */
  readonly [member: string]: Elements;
}

/** Elements of any type. */
export type Elements =
  | NumberArray
  | readonly string[]
  | readonly (Reference | undefined)[]
  | readonly Elements[]
  | Columns;

type ElementsOfName<N extends DTypeName> = N extends NumericName
  ? TypedArrayOf<N>
  : N extends "bool"
    ? Uint8Array
    : N extends "float16" | "bfloat16" | "complex64"
      ? Float32Array
      : N extends "complex128"
        ? Float64Array
        : string[];

type ElementsOfDatatype<D> =
  D extends CompoundOf<infer M>
    ? string extends keyof M
      ? Columns
      : { readonly [K in keyof M]: ElementsOf<M[K]> }
    : D extends ArrayOf<infer B>
      ? DType extends B
        ? Elements
        : ElementsOf<B>
      : D extends SequenceOf<infer B>
        ? DType extends B
          ? Elements[]
          : ElementsOf<B>[]
        : D extends StringType | VlenStringType
          ? string[]
          : D extends ReferenceType
            ? (Reference | undefined)[]
            : D extends OpaqueType
              ? Uint8Array
              : D extends IntegerType | FloatType | EnumType | BitfieldType
                ? NumberArray
                : Elements;

/** What memory holds for elements of a type: `"float64"` is a `Float64Array`, `"string"` a `string[]`. */
export type ElementsOf<D extends DType> = DType extends D
  ? Elements
  : D extends DTypeName
    ? ElementsOfName<D>
    : ElementsOfDatatype<D>;

/** One element: `bigint` for 64-bit integers, `string` for text, `number` for other numbers. */
export type ScalarOf<D extends DType> = DType extends D
  ? number | bigint | boolean | string | Reference
  : ElementsOf<D> extends BigInt64Array | BigUint64Array
    ? bigint
    : ElementsOf<D> extends ArrayLike<infer T>
      ? T
      : ElementsOf<D>;

/** Elements with their shape, in row-major order. */
export interface NdArray<D extends DType = DType> extends Shaped<ElementsOf<D>> {}

/** Elements of any kind with their shape, in row-major order. */
export interface Shaped<T = unknown> {
  /** The elements. */
  readonly data: T;
  /** Extent along each dimension, slowest first. */
  readonly shape: readonly number[];
}

/** The element type that elements have: of a `Float64Array` `"float64"`. */
export type DTypeOf<T> =
  T extends Shaped<infer U>
    ? DTypeOf<U>
    : T extends NumberArray
      ? { [N in NumericName]: T extends TypedArrayOf<N> ? N : never }[NumericName]
      : T extends string | readonly string[]
        ? "string"
        : T extends boolean | readonly boolean[]
          ? "bool"
          : T extends number | readonly number[] | readonly (readonly number[])[]
            ? "float64"
            : DType;
