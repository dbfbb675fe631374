/**
 * Lossless coding of samples after CCSDS 121.0-B: Rice codes of blocks, each with the code that suits it best.
 *
 *     stream     lines (reference sample intervals), one behind the other, the last byte filled with zeros
 *     line       blocks; with prediction its first sample stands behind the option of its first block
 *     block      option of `w` bits, w = 3, 4, 5 for samples of up to 8, 16, 32 bits:
 *       0        1 bit 0: blocks of zeros, their count - 1 in unary, 4 for all to the end of a segment of 64
 *                blocks, counts from 5 on as they are
 *                1 bit 1: second extension: pairs (a, b) as (a + b)(a + b + 1) / 2 + b in unary
 *       k + 1    the bits above k of each sample in unary, then the k low bits of each
 *       all ones samples as they are
 *
 * Predicted samples are their difference from the one before, made unsigned: small ones of both signs alternate.
 *
 * Source: CCSDS 121.0-B-3, Lossless Data Compression.
 *
 * @module
 */

import { BitReader, BitWriter } from "./bits.js";

/** How samples are coded. */
export interface SampleCoding {
  /** Bits of a sample: 1 to 24. */
  readonly bits: number;
  /** Samples of a block; even. */
  readonly blockLength: number;
  /** Blocks of a line. */
  readonly lineBlocks: number;
  /** Whether samples are predicted by the one before. */
  readonly isPredicted: boolean;
}

const SEGMENT = 64;
/** Count of zero blocks that stands for the rest of a segment. */
const REST_OF_SEGMENT = 5;
/** Sums of pairs beyond which the second extension takes more bits than another code, of blocks of up to 64. */
const PAIR_SUM_MAX = 12;

const optionWidth = (bits: number): number => (bits > 16 ? 5 : bits > 8 ? 4 : 3);
const maximumOf = (bits: number): number => 2 ** bits - 1;

/** Differences from the sample before, unsigned. */
function predict(samples: Uint32Array, maximum: number): Uint32Array {
  const result = new Uint32Array(samples.length);
  // Samples have at most 24 bits, so that all of this is arithmetic of 32 bits.
  let before = (samples[0] as number) | 0;
  for (let index = 1; index < samples.length; index++) {
    const now = (samples[index] as number) | 0;
    const distance = now - before;
    if (distance >= 0) result[index] = distance <= before ? distance << 1 : now;
    else result[index] = -distance <= maximum - before ? (-distance << 1) - 1 : maximum - now;
    before = now;
  }
  return result;
}

/** Undoes {@link predict} in place; the first sample is there. */
function follow(samples: Uint32Array, end: number, maximum: number): void {
  checkSamples(samples, end, maximum);
  let before = (samples[0] as number) | 0;
  for (let index = 1; index < end; index++) {
    const coded = (samples[index] as number) | 0;
    const isLow = before <= maximum - before;
    const near = isLow ? before : maximum - before;
    let now: number;
    if (coded <= near << 1)
      now = (coded & 1) === 0 ? before + (coded >> 1) : before - ((coded + 1) >> 1);
    else now = isLow ? coded : maximum - coded;
    samples[index] = now;
    before = now;
  }
}

function checkSamples(samples: Uint32Array, end: number, maximum: number): void {
  for (let index = 0; index < end; index++) {
    const sample = samples[index] as number;
    if (sample > maximum) throw new RangeError(`it has a sample of ${sample}`);
  }
}

/** Writes lines of samples. */
export class SampleEncoder {
  readonly #coding: SampleCoding;
  readonly #width: number;
  readonly #writer: BitWriter;
  /** Low bits that were best for the block before: those of the next one are near. */
  #split = 0;

  /** @param target Zeros; what does not fit is left out, see {@link isFull}. */
  constructor(coding: SampleCoding, target: Uint8Array) {
    this.#coding = coding;
    this.#width = optionWidth(coding.bits);
    this.#writer = new BitWriter(target);
  }

