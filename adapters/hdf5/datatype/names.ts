/**
 * Names of element types, as in NumPy, and the datatypes that they stand for.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { type Datatype, floatType, integerType, sameDatatype } from "./datatype.js";
import { BOOL, complexType } from "./usual-types.js";

/** The element types of which memory holds a typed array, in the machine's byte order. */
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

/** Name of a number type whose typed array has the bytes that are stored. */
export type NumericName = keyof typeof ARRAYS;

/** Name of an element type; `string` is UTF-8 text of any length. */
export type DTypeName =
  | NumericName
  | "float16"
  | "bfloat16"
  | "bool"
  | "complex64"
  | "complex128"
  | "string";

/** An element type: a name, or a datatype that says every bit. */
export type DType = DTypeName | Datatype;

/** The typed array of a number type: `float64` is a `Float64Array`. */
export type TypedArrayOf<N extends NumericName> = (typeof ARRAYS)[N]["prototype"];

/** Any typed array that a number type has. */
export type NumberArray = TypedArrayOf<NumericName>;

const DATATYPES: Readonly<Record<DTypeName, Datatype>> = {
  int8: integerType(1, true),
  int16: integerType(2, true),
  int32: integerType(4, true),
  int64: integerType(8, true),
  uint8: integerType(1, false),
  uint16: integerType(2, false),
  uint32: integerType(4, false),
  uint64: integerType(8, false),
  float16: floatType("float16"),
  bfloat16: floatType("bfloat16"),
  float32: floatType("float32"),
  float64: floatType("float64"),
  bool: BOOL,
  complex64: complexType(floatType("float32")),
  complex128: complexType(floatType("float64")),
  string: { class: "vlenString", padding: "nullterm", charset: "utf8" },
};

/** Names of element types by those of their typed arrays. */
const ARRAY_NAMES: ReadonlyMap<string, NumericName> = new Map(
  Object.entries(ARRAYS).map(([name, array]) => [array.name, name as NumericName]),
);

/** All names. */
export const DTYPE_NAMES = Object.keys(DATATYPES) as DTypeName[];

/** Whether a name is that of a number type with a typed array of its own. */
export function isNumericName(name: unknown): name is NumericName {
  return typeof name === "string" && Object.hasOwn(ARRAYS, name);
}

/**
 * The datatype of an element type.
 *
 * @throws `DaosError` `DER_INVAL` for a name that is not in the list.
 */
export function datatypeOf(dtype: DType): Datatype {
  if (typeof dtype === "object" && dtype !== null && "class" in dtype) return dtype;
  if (typeof dtype === "string" && Object.hasOwn(DATATYPES, dtype)) return DATATYPES[dtype];
  throw new DaosError(
    "DER_INVAL",
    {
      what: `Using dtype "${String(dtype)}"`,
      why: "it is neither a name that is known nor a datatype",
      remedy: `choose one of ${DTYPE_NAMES.join(", ")}, or make a datatype`,
    },
    { dtype: String(dtype) },
  );
}

/** The name of a datatype, if it has one. */
export function dtypeNameOf(type: Datatype): DTypeName | undefined {
  return DTYPE_NAMES.find((name) => sameDatatype(DATATYPES[name], type));
}

/** The element type of a typed array, if it has one. Works across realms. */
export function dtypeOfArray(value: unknown): NumericName | undefined {
  if (!ArrayBuffer.isView(value)) return undefined;
  return ARRAY_NAMES.get((value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? "");
}

/** Bytes of one element of a typed array. */
export function bytesPerElement(name: NumericName): number {
  return ARRAYS[name].BYTES_PER_ELEMENT;
}

/** The bytes of a typed array, not copied. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A typed array over bytes; copied only if they do not begin where such an array can. */
export function arrayOver<N extends NumericName>(name: N, bytes: Uint8Array): TypedArrayOf<N> {
  const size = ARRAYS[name].BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : Uint8Array.from(bytes);
  const count = aligned.byteLength / size;
  return new ARRAYS[name](
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    count,
  ) as TypedArrayOf<N>;
}

/** A new typed array whose elements are not set. */
export function newArray<N extends NumericName>(name: N, count: number): TypedArrayOf<N> {
  const { buffer } = Buffer.allocUnsafeSlow(count * ARRAYS[name].BYTES_PER_ELEMENT);
  return new ARRAYS[name](buffer) as TypedArrayOf<N>;
}
