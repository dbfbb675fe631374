/**
 * HDF5's filter 4: szip, Rice codes of samples.
 *
 *     parameters   options (4 entropy coding, 8 little-endian, 16 big-endian, 32 nearest neighbour), samples of a
 *                  block, bits of a sample, samples of a line
 *     chunk        u32 bytes before compression, little-endian, coded samples
 *
 * Samples of 32 and 64 bits are coded as bytes, the first ones of all samples first. Lines are filled up to
 * whole blocks: with nearest neighbour by their last sample, else by zeros.
 *
 * Sources: HDF5 File Format Specification, section IV.A.2.l; `H5Zszip.c` of HDF5; see `szip-codec.ts`.
 *
 * @module
 */

import type { Datatype, IntegerType } from "../datatype/datatype.js";
import { elementCount, type Filter, type FilterContext, type FilteredDataset } from "./filter.js";
import { transpose } from "./shuffle.js";
import { type SampleCoding, SampleDecoder, SampleEncoder } from "./szip-codec.js";

/** Options, a bit each. */
const SZIP = { chip: 2, entropy: 4, little: 8, big: 16, neighbour: 32, raw: 128 } as const;
/** Most samples of a block; their count is even. */
const BLOCK_MAX = 32;
/** Most blocks of a line. */
const LINE_BLOCKS_MAX = 128;
const LINE_MAX = BLOCK_MAX * LINE_BLOCKS_MAX;
const HEAD_SIZE = 4;

/** What the parameters say. */
interface Plan extends SampleCoding {
  /** Bytes of a sample that is coded. */
  readonly sampleSize: number;
  /** Samples of a line, without those that fill it up. */
  readonly lineLength: number;
  readonly isBig: boolean;
  /** Bytes of an element whose bytes are coded apart, else 1. */
  readonly apart: number;
}

function planOf(parameters: readonly number[]): Plan {
  const [options = 0, blockLength = 0, bits = 0, lineLength = 0] = parameters;
  if (parameters.length !== 4) throw new RangeError("its parameters are incomplete");
  if (blockLength < 2 || blockLength > BLOCK_MAX || blockLength % 2 !== 0) {
    throw new RangeError(`blocks of ${blockLength} samples are not known`);
  }
  if (lineLength < 1 || lineLength > LINE_MAX) {
    throw new RangeError(`lines of ${lineLength} samples are not known`);
  }
  const isApart = bits === 32 || bits === 64;
  if (bits < 1 || (bits > 24 && !isApart)) {
    throw new RangeError(`samples of ${bits} bits are not known`);
  }
  const coded = isApart ? 8 : bits;
  return {
    bits: coded,
    sampleSize: coded > 16 ? 4 : coded > 8 ? 2 : 1,
    blockLength,
    lineBlocks: Math.ceil(lineLength / blockLength),
    lineLength,
    isPredicted: (options & SZIP.neighbour) !== 0,
    isBig: (options & SZIP.big) !== 0,
    apart: isApart ? bits / 8 : 1,
  };
}

/** Bytes as samples. */
function samplesOf(bytes: Uint8Array, { sampleSize, isBig }: Plan): Uint8Array | Uint32Array {
  if (sampleSize === 1) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / sampleSize;
  const samples = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const at = index * sampleSize;
    samples[index] = sampleSize === 2 ? view.getUint16(at, !isBig) : view.getUint32(at, !isBig);
  }
  return samples;
}