  /** Whether more was written than fits. */
  get isFull(): boolean {
    return this.#writer.isFull;
  }

  /** Appends a line of samples, which must all be there. */
  line(samples: Uint32Array): void {
    const { isPredicted, bits, blockLength, lineBlocks } = this.#coding;
    const coded = isPredicted ? predict(samples, maximumOf(bits)) : samples;
    const reference = isPredicted ? samples[0] : undefined;
    let zeroBlocks = 0;
    /** Where the first of the zero blocks is. */
    let firstZero = 0;
    const writeZeros = (isRest: boolean) => {
      const ofZeros = firstZero === 0 ? reference : undefined;
      this.#zeros(isRest && zeroBlocks >= REST_OF_SEGMENT ? undefined : zeroBlocks, ofZeros);
      zeroBlocks = 0;
    };
    for (let index = 0; index < lineBlocks; index++) {
      const start = index * blockLength;
      if (isZero(coded, start, start + blockLength)) {
        if (zeroBlocks++ === 0) firstZero = index;
        if (index + 1 === lineBlocks || (index + 1) % SEGMENT === 0) writeZeros(true);
        continue;
      }
      if (zeroBlocks > 0) writeZeros(false);
      this.#block(coded, start, index === 0 ? reference : undefined);
    }
  }

  /** Fills the last byte. @returns The number of bytes. */
  finish(): number {
    return this.#writer.finish();
  }

  /** @param count `undefined` for all to the end of the segment. */
  #zeros(count: number | undefined, reference: number | undefined): void {
    this.#writer.put(0, this.#width + 1);
    if (reference !== undefined) this.#writer.put(reference, this.#coding.bits);
    if (count === undefined) this.#writer.putUnary(REST_OF_SEGMENT - 1);
    else this.#writer.putUnary(count >= REST_OF_SEGMENT ? count : count - 1);
  }

  /** @param reference The first sample of a line, which no difference stands for. */
  #block(samples: Uint32Array, start: number, reference: number | undefined): void {
    const { bits, blockLength } = this.#coding;
    const writer = this.#writer;
    const end = start + blockLength;
    const first = reference === undefined ? start : start + 1;
    const plainSize = (end - first) * bits;
    const { split, size } = this.#bestSplit(samples, first, end);
    this.#split = split;
    if (pairsSize(samples, start, end) <= Math.min(size, plainSize - 1)) {
      writer.put(1, this.#width + 1);
      if (reference !== undefined) writer.put(reference, bits);
      for (let at = start; at < end; at += 2) writer.putUnary(pairOf(samples, at));
    } else if (size < plainSize) {
      writer.put(split + 1, this.#width);
      if (reference !== undefined) writer.put(reference, bits);
      for (let at = first; at < end; at++) writer.putUnary((samples[at] as number) >>> split);
      if (split === 0) return;
      for (let at = first; at < end; at++) writer.put(samples[at] as number, split);
    } else {
      writer.put(2 ** this.#width - 1, this.#width);
      if (reference !== undefined) writer.put(reference, bits);
      for (let at = first; at < end; at++) writer.put(samples[at] as number, bits);
    }
  }

  /** The count of low bits for which a block is the shortest: there is one least length, which is walked to. */
  #bestSplit(samples: Uint32Array, first: number, end: number): { split: number; size: number } {
    const splitMax = 2 ** this.#width - 3;
    let split = this.#split;
    let size = splitSize(samples, first, end, split);
    for (const step of [1, -1]) {
      for (let next = split + step; next >= 0 && next <= splitMax; next += step) {
        const nextSize = splitSize(samples, first, end, next);
        if (nextSize >= size) break;
        split = next;
        size = nextSize;
      }
    }
    return { split, size };
  }
}

function isZero(samples: Uint32Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (samples[at] !== 0) return false;
  return true;
}

/** Bits that a block takes, split above its low bits. */
function splitSize(samples: Uint32Array, first: number, end: number, split: number): number {
  let size = (end - first) * (split + 1);
  for (let at = first; at < end; at++) size += (samples[at] as number) >>> split;
  return size;
}

