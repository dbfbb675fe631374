/**
 * HDF5's filter 6: numbers as their difference from the least one, in as many bits as the largest needs.
 *
 *     parameters   kind of scale (0: decimal, of floats; 2: integers), factor, elements of a chunk, class
 *                  (1: float), bytes of an element, whether it is signed, order (1: big-endian), whether there
 *                  is a fill value, the fill value in 12 words, least significant first
 *     chunk        u32 bits of a number, u8 8, u64 least value, 8 zeros (little-endian), numbers
 *
 * Numbers that are the fill value have all bits set. Floats are multiplied by a power of ten and rounded, so that
 * they lose digits; of integers, those that need more bits than the factor says lose the high ones.
 *
 * Sources: HDF5 File Format Specification, section IV.A.2.l; `H5Zscaleoffset.c` of HDF5.
 *
 * @module
 */

import { BitReader, BitWriter } from "./bits.js";
import { elementCount, type Filter, type FilterContext, type FilteredDataset } from "./filter.js";
import { type Differences, type NumberKind, valuesOf } from "./scale-offset-values.js";

/** Places of the parameters. */
const PLACE = {
  kind: 0,
  factor: 1,
  count: 2,
  class: 3,
  size: 4,
  sign: 5,
  order: 6,
  hasFill: 7,
  fill: 8,
  total: 20,
} as const;
/** Kinds of scale. */
const SCALE = { decimal: 0, bits: 2 } as const;
const HEAD_SIZE = 21;
const MINIMUM_SIZE = 8;

/** What the parameters say. */
interface Plan {
  readonly kind: NumberKind;
  readonly count: number;
  readonly size: number;
  readonly isBig: boolean;
  /** Decimal digits that are kept, or bits; 0 bits is as many as are needed. */
  readonly factor: number;
  /** The fill value, little-endian. */
  readonly fill: Uint8Array | undefined;
}

function planOf(parameters: readonly number[]): Plan {
  if (parameters.length !== PLACE.total) throw new RangeError("its parameters are incomplete");
  const at = (place: number) => parameters[place] as number;
  const isFloat = at(PLACE.class) === 1;
  const size = at(PLACE.size);
  const scale = at(PLACE.kind);
  if (scale !== (isFloat ? SCALE.decimal : SCALE.bits)) {
    throw new RangeError(`a scale of kind ${scale} is not known`);
  }
  if (!(isFloat ? [4, 8] : [1, 2, 4, 8]).includes(size)) {
    throw new RangeError(`numbers of ${size} bytes are not known`);
  }
  const isSigned = at(PLACE.sign) === 1;
  const kind: NumberKind = isFloat ? "float" : isSigned ? "signed" : "unsigned";
  const factor = at(PLACE.factor) | 0;
  const words = Uint8Array.from({ length: size }, (_, index) => {
    return at(PLACE.fill + (index >> 2)) >>> (8 * (index & 3));
  });
  return {
    ...{ kind, size, count: at(PLACE.count), isBig: at(PLACE.order) === 1 },
    factor: isFloat ? factor : Math.max(0, factor),
    fill: at(PLACE.hasFill) === 1 ? words : undefined,
  };
}

/** Bytes of numbers, turned around where the type is big-endian; always a copy. */
function inLittleEndian(bytes: Uint8Array, { size, isBig }: Plan): Buffer<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  if (!isBig) return copy;
  if (size === 2) copy.swap16();
  if (size === 4) copy.swap32();
  if (size === 8) copy.swap64();
  return copy;
}

function pack({ bits, low, high }: Differences, target: Uint8Array): void {
  const writer = new BitWriter(target);
  const count = low.length;
  for (let index = 0; index < count; index++) {
    if (bits > 32) writer.put(high?.[index] as number, bits - 32);
    writer.put(low[index] as number, Math.min(bits, 32));
  }
  writer.finish();
}

function unpack(bytes: Uint8Array, bits: number, { count, size }: Plan): Differences {
  const reader = new BitReader(bytes);
  const low = new Uint32Array(count);
  const high = size === 8 ? new Uint32Array(count) : undefined;
  if (bits > 0) {
    for (let index = 0; index < count; index++) {
      if (bits > 32 && high !== undefined) high[index] = reader.get(bits - 32);
      low[index] = reader.get(Math.min(bits, 32));
    }
  }
  return { bits, low, high };
}

