/**
 * BloscLZ, the own codec of Blosc; decompression only: what Blosc writes can say that it is LZ4.
 *
 *     literals     u8 count - 1 (0 to 31), that many bytes
 *     repetition   u8: length - 2 in the high 3 bits, high 5 bits of the distance - 1; if the length is 7 there,
 *                  u8 what it is more, again while that is 255; u8 low bits of the distance - 1; if all of the
 *                  distance's bits are set, u16 the distance - 8,192, big-endian
 *
 * The first byte has literals whatever its high bits say.
 *
 * Source: the format of c-blosc 1.
 *
 * @module
 */

const LITERALS_MAX = 32;
const DISTANCE_FAR = 8191;
const LONG = 6;

/**
 * Decompresses a stream.
 *
 * @param target Becomes full, or the stream is damaged.
 * @throws `RangeError` for what no encoder makes.
 */
export function decompressBloscLz(bytes: Uint8Array, target: Uint8Array): void {
  let at = 0;
  let size = 0;
  const next = (): number => {
    const byte = bytes[at++];
    if (byte === undefined) throw new RangeError("it ends too early");
    return byte;
  };
  for (let control = next() & (LITERALS_MAX - 1); ; control = next()) {
    if (control < LITERALS_MAX) {
      const count = control + 1;
      if (at + count > bytes.length) throw new RangeError("it ends within literals");
      if (size + count > target.length) throw new RangeError("it has too many bytes");
      target.set(bytes.subarray(at, at + count), size);
      at += count;
      size += count;
    } else {
      let length = (control >> 5) - 1;
      if (length === LONG) {
        let more: number;
        do {
          more = next();
          length += more;
        } while (more === 255);
      }
      length += 3;
      let distance = ((control & (LITERALS_MAX - 1)) << 8) | next();
      if (distance === DISTANCE_FAR) distance += (next() << 8) | next();
      distance++;
      if (distance > size) throw new RangeError("it repeats what is not there");
      if (size + length > target.length) throw new RangeError("it has too many bytes");
      // What is repeated may overlap what it makes.
      for (const end = size + length; size < end; size++) {
        target[size] = target[size - distance] as number;
      }
    }
    if (at === bytes.length) break;
  }
  if (size !== target.length) throw new RangeError(`it has ${size} bytes, not ${target.length}`);
}