function pairOf(samples: Uint32Array, at: number): number {
  const [a, b] = [samples[at] as number, samples[at + 1] as number];
  return ((a + b) * (a + b + 1)) / 2 + b;
}

/** Bits that a block takes in the second extension; endless where that is no use. */
function pairsSize(samples: Uint32Array, start: number, end: number): number {
  let size = 1;
  for (let at = start; at < end; at += 2) {
    if ((samples[at] as number) + (samples[at + 1] as number) > PAIR_SUM_MAX) {
      return Number.POSITIVE_INFINITY;
    }
    size += pairOf(samples, at) + 1;
  }
  return size;
}

/** Reads lines of samples. */
export class SampleDecoder {
  readonly #coding: SampleCoding;
  readonly #width: number;
  readonly #reader: BitReader;
  readonly #line: Uint32Array;

  constructor(coding: SampleCoding, bytes: Uint8Array) {
    this.#coding = coding;
    this.#width = optionWidth(coding.bits);
    this.#reader = new BitReader(bytes);
    this.#line = new Uint32Array(coding.blockLength * coding.lineBlocks);
  }

  /**
   * The next line.
   *
   * @param count Samples that are needed: those behind them may be missing in the last line.
   * @returns Memory that the next call overwrites.
   * @throws `RangeError` for what no encoder makes.
   */
  line(count: number): Uint32Array {
    const { bits, blockLength, lineBlocks, isPredicted } = this.#coding;
    const line = this.#line;
    const reader = this.#reader;
    for (let index = 0; index < lineBlocks && index * blockLength < count; ) {
      const option = reader.get(this.#width);
      const isPlain = option === 2 ** this.#width - 1;
      const isLow = option === 0;
      const isPairs = isLow && reader.get(1) === 1;
      const start = index * blockLength;
      const end = start + blockLength;
      // With prediction, the first sample of a line is no difference.
      const first = isPredicted && index === 0 ? 1 : start;
      if (first > start) line[0] = reader.get(bits);
      let blocks = 1;
      if (isPlain) for (let at = first; at < end; at++) line[at] = reader.get(bits);
      else if (isPairs) this.#pairs(first, end);
      else if (isLow) {
        blocks = this.#zeroBlocks(index);
        line.fill(0, first, start + blocks * blockLength);
      } else this.#splitBlock(first, end, option - 1);
      index += blocks;
    }
    const end = Math.min(count, line.length);
    if (isPredicted) follow(line, end, maximumOf(bits));
    else checkSamples(line, end, maximumOf(bits));
    return line;
  }

  #zeroBlocks(index: number): number {
    const rest = this.#coding.lineBlocks - index;
    const code = this.#reader.getUnary() + 1;
    if (code === REST_OF_SEGMENT) return Math.min(rest, SEGMENT - (index % SEGMENT));
    const blocks = code > REST_OF_SEGMENT ? code - 1 : code;
    if (blocks > rest) throw new RangeError(`it has ${blocks} blocks of zeros where ${rest} fit`);
    return blocks;
  }

  #pairs(first: number, end: number): void {
    const line = this.#line;
    // The sample in front of the first difference belongs to the first pair, as a zero.
    for (let at = first - (first % 2); at < end; at += 2) {
      const code = this.#reader.getUnary();
      const sum = Math.floor((Math.sqrt(8 * code + 1) - 1) / 2);
      const second = code - (sum * (sum + 1)) / 2;
      if (at >= first) line[at] = sum - second;
      line[at + 1] = second;
    }
  }

  #splitBlock(first: number, end: number, split: number): void {
    const reader = this.#reader;
    const line = this.#line;
    const unit = 2 ** split;
    for (let at = first; at < end; at++) line[at] = reader.getUnary() * unit;
    if (split === 0) return;
    for (let at = first; at < end; at++) line[at] = (line[at] as number) + reader.get(split);
  }
}
