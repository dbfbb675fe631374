/**
 * Numbers of any width, format and byte order, as typed arrays.
 *
 * Conversions are those of HDF5: numbers that do not fit become the nearest that does, fractions are cut off.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import type { BitfieldType, Datatype, FloatType, IntegerType } from "../datatype/datatype.js";
import { floatType, sameDatatype } from "../datatype/datatype.js";
import {
  arrayOver,
  bytesOf,
  bytesPerElement,
  dtypeOfArray,
  type NumberArray,
  type NumericName,
  newArray,
} from "../datatype/names.js";

/** A type of numbers. */
export type NumberType = IntegerType | FloatType | BitfieldType;

/** How elements are made from what is stored. */
type Format = { readonly name: NumericName } & (
  | { readonly kind: "same"; readonly swaps: boolean }
  | { readonly kind: "integer"; readonly type: IntegerType | BitfieldType }
  | { readonly kind: "float"; readonly type: FloatType }
);

const SIZES = [1, 2, 4, 8];

function integerName(size: number, isSigned: boolean): NumericName {
  const width = SIZES.find((candidate) => candidate >= size) ?? 8;
  return `${isSigned ? "int" : "uint"}${width * 8}` as NumericName;
}

function formatOf(type: NumberType): Format {
  const swaps = type.order === "big" && type.size > 1;
  if (type.class === "float") {
    const little = { ...type, order: "little" } as const;
    for (const name of ["float32", "float64"] as const) {
      if (type.order !== "vax" && sameDatatype(little, floatType(name))) {
        return { name, kind: "same", swaps };
      }
    }
    return { name: type.size <= 2 ? "float32" : "float64", kind: "float", type };
  }
  const name = integerName(type.size, type.class === "integer" && type.isSigned);
  const isWhole = SIZES.includes(type.size) && type.precision === 8 * type.size;
  return isWhole ? { name, kind: "same", swaps } : { name, kind: "integer", type };
}

/** The typed array that holds numbers of a type. */
export function arrayNameOf(type: NumberType): NumericName {
  return formatOf(type).name;
}

/** Whether memory holds numbers of a type as they are stored. */
export function isStoredAsIs(type: Datatype): boolean {
  if (type.class !== "integer" && type.class !== "float" && type.class !== "bitfield") return false;
  const format = formatOf(type);
  return format.kind === "same" && !format.swaps;
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
}

/** The bits of an element, least significant first. */
function bitsAt(bytes: Uint8Array, at: number, type: NumberType): bigint {
  const { size, order } = type;
  let bits = 0n;
  for (let index = 0; index < size; index++) {
    const place = order === "big" ? index : size - 1 - index;
    bits = (bits << 8n) | BigInt(bytes[at + place] as number);
  }
  return bits;
}

