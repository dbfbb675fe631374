/**
 * Compressed buffers: LZ4 frames and Zstandard, as the IPC format has them.
 *
 *     buffer      i64 size before compression, little-endian, compressed bytes; size -1: bytes as they are
 *
 * Both codecs are JavaScript and WebAssembly: they run wherever Node does, and are loaded when the first compressed
 * buffer is met.
 *
 * @module
 */

import { CompressionType } from "apache-arrow";
import { malformed } from "../errors.js";
import { BODY_SIZE_MAX } from "../limits.js";

/** How buffers are compressed. */
export type Compression = "lz4" | "zstd";

/** A codec. */
export interface Codec {
  compress(bytes: Uint8Array): Uint8Array;
  /** @param size What the bytes become: no more is taken. */
  decompress(bytes: Uint8Array, size: number): Uint8Array;
}

/** The number of a compression in Arrow's schema. */
export const COMPRESSION_TYPES: Readonly<Record<Compression, CompressionType>> = {
  lz4: CompressionType.LZ4_FRAME,
  zstd: CompressionType.ZSTD,
};

/** The compression of a number in Arrow's schema. */
export function compressionOf(type: CompressionType): Compression {
  return type === CompressionType.ZSTD ? "zstd" : "lz4";
}

const SIZE_PREFIX = 8;
const codecs = new Map<Compression, Codec>();

/** Loads a codec: to be awaited before buffers of its kind are written or read. */
export async function loadCodec(compression: Compression): Promise<Codec> {
  let codec = codecs.get(compression);
  if (codec === undefined) {
    codec = await (compression === "lz4" ? loadLz4() : loadZstd());
    codecs.set(compression, codec);
  }
  return codec;
}

/** A codec that was loaded before. */
export function loadedCodec(compression: Compression): Codec | undefined {
  return codecs.get(compression);
}

interface Lz4 {
  compressFrame(source: Uint8Array, target: Uint8Array): number;
  compressBound(size: number): number;
  decompressFrame(source: Uint8Array, target: Uint8Array): number;
}

async function loadLz4(): Promise<Codec> {
  // @ts-expect-error The package comes without types.
  const { default: lz4 } = (await import("lz4js")) as { default: Lz4 };
  return {
    compress: (bytes) => {
      const target = new Uint8Array(lz4.compressBound(bytes.length) + 64);
      return target.slice(0, lz4.compressFrame(bytes, target));
    },
    decompress: (bytes, size) => {
      const target = new Uint8Array(size);
      const count = lz4.decompressFrame(bytes, target);
      if (count !== size) throw new Error(`it has ${count} bytes`);
      return target;
    },
  };
}

const ZSTD_MAGIC = 0xfd2fb528;

/** What a Zstandard frame says that it becomes; `undefined` if it does not say. */
function zstdContentSize(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 6 || view.getUint32(0, true) !== ZSTD_MAGIC) throw new Error("it is no frame");
  const descriptor = view.getUint8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingle ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number);
  switch (descriptor >> 6) {
    case 0:
      return isSingle ? view.getUint8(at) : undefined;
    case 1:
      return view.getUint16(at, true) + 256;
    case 2:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}

async function loadZstd(): Promise<Codec> {
  const zstd = await import("@bokuweb/zstd-wasm");
  await zstd.init();
  return {
    compress: (bytes) => zstd.compress(bytes, 1).slice(),
    decompress: (bytes, size) => {
      const content = zstdContentSize(bytes);
      if (content !== undefined && content !== size) throw new Error(`it has ${content} bytes`);
      const target = zstd.decompress(bytes, { defaultHeapSize: size }).slice();
      if (target.length !== size) throw new Error(`it has ${target.length} bytes`);
      return target;
    },
  };
}

/** Compresses a buffer; one that does not get smaller stays as it is. */
export function compressBuffer(codec: Codec, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes;
  const compressed = codec.compress(bytes);
  const isSmaller = compressed.length < bytes.length;
  const content = isSmaller ? compressed : bytes;
  const buffer = new Uint8Array(SIZE_PREFIX + content.length);
  const size = isSmaller ? BigInt(bytes.length) : -1n;
  new DataView(buffer.buffer).setBigInt64(0, size, true);
  buffer.set(content, SIZE_PREFIX);
  return buffer;
}

/**
 * Decompresses a buffer.
 *
 * @throws `DaosError` `DER_INVAL` if it is damaged, or becomes larger than {@link BODY_SIZE_MAX}.
 */
export function decompressBuffer(codec: Codec, bytes: Uint8Array, what: string): Uint8Array {
  if (bytes.length === 0) return bytes;
  if (bytes.length < SIZE_PREFIX) throw malformed(what, "a compressed buffer is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = Number(view.getBigInt64(0, true));
  const content = bytes.subarray(SIZE_PREFIX);
  if (size === -1) return content;
  if (size < 0 || size > BODY_SIZE_MAX) {
    throw malformed(what, `a compressed buffer says that it has ${size} bytes`);
  }
  if (size === 0) return new Uint8Array(0);
  try {
    return codec.decompress(content, size);
  } catch (error) {
    throw malformed(what, `a compressed buffer is damaged: ${String((error as Error).message)}`);
  }
}
