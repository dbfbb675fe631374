/**
 * Reads and writes the fields of durable records.
 *
 * Grammar of the primitives, used by every format file:
 *
 *     u8, u32, u64   fixed width, big-endian
 *     varint         unsigned, up to 2^53 - 1, seven bits per byte, least significant first,
 *                    high bit set on all but the last byte
 *     svarint        signed: n >= 0 as 2n, n < 0 as -2n - 1, then as a varint, up to 2^54 - 1
 *     bytes          varint length, then that many bytes
 *     text           bytes, as UTF-8
 *
 * @module
 */

import { assert, DaosError } from "../errors.js";

const VARINT_BASE = 128;

/** Appends fields to a growing buffer. */
export class ByteWriter {
  #buffer: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #size = 0;

  /** @param capacity First size of the buffer, in bytes; it doubles when full. */
  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(capacity);
    this.#view = new DataView(this.#buffer.buffer);
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  #reserve(size: number): number {
    const start = this.#size;
    if (start + size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(this.#buffer.length * 2, start + size));
      grown.set(this.#buffer);
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#size = start + size;
    return start;
  }

  /** Appends one byte. */
  u8(value: number): this {
    const start = this.#reserve(1);
    this.#buffer[start] = value;
    return this;
  }

  /** Appends four bytes. */
  u32(value: number): this {
    const start = this.#reserve(4);
    this.#view.setUint32(start, value);
    return this;
  }

  /** Appends eight bytes. */
  u64(value: bigint): this {
    const start = this.#reserve(8);
    this.#view.setBigUint64(start, value);
    return this;
  }

  /** Appends an unsigned number, in one to eight bytes. */
  varint(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, `varint takes 0 to 2^53 - 1, not ${value}`);
    let rest = value;
    while (rest >= VARINT_BASE) {
      const digit = rest % VARINT_BASE;
      this.u8(digit | 0x80);
      rest = (rest - digit) / VARINT_BASE;
    }
    return this.u8(rest);
  }

  /** Appends a signed number, in one to eight bytes. */
  svarint(value: number): this {
    // The doubled number may exceed 2^53: its lowest seven bits are split off before doubling.
    const magnitude = value >= 0 ? value : -value - 1;
    const rest = Math.floor(magnitude / 64);
    const low = (magnitude % 64) * 2 + (value >= 0 ? 0 : 1);
    return rest === 0 ? this.u8(low) : this.u8(low | 0x80).varint(rest);
  }

  /** Appends bytes without their length. */
  raw(bytes: Uint8Array): this {
    const start = this.#reserve(bytes.length);
    this.#buffer.set(bytes, start);
    return this;
  }

  /** Appends the length of some bytes, then the bytes. */
  bytes(value: Uint8Array): this {
    return this.varint(value.length).raw(value);
  }

  /** Appends a text as bytes. */
  text(value: string): this {
    return this.bytes(Buffer.from(value, "utf8"));
  }

  /** The written bytes, copied. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#size);
  }
}

/** Reads fields in the order in which they were written. */
export class ByteReader {
  /** Made for the first number of fixed width: most records have none. */
  #view: DataView | undefined;
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  /**
   * @param bytes The record.
   * @param what What the record is, for errors: "a run of object 5.0".
   */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get #fixed(): DataView {
    const { buffer, byteOffset, byteLength } = this.#bytes;
    this.#view ??= new DataView(buffer, byteOffset, byteLength);
    return this.#view;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** The error for a record that does not follow its grammar. */
  malformed(why: string): DaosError {
    return new DaosError(
      "DER_DF_INVAL",
      {
        what: `Reading ${this.#what}`,
        why,
        remedy: "the pool's files are damaged: restore the pool from a copy",
      },
      { offset: this.#at },
    );
  }

  #take(size: number): number {
    const start = this.#at;
    if (size > this.remaining)
      throw this.malformed(`the record ends at byte ${this.#bytes.length}`);
    this.#at = start + size;
    return start;
  }

  /** The next byte. */
  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** The next four bytes. */
  u32(): number {
    const bytes = this.#bytes;
    const start = this.#take(4);
    const low = ((bytes[start + 1] as number) << 16) | ((bytes[start + 2] as number) << 8);
    return (bytes[start] as number) * 2 ** 24 + (low | (bytes[start + 3] as number));
  }

  /** The next eight bytes. */
  u64(): bigint {
    return this.#fixed.getBigUint64(this.#take(8));
  }

  /** The next unsigned number. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw this.malformed("a number is above 2^53");
      if (byte < 0x80) return value;
      scale *= VARINT_BASE;
    }
  }

  /** The next signed number. */
  svarint(): number {
    const low = this.u8();
    const rest = low < 0x80 ? 0 : this.varint();
    const magnitude = rest * 64 + ((low & 0x7f) >>> 1);
    if (magnitude > Number.MAX_SAFE_INTEGER - (low & 1))
      throw this.malformed("a number is above 2^53");
    return (low & 1) === 0 ? magnitude : -magnitude - 1;
  }

  /** The next `size` bytes, as a view of the record. */
  raw(size: number): Uint8Array {
    const start = this.#take(size);
    return this.#bytes.subarray(start, start + size);
  }

  /** The next bytes with a length before them, as a view of the record. */
  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  /** The next text. */
  text(): string {
    return Buffer.from(this.bytes()).toString("utf8");
  }

  /** Asserts that the record was read to its end. */
  end(): void {
    if (this.remaining > 0) throw this.malformed(`${this.remaining} bytes follow the record`);
  }
}