function encode(bytes: Uint8Array, { parameters }: FilterContext): Uint8Array | undefined {
  const plan = planOf(parameters);
  const { count, size, kind, factor } = plan;
  if (bytes.length !== count * size) return undefined;
  const bitsMax = 8 * size;
  if (kind !== "float" && factor > bitsMax) return undefined;
  if (kind !== "float" && factor === bitsMax) return bytes;
  const numbers = inLittleEndian(bytes, plan);
  const values = valuesOf(numbers, plan);
  const { minimum, differences } = values.differences(factor);
  const { bits } = differences;
  const isWhole = bits === bitsMax;
  const bodySize = isWhole ? bytes.length : Math.floor((bytes.length * bits) / bitsMax) + 1;
  const target = Buffer.alloc(HEAD_SIZE + bodySize);
  target.writeUInt32LE(bits, 0);
  target.writeUInt8(MINIMUM_SIZE, 4);
  target.writeBigUInt64LE(minimum, 5);
  if (isWhole) target.set(numbers, HEAD_SIZE);
  else if (bits > 0) pack(differences, target.subarray(HEAD_SIZE));
  return target;
}

function decode(bytes: Uint8Array, { parameters, chunkSize }: FilterContext): Uint8Array {
  const plan = planOf(parameters);
  const { count, size, kind, factor } = plan;
  if (count * size !== chunkSize) throw new RangeError("its parameters are of another chunk");
  const bitsMax = 8 * size;
  if (kind !== "float" && factor === bitsMax) return bytes;
  if (bytes.length < HEAD_SIZE) throw new RangeError("it ends within its head");
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, HEAD_SIZE);
  const bits = head.readUInt32LE(0);
  if (bits > bitsMax) throw new RangeError(`it has ${bits} bits for a number`);
  const width = Math.min(head.readUInt8(4), MINIMUM_SIZE);
  let minimum = 0n;
  for (let at = 0; at < width; at++) minimum |= BigInt(head.readUInt8(5 + at)) << BigInt(8 * at);
  const body = bytes.subarray(HEAD_SIZE);
  if (bits === bitsMax) {
    if (body.length < chunkSize) throw new RangeError("it ends too early");
    return inLittleEndian(body.subarray(0, chunkSize), plan);
  }
  const target = Buffer.allocUnsafeSlow(chunkSize);
  valuesOf(target, plan).restore(minimum, unpack(body, bits, plan), factor);
  return plan.isBig ? inLittleEndian(target, plan) : target;
}

/** The parameters of a dataset, as HDF5 sets them. */
function localParameters(
  [scale = 0, factor = 0]: readonly number[],
  { type, chunkShape, fill }: FilteredDataset,
): readonly number[] | undefined {
  if (type.class !== "integer" && type.class !== "float") return undefined;
  const isFloat = type.class === "float";
  const isKnown = isFloat ? [4, 8].includes(type.size) : [1, 2, 4, 8].includes(type.size);
  if (!isKnown || type.order === "vax") return undefined;
  const parameters = new Array<number>(PLACE.total).fill(0);
  parameters[PLACE.kind] = scale;
  parameters[PLACE.factor] = factor >>> 0;
  parameters[PLACE.count] = elementCount(chunkShape);
  parameters[PLACE.class] = isFloat ? 1 : 0;
  parameters[PLACE.size] = type.size;
  parameters[PLACE.sign] = !isFloat && type.isSigned ? 1 : 0;
  parameters[PLACE.order] = type.order === "big" ? 1 : 0;
  // The default fill value, zero, is one too.
  parameters[PLACE.hasFill] = fill.value === null ? 0 : 1;
  const bytes = Buffer.from(fill.value?.bytes ?? new Uint8Array(type.size));
  if (type.order === "big") bytes.reverse();
  for (const [index, byte] of bytes.entries()) {
    const word = PLACE.fill + (index >> 2);
    parameters[word] = ((parameters[word] as number) | (byte << (8 * (index & 3)))) >>> 0;
  }
  return parameters;
}

/** scaleoffset. */
export const scaleOffsetFilter: Filter = {
  id: 6,
  name: "scaleoffset",
  localParameters,
  encode,
  decode,
};
