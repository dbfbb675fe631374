/**
 * The version that was found last, read where the addon put it: the exchange.
 *
 * @module
 */

import { ENTRY_HEADER_SIZE, EXCHANGE_FOUND, type LoadedIndexAddon } from "./index-addon.js";
import type { FoundVersion } from "./index-reader.js";
import { EPOCH_MASK } from "./key-codec.js";

const KEY_START = EXCHANGE_FOUND + ENTRY_HEADER_SIZE;
const EPOCH_SIZE = 8;

/** One for each index: it is handed out again and again, so that a look-up makes no object. */
export class ExchangedVersion implements FoundVersion {
  readonly #addon: LoadedIndexAddon;
  readonly #buffer: Buffer;
  #start = 0;

  constructor(addon: LoadedIndexAddon) {
    this.#addon = addon;
    this.#buffer = Buffer.from(addon.calls.exchange);
  }

  /** The version whose key has some bytes. */
  at(keySize: number): this {
    this.#start = KEY_START + keySize;
    return this;
  }

  get head(): number {
    return this.#addon.bytes[this.#start] as number;
  }

  get epoch(): bigint {
    return this.#addon.view.getBigUint64(this.#start - EPOCH_SIZE) ^ EPOCH_MASK;
  }

  get size(): number {
    return this.#addon.view.getUint32(EXCHANGE_FOUND + 4, true) - 1;
  }

  body(): Uint8Array {
    const { size } = this;
    // From the pool of small Buffers: memory of its own costs more than the look-up.
    const copy = Buffer.allocUnsafe(size);
    this.#buffer.copy(copy, 0, this.#start + 1, this.#start + 1 + size);
    return copy;
  }

  copyTo(target: Uint8Array, start: number): void {
    const from = this.#start + 1 + start;
    copyBytes(this.#addon.bytes, from, this.#start + 1 + this.size, target);
  }
}

/** Bytes up to which a loop is as fast as a copy, which needs a view of the source: an object. */
const LOOPED_COPY_SIZE_MAX = 128;

/** Copies bytes `[start, end)` to the beginning of a buffer, as many as it holds. */
function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array): void {
  const size = Math.min(end - start, target.length);
  if (size > LOOPED_COPY_SIZE_MAX) {
    target.set(source.subarray(start, start + size));
    return;
  }
  for (let at = 0; at < size; at++) target[at] = source[start + at] as number;
}

/** A version whose value was too large for the exchange. */
export function largeVersion(value: Uint8Array): Omit<FoundVersion, "epoch"> {
  return {
    head: value[0] as number,
    size: value.length - 1,
    body: () => value.subarray(1),
    copyTo: (target, start) => copyBytes(value, start + 1, value.length, target),
  };
}