function putBits(bytes: Uint8Array, at: number, type: NumberType, bits: bigint): void {
  const { size, order } = type;
  let rest = bits;
  for (let index = 0; index < size; index++) {
    bytes[at + (order === "big" ? size - 1 - index : index)] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

function field(bits: bigint, location: number, size: number): bigint {
  return (bits >> BigInt(location)) & ((1n << BigInt(size)) - 1n);
}

function floatOf(bits: bigint, type: FloatType): number {
  const { exponentSize, mantissaSize, exponentBias, normalization } = type;
  const sign = field(bits, type.signLocation, 1) === 0n ? 1 : -1;
  const exponent = Number(field(bits, type.exponentLocation, exponentSize));
  const mantissa = field(bits, type.mantissaLocation, mantissaSize);
  const most = 2 ** exponentSize - 1;
  // A leading bit that is stored is a part of the mantissa.
  const explicit = normalization === "implied" ? 0 : 1;
  if (exponent === most) {
    const fraction = explicit === 1 ? mantissa & ((1n << BigInt(mantissaSize - 1)) - 1n) : mantissa;
    return fraction === 0n ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  const scale = exponent === 0 ? 1 - exponentBias : exponent - exponentBias;
  const leads = explicit === 0 && exponent !== 0 ? 1n << BigInt(mantissaSize) : 0n;
  const whole = mantissa | leads;
  return sign * timesPower(whole, scale - (mantissaSize - explicit));
}

/** `whole * 2 ** power`, rounded once. */
function timesPower(whole: bigint, power: number): number {
  const width = whole.toString(2).length;
  const excess = width - 53;
  if (excess <= 0)
    return Number(whole) * 2 ** Math.max(power, -1074) * 2 ** Math.min(0, power + 1074);
  // Numbers of more than 53 bits are rounded to even by the conversion itself.
  const top = Number(whole);
  return power < -1000 ? top * 2 ** -1000 * 2 ** (power + 1000) : top * 2 ** power;
}

function bitsOfFloat(value: number, type: FloatType): bigint {
  const { exponentSize, mantissaSize, exponentBias, normalization } = type;
  const explicit = normalization === "implied" ? 0 : 1;
  const fractionSize = mantissaSize - explicit;
  const most = 2 ** exponentSize - 1;
  const sign = value < 0 || Object.is(value, -0) ? 1n : 0n;
  let exponent = most;
  let mantissa = 0n;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) mantissa = 1n << BigInt(fractionSize - 1);
  else if (magnitude !== Number.POSITIVE_INFINITY) {
    ({ exponent, mantissa } = roundTo(magnitude, { fractionSize, least: 1 - exponentBias }));
    exponent = exponent === 0 && mantissa >> BigInt(fractionSize) === 0n ? 0 : exponent;
    if (exponent >= most) [exponent, mantissa] = [most, 0n];
  }
  const leading = 1n << BigInt(fractionSize);
  const isNormal = exponent > 0;
  let stored = mantissa & (leading - 1n);
  if (explicit === 1 && isNormal) stored |= leading;
  return (
    (sign << BigInt(type.signLocation)) |
    (BigInt(exponent) << BigInt(type.exponentLocation)) |
    (stored << BigInt(type.mantissaLocation))
  );
}

const BITS = new DataView(new ArrayBuffer(8));

/** A magnitude as biased exponent and mantissa with its leading bit, rounded to the nearest, ties to even. */
function roundTo(
  magnitude: number,
  { fractionSize, least }: { fractionSize: number; least: number },
): { exponent: number; mantissa: bigint } {
  if (magnitude === 0) return { exponent: 0, mantissa: 0n };
  BITS.setFloat64(0, magnitude);
  const bits = BITS.getBigUint64(0);
  const stored = Number(bits >> 52n);
  let mantissa = bits & ((1n << 52n) - 1n);
  let power = stored === 0 ? -1022 : stored - 1023;
  if (stored !== 0) mantissa |= 1n << 52n;
  while (mantissa >> 52n === 0n) {
    mantissa <<= 1n;
    power--;
  }
  const below = Math.max(0, least - power);
  const dropped = 52 - fractionSize + below;
  if (dropped <= 0) mantissa <<= BigInt(-dropped);
  else {
    const half = 1n << BigInt(dropped - 1);
    const rest = mantissa & ((half << 1n) - 1n);
    mantissa >>= BigInt(dropped);
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa++;
  }
  let exponent = below > 0 ? 0 : power - least + 1;
  const leading = 1n << BigInt(fractionSize);
  // Rounding up may have made one bit more.
  if (exponent === 0 && mantissa >= leading) exponent = 1;
  else if (mantissa >= leading << 1n) {
    mantissa >>= 1n;
    exponent++;
  }
  return { exponent, mantissa };
}

function integerAt(bytes: Uint8Array, at: number, type: IntegerType | BitfieldType): bigint {
  const value = field(bitsAt(bytes, at, type), type.bitOffset, type.precision);
  const isSigned = type.class === "integer" && type.isSigned;
  return isSigned ? BigInt.asIntN(type.precision, value) : value;
}

/** Values of the 16-bit formats by their bits: decoding them one by one is slow. */
const tables = new Map<FloatType["size"] | string, Float32Array>();

function tableOf(type: FloatType): Float32Array {
  const key = JSON.stringify({ ...type, order: "little" });
  let table = tables.get(key);
  if (table === undefined) {
    const little = { ...type, order: "little" } as const;
    table = Float32Array.from({ length: 2 ** (8 * type.size) }, (_, bits) =>
      floatOf(BigInt(bits), little),
    );
    tables.set(key, table);
  }
  return table;
}

/**
 * Decodes numbers.
 *
 * @param bytes Belong to the caller's result from then on: they may be changed, and be its memory.
 */
export function decodeNumbers(type: NumberType, bytes: Uint8Array): NumberArray {
  const format = formatOf(type);
  if (format.kind === "same") {
    if (format.swaps) swapBytes(bytes, type.size);
    return arrayOver(format.name, bytes);
  }
  const count = bytes.length / type.size;
  const target = newArray(format.name, count);
  if (format.kind === "float") {
    const isTabled = type.size <= 2;
    const table = isTabled ? tableOf(format.type) : undefined;
    for (let index = 0; index < count; index++) {
      const bits = bitsAt(bytes, index * type.size, type);
      const value = table === undefined ? floatOf(bits, format.type) : table[Number(bits)];
      target[index] = value as number;
    }
    return target;
  }
  const isWide = target instanceof BigInt64Array || target instanceof BigUint64Array;
  for (let index = 0; index < count; index++) {
    const value = integerAt(bytes, index * type.size, format.type);
    if (isWide) target[index] = value;
    else (target as Int32Array)[index] = Number(value);
  }
  return target;
}

/** Most and least of an integer type. */
function rangeOf(type: IntegerType | BitfieldType): [bigint, bigint] {
  const precision = BigInt(type.precision);
  if (type.class === "integer" && type.isSigned) {
    return [-(1n << (precision - 1n)), (1n << (precision - 1n)) - 1n];
  }
  return [0n, (1n << precision) - 1n];
}

/** Numbers that a program may give. */
export type NumberList = NumberArray | readonly (number | bigint | boolean)[];

function toInteger(value: number | bigint | boolean, least: bigint, most: bigint): bigint {
  let whole: bigint;
  if (typeof value === "bigint") whole = value;
  else if (typeof value === "boolean") whole = value ? 1n : 0n;
  else if (Number.isNaN(value)) whole = 0n;
  else if (!Number.isFinite(value)) return value > 0 ? most : least;
  else whole = BigInt(Math.trunc(value));
  return whole < least ? least : whole > most ? most : whole;
}

/** The float64 that is rounded to the same float32 as an integer: two roundings to the nearest are not one. */
function toRoundOnce(value: bigint): number {
  const number = Number(value);
  if (Math.abs(number) < 2 ** 53) return number;
  const magnitude = value < 0n ? -value : value;
  // What is cut off only says to which side of a tie the rest is.
  const cut = BigInt(magnitude.toString(2).length - 52);
  const rest = magnitude & ((1n << cut) - 1n);
  const whole = Number((magnitude >> cut) | (rest === 0n ? 0n : 1n)) * 2 ** Number(cut);
  return value < 0n ? -whole : whole;
}

/** Numbers as the typed array of a name: what does not fit becomes the nearest that does. */
export function convertNumbers<N extends NumericName>(
  name: N,
  values: NumberList,
  limits?: IntegerType | BitfieldType,
): NumberArray {
  if (dtypeOfArray(values) === name && limits === undefined) return values as NumberArray;
  const count = values.length;
  const target = newArray(name as NumericName, count);
  if (name === "float32" || name === "float64") {
    for (let index = 0; index < count; index++) {
      const value = values[index];
      const isWide = typeof value === "bigint" && name === "float32";
      (target as Float64Array)[index] = isWide ? toRoundOnce(value) : Number(value);
    }
    return target;
  }
  const size = bytesPerElement(name);
  const [least, most] =
    limits === undefined
      ? rangeOf({
          class: "integer",
          precision: 8 * size,
          isSigned: name.startsWith("i"),
        } as IntegerType)
      : rangeOf(limits);
  if (target instanceof BigInt64Array || target instanceof BigUint64Array) {
    for (let index = 0; index < count; index++) {
      target[index] = toInteger(values[index] as number, least, most);
    }
    return target;
  }
  const [low, high] = [Number(least), Number(most)];
  for (let index = 0; index < count; index++) {
    // A 64-bit number that is out of range may be rounded: it is out of range all the same.
    const value = Number(values[index]);
    (target as Int32Array)[index] =
      value <= low ? low : value >= high ? high : Math.trunc(value) || 0;
  }
  return target;
}

/**
 * Encodes numbers, converted if need be.
 *
 * @returns Bytes as they are stored: those of `values` themselves, if they are.
 */
export function encodeNumbers(type: NumberType, values: NumberList): Uint8Array {
  const format = formatOf(type);
  if (format.kind === "same") {
    const array = convertNumbers(format.name, values);
    if (!format.swaps) return bytesOf(array);
    const bytes = Uint8Array.from(bytesOf(array));
    swapBytes(bytes, type.size);
    return bytes;
  }
  const bytes = new Uint8Array(values.length * type.size);
  for (let index = 0; index < values.length; index++) {
    putBits(bytes, index * type.size, type, storedBits(format, values[index] as number | bigint));
  }
  return bytes;
}

function storedBits(
  format: Exclude<Format, { kind: "same" }>,
  value: number | bigint | boolean,
): bigint {
  const { type } = format;
  const { size, bitOffset, precision, padding } = type;
  const bits =
    format.kind === "float"
      ? bitsOfFloat(Number(value), format.type)
      : BigInt.asUintN(precision, toInteger(value, ...rangeOf(format.type))) << BigInt(bitOffset);
  const below = padding.low === 0 ? 0n : (1n << BigInt(bitOffset)) - 1n;
  const top = bitOffset + precision;
  const above = padding.high === 0 ? 0n : ((1n << BigInt(8 * size - top)) - 1n) << BigInt(top);
  return bits | below | above;
}
