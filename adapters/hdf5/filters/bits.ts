/**
 * Numbers of any count of bits, one behind the other, the most significant bit first.
 *
 * @module
 */

/** Appends bits. */
export class BitWriter {
  readonly #bytes: Uint8Array;
  /** Bytes that are complete. */
  #at = 0;
  /** Bits of the next byte, in its low bits. */
  #pending = 0;
  #pendingCount = 0;

  /** @param bytes What is written to, zeros; what does not fit is left out, see {@link isFull}. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether more was written than fits. */
  get isFull(): boolean {
    return this.#at + (this.#pendingCount > 0 ? 1 : 0) > this.#bytes.length;
  }

  /** The low `count` bits of a value; at most 32. */
  put(value: number, count: number): void {
    if (count > 16) {
      this.put(value >>> 16, count - 16);
      this.put(value, 16);
      return;
    }
    let pending = (this.#pending << count) | (value & ((1 << count) - 1));
    let rest = this.#pendingCount + count;
    while (rest >= 8) {
      rest -= 8;
      this.#bytes[this.#at++] = pending >>> rest;
      pending &= (1 << rest) - 1;
    }
    this.#pending = pending;
    this.#pendingCount = rest;
  }

  /** Zeros, then a one. */
  putUnary(zeros: number): void {
    let rest = zeros;
    for (; rest >= 16; rest -= 16) this.put(0, 16);
    this.put(1, rest + 1);
  }

  /** Fills the last byte with zeros. @returns The number of bytes. */
  finish(): number {
    if (this.#pendingCount > 0) this.put(0, 8 - this.#pendingCount);
    return this.#at;
  }
}

/** Takes bits. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Bits that were taken from the bytes and not given yet, in the low bits. */
  #pending = 0;
  #pendingCount = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #next(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError("it ends too early");
    return byte;
  }

  /** The next `count` bits; at most 32. @throws `RangeError` if there are fewer. */
  get(count: number): number {
    if (count > 16) return this.get(count - 16) * 65_536 + this.get(16);
    while (this.#pendingCount < count) {
      this.#pending = (this.#pending << 8) | this.#next();
      this.#pendingCount += 8;
    }
    this.#pendingCount -= count;
    const value = this.#pending >>> this.#pendingCount;
    this.#pending &= (1 << this.#pendingCount) - 1;
    return value;
  }

  /** Zeros before the next one, which is taken too. @throws `RangeError` if there is no one. */
  getUnary(): number {
    let zeros = 0;
    while (this.#pending === 0) {
      zeros += this.#pendingCount;
      this.#pending = this.#next();
      this.#pendingCount = 8;
    }
    const leading = Math.clz32(this.#pending) - (32 - this.#pendingCount);
    this.#pendingCount -= leading + 1;
    this.#pending &= (1 << this.#pendingCount) - 1;
    return zeros + leading;
  }
}
