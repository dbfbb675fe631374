/**
 * Values of Python's and NumPy's as ours: elements, shapes, names.
 *
 * @module
 */

import {
  type Datatype,
  type Elements,
  Empty,
  type MultiBlock,
  multiBlock,
  type NumberArray,
  points,
  type Reference,
  type Selection,
  slice,
} from "daos-ts/hdf5";
import { typeOf } from "./numpy-types.ts";
import {
  Inexpressible,
  kindOf,
  type Packed,
  type Recorded,
  type RecordedArray,
  type RecordedType,
  unpack,
} from "./recording.ts";

/** An array: its type, see `typeOf`, and its elements with their shape. */
export interface Decoded {
  readonly recorded: RecordedType;
  readonly data: Elements;
  readonly shape: readonly number[];
}

/** What references lead to; names of files. */
export interface Surroundings {
  reference(value: { readonly [kind: string]: unknown }): Promise<Reference | undefined>;
}

const ESCAPE = 0xdc00;

/** Text of bytes that may be no UTF-8: those become lone surrogates, as in Python's "surrogateescape". */
export function textOfBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  const text = buffer.toString();
  if (Buffer.from(text).equals(buffer)) return text;
  return Array.from(buffer, (byte) => String.fromCharCode(byte < 0x80 ? byte : ESCAPE + byte)).join(
    "",
  );
}

const ARRAYS: Readonly<Record<string, (buffer: ArrayBuffer) => NumberArray>> = {
  i1: (buffer) => new Int8Array(buffer),
  i2: (buffer) => new Int16Array(buffer),
  i4: (buffer) => new Int32Array(buffer),
  i8: (buffer) => new BigInt64Array(buffer),
  u1: (buffer) => new Uint8Array(buffer),
  u2: (buffer) => new Uint16Array(buffer),
  u4: (buffer) => new Uint32Array(buffer),
  u8: (buffer) => new BigUint64Array(buffer),
  f4: (buffer) => new Float32Array(buffer),
  f8: (buffer) => new Float64Array(buffer),
  f16: (buffer) => new Float64Array(buffer),
  b1: (buffer) => new Uint8Array(buffer),
  c8: (buffer) => new Float32Array(buffer),
  c16: (buffer) => new Float64Array(buffer),
  c32: (buffer) => new Float64Array(buffer),
};

/** The number that 16 bits of IEEE 754 stand for. */
function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function fixedTexts(bytes: Uint8Array, size: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const text = bytes.subarray(index * size, (index + 1) * size);
    let end = text.length;
    while (end > 0 && text[end - 1] === 0) end--;
    return textOfBytes(text.subarray(0, end));
  });
}

function decodeNumbers({ kind, size }: RecordedType, data: Packed, count: number): Elements {
  const bytes = unpack(data);
  if (kind === "S") return fixedTexts(bytes, size, count);
  if (kind === "f" && size === 2) {
    return Float32Array.from(new Uint16Array(bytes.buffer as ArrayBuffer), halfOf);
  }
  return ARRAYS[`${kind}${size}`]?.(bytes.buffer as ArrayBuffer) ?? bytes;
}

async function decodeItem(item: Recorded, around: Surroundings): Promise<Elements | string> {
  if (typeof item === "string") return item;
  const bytes = kindOf<string>(item, "bytes");
  if (bytes !== undefined) return textOfBytes(Buffer.from(bytes, "base64"));
  const array = kindOf<RecordedArray>(item, "array");
  if (array !== undefined) return (await decodeArray(array, around)).data;
  if (kindOf(item, "ref") !== undefined) {
    return (await around.reference(item as { [kind: string]: unknown })) as unknown as Elements;
  }
  if (Array.isArray(item)) return item.map((inner) => Number(plain(inner))) as unknown as Elements;
  // Text of any length that was never written is 0 in NumPy's arrays.
  if (item === 0) return "";
  throw new Inexpressible("an array of Python's objects");
}

/** An array of NumPy's. */
export async function decodeArray(
  { dtype, shape, data }: RecordedArray,
  around: Surroundings,
): Promise<Decoded> {
  const recorded = dtype;
  if (dtype.kind === "U") {
    throw new Inexpressible("text of NumPy's own type, in 32-bit units, which HDF5 has not");
  }
  const count = shape.reduce((product, extent) => product * extent, 1);
  let elements: Elements;
  if (Array.isArray(data)) {
    const items = data as readonly Recorded[];
    elements = (await Promise.all(items.map((item) => decodeItem(item, around)))) as Elements;
  } else {
    const columns = kindOf<readonly (readonly [string, RecordedArray])[]>(data, "columns");
    if (columns === undefined) elements = decodeNumbers(dtype, data as Packed, count);
    else {
      const decoded: [string, Elements][] = [];
      for (const [name, column] of columns) {
        decoded.push([name, (await decodeArray(column, around)).data]);
      }
      elements = Object.fromEntries(decoded);
    }
  }
  return { recorded, data: elements, shape };
}

/** The inner extents of the arrays that elements of a type are. */
export function innerShape(type: Datatype): readonly number[] {
  return type.class === "array" ? [...type.shape, ...innerShape(type.base)] : [];
}

