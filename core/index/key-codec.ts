/**
 * Keys of the index: a space byte, then fields whose bytewise order is the order of their values.
 *
 *     u32, u64    fixed width, big-endian
 *     newest      u64, inverted: later epochs sort first
 *     component   bytes of any content; see component.ts
 *
 * @module
 */

import { assert } from "../errors.js";
import { readComponent, writeShort } from "./component.js";

/**
 * The first byte of a key says which record it names.
 * Durable: DO NOT CHANGE THESE VALUES.
 */
export const KeySpace = {
  pool: 0x01,
  writer: 0x02,
  property: 0x03,
  attribute: 0x04,
  segment: 0x10,
  container: 0x20,
  containerLabel: 0x21,
  commit: 0x22,
  commitByTransaction: 0x23,
  snapshot: 0x24,
  change: 0x25,
  removed: 0x26,
  destroyed: 0x27,
  objectMark: 0x28,
  freedTable: 0x29,
  object: 0x30,
  akey: 0x31,
  dkeyPunch: 0x32,
  longKey: 0x33,
  run: 0x40,
} as const;

/** What inverts an epoch. */
export const EPOCH_MASK = 0xffff_ffff_ffff_ffffn;
/** LMDB's longest key with 8 KiB pages would be longer; 1,978 is the limit with 4 KiB pages. */
const KEY_BYTES_MAX = 1978;

// Plain arrays: a slice of a Buffer costs several times as much.
const scratch = new Uint8Array(KEY_BYTES_MAX);
const scratchView = new DataView(scratch.buffer);

/** Builds one key. Keys are built one at a time; `done` copies out of the shared scratch buffer. */
export class KeyBuilder {
  #size = 1;

  constructor(space: number) {
    scratch[0] = space;
  }

  u32(value: number): this {
    scratchView.setUint32(this.#size, value);
    this.#size += 4;
    return this;
  }

  u64(value: bigint): this {
    scratchView.setBigUint64(this.#size, value);
    this.#size += 8;
    return this;
  }

  /** An epoch, inverted, so that the newest sorts first. */
  newest(epoch: bigint): this {
    return this.u64(epoch ^ EPOCH_MASK);
  }

  raw(bytes: Uint8Array): this {
    scratch.set(bytes, this.#size);
    this.#size += bytes.length;
    return this;
  }

  /** Up to 256 bytes of any content; see component.ts. */
  component(bytes: Uint8Array): this {
    this.#size = writeShort(scratch, this.#size, bytes);
    return this;
  }

  /** The key, copied. */
  done(): Uint8Array {
    return scratch.slice(0, this.#size);
  }
}

/** Reads the fields of a key in order. */
export class KeyReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #at = 1;

  constructor(key: Uint8Array) {
    this.#bytes = key;
    this.#view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  }

  u32(): number {
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4);
  }

  u64(): bigint {
    this.#at += 8;
    return this.#view.getBigUint64(this.#at - 8);
  }

  newest(): bigint {
    return this.u64() ^ EPOCH_MASK;
  }

  component(): Uint8Array {
    const { bytes, end } = readComponent(this.#bytes, this.#at);
    this.#at = end;
    return bytes;
  }
}

/** The key after every key that begins with `prefix`. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  const end = Uint8Array.from(prefix);
  let last = end.length - 1;
  while (last >= 0 && end[last] === 0xff) last -= 1;
  assert(last >= 0, "a key space byte is below 0xff");
  end[last] = (end[last] as number) + 1;
  return end.subarray(0, last + 1);
}
