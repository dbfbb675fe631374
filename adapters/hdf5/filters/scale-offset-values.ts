/**
 * The arithmetic of the filter `scaleoffset`: numbers as differences from the least one, and back.
 *
 * Roundings are those of HDF5 in C, so that it makes the same bits of the same numbers: 32-bit floats are computed
 * in 32 bits, and halves are rounded away from zero.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

/** What numbers are. */
export type NumberKind = "unsigned" | "signed" | "float";

/** Differences of numbers from the least one. */
export interface Differences {
  /** Bits that each of them has; as many as a number if differences are not worth it. */
  readonly bits: number;
  /** The low 32 bits of each. */
  readonly low: Uint32Array;
  /** The bits above, of numbers of 8 bytes. */
  readonly high: Uint32Array | undefined;
}

/** Numbers of one kind. */
export interface Values {
  /**
   * Differences from the least number.
   *
   * @param factor Of integers the bits of a difference, 0 for as many as needed; of floats the decimal digits.
   */
  differences(factor: number): { readonly minimum: bigint; readonly differences: Differences };
  /** Sets the numbers. */
  restore(minimum: bigint, differences: Differences, factor: number): void;
}

const WORD = 4_294_967_296;

/** Numbers in memory, little-endian. */
export function valuesOf(
  bytes: Buffer<ArrayBuffer>,
  facts: {
    readonly kind: NumberKind;
    readonly size: number;
    readonly fill: Uint8Array | undefined;
  },
): Values {
  const { kind, size } = facts;
  const { buffer, byteOffset } = bytes;
  const count = bytes.length / size;
  const hasFill = facts.fill !== undefined;
  // The fill value is read as the numbers are.
  const one = Uint8Array.from(facts.fill ?? new Uint8Array(size)).buffer;
  if (kind === "float") {
    const Floats = size === 4 ? Float32Array : Float64Array;
    const [value] = new Floats(one);
    return new FloatValues(new Floats(buffer, byteOffset, count), hasFill ? value : undefined);
  }
  if (size === 8) {
    const Integers = kind === "signed" ? BigInt64Array : BigUint64Array;
    const [value] = new Integers(one);
    return new LongValues(new Integers(buffer, byteOffset, count), hasFill ? value : undefined);
  }
  const Integers = SMALL[`${kind}${size as 1 | 2 | 4}`];
  const [value] = new Integers(one);
  return new SmallValues(new Integers(buffer, byteOffset, count), hasFill ? value : undefined);
}

const SMALL = {
  signed1: Int8Array,
  signed2: Int16Array,
  signed4: Int32Array,
  unsigned1: Uint8Array,
  unsigned2: Uint16Array,
  unsigned4: Uint32Array,
} as const;

/** Bits that tell `count` things apart. */
function bitsFor(count: bigint): number {
  return count <= 1n ? 0 : (count - 1n).toString(2).length;
}

/** The low bits of what stands for the fill value: all bits set. */
const lowMask = (bits: number): number => (bits >= 32 ? WORD - 1 : 2 ** bits - 1);
const highMask = (bits: number): number => (bits <= 32 ? 0 : 2 ** (bits - 32) - 1);

const NONE = (bits: number): Differences => ({ bits, low: new Uint32Array(0), high: undefined });

/** Integers of up to 4 bytes. */
class SmallValues implements Values {
  readonly #values: Int32Array | Uint32Array;
  readonly #fill: number | undefined;

  constructor(values: InstanceType<(typeof SMALL)[keyof typeof SMALL]>, fill: number | undefined) {
    // All of them have numbers; of one type, the loops are compiled once.
    this.#values = values as Int32Array;
    this.#fill = fill;
  }

  differences(factor: number) {
    const values = this.#values;
    const fill = this.#fill;
    const bitsMax = 8 * values.BYTES_PER_ELEMENT;
    let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of values) {
      if (value === fill) continue;
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
    if (minimum > maximum) [minimum, maximum] = [0, 0];
    const span = maximum - minimum + 1;
    if (factor === 0 && span - 1 > 2 ** bitsMax - 3) {
      return { minimum: 0n, differences: NONE(bitsMax) };
    }
    const bits = factor || bitsFor(BigInt(span) + (fill === undefined ? 0n : 1n));
    const low = new Uint32Array(values.length);
    const mask = lowMask(bits);
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as number;
      low[index] = value === fill ? mask : value - minimum;
    }
    const differences: Differences = { bits, low, high: undefined };
    return { minimum: BigInt.asUintN(64, BigInt(minimum)), differences };
  }

  restore(minimum: bigint, { bits, low }: Differences): void {
    const values = this.#values;
    const fill = this.#fill;
    const least = Number(BigInt.asIntN(32, minimum));
    const mask = lowMask(bits);
    for (let index = 0; index < values.length; index++) {
      const difference = low[index] as number;
      const isFill = fill !== undefined && difference === mask;
      // What does not fit wraps around, as in C.
      values[index] = isFill ? fill : (difference + least) | 0;
    }
  }
}

/** Integers of 8 bytes. */
class LongValues implements Values {
  readonly #values: BigInt64Array | BigUint64Array;
  readonly #fill: bigint | undefined;

  constructor(values: BigInt64Array | BigUint64Array, fill: bigint | undefined) {
    this.#values = values;
    this.#fill = fill;
  }

