/**
 * The memory of an access: its blocks in the order of their datatype, moved to and from a stream in parts.
 *
 * A buffer without gaps is used as it is. Small blocks go through a buffer of fixed size, large ones are used where
 * they lie: nothing of the size of the whole is allocated. Numbers of "external32" are turned on the way.
 *
 * @module
 */

import { endianness } from "node:os";
import { blocksOf, type Message } from "node-mpi-bindings";
import { bytesOf, elementSizeOf, TypedElements } from "node-mpi-bindings/transports";
import { DIRECT_BLOCK_SIZE_MIN, STAGING_SIZE } from "./limits.js";

interface MemoryBlock {
  readonly bytes: Uint8Array;
  readonly elementSize: number;
}

const isLittleEndian = endianness() === "LE";

/** The blocks of a message, as they are asked for. */
function* blocks(message: Message): Generator<MemoryBlock, void> {
  if (!(message instanceof TypedElements)) {
    yield { bytes: bytesOf(message), elementSize: elementSizeOf(message) };
    return;
  }
  const { datatype, count, offset, buffer } = message;
  const all = bytesOf(buffer);
  const { size, extent, typemap } = datatype;
  if (size === 0 || count === 0) return;
  const [first] = blocksOf(typemap);
  if (first?.length === size && extent === size) {
    const start = offset + first.offset;
    yield { bytes: all.subarray(start, start + size * count), elementSize: first.elementSize };
    return;
  }
  for (let i = 0; i < count; i += 1) {
    const origin = offset + i * extent;
    for (const block of blocksOf(typemap)) {
      const start = origin + block.offset;
      yield { bytes: all.subarray(start, start + block.length), elementSize: block.elementSize };
    }
  }
}

/** The memory of a message as one block; `undefined` if it has gaps. */
export function contiguousBytes(message: Message): Uint8Array | undefined {
  if (!(message instanceof TypedElements)) return bytesOf(message);
  const { datatype, offset, buffer, byteLength } = message;
  const { size, extent, layout } = datatype;
  if (size !== extent || layout?.levels.length !== 0) return undefined;
  const start = offset + layout.offset;
  return bytesOf(buffer).subarray(start, start + byteLength);
}

/** Turns the bytes of each whole number around. */
function turnAround(bytes: Uint8Array, size: number): void {
  if (!isLittleEndian || size === 1) return;
  const whole = bytes.length - (bytes.length % size);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, whole);
  if (size === 2) buffer.swap16();
  else if (size === 4) buffer.swap32();
  else if (size === 8) buffer.swap64();
  else for (let at = 0; at < whole; at += size) buffer.subarray(at, at + size).reverse();
}

/**
 * Gives the data of a message in parts, in order.
 *
 * @param isTurned Whether numbers are stored big-endian.
 * @param write Takes a part; its memory is used again when it returns.
 */
export function gather(
  message: Message,
  isTurned: boolean,
  write: (bytes: Uint8Array) => void,
): void {
  let staging: Uint8Array | undefined;
  let used = 0;
  const flush = () => {
    if (used > 0) write((staging as Uint8Array).subarray(0, used));
    used = 0;
  };
  for (const { bytes, elementSize } of blocks(message)) {
    const isDirect = !isTurned || elementSize === 1;
    if (
      isDirect &&
      (bytes.length >= DIRECT_BLOCK_SIZE_MIN || bytes.length === message.byteLength)
    ) {
      flush();
      if (bytes.length > 0) write(bytes);
      continue;
    }
    staging ??= new Uint8Array(Math.min(STAGING_SIZE, message.byteLength));
    for (let at = 0; at < bytes.length; ) {
      const room = staging.length - used;
      const length = Math.min(bytes.length - at, room - (room % elementSize));
      if (length === 0) {
        flush();
        continue;
      }
      const part = staging.subarray(used, used + length);
      part.set(bytes.subarray(at, at + length));
      if (isTurned) turnAround(part, elementSize);
      used += length;
      at += length;
    }
  }
  flush();
}

/**
 * Fills the memory of a message from its start.
 *
 * @param size Bytes to fill, at most the message's; the rest stays as it is.
 * @param isTurned Whether numbers are stored big-endian.
 * @param read Fills a part with the next bytes of the stream.
 */
export function scatter(
  message: Message,
  size: number,
  isTurned: boolean,
  read: (bytes: Uint8Array) => void,
): void {
  let staging: Uint8Array | undefined;
  let waiting: MemoryBlock[] = [];
  let waitingSize = 0;
  const flush = () => {
    if (waitingSize === 0) return;
    staging ??= new Uint8Array(Math.min(STAGING_SIZE, size));
    const part = staging.subarray(0, waitingSize);
    read(part);
    let at = 0;
    for (const { bytes } of waiting) {
      bytes.set(part.subarray(at, at + bytes.length));
      at += bytes.length;
    }
    waiting = [];
    waitingSize = 0;
  };
  let left = size;
  for (const block of blocks(message)) {
    if (left === 0) break;
    const bytes = block.bytes.subarray(0, Math.min(left, block.bytes.length));
    left -= bytes.length;
    if (waitingSize + bytes.length > STAGING_SIZE || bytes.length >= DIRECT_BLOCK_SIZE_MIN) flush();
    if (bytes.length >= DIRECT_BLOCK_SIZE_MIN || bytes.length === size) read(bytes);
    else {
      waiting.push({ ...block, bytes });
      waitingSize += bytes.length;
    }
  }
  flush();
  if (isTurned) turnAll(message, size);
}

/** Turns the numbers that were read, where they lie. */
function turnAll(message: Message, size: number): void {
  let left = size;
  for (const { bytes, elementSize } of blocks(message)) {
    if (left === 0) return;
    const part = bytes.subarray(0, Math.min(left, bytes.length));
    turnAround(part, elementSize);
    left -= part.length;
  }
}
