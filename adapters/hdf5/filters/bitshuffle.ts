/**
 * The registered filter 32008: the first bits of all elements of a block, then the second ones, and so on;
 * the blocks may be compressed.
 *
 *     parameters   version, version, bytes of an element, elements of a block (0: about 8 KiB),
 *                  compression (0 none, 2 LZ4, 3 Zstandard), level of Zstandard
 *     chunk        blocks; elements behind the last multiple of 8 as they are
 *     compressed   u64 bytes before compression, u32 bytes of a block; per block u32 its bytes, block
 *                  (big-endian); elements behind the last multiple of 8 as they are
 *
 * The last block has what is left, a multiple of 8 elements.
 *
 * Source: the format of Bitshuffle, by Kiyoshi Masui.
 *
 * @module
 */

import { itemSizeOf } from "../datatype/datatype.js";
import type { Filter, FilterContext } from "./filter.js";
import { compressLz4, decompressLz4, lz4Bound } from "./lz4-block.js";
import { zstdLevel } from "./zstd.js";
import { type ZstdCodec, zstdCodec } from "./zstd-codec.js";

/** Compressions. */
export const BITSHUFFLE = { none: 0, lz4: 2, zstd: 3 } as const;
/** What the parameters begin with: the version of Bitshuffle whose format this is. */
const VERSION = [0, 4] as const;
const HEAD_SIZE = 12;
const BLOCK_HEAD_SIZE = 4;
/** Elements are taken by so many. */
const GROUP = 8;
const BLOCK_SIZE_TARGET = 8192;
const BLOCK_LENGTH_MIN = 128;

/**
 * Turns a block around: 8 bytes, of the elements of a group, and 8 rows of bits at a time. Their bits change places
 * in three steps, four bytes in each word.
 */
export function turnBits(
  source: Uint8Array,
  target: Uint8Array,
  itemSize: number,
  isForward: boolean,
) {
  const rowSize = source.length / itemSize / GROUP;
  const [step, targetStep] = isForward ? [itemSize, rowSize] : [rowSize, itemSize];
  for (let byte = 0; byte < itemSize; byte++) {
    for (let group = 0; group < rowSize; group++) {
      const inElements = group * GROUP * itemSize + byte;
      const inRows = byte * GROUP * rowSize + group;
      let at = isForward ? inElements : inRows;
      let low = 0;
      let high = 0;
      for (let shift = 0; shift < 32; shift += 8, at += step) {
        low |= (source[at] as number) << shift;
        high |= (source[at + 4 * step] as number) << shift;
      }
      let swap = (low ^ (low >>> 7)) & 0x00aa00aa;
      low ^= swap ^ (swap << 7);
      swap = (high ^ (high >>> 7)) & 0x00aa00aa;
      high ^= swap ^ (swap << 7);
      swap = (low ^ (low >>> 14)) & 0x0000cccc;
      low ^= swap ^ (swap << 14);
      swap = (high ^ (high >>> 14)) & 0x0000cccc;
      high ^= swap ^ (swap << 14);
      swap = (low ^ (high << 4)) & 0xf0f0f0f0;
      low ^= swap;
      high ^= swap >>> 4;
      let to = isForward ? inRows : inElements;
      for (let shift = 0; shift < 32; shift += 8, to += targetStep) {
        target[to] = low >>> shift;
        target[to + 4 * targetStep] = high >>> shift;
      }
    }
  }
}

/** What the parameters say. */
function planOf(parameters: readonly number[]) {
  const [, , itemSize = 0, blockLength = 0, compression = BITSHUFFLE.none, level] = parameters;
  if (itemSize === 0) throw new RangeError("its parameters are incomplete");
  if (blockLength % GROUP !== 0) throw new RangeError(`blocks of ${blockLength} are not known`);
  if (!Object.values<number>(BITSHUFFLE).includes(compression)) {
    throw new RangeError(`compression ${compression} is not known`);
  }
  return { itemSize, blockLength: blockLength || defaultLength(itemSize), compression, level };
}

function defaultLength(itemSize: number): number {
  const fits = Math.floor(BLOCK_SIZE_TARGET / itemSize);
  return Math.max(fits - (fits % GROUP), BLOCK_LENGTH_MIN);
}

/** First byte of each block, and its bytes; what is left behind the last one is no block. */
function* blocksOf(size: number, itemSize: number, blockLength: number) {
  const count = Math.floor(size / itemSize / GROUP) * GROUP;
  for (let first = 0; first < count; first += blockLength) {
    yield [first * itemSize, Math.min(blockLength, count - first) * itemSize] as const;
  }
}