/** Numbers, text and lists of them; `undefined` for Python's None in lists of limits is `null`. */
export function plain(value: Recorded | undefined): unknown {
  if (value === undefined || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const list = kindOf<readonly Recorded[]>(value, "tuple");
  if (list !== undefined) return list.map(plain);
  const int = kindOf<string>(value, "int");
  if (int !== undefined) return BigInt(int);
  const float = kindOf<string>(value, "float");
  if (float !== undefined) return floatOf(float);
  const bytes = kindOf<string>(value, "bytes");
  if (bytes !== undefined) return textOfBytes(Buffer.from(bytes, "base64"));
  const array = kindOf<RecordedArray>(value, "scalar") ?? kindOf<RecordedArray>(value, "array");
  if (array !== undefined && typeof array.data === "string") return plainArray(array);
  return value;
}

function floatOf(text: string): number {
  const special: Record<string, number> = { inf: Infinity, "-inf": -Infinity, nan: NaN };
  return special[text] ?? Number(text);
}

function plainArray({ dtype, shape, data }: RecordedArray): unknown {
  const elements = decodeNumbers(dtype, data as Packed, 1) as unknown as ArrayLike<unknown>;
  const items = Array.from(elements, (item) => {
    const isSafe = typeof item === "bigint" && Number.isSafeInteger(Number(item));
    return isSafe ? Number(item) : dtype.kind === "b" ? item === 1 : item;
  });
  return shape.length === 0 ? items[0] : items;
}

/** A name: text, or its bytes. */
export function textOf(value: Recorded | undefined): string {
  const text = plain(value);
  if (typeof text === "string") return text;
  throw new Inexpressible("a name that is no text");
}

/** Data that a program gives: elements with shape and type, or what Python has and NumPy has not. */
export async function dataOf(value: Recorded | undefined, around: Surroundings): Promise<unknown> {
  if (value === undefined || value === null) return undefined;
  const array = kindOf<RecordedArray>(value, "array") ?? kindOf<RecordedArray>(value, "scalar");
  if (array !== undefined) return decodeArray(array, around);
  const empty = kindOf<RecordedType>(value, "empty");
  if (empty !== undefined) return new Empty(typeOf(empty));
  if (kindOf(value, "ref") !== undefined) {
    return around.reference(value as { [kind: string]: unknown });
  }
  if (Array.isArray(value)) {
    const items = value as readonly Recorded[];
    return Promise.all(items.map(async (item) => elementsOf(await dataOf(item, around))));
  }
  return plain(value);
}

/** Whether data is an array of NumPy's. */
export function isDecoded(value: unknown): value is Decoded {
  return typeof value === "object" && value !== null && "recorded" in value;
}

function elementsOf(value: unknown): unknown {
  return isDecoded(value) ? value.data : value;
}

/** Elements of a type, given as of another one: what NumPy does before HDF5 sees them. */
export function fitTo(
  type: Datatype,
  given: Decoded,
): { data: Elements; shape: readonly number[] } {
  const inner = innerShape(type);
  const { shape } = given;
  const outer = shape.slice(0, shape.length - inner.length);
  const isInner = String(shape.slice(shape.length - inner.length)) === String(inner);
  const base = baseOf(type);
  const isComplex =
    base.class === "compound" && base.members[0]?.name === "r" && base.members.length === 2;
  const isReal = "iufb".includes(given.recorded.kind);
  const data = isComplex && isReal ? withImaginary(given.data as NumberArray) : given.data;
  return { data, shape: isInner ? outer : shape };
}

function baseOf(type: Datatype): Datatype {
  return type.class === "array" ? baseOf(type.base) : type;
}

function withImaginary(real: NumberArray): Float64Array {
  const pairs = new Float64Array(2 * real.length);
  for (let index = 0; index < real.length; index++) pairs[2 * index] = Number(real[index]);
  return pairs;
}

/** The selection that a recorded reference to a region is. */
export function selectionOfRegion(
  value: { readonly [kind: string]: unknown },
  rank: number,
): Selection {
  const blocks = (value.blocks ?? []) as readonly Block[];
  if (value.select === "all") return [];
  if (value.select === "none") return new Array<number>(rank).fill(0).map(() => slice(0, 0));
  if (value.select === "points") return points(value.points as number[][]);
  const axes = Array.from({ length: rank }, (_, dimension) => axisOf(blocks, dimension));
  const count = axes.reduce((product, axis) => product * (axis?.count ?? Number.NaN), 1);
  if (count === blocks.length) return axes as MultiBlock[];
  return points(blocks.flatMap(([begin, end]) => indicesOf(begin, end)));
}

/** First and last index of a box. */
type Block = readonly [readonly number[], readonly number[]];

/** The blocks along a dimension, if they are of one size and distance. */
function axisOf(blocks: readonly Block[], dimension: number): MultiBlock | undefined {
  const at = (indices: readonly number[]) => indices[dimension] as number;
  const starts = [...new Set(blocks.map(([begin]) => at(begin)))].sort((a, b) => a - b);
  const sizes = new Set(blocks.map(([begin, end]) => at(end) - at(begin) + 1));
  const [start = 0, second] = starts;
  const [block = 1] = sizes;
  const stride = second === undefined ? block : second - start;
  const isEven = starts.every((begin, index) => begin === start + index * stride);
  if (!isEven || sizes.size !== 1) return undefined;
  return multiBlock({ start, count: starts.length, stride, block });
}

/** All indices of a box, its last ones included. */
export function indicesOf(begin: readonly number[], end: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const [dimension, start] of begin.entries()) {
    const last = end[dimension] as number;
    const axis = Array.from({ length: last - start + 1 }, (_, index) => start + index);
    all = all.flatMap((prefix) => axis.map((index) => [...prefix, index]));
  }
  return all;
}

/** Truth values of an array. */
export function unpackMask(data: RecordedArray["data"]): Uint8Array {
  return unpack(data as Packed);
}
