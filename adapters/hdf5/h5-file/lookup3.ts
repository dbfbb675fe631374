/**
 * The checksum of HDF5's metadata: Bob Jenkins's `lookup3` (`hashlittle`) with an initial value of 0.
 *
 * @module
 */

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** Checksum of bytes. */
export function lookup3(bytes: Uint8Array): number {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let a = (0xdeadbeef + bytes.length) | 0;
  let b = a;
  let c = a;
  let at = 0;
  for (; bytes.length - at > 12; at += 12) {
    a = (a + words.getInt32(at, true)) | 0;
    b = (b + words.getInt32(at + 4, true)) | 0;
    c = (c + words.getInt32(at + 8, true)) | 0;
    a = ((a - c) ^ rotate(c, 4)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 6)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 8)) | 0;
    b = (b + a) | 0;
    a = ((a - c) ^ rotate(c, 16)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 19)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 4)) | 0;
    b = (b + a) | 0;
  }
  if (at === bytes.length) return c >>> 0;
  const tail = new Uint8Array(12);
  tail.set(bytes.subarray(at));
  const last = new DataView(tail.buffer);
  a = (a + last.getInt32(0, true)) | 0;
  b = (b + last.getInt32(4, true)) | 0;
  c = (c + last.getInt32(8, true)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return c >>> 0;
}
