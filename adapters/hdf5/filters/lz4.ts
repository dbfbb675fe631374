/**
 * The registered filter 32004: LZ4.
 *
 *     parameters   bytes of a block; 0 or none for 1 GiB
 *     chunk        u64 bytes before compression, u32 bytes of a block; per block u32 its bytes, block
 *                  (big-endian); a block that takes as many bytes as before is as it was
 *
 * Source: The HDF Group's specification of the filter.
 *
 * @module
 */

import type { Filter } from "./filter.js";
import { compressLz4, decompressLz4, lz4Bound } from "./lz4-block.js";

const BLOCK_SIZE_DEFAULT = 1 << 30;
const HEAD_SIZE = 12;
const BLOCK_HEAD_SIZE = 4;

/** lz4. */
export const lz4Filter: Filter = {
  id: 32004,
  name: "lz4",
  encode: (bytes, { parameters }) => {
    const blockSize = Math.min(parameters[0] || BLOCK_SIZE_DEFAULT, Math.max(1, bytes.length));
    const blocks = Math.ceil(bytes.length / blockSize);
    const bound = HEAD_SIZE + blocks * (BLOCK_HEAD_SIZE + lz4Bound(blockSize));
    const target = Buffer.allocUnsafeSlow(bound);
    target.writeBigUInt64BE(BigInt(bytes.length), 0);
    target.writeUInt32BE(blockSize, 8);
    let size = HEAD_SIZE;
    for (let first = 0; first < bytes.length; first += blockSize) {
      const block = bytes.subarray(first, first + blockSize);
      const place = target.subarray(size + BLOCK_HEAD_SIZE);
      let stored = compressLz4(block, place);
      if (stored >= block.length) {
        stored = block.length;
        place.set(block);
      }
      target.writeUInt32BE(stored, size);
      size += BLOCK_HEAD_SIZE + stored;
    }
    return target.subarray(0, size);
  },
  decode: (bytes, { sizeMax }) => {
    if (bytes.length < HEAD_SIZE) throw new RangeError("it ends within its head");
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const total = Number(view.readBigUInt64BE(0));
    const blockSize = Math.min(view.readUInt32BE(8), total);
    if (total > sizeMax) throw new RangeError(`it says that it has ${total} bytes`);
    if (blockSize === 0 && total > 0) throw new RangeError("it has blocks of no bytes");
    const target = new Uint8Array(total);
    let at = HEAD_SIZE;
    for (let first = 0; first < total; first += blockSize) {
      if (at + BLOCK_HEAD_SIZE > bytes.length) throw new RangeError("it ends too early");
      const stored = view.readUInt32BE(at);
      at += BLOCK_HEAD_SIZE;
      if (at + stored > bytes.length) throw new RangeError("it ends within a block");
      const block = target.subarray(first, first + blockSize);
      const source = bytes.subarray(at, at + stored);
      if (stored === block.length) block.set(source);
      else decompressLz4(source, block);
      at += stored;
    }
    return target;
  },
};
