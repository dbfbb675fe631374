/**
 * Key components of any content and length, so that their order in the index is theirs.
 *
 *     up to 256 bytes    the bytes, 0x00 as 0x00 0xff; then 0x00 0x01
 *     longer             the first 256 bytes likewise; then 0x00 0x02, 16 bytes hash, u8 number
 *
 * A shorter component sorts before those that it begins. Long ones that agree in 256 bytes sort by their
 * hash; those that agree in the hash too have different numbers. Whoever stores a long component keeps
 * its bytes under a key of their own.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { assert } from "../errors.js";

/** Longest component that a key holds as it is, in bytes. */
export const SHORT_COMPONENT_SIZE_MAX = 256;
const HASH_SIZE = 16;
/** End mark, hash and number of a long component. */
const LONG_END_SIZE = 2 + HASH_SIZE + 1;
/** Escaped bytes, and the longer end mark. */
const ENCODED_SIZE_MAX = SHORT_COMPONENT_SIZE_MAX * 2 + LONG_END_SIZE;
const END_SHORT = 1;
const END_LONG = 2;
const ESCAPED_ZERO = 0xff;

/** Writes a short component at `at` of `target`; returns where it ends. */
export function writeShort(target: Uint8Array, at: number, bytes: Uint8Array): number {
  assert(bytes.length <= SHORT_COMPONENT_SIZE_MAX, "a short component is short");
  let end = writeEscaped(target, at, bytes, bytes.length);
  target[end++] = 0;
  target[end++] = END_SHORT;
  return end;
}

function writeEscaped(target: Uint8Array, at: number, bytes: Uint8Array, count: number): number {
  let end = at;
  for (let index = 0; index < count; index++) {
    const byte = bytes[index] as number;
    target[end++] = byte;
    if (byte === 0) target[end++] = ESCAPED_ZERO;
  }
  return end;
}

/** The hash of a long component. */
export function hashOf(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest().subarray(0, HASH_SIZE);
}

/** A long component, without its number: the number is the byte that follows. */
export function longBase(bytes: Uint8Array, hash: Uint8Array): Uint8Array {
  const target = new Uint8Array(ENCODED_SIZE_MAX);
  let end = writeEscaped(target, 0, bytes, SHORT_COMPONENT_SIZE_MAX);
  target[end++] = 0;
  target[end++] = END_LONG;
  target.set(hash, end);
  return target.slice(0, end + HASH_SIZE);
}

/** A component in a key. */
export interface FoundComponent {
  /** Where it ends in the key. */
  readonly end: number;
  /** Its bytes; of a long one, the first 256. */
  readonly bytes: Uint8Array;
  readonly isLong: boolean;
}

/** Reads the component that starts at `at` of a key. */
export function readComponent(key: Uint8Array, at: number): FoundComponent {
  let zeros = 0;
  let end = at;
  for (;;) {
    const byte = key[end];
    assert(byte !== undefined, "a key component has an end mark");
    if (byte !== 0) {
      end += 1;
    } else if (key[end + 1] === ESCAPED_ZERO) {
      zeros += 1;
      end += 2;
    } else {
      break;
    }
  }
  const isLong = key[end + 1] === END_LONG;
  const bytes = zeros === 0 ? key.slice(at, end) : unescaped(key, at, end, zeros);
  return { end: end + (isLong ? LONG_END_SIZE : 2), bytes, isLong };
}

function unescaped(key: Uint8Array, start: number, end: number, zeros: number): Uint8Array {
  const bytes = new Uint8Array(end - start - zeros);
  let count = 0;
  for (let at = start; at < end; at++) {
    bytes[count++] = key[at] as number;
    if (key[at] === 0) at += 1;
  }
  return bytes;
}
