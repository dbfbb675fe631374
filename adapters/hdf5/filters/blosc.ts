/**
 * The registered filter 32001: Blosc 1, blocks that are shuffled and compressed.
 *
 *     parameters   2, 2, bytes of an element, bytes of a chunk, level, shuffle (0 none, 1 bytes, 2 bits), codec
 *                  (0 BloscLZ, 1 LZ4, 2 LZ4HC, 3 Snappy, 4 zlib, 5 Zstandard)
 *     chunk        u8 2, u8 version of the codec, u8 flags, u8 bytes of an element, u32 bytes before compression,
 *                  u32 bytes of a block, u32 bytes of the chunk; per block u32 where it begins; blocks
 *     flags        1 bytes shuffled, 2 not compressed: the bytes follow the head, 4 bits shuffled, 16 blocks have one
 *                  stream; high 3 bits: format (0 BloscLZ, 1 LZ4, 2 Snappy, 3 zlib, 4 Zstandard)
 *     block        streams, one for each byte of an element or one: u32 its bytes, stream; one that takes as many
 *                  bytes as before is as it was
 *
 * Little-endian. Written are blocks of one stream, and LZ4 for BloscLZ; Snappy is not known.
 *
 * Source: the format of c-blosc 1.
 *
 * @module
 */

import zlib from "node:zlib";
import { itemSizeOf } from "../datatype/datatype.js";
import { turnBits } from "./bitshuffle.js";
import { decompressBloscLz } from "./blosc-lz.js";
import { elementCount, type Filter, type FilterContext } from "./filter.js";
import { compressLz4, decompressLz4, lz4Bound } from "./lz4-block.js";
import { transpose } from "./shuffle.js";
import { type ZstdCodec, zstdCodec } from "./zstd-codec.js";

const VERSION = [2, 2] as const;
const FLAG = { bytes: 1, plain: 2, bits: 4, oneStream: 16 } as const;
const FORMAT = { bloscLz: 0, lz4: 1, snappy: 2, zlib: 3, zstd: 4 } as const;
/** The format of each codec of the parameters. */
const CODEC_FORMATS: readonly number[] = [
  FORMAT.lz4,
  FORMAT.lz4,
  FORMAT.lz4,
  FORMAT.snappy,
  FORMAT.zlib,
  FORMAT.zstd,
];
const HEAD_SIZE = 16;
const LEVEL_DEFAULT = 5;
const ITEM_SIZE_MAX = 255;
const BLOCK_SIZE = 256 * 1024;
/** Streams of a block, at most, and the least elements of one. */
const STREAMS_MAX = 16;
const STREAM_LENGTH_MIN = 128;

/** Whether the bits of a block are shuffled: of whole groups of 8 elements. */
const hasGroups = (block: Uint8Array, itemSize: number): boolean =>
  block.length >= itemSize && Math.floor(block.length / itemSize) % 8 === 0;

function shuffleBlock(block: Uint8Array, itemSize: number, flags: number): Uint8Array {
  return turnBlock(block, { itemSize, flags, isForward: true });
}

function turnBlock(
  block: Uint8Array,
  { itemSize, flags, isForward }: { itemSize: number; flags: number; isForward: boolean },
): Uint8Array {
  if ((flags & FLAG.bytes) !== 0) return transpose(block, itemSize, isForward);
  if ((flags & FLAG.bits) === 0 || !hasGroups(block, itemSize)) return block;
  const result = Uint8Array.from(block);
  const size = Math.floor(block.length / itemSize) * itemSize;
  turnBits(block.subarray(0, size), result.subarray(0, size), itemSize, isForward);
  return result;
}

function compress(
  block: Uint8Array,
  { format, level, zstd }: { format: number; level: number; zstd: ZstdCodec | undefined },
): Uint8Array {
  if (format === FORMAT.zlib) return zlib.deflateSync(block, { level });
  if (zstd !== undefined) return zstd.compress(block, level < 9 ? level * 2 - 1 : 22);
  const target = new Uint8Array(lz4Bound(block.length));
  return target.subarray(0, compressLz4(block, target));
}

async function encode(bytes: Uint8Array, { parameters }: FilterContext) {
  const [, , itemSize = 1, , level = LEVEL_DEFAULT, shuffle = 1, codec = 0] = parameters;
  const format = CODEC_FORMATS[codec] ?? FORMAT.snappy;
  const isKnown = itemSize >= 1 && itemSize <= ITEM_SIZE_MAX && level <= 9 && shuffle <= 2;
  if (!isKnown || format === FORMAT.snappy || level === 0 || bytes.length === 0) return undefined;
  const zstd = format === FORMAT.zstd ? await zstdCodec() : undefined;
  const shuffled = [0, FLAG.bytes, FLAG.bits][shuffle] as number;
  const flags = (itemSize > 1 || shuffle === 2 ? shuffled : 0) | FLAG.oneStream | (format << 5);
  const unit = 8 * itemSize;
  const blockSize = Math.min(bytes.length, Math.max(unit, BLOCK_SIZE - (BLOCK_SIZE % unit)));
  const count = Math.ceil(bytes.length / blockSize);
  const head = Buffer.alloc(HEAD_SIZE + 4 * count);
  const parts: Uint8Array[] = [head];
  let size = head.length;
  for (let number = 0; number < count; number++) {
    const block = bytes.subarray(number * blockSize, (number + 1) * blockSize);
    const turned = shuffleBlock(block, itemSize, flags);
    const packed = compress(turned, { format, level, zstd });
    const stream = packed.length < block.length ? packed : turned;
    const streamHead = Buffer.alloc(4);
    streamHead.writeUInt32LE(stream.length);
    head.writeUInt32LE(size, HEAD_SIZE + 4 * number);
    parts.push(streamHead, stream);
    size += 4 + stream.length;
    if (size >= bytes.length) return undefined;
  }
  head.set([2, 1, flags, itemSize]);
  head.writeUInt32LE(bytes.length, 4);
  head.writeUInt32LE(blockSize, 8);
  head.writeUInt32LE(size, 12);
  return Buffer.concat(parts);
}