async function encode(bytes: Uint8Array, { parameters }: FilterContext) {
  const { itemSize, blockLength, compression, level } = planOf(parameters);
  if (bytes.length % itemSize !== 0) return undefined;
  if (compression === BITSHUFFLE.none) return turnAll(bytes, itemSize, blockLength, true);
  const zstd = compression === BITSHUFFLE.zstd ? await zstdCodec() : undefined;
  const blockSize = blockLength * itemSize;
  const parts: Uint8Array[] = [];
  const head = Buffer.alloc(HEAD_SIZE);
  head.writeBigUInt64BE(BigInt(bytes.length), 0);
  head.writeUInt32BE(blockSize, 8);
  parts.push(head);
  const turned = new Uint8Array(Math.min(blockSize, bytes.length));
  let end = 0;
  for (const [first, size] of blocksOf(bytes.length, itemSize, blockLength)) {
    end = first + size;
    const block = turned.subarray(0, size);
    turnBits(bytes.subarray(first, end), block, itemSize, true);
    const packed = zstd?.compress(block, zstdLevel(level)) ?? packLz4(block);
    const blockHead = Buffer.alloc(BLOCK_HEAD_SIZE);
    blockHead.writeUInt32BE(packed.length);
    parts.push(blockHead, packed);
  }
  return Buffer.concat([...parts, bytes.subarray(end)]);
}

function packLz4(block: Uint8Array): Uint8Array {
  const target = new Uint8Array(lz4Bound(block.length));
  return target.subarray(0, compressLz4(block, target));
}

function turnAll(
  bytes: Uint8Array,
  itemSize: number,
  blockLength: number,
  isForward: boolean,
): Uint8Array {
  const target = Uint8Array.from(bytes);
  for (const [first, size] of blocksOf(bytes.length, itemSize, blockLength)) {
    const end = first + size;
    turnBits(bytes.subarray(first, end), target.subarray(first, end), itemSize, isForward);
  }
  return target;
}

async function decode(bytes: Uint8Array, { parameters, sizeMax }: FilterContext) {
  const { itemSize, blockLength, compression } = planOf(parameters);
  if (compression === BITSHUFFLE.none) {
    if (bytes.length % itemSize !== 0)
      throw new RangeError(`${bytes.length} bytes are no elements`);
    return turnAll(bytes, itemSize, blockLength, false);
  }
  if (bytes.length < HEAD_SIZE) throw new RangeError("it ends within its head");
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, HEAD_SIZE);
  const total = Number(head.readBigUInt64BE(0));
  if (total > sizeMax) throw new RangeError(`it says that it has ${total} bytes`);
  const storedLength = head.readUInt32BE(8) / itemSize;
  if (total % itemSize !== 0 || storedLength === 0 || storedLength % GROUP !== 0) {
    throw new RangeError("it has no whole elements");
  }
  const zstd = compression === BITSHUFFLE.zstd ? await zstdCodec() : undefined;
  return unpackBlocks(bytes.subarray(HEAD_SIZE), { total, itemSize, storedLength, zstd });
}

function unpackBlocks(
  bytes: Uint8Array,
  { total, itemSize, storedLength, zstd }: BlockFacts,
): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const target = new Uint8Array(total);
  const turned = new Uint8Array(Math.min(total, storedLength * itemSize));
  let at = 0;
  let end = 0;
  for (const [first, size] of blocksOf(total, itemSize, storedLength)) {
    if (at + BLOCK_HEAD_SIZE > bytes.length) throw new RangeError("it ends too early");
    const packedSize = view.getUint32(at);
    at += BLOCK_HEAD_SIZE;
    if (at + packedSize > bytes.length) throw new RangeError("it ends within a block");
    const packed = bytes.subarray(at, at + packedSize);
    at += packedSize;
    let block: Uint8Array = turned.subarray(0, size);
    if (zstd === undefined) decompressLz4(packed, block);
    else block = zstd.decompress(packed, size);
    if (block.length !== size) throw new RangeError(`a block has ${block.length} bytes`);
    end = first + size;
    turnBits(block, target.subarray(first, end), itemSize, false);
  }
  const rest = bytes.subarray(at);
  if (rest.length !== total - end) throw new RangeError(`it has ${rest.length} bytes at its end`);
  target.set(rest, end);
  return target;
}

/** What the blocks of a chunk are. */
interface BlockFacts {
  /** Bytes of all of them and what is left. */
  readonly total: number;
  readonly itemSize: number;
  /** Elements of a block. */
  readonly storedLength: number;
  readonly zstd: ZstdCodec | undefined;
}

/** bitshuffle. */
export const bitshuffleFilter: Filter = {
  id: 32008,
  name: "bitshuffle",
  localParameters: ([blockLength = 0, ...rest], { type }) => {
    if (blockLength % GROUP !== 0) return undefined;
    return [...VERSION, itemSizeOf(type), blockLength, ...rest];
  },
  encode,
  decode,
};
