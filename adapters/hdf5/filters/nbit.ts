/**
 * HDF5's filter 5: only the significant bits of numbers are stored, one number behind the other.
 *
 *     parameters   count of parameters, whether nothing is to be done, elements of a chunk, type
 *     type         number     1, bytes, order (1: big-endian), precision, offset, both in bits
 *                  array      2, bytes, type of its elements
 *                  compound   3, bytes, count of members; per member: offset in bytes, type
 *                  other      4, bytes: taken as they are
 *
 * A type becomes a list of steps: which bits of which byte of an element come next. What is not significant
 * is zero when it is read.
 *
 * Sources: HDF5 File Format Specification, section IV.A.2.l; `H5Znbit.c` of HDF5.
 *
 * @module
 */

import {
  type Datatype,
  type FloatType,
  hasSlots,
  type IntegerType,
  itemSizeOf,
} from "../datatype/datatype.js";
import { BitReader, BitWriter } from "./bits.js";
import { elementCount, type Filter, type FilteredDataset } from "./filter.js";

/** Classes of types in the parameters. */
const NBIT_CLASS = { number: 1, array: 2, compound: 3, other: 4 } as const;
const BIG_ENDIAN = 1;
/** Types in types. */
const DEPTH_MAX = 32;

/** Bits of one byte of an element. */
interface Step {
  /** The byte. */
  readonly at: number;
  /** Lowest bit. */
  readonly shift: number;
  readonly count: number;
}

/** Makes steps of parameters, which may be anything. */
class StepList {
  readonly steps: Step[] = [];
  readonly #parameters: readonly number[];
  readonly #size: number;
  #at = 3;

  constructor(parameters: readonly number[]) {
    this.#parameters = parameters;
    this.#size = parameters[4] ?? 0;
    this.#add(0, this.#size, 0);
  }

  #next(): number {
    const value = this.#parameters[this.#at++];
    if (value === undefined) throw new RangeError("its parameters end too early");
    return value;
  }

  #push(step: Step): void {
    // Members that overlap could make many steps out of few parameters.
    if (this.steps.length >= this.#size)
      throw new RangeError("its parameters have too many members");
    this.steps.push(step);
  }

  /** Adds the type that comes next, of an element that begins at `first`. */
  #add(first: number, sizeMax: number, depth: number): void {
    const kind = this.#next();
    const size = this.#next();
    if (size === 0 || size > sizeMax) throw new RangeError(`its parameters have a size of ${size}`);
    if (depth > DEPTH_MAX) throw new RangeError("its parameters are nested too deeply");
    switch (kind) {
      case NBIT_CLASS.number:
        this.#addNumber(first, size);
        return;
      case NBIT_CLASS.array:
        this.#addArray(first, size, depth);
        return;
      case NBIT_CLASS.compound:
        for (let members = this.#next(); members > 0; members--) {
          const offset = this.#next();
          this.#add(first + offset, size - offset, depth + 1);
        }
        return;
      case NBIT_CLASS.other:
        for (let at = first; at < first + size; at++) this.#push({ at, shift: 0, count: 8 });
        return;
      default:
        throw new RangeError(`its parameters have a type of class ${kind}`);
    }
  }

  #addArray(first: number, size: number, depth: number): void {
    const base = this.#at;
    const isOther = this.#parameters[base] === NBIT_CLASS.other;
    // Of other types the whole array is taken at once.
    const step = isOther ? size : (this.#parameters[base + 1] ?? 0);
    if (step === 0 || step > size) throw new RangeError("its parameters have an array of nothing");
    if (isOther) {
      this.#at += 2;
      for (let at = first; at < first + size; at++) this.#push({ at, shift: 0, count: 8 });
      return;
    }
    for (let at = first; at + step <= first + size; at += step) {
      this.#at = base;
      this.#add(at, step, depth + 1);
    }
  }

  #addNumber(first: number, size: number): void {
    const isBig = this.#next() === BIG_ENDIAN;
    const precision = this.#next();
    const offset = this.#next();
    if (precision === 0 || precision + offset > 8 * size) {
      throw new RangeError(`its parameters have ${precision} bits from ${offset} on`);
    }
    const end = precision + offset;
    // From the byte with the most significant bit to that with the least significant one.
    for (let byte = Math.ceil(end / 8) - 1; byte >= Math.floor(offset / 8); byte--) {
      const shift = Math.max(0, offset - 8 * byte);
      const count = Math.min(8, end - 8 * byte) - shift;
      this.#push({ at: first + (isBig ? size - 1 - byte : byte), shift, count });
    }
  }
}