/** What the head of a chunk says. */
interface Head {
  readonly flags: number;
  readonly itemSize: number;
  readonly size: number;
  readonly blockSize: number;
}

function headOf(view: Buffer, sizeMax: number): Head {
  if (view.length < HEAD_SIZE) throw new RangeError("it ends within its head");
  const [version, , flags, itemSize] = view as Uint8Array as unknown as [
    number,
    number,
    number,
    number,
  ];
  const size = view.readUInt32LE(4);
  const blockSize = view.readUInt32LE(8);
  if (version !== VERSION[0]) throw new RangeError(`version ${version} is not known`);
  if (size > sizeMax) throw new RangeError(`it says that it has ${size} bytes`);
  if (itemSize === 0 || (blockSize === 0 && size > 0)) throw new RangeError("it has no elements");
  return { flags, itemSize, size, blockSize };
}

async function decode(bytes: Uint8Array, { sizeMax }: FilterContext): Promise<Uint8Array> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = headOf(view, sizeMax);
  const { flags, itemSize, size, blockSize } = head;
  if ((flags & FLAG.plain) !== 0) {
    if (view.length < HEAD_SIZE + size) throw new RangeError("it ends too early");
    return bytes.subarray(HEAD_SIZE, HEAD_SIZE + size);
  }
  const zstd = flags >> 5 === FORMAT.zstd ? await zstdCodec() : undefined;
  const count = Math.ceil(size / blockSize);
  if (HEAD_SIZE + 4 * count > view.length) throw new RangeError("it ends within its head");
  const target = new Uint8Array(size);
  for (let number = 0; number < count; number++) {
    const place = target.subarray(number * blockSize, (number + 1) * blockSize);
    const block = new Uint8Array(place.length);
    const start = view.readUInt32LE(HEAD_SIZE + 4 * number);
    readStreams(view, start, { block, head, zstd, isWhole: place.length === blockSize });
    place.set(turnBlock(block, { itemSize, flags, isForward: false }));
  }
  return target;
}

function readStreams(
  view: Buffer,
  start: number,
  {
    block,
    head: { flags, itemSize },
    zstd,
    isWhole,
  }: {
    readonly block: Uint8Array;
    readonly head: Head;
    readonly zstd: ZstdCodec | undefined;
    readonly isWhole: boolean;
  },
): void {
  const isSplit =
    isWhole &&
    (flags & FLAG.oneStream) === 0 &&
    itemSize <= STREAMS_MAX &&
    block.length / itemSize >= STREAM_LENGTH_MIN;
  const streamSize = isSplit ? Math.floor(block.length / itemSize) : block.length;
  let at = start;
  for (let first = 0; first < block.length; first += streamSize) {
    if (at + 4 > view.length) throw new RangeError("it ends too early");
    const size = view.readUInt32LE(at);
    at += 4;
    if (at + size > view.length) throw new RangeError("it ends within a stream");
    const stream = view.subarray(at, at + size);
    const place = block.subarray(first, first + streamSize);
    if (size === place.length) place.set(stream);
    else expand(stream, place, flags >> 5, zstd);
    at += size;
  }
}

function expand(
  stream: Uint8Array,
  target: Uint8Array,
  format: number,
  zstd: ZstdCodec | undefined,
): void {
  switch (format) {
    case FORMAT.bloscLz:
      decompressBloscLz(stream, target);
      return;
    case FORMAT.lz4:
      decompressLz4(stream, target);
      return;
    case FORMAT.zlib:
    case FORMAT.zstd: {
      const size = target.length;
      const found =
        zstd?.decompress(stream, size) ?? zlib.inflateSync(stream, { maxOutputLength: size });
      if (found.length !== size) throw new RangeError(`a stream has ${found.length} bytes`);
      target.set(found);
      return;
    }
    default:
      throw new RangeError(`format ${format} is not known`);
  }
}

/** blosc. */
export const bloscFilter: Filter = {
  id: 32001,
  name: "blosc",
  localParameters: ([, , , , level = LEVEL_DEFAULT, ...rest], { type, chunkShape }) => {
    const size = itemSizeOf(type.class === "array" ? type.base : type);
    const itemSize = size > ITEM_SIZE_MAX ? 1 : size;
    const chunkSize = elementCount(chunkShape) * itemSizeOf(type);
    return [...VERSION, itemSize, chunkSize, level, ...rest];
  },
  encode,
  decode,
};
