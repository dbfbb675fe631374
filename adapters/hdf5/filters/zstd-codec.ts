/**
 * Zstandard frames, by WebAssembly that is loaded when it is first needed.
 *
 * @module
 */

const MAGIC = 0xfd2fb528;
/** Bytes of a dictionary's number, and of the size, by their codes. */
const DICTIONARY_SIZES = [0, 1, 2, 4] as const;

/** Compresses and decompresses. */
export interface ZstdCodec {
  /** @param level From 1, fast, to 22, small. */
  compress(bytes: Uint8Array, level: number): Uint8Array;
  /**
   * @param sizeMax Most bytes that it may become.
   * @throws An error if it is damaged, or becomes more.
   */
  decompress(bytes: Uint8Array, sizeMax: number): Uint8Array;
}

/** What a frame says that it becomes, in bytes; `undefined` if it does not say. */
function contentSize(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A frame has at least 9 bytes, a head at most 18.
  if (bytes.length < 9 || view.getUint32(0, true) !== MAGIC) throw new RangeError("it is no frame");
  const descriptor = view.getUint8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingle ? 0 : 1) + (DICTIONARY_SIZES[descriptor & 3] as number);
  const width = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  if (at + width > bytes.length) throw new RangeError("it ends within its head");
  switch (width) {
    case 0:
      return undefined;
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}

async function load(): Promise<ZstdCodec> {
  const zstd = await import("@bokuweb/zstd-wasm");
  await zstd.init();
  return {
    compress: (bytes, level) => zstd.compress(bytes, level),
    decompress: (bytes, sizeMax) => {
      const size = contentSize(bytes);
      if ((size ?? 0) > sizeMax) throw new RangeError(`it says that it has ${size} bytes`);
      return zstd.decompress(bytes, { defaultHeapSize: sizeMax });
    },
  };
}

let codec: Promise<ZstdCodec> | undefined;

/** The codec; loaded once. */
export function zstdCodec(): Promise<ZstdCodec> {
  codec ??= load();
  return codec;
}
