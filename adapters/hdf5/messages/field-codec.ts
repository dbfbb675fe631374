/**
 * Reads and writes the fields of HDF5's own records: little-endian, of fixed widths.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";

/** The error for a record of an HDF5 file that does not follow the file format. */
export function malformed(what: string, why: string): DaosError {
  const remedy = "the file is damaged, or not written by HDF5: restore it from a copy";
  return new DaosError("DER_DF_INVAL", { what: `Reading ${what}`, why, remedy });
}

/** Appends fields to a growing buffer. */
export class FieldWriter {
  #buffer: Buffer<ArrayBuffer>;
  #size = 0;

  /** @param capacity First size of the buffer, in bytes; it doubles when full. */
  constructor(capacity = 256) {
    this.#buffer = Buffer.alloc(capacity);
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  #reserve(size: number): number {
    const start = this.#size;
    if (start + size > this.#buffer.length) {
      const grown = Buffer.alloc(Math.max(this.#buffer.length * 2, start + size));
      grown.set(this.#buffer);
      this.#buffer = grown;
    }
    this.#size = start + size;
    return start;
  }

  u8(value: number): this {
    const start = this.#reserve(1);
    this.#buffer.writeUInt8(value, start);
    return this;
  }

  u16(value: number): this {
    const start = this.#reserve(2);
    this.#buffer.writeUInt16LE(value, start);
    return this;
  }

  u32(value: number): this {
    const start = this.#reserve(4);
    this.#buffer.writeUInt32LE(value, start);
    return this;
  }

  /** Appends a whole number of 1 to 8 bytes. */
  uint(value: number | bigint, size: number): this {
    const start = this.#reserve(size);
    let rest = BigInt(value);
    for (let index = 0; index < size; index++) {
      this.#buffer[start + index] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    return this;
  }

  u64(value: number | bigint): this {
    const start = this.#reserve(8);
    this.#buffer.writeBigUInt64LE(BigInt(value), start);
    return this;
  }

  /** Appends bytes. */
  raw(bytes: Uint8Array): this {
    const start = this.#reserve(bytes.length);
    this.#buffer.set(bytes, start);
    return this;
  }

  /** Appends zeros. */
  zeros(count: number): this {
    const start = this.#reserve(count);
    this.#buffer.fill(0, start, start + count);
    return this;
  }

  /** Appends zeros up to a multiple of `unit` bytes. */
  align(unit: number): this {
    return this.zeros((unit - (this.#size % unit)) % unit);
  }

  /** Appends text and the zero that ends it. */
  cString(value: string): this {
    return this.raw(Buffer.from(value, "utf8")).u8(0);
  }

  /** The written bytes, copied. */
  finish(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#size));
  }
}

/** Reads fields in the order in which they were written. Every read is checked against the end. */
export class FieldReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at: number;

  /**
   * @param bytes The record.
   * @param what What the record is, for errors: `the datatype of "/a"`.
   */
  constructor(bytes: Uint8Array, what: string, at = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#at = at;
  }

  /** What is read, for errors. */
  get what(): string {
    return this.#what;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#at;
  }

  /** The error for a record that does not follow its grammar. */
  malformed(why: string): DaosError {
    return malformed(this.#what, why);
  }

  #take(size: number): number {
    const start = this.#at;
    if (size > this.#bytes.length - start) {
      throw this.malformed(`it ends ${size - (this.#bytes.length - start)} bytes too early`);
    }
    this.#at = start + size;
    return start;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8));
  }

  /** A whole number of 1 to 8 bytes. */
  uint(size: number): bigint {
    const start = this.#take(size);
    let value = 0n;
    for (let index = size - 1; index >= 0; index--) {
      value = (value << 8n) | BigInt(this.#bytes[start + index] as number);
    }
    return value;
  }

  /** A length or offset of 1 to 8 bytes, that must be at most 2^53 - 1. */
  length(size = 8): number {
    let value = 0;
    // Byte by byte from the most significant one: exact as long as the value is safe, and without BigInt.
    const start = this.#take(size);
    for (let index = size - 1; index >= 0; index--) {
      value = value * 256 + (this.#bytes[start + index] as number);
    }
    if (!Number.isSafeInteger(value)) throw this.malformed(`a length of ${value} is too large`);
    return value;
  }

  /** Bytes; not copied. */
  raw(size: number): Uint8Array {
    const start = this.#take(size);
    return this.#bytes.subarray(start, start + size);
  }

  /** Goes over bytes. */
  skip(size: number): this {
    this.#take(size);
    return this;
  }

  /** Text up to the zero that ends it, which is read too. */
  cString(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw this.malformed("a text has no end");
    const start = this.#take(end + 1 - this.#at);
    return this.#bytes.toString("utf8", start, end);
  }
}