/** What the parameters say; `undefined` if bytes stay as they are. */
function planOf(parameters: readonly number[]) {
  const [total, isPlain, count = 0] = parameters;
  if (total !== parameters.length) throw new RangeError("its parameters are incomplete");
  if (isPlain !== 0) return undefined;
  const { steps } = new StepList(parameters);
  const bits = steps.reduce((sum, step) => sum + step.count, 0);
  return { steps, count, bits, size: parameters[4] as number };
}

const isWhole = ({ size, precision, bitOffset }: IntegerType | FloatType): boolean =>
  bitOffset === 0 && precision === 8 * size;

/** Whether a type has bits that need not be stored. */
function hasSpare(type: Datatype): boolean {
  switch (type.class) {
    case "integer":
    case "float":
      return !isWhole(type);
    case "array":
      return hasSpare(type.base);
    case "compound":
      return type.members.some((member) => hasSpare(member.type));
    default:
      return false;
  }
}

/** A type as parameters; `undefined` if it has none. */
function typeParameters(type: Datatype): readonly number[] | undefined {
  const size = itemSizeOf(type);
  switch (type.class) {
    case "integer":
    case "float": {
      if (type.order === "vax") return undefined;
      const order = type.order === "big" ? BIG_ENDIAN : 0;
      return [NBIT_CLASS.number, size, order, type.precision, type.bitOffset];
    }
    case "array": {
      const base = hasSlots(type.base) ? undefined : typeParameters(type.base);
      return base && [NBIT_CLASS.array, size, ...base];
    }
    case "compound": {
      const members = type.members.map((member) => {
        const parameters = typeParameters(member.type);
        return parameters && [member.offset, ...parameters];
      });
      if (members.includes(undefined)) return undefined;
      return [NBIT_CLASS.compound, size, type.members.length, ...members.flat()] as number[];
    }
    default:
      return [NBIT_CLASS.other, size];
  }
}

/** The parameters of a dataset, as HDF5 sets them. */
function localParameters(
  _: readonly number[],
  { type, chunkShape }: FilteredDataset,
): readonly number[] | undefined {
  const isPlain = !["integer", "float", "array", "compound"].includes(type.class);
  const described = isPlain ? [] : typeParameters(type);
  if (described === undefined) return undefined;
  return [3 + described.length, hasSpare(type) ? 0 : 1, elementCount(chunkShape), ...described];
}

/** nbit. */
export const nbitFilter: Filter = {
  id: 5,
  name: "nbit",
  localParameters,
  encode: (bytes, { parameters }) => {
    const plan = planOf(parameters);
    if (plan === undefined) return bytes;
    const { steps, count, bits, size } = plan;
    if (bytes.length !== count * size) return undefined;
    // HDF5 always adds a byte, needed or not.
    const target = new Uint8Array(Math.floor((count * bits) / 8) + 1);
    const writer = new BitWriter(target);
    for (let first = 0; first < bytes.length; first += size) {
      for (const step of steps) {
        writer.put((bytes[first + step.at] as number) >>> step.shift, step.count);
      }
    }
    writer.finish();
    return target;
  },
  decode: (bytes, { parameters, chunkSize }) => {
    const plan = planOf(parameters);
    if (plan === undefined) return bytes;
    const { steps, count, size } = plan;
    if (count * size !== chunkSize) throw new RangeError("its parameters are of another chunk");
    const target = new Uint8Array(chunkSize);
    const reader = new BitReader(bytes);
    for (let first = 0; first < chunkSize; first += size) {
      for (const step of steps) {
        const at = first + step.at;
        target[at] = (target[at] as number) | (reader.get(step.count) << step.shift);
      }
    }
    return target;
  },
};