  differences(factor: number) {
    const values = this.#values;
    const fill = this.#fill;
    let minimum: bigint | undefined;
    let maximum = 0n;
    for (const value of values) {
      if (value === fill) continue;
      if (minimum === undefined) [minimum, maximum] = [value, value];
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
    const least = minimum ?? 0n;
    const span = maximum - least + 1n;
    if (factor === 0 && span - 1n > 2n ** 64n - 3n) return { minimum: 0n, differences: NONE(64) };
    const bits = factor || bitsFor(span + (fill === undefined ? 0n : 1n));
    const [low, high] = [new Uint32Array(values.length), new Uint32Array(values.length)];
    const difference = new BigUint64Array(1);
    const halves = new Uint32Array(difference.buffer);
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as bigint;
      if (value === fill) {
        low[index] = lowMask(bits);
        high[index] = highMask(bits);
        continue;
      }
      difference[0] = value - least;
      low[index] = halves[0] as number;
      high[index] = halves[1] as number;
    }
    return { minimum: BigInt.asUintN(64, least), differences: { bits, low, high } };
  }

  restore(minimum: bigint, { bits, low, high }: Differences): void {
    const values = this.#values;
    const fill = this.#fill;
    const [maskLow, maskHigh] = [lowMask(bits), highMask(bits)];
    const difference = new BigUint64Array(1);
    const halves = new Uint32Array(difference.buffer);
    for (let index = 0; index < values.length; index++) {
      halves[0] = low[index] as number;
      halves[1] = high?.[index] as number;
      const isFill = fill !== undefined && halves[0] === maskLow && halves[1] === maskHigh;
      values[index] = isFill ? fill : minimum + (difference[0] as bigint);
    }
  }
}

/** Rounds halves away from zero, as C does. */
function round(value: number): number {
  const whole = Math.trunc(value);
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
}

/** Powers of ten, rounded once. */
const powerOfTen = (exponent: number): number => Number(`1e${exponent}`);

/** Floats of 4 or 8 bytes. */
class FloatValues implements Values {
  readonly #values: Float32Array | Float64Array;
  readonly #fill: number | undefined;
  /** Rounds to the precision of the numbers. */
  readonly #toType: (value: number) => number;
  readonly #bitsMax: number;

  constructor(values: Float32Array | Float64Array, fill: number | undefined) {
    this.#values = values;
    this.#fill = fill;
    this.#bitsMax = 8 * values.BYTES_PER_ELEMENT;
    this.#toType = values.BYTES_PER_ELEMENT === 4 ? Math.fround : (value) => value;
  }

  /** The least and the largest number, without those near the fill value. */
  #range(digits: number): [number, number] {
    const fill = this.#fill;
    const toType = this.#toType;
    const near = powerOfTen(-digits);
    let range: [number, number] | undefined;
    for (const value of this.#values) {
      if (fill !== undefined && Math.abs(toType(value - fill)) < near) continue;
      range ??= [value, value];
      if (value < range[0]) range[0] = value;
      if (value > range[1]) range[1] = value;
    }
    return range ?? [0, 0];
  }

  #bitsOf(value: number): bigint {
    const view = new DataView(new ArrayBuffer(8));
    if (this.#bitsMax === 32) view.setFloat32(0, value, true);
    else view.setFloat64(0, value, true);
    return view.getBigUint64(0, true);
  }

  differences(digits: number) {
    const values = this.#values;
    const fill = this.#fill;
    const toType = this.#toType;
    const bitsMax = this.#bitsMax;
    const [least, largest] = this.#range(digits);
    const scale = toType(powerOfTen(digits));
    const origin = toType(least * scale);
    const span = round(toType(toType(largest * scale) - origin));
    // What is no number, or too far away, has no difference.
    if (!(span <= 2 ** (bitsMax - 1))) return { minimum: 0n, differences: NONE(bitsMax) };
    const bits = bitsFor(BigInt(span) + (fill === undefined ? 1n : 2n));
    const minimum = this.#bitsOf(least);
    if (bits >= bitsMax) return { minimum, differences: NONE(bitsMax) };
    const low = new Uint32Array(values.length);
    const high = bitsMax === 64 ? new Uint32Array(values.length) : undefined;
    const near = toType(powerOfTen(-digits));
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as number;
      if (fill !== undefined && Math.abs(toType(value - fill)) < near) {
        low[index] = lowMask(bits);
        if (high !== undefined) high[index] = highMask(bits);
        continue;
      }
      const difference = round(toType(toType(value * scale) - origin));
      low[index] = difference;
      if (high !== undefined) high[index] = Math.floor(difference / WORD);
    }
    return { minimum, differences: { bits, low, high } };
  }

  restore(minimum: bigint, { bits, low, high }: Differences, digits: number): void {
    const values = this.#values;
    const fill = this.#fill;
    const toType = this.#toType;
    const scale = toType(powerOfTen(digits));
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, minimum, true);
    const least = this.#bitsMax === 32 ? view.getFloat32(0, true) : view.getFloat64(0, true);
    const [maskLow, maskHigh] = [lowMask(bits), highMask(bits)];
    for (let index = 0; index < values.length; index++) {
      const [part, upper] = [low[index] as number, high?.[index] ?? 0];
      if (fill !== undefined && part === maskLow && upper === maskHigh) {
        values[index] = fill;
        continue;
      }
      const difference = high === undefined ? part | 0 : (upper | 0) * WORD + part;
      values[index] = toType(toType(difference) / scale) + least;
    }
  }
}
