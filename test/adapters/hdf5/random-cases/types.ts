/**
 * Element types of random cases, and values of them: the same bytes for our API and for NumPy.
 *
 * @module
 */

import {
  arrayType,
  bigEndian,
  compoundType,
  type DType,
  type Elements,
  type NumberArray,
  stringType,
} from "daos-ts/hdf5";

/** How `python/random_cases.py` has a type: a name of NumPy's, members, or an array's base and shape. */
export type PythonType =
  | string
  | { readonly [member: string]: PythonType }
  | readonly [PythonType, readonly number[]];

/** An element type. */
export interface CaseType {
  readonly ours: DType;
  readonly python: PythonType;
  /** Extents of the arrays that elements are. */
  readonly inner: readonly number[];
  /** Whether other numbers are converted to it. */
  readonly isNumber: boolean;
  /** Makes values: ours, and those of Python. */
  values(count: number, seed: number): Values;
}

/** Values of a type. */
export interface Values {
  readonly ours: Elements;
  readonly python: unknown;
}

const INTEGERS = [0n, 1n, 2n, 3n, 100n, 127n, 128n, 255n, 32767n, 65535n, 2n ** 31n, 2n ** 53n + 1n]
  .flatMap((value) => [value, -value])
  .concat([2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 62n + 2n ** 38n + 1n]);
// Not 65520, which HDF5 makes 32768 as half a float, nor 2 ** 31, which it makes -(2 ** 31) as int32: it does not see
// that they are too large.
const FLOATS = [
  0,
  1,
  0.1,
  1.5,
  2.5,
  127,
  128,
  255.9,
  65504,
  65519,
  2 ** 31 + 4096,
  2 ** 32 + 4096,
  1e10,
  1e19,
]
  .concat([1e300, 6e-8, 1e-40, Infinity])
  .flatMap((value) => [value, -value]);

/** A pseudo-random index below `most`: a case is its seeds, which shrink. */
function pick(seed: number, index: number, most: number): number {
  let mixed = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 13)) >>> 0) % most;
}

function base64(array: NumberArray): string {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
}

function integers(make: (length: number) => NumberArray) {
  return (count: number, seed: number): NumberArray => {
    const array = make(count);
    const isBig = typeof array[0] === "bigint";
    for (let index = 0; index < count; index++) {
      const value = INTEGERS[pick(seed, index, INTEGERS.length)] as bigint;
      array[index] = (isBig ? value : Number(BigInt.asIntN(32, value))) as never;
    }
    return array;
  };
}

function floats(make: (length: number) => NumberArray) {
  return (count: number, seed: number): NumberArray => {
    const array = make(count);
    for (let index = 0; index < count; index++) {
      array[index] = FLOATS[pick(seed, index, FLOATS.length)] as never;
    }
    return array;
  };
}

/** Types of memory by their names here and in NumPy. */
const MEMORY = {
  int8: ["<i1", integers((n) => new Int8Array(n))],
  uint8: ["<u1", integers((n) => new Uint8Array(n))],
  int16: ["<i2", integers((n) => new Int16Array(n))],
  uint16: ["<u2", integers((n) => new Uint16Array(n))],
  int32: ["<i4", integers((n) => new Int32Array(n))],
  uint32: ["<u4", integers((n) => new Uint32Array(n))],
  int64: ["<i8", integers((n) => new BigInt64Array(n))],
  uint64: ["<u8", integers((n) => new BigUint64Array(n))],
  float32: ["<f4", floats((n) => new Float32Array(n))],
  float64: ["<f8", floats((n) => new Float64Array(n))],
} as const;

/** A number type that memory has. */
export type MemoryName = keyof typeof MEMORY;
/** All of them. */
export const MEMORY_NAMES = Object.keys(MEMORY) as MemoryName[];

/** The name that NumPy has for a type of memory. */
export function pythonNameOf(memory: MemoryName): string {
  return MEMORY[memory][0];
}

