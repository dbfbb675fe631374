/**
 * Element types: names as in NumPy, and the typed arrays that hold their elements.
 *
 * @module
 */

import { DaosError } from "../../core/index.js";
import { type Datatype, floatType, integerType, sameDatatype } from "./datatype/datatype.js";

/** Classes of HDF5 datatypes, with HDF5's numbers. Durable: DO NOT CHANGE THESE VALUES. */
export const TypeClass = { integer: 0, float: 1, string: 3 } as const;

const ARRAYS = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Name of an element type. */
export type DType = keyof typeof ARRAYS;

type TypedArrayConstructor = (typeof ARRAYS)[DType];

/** What is stored of an element type. */
export interface DTypeFacts {
  readonly array: TypedArrayConstructor;
  readonly typeClass: number;
  readonly isSigned: boolean;
}

const integer = (array: TypedArrayConstructor, isSigned: boolean): DTypeFacts => {
  return { array, typeClass: TypeClass.integer, isSigned };
};
const float = (array: TypedArrayConstructor): DTypeFacts => {
  return { array, typeClass: TypeClass.float, isSigned: true };
};

const FACTS: Readonly<Record<DType, DTypeFacts>> = {
  int8: integer(Int8Array, true),
  int16: integer(Int16Array, true),
  int32: integer(Int32Array, true),
  int64: integer(BigInt64Array, true),
  uint8: integer(Uint8Array, false),
  uint16: integer(Uint16Array, false),
  uint32: integer(Uint32Array, false),
  uint64: integer(BigUint64Array, false),
  float32: float(Float32Array),
  float64: float(Float64Array),
};

/** The typed array of an element type: `float64` is a `Float64Array`. */
export type TypedArrayOf<D extends DType> = (typeof ARRAYS)[D]["prototype"];

/** One element: `bigint` for the 64-bit integers, else `number`. */
export type ScalarOf<D extends DType> = TypedArrayOf<D>[number];

/**
 * What is stored of an element type.
 *
 * @throws `DaosError` `DER_INVAL` for a name that is not in the list.
 */
export function factsOf(dtype: string): DTypeFacts {
  if (Object.hasOwn(FACTS, dtype)) return FACTS[dtype as DType];
  throw new DaosError(
    "DER_INVAL",
    {
      what: `Using dtype "${dtype}"`,
      why: "it is not one of the numeric types that are supported",
      remedy: `choose one of ${Object.keys(FACTS).join(", ")}`,
    },
    { dtype },
  );
}

/** Bytes of one element. */
export function itemSizeOf(dtype: DType): number {
  return factsOf(dtype).array.BYTES_PER_ELEMENT;
}

/** The datatype of an element type. */
export function datatypeOf(dtype: DType): Datatype {
  const { array, typeClass, isSigned } = factsOf(dtype);
  const size = array.BYTES_PER_ELEMENT;
  if (typeClass === TypeClass.integer) return integerType(size, isSigned);
  return floatType(size === 4 ? "float32" : "float64");
}

/** The element type of a datatype, if there is one. */
export function dtypeOfDatatype(type: Datatype): DType | undefined {
  const names = Object.keys(FACTS) as DType[];
  return names.find((dtype) => sameDatatype(datatypeOf(dtype), type));
}

/** The element type of a typed array, if it has one. Works across realms. */
export function dtypeOf(value: unknown): DType | undefined {
  if (!ArrayBuffer.isView(value)) return undefined;
  const tag: string = (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? "";
  for (const [dtype, { array }] of Object.entries(FACTS)) {
    if (array.name === tag) return dtype as DType;
  }
  return undefined;
}

/** The bytes of a typed array, not copied. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A typed array over bytes that start a buffer of their own; not copied. */
export function arrayOver<D extends DType>(dtype: D, buffer: ArrayBuffer): TypedArrayOf<D> {
  return new ARRAYS[dtype](buffer) as TypedArrayOf<D>;
}

/** A new typed array whose elements are not set. */
export function newArray<D extends DType>(dtype: D, count: number): TypedArrayOf<D> {
  return arrayOver(dtype, Buffer.allocUnsafeSlow(count * itemSizeOf(dtype)).buffer);
}