function encode(bytes: Uint8Array, { parameters }: FilterContext): Uint8Array | undefined {
  const plan = planOf(parameters);
  const { bits, sampleSize, lineLength, lineBlocks, blockLength, isPredicted, apart } = plan;
  if (bytes.length % (sampleSize * apart) !== 0) return undefined;
  const samples = samplesOf(transpose(bytes, apart, true), plan);
  const isTooLarge = (sample: number) => sample >= 2 ** bits;
  if (bits < 8 * sampleSize && samples.some(isTooLarge)) return undefined;
  // Not larger than it was: HDF5 stores such a chunk without the filter.
  const target = Buffer.alloc(HEAD_SIZE + bytes.length);
  const encoder = new SampleEncoder(plan, target.subarray(HEAD_SIZE));
  const line = new Uint32Array(lineBlocks * blockLength);
  for (let first = 0; first < samples.length; first += lineLength) {
    const part = samples.subarray(first, first + lineLength);
    line.set(part);
    line.fill(isPredicted ? (part[part.length - 1] as number) : 0, part.length);
    encoder.line(line);
    if (encoder.isFull) return undefined;
  }
  const size = encoder.finish();
  if (size > bytes.length) return undefined;
  target.writeUInt32LE(bytes.length);
  return target.subarray(0, HEAD_SIZE + size);
}

function decode(bytes: Uint8Array, { parameters, sizeMax }: FilterContext): Uint8Array {
  const plan = planOf(parameters);
  const { sampleSize, lineLength, isBig, apart } = plan;
  if (bytes.length < HEAD_SIZE) throw new RangeError("it ends within its head");
  const size = Buffer.from(bytes.buffer, bytes.byteOffset, HEAD_SIZE).readUInt32LE();
  if (size > sizeMax) throw new RangeError(`it says that it has ${size} bytes`);
  if (size % (sampleSize * apart) !== 0) throw new RangeError(`${size} bytes are no samples`);
  const decoder = new SampleDecoder(plan, bytes.subarray(HEAD_SIZE));
  const target = new Uint8Array(size);
  const view = new DataView(target.buffer);
  const count = size / sampleSize;
  for (let first = 0; first < count; first += lineLength) {
    const length = Math.min(lineLength, count - first);
    const line = decoder.line(length);
    if (sampleSize === 1) {
      target.set(line.subarray(0, length), first);
      continue;
    }
    for (let index = 0; index < length; index++) {
      const at = (first + index) * sampleSize;
      if (sampleSize === 2) view.setUint16(at, line[index] as number, !isBig);
      else view.setUint32(at, line[index] as number, !isBig);
    }
  }
  return transpose(target, apart, false);
}

/** Bits of a sample, as HDF5 sets them; `undefined` for types that it cannot take. */
function bitsOf(type: Datatype): number | undefined {
  const number = type.class === "enum" ? type.base : type;
  if (!["integer", "float", "bitfield"].includes(number.class)) return undefined;
  const { size, precision, bitOffset } = number as IntegerType;
  if (![1, 2, 4, 8].includes(size)) return undefined;
  const bits = bitOffset === 0 ? precision : 8 * size;
  return bits <= 24 ? bits : bits <= 32 ? 32 : 64;
}

/** The parameters of a dataset, as HDF5 sets them. */
function localParameters(
  [options = SZIP.neighbour, blockLength = BLOCK_MAX]: readonly number[],
  { type, chunkShape }: FilteredDataset,
): readonly number[] | undefined {
  const bits = bitsOf(type);
  const order = type.class === "enum" ? type.base.order : (type as IntegerType).order;
  if (bits === undefined || !["little", "big"].includes(order)) return undefined;
  const count = elementCount(chunkShape);
  const isKnown = blockLength >= 2 && blockLength <= BLOCK_MAX && blockLength % 2 === 0;
  if (!isKnown || count < blockLength) return undefined;
  // Lines are rows of the chunk, if these have at least a block.
  const row = chunkShape.at(-1) ?? 1;
  const lineLength = Math.min(blockLength * LINE_BLOCKS_MAX, row < blockLength ? count : row);
  const kept = options & ~(SZIP.chip | SZIP.little | SZIP.big);
  const mask = kept | SZIP.raw | (order === "big" ? SZIP.big : SZIP.little);
  return [mask, blockLength, bits, lineLength];
}

/** szip. */
export const szipFilter: Filter = { id: 4, name: "szip", localParameters, encode, decode };
