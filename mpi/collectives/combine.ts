/**
 * Combining elements: `target = origin ∘ target`, for the operations of the standard, in plain TypeScript.
 *
 * Algorithm only: no communication.
 *
 * @module
 */

import type { MpiTypedArray } from "../buffers.js";
import { BASIC_TYPES, type BasicName } from "../datatype/basic-types.js";
import { type BuiltInOp, viewOf } from "./op.js";

type Value = number | bigint;
type Combination = (target: Value, origin: Value) => Value;

const truth = (is: boolean, like: Value): Value => {
  if (typeof like === "bigint") return is ? 1n : 0n;
  return is ? 1 : 0;
};

/** As Math.max and Math.min, which know no bigints. */
const pick = (isFirst: boolean, first: Value, second: Value): Value => (isFirst ? first : second);

/** Arithmetic that is the same for numbers and bigints; TypeScript wants one of them. */
const COMBINATIONS: Partial<Record<BuiltInOp, Combination>> = {
  max: (a, b) => pick(b > a, b, a),
  min: (a, b) => pick(b < a, b, a),
  sum: (a, b) => ((a as number) + (b as number)) as Value,
  band: (a, b) => ((a as number) & (b as number)) as Value,
  bor: (a, b) => ((a as number) | (b as number)) as Value,
  bxor: (a, b) => ((a as number) ^ (b as number)) as Value,
  land: (a, b) => truth(Boolean(a) && Boolean(b), a),
  lor: (a, b) => truth(Boolean(a) || Boolean(b), a),
  lxor: (a, b) => truth(Boolean(a) !== Boolean(b), a),
};

/** Products of 32-bit integers have more bits than a double holds. */
function product(a: Value, b: Value, isInteger: boolean): Value {
  if (typeof a === "bigint") return a * (b as bigint);
  return isInteger ? Math.imul(a, b as number) : a * (b as number);
}

/**
 * Combines packed elements of a named type.
 *
 * @param target What is there; the result.
 * @param origin What comes; as long as `target`.
 */
export function combineBytes(
  op: BuiltInOp,
  type: BasicName,
  target: Uint8Array,
  origin: Uint8Array,
): void {
  if (op === "no_op") return;
  if (op === "replace") target.set(origin);
  else if (op === "minloc" || op === "maxloc") combinePlaces(op, type, target, origin);
  else if (op === "prod" && type.startsWith("C_")) combineComplex(type, target, origin);
  else combineNumbers(op, type, target, origin);
}

/** Elements of a copy, which is aligned. */
function elementsOf(type: BasicName, bytes: Uint8Array): MpiTypedArray {
  const View = type === "BYTE" || type === "C_BOOL" ? Uint8Array : viewOf(type);
  return new View(Uint8Array.from(bytes).buffer);
}

function store(into: Uint8Array, elements: MpiTypedArray): void {
  into.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
}

function combineNumbers(
  op: BuiltInOp,
  type: BasicName,
  target: Uint8Array,
  origin: Uint8Array,
): void {
  const [there, comes] = [elementsOf(type, target), elementsOf(type, origin)];
  const isInteger = !(there instanceof Float32Array || there instanceof Float64Array);
  const combine: Combination =
    COMBINATIONS[op] ?? ((a: Value, b: Value) => product(a, b, isInteger));
  for (let i = 0; i < there.length; i += 1) {
    // Typed arrays wrap integers around, as the library does.
    (there as { [index: number]: Value })[i] = combine(there[i] as Value, comes[i] as Value);
  }
  store(target, there);
}

function combineComplex(type: BasicName, target: Uint8Array, origin: Uint8Array): void {
  const a = elementsOf(type, target) as Float64Array;
  const b = elementsOf(type, origin) as Float64Array;
  for (let i = 0; i + 1 < a.length; i += 2) {
    const [re, im] = [a[i] as number, a[i + 1] as number];
    const [re2, im2] = [b[i] as number, b[i + 1] as number];
    a[i] = re * re2 - im * im2;
    a[i + 1] = re * im2 + im * re2;
  }
  store(target, a);
}

/** Pairs of a value and a place: the smaller place wins among equal values. */
function combinePlaces(
  op: "minloc" | "maxloc",
  type: BasicName,
  target: Uint8Array,
  origin: Uint8Array,
): void {
  const size = BASIC_TYPES[type].map.size;
  const read = (bytes: Uint8Array, at: number): [Value, number] => {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, size);
    return [pairValue(type, view), view.getInt32(size - 4, IS_LITTLE_ENDIAN)];
  };
  for (let at = 0; at + size <= target.length; at += size) {
    const [value, place] = read(target, at);
    const [other, otherPlace] = read(origin, at);
    const isBetter = op === "minloc" ? other < value : other > value;
    if (isBetter || (other === value && otherPlace < place)) {
      target.set(origin.subarray(at, at + size), at);
    }
  }
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The value of a packed pair. */
function pairValue(type: BasicName, view: DataView): Value {
  if (type === "FLOAT_INT") return view.getFloat32(0, IS_LITTLE_ENDIAN);
  if (type === "DOUBLE_INT") return view.getFloat64(0, IS_LITTLE_ENDIAN);
  if (type === "LONG_INT") return view.getBigInt64(0, IS_LITTLE_ENDIAN);
  return type === "SHORT_INT"
    ? view.getInt16(0, IS_LITTLE_ENDIAN)
    : view.getInt32(0, IS_LITTLE_ENDIAN);
}