/** Numbers of a type of memory. */
export function numbersOf(memory: MemoryName, count: number, seed: number): Values {
  const [dtype, make] = MEMORY[memory];
  const ours = make(count, seed);
  return { ours, python: { dtype, data: base64(ours) } };
}

function numberType(ours: DType, python: string, memory: MemoryName): CaseType {
  const values = (count: number, seed: number) => numbersOf(memory, count, seed);
  return { ours, python, inner: [], isNumber: true, values };
}

function textType(ours: DType, python: string, texts: readonly string[]): CaseType {
  const values = (count: number, seed: number): Values => {
    const data = Array.from(
      { length: count },
      (_, index) => texts[pick(seed, index, texts.length)] as string,
    );
    return { ours: data, python: { dtype: python, data } };
  };
  return { ours, python, inner: [], isNumber: false, values };
}

const BOOLEAN: CaseType = {
  ours: "bool",
  python: "bool",
  inner: [],
  isNumber: false,
  values: (count, seed) => {
    const ours = Uint8Array.from({ length: count }, (_, index) => pick(seed, index, 2));
    return { ours, python: { dtype: "bool", data: base64(ours) } };
  },
};

function complexOf(ours: "complex64" | "complex128"): CaseType {
  const [python, memory] =
    ours === "complex64" ? (["<c8", "float32"] as const) : (["<c16", "float64"] as const);
  const values = (count: number, seed: number): Values => {
    const parts = numbersOf(memory, 2 * count, seed).ours;
    return { ours: parts, python: { dtype: python, data: base64(parts as NumberArray) } };
  };
  return { ours, python, inner: [], isNumber: false, values };
}

function arrayOf(base: CaseType, inner: readonly number[]): CaseType {
  const python: PythonType = [base.python, inner];
  const units = inner.reduce((product, extent) => product * extent, 1);
  const values = (count: number, seed: number): Values => {
    const made = base.values(count * units, seed);
    return { ours: made.ours, python: { ...(made.python as object), dtype: python } };
  };
  return { ours: arrayType(base.ours, inner), python, inner, isNumber: false, values };
}

function compoundOf(members: { readonly [name: string]: CaseType }): CaseType {
  const entries = Object.entries(members);
  const map = <T>(value: (type: CaseType) => T) =>
    Object.fromEntries(entries.map(([name, type]) => [name, value(type)]));
  const python = map((type) => type.python);
  const values = (count: number, seed: number): Values => {
    const made = entries.map(
      ([name, type], index) => [name, type.values(count, seed + index)] as const,
    );
    const data = Object.fromEntries(made.map(([name, one]) => [name, one.python]));
    const ours = Object.fromEntries(made.map(([name, one]) => [name, one.ours]));
    return { ours, python: { dtype: python, data } };
  };
  return {
    ours: compoundType(map(({ ours }) => ours)),
    python,
    inner: [],
    isNumber: false,
    values,
  };
}

const NUMBERS = Object.fromEntries(
  MEMORY_NAMES.map((name) => [name, numberType(name, pythonNameOf(name), name)]),
) as Record<MemoryName, CaseType>;
const TEXT = textType("string", "text", ["", "a", "\u00e9", "\u65e5\u672c", "text of any length"]);

/** All types by names. */
export const TYPES: { readonly [name: string]: CaseType } = {
  ...NUMBERS,
  float16: numberType("float16", "<f2", "float32"),
  bigInt16: numberType(bigEndian("int16"), ">i2", "int16"),
  bigUint64: numberType(bigEndian("uint64"), ">u8", "uint64"),
  bigFloat32: numberType(bigEndian("float32"), ">f4", "float32"),
  bool: BOOLEAN,
  complex64: complexOf("complex64"),
  complex128: complexOf("complex128"),
  text4: textType(stringType({ length: 4, charset: "ascii" }), "S4", ["", "a", "ab", "abcd", " "]),
  text: TEXT,
  pairs: arrayOf(NUMBERS.int32, [2]),
  compound: compoundOf({ a: NUMBERS.int16, b: NUMBERS.float64, c: TEXT }),
};
