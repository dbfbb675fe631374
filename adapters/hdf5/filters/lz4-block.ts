/**
 * LZ4 blocks.
 *
 *     sequence     u8: count of literals in the high 4 bits, length of the repetition - 4 in the low ones; if the
 *                  count is 15, u8 more each until one is below 255; literals; u16 distance, little-endian; if the
 *                  length is 15, u8 more likewise
 *     block        sequences, the last of which has literals only: at least 5
 *
 * Source: LZ4 Block Format Description.
 *
 * @module
 */

const LENGTH_MIN = 4;
const DISTANCE_MAX = 65_535;
const LONG = 15;
/** Bytes at the end that are literals. */
const LITERALS_LAST = 5;
/** Bytes from the end within which no repetition begins. */
const SEARCH_LIMIT = 12;
const HASH_BITS = 14;
/** Each so many misses in a row, the search goes on by one byte more. */
const SKIP_BITS = 6;
/** Where four bytes were seen last, by their hash. Work of one call, which does not wait. */
const seen = new Int32Array(1 << HASH_BITS);

/** Writes the rest of a count that does not fit 4 bits. @returns Where the next byte is. */
function putRest(target: Uint8Array, at: number, rest: number): number {
  let next = at;
  for (let left = rest; ; left -= 255) {
    target[next++] = Math.min(left, 255);
    if (left < 255) return next;
  }
}

/** Most bytes that a block of `size` bytes becomes. */
export function lz4Bound(size: number): number {
  return size + Math.floor(size / 255) + 16;
}

/**
 * Compresses a block.
 *
 * @param target At least {@link lz4Bound} bytes.
 * @returns The number of bytes.
 */
export function compressLz4(bytes: Uint8Array, target: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  seen.fill(-1);
  let size = 0;
  /** First byte that is not written yet: literals. */
  let pending = 0;
  const putLiterals = (end: number, length: number): void => {
    const count = end - pending;
    target[size++] = (Math.min(count, LONG) << 4) | Math.min(length, LONG);
    if (count >= LONG) size = putRest(target, size, count - LONG);
    if (count > 32) target.set(bytes.subarray(pending, end), size);
    else for (let at = 0; at < count; at++) target[size + at] = bytes[pending + at] as number;
    size += count;
  };
  const searchEnd = bytes.length - SEARCH_LIMIT;
  const repeatEnd = bytes.length - LITERALS_LAST;
  let misses = 0;
  for (let at = 0; at < searchEnd; ) {
    const four = view.getInt32(at, true);
    const hash = Math.imul(four, 0x9e3779b1) >>> (32 - HASH_BITS);
    const from = seen[hash] as number;
    seen[hash] = at;
    if (from < 0 || at - from > DISTANCE_MAX || view.getInt32(from, true) !== four) {
      at += 1 + (misses++ >> SKIP_BITS);
      continue;
    }
    misses = 0;
    let end = at + LENGTH_MIN;
    const distance = at - from;
    while (end < repeatEnd && bytes[end] === bytes[end - distance]) end++;
    const rest = end - at - LENGTH_MIN;
    putLiterals(at, rest);
    target[size++] = distance & 0xff;
    target[size++] = distance >> 8;
    if (rest >= LONG) size = putRest(target, size, rest - LONG);
    at = end;
    pending = end;
  }
  putLiterals(bytes.length, 0);
  return size;
}

/**
 * Decompresses a block.
 *
 * @param target Becomes full, or the block is damaged.
 * @throws `RangeError` for what no encoder makes.
 */
export function decompressLz4(bytes: Uint8Array, target: Uint8Array): void {
  let at = 0;
  let size = 0;
  const takeRest = (): number => {
    for (let sum = LONG; ; ) {
      const more = bytes[at++];
      if (more === undefined) throw new RangeError("it ends within a count");
      sum += more;
      if (more < 255) return sum;
    }
  };
  for (;;) {
    const token = bytes[at++];
    if (token === undefined) throw new RangeError("it ends within a sequence");
    const count = token >> 4 === LONG ? takeRest() : token >> 4;
    if (at + count > bytes.length) throw new RangeError("it ends within literals");
    if (size + count > target.length) throw new RangeError("it has too many bytes");
    if (count > 32) target.set(bytes.subarray(at, at + count), size);
    else
      for (let index = 0; index < count; index++)
        target[size + index] = bytes[at + index] as number;
    at += count;
    size += count;
    if (at === bytes.length) break;
    if (at + 2 > bytes.length) throw new RangeError("it ends within a distance");
    const distance = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    at += 2;
    const length = ((token & LONG) === LONG ? takeRest() : token & LONG) + LENGTH_MIN;
    if (distance === 0 || distance > size) throw new RangeError("it repeats what is not there");
    if (size + length > target.length) throw new RangeError("it has too many bytes");
    if (distance >= length && length > 32)
      target.copyWithin(size, size - distance, size - distance + length);
    // What is repeated may overlap what it makes.
    else
      for (let end = size + length, to = size; to < end; to++)
        target[to] = target[to - distance] as number;
    size += length;
  }
  if (size !== target.length) throw new RangeError(`it has ${size} bytes, not ${target.length}`);
}
