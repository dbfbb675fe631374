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

  body(): Uint8Array {
    const size = this.#addon.view.getUint32(EXCHANGE_FOUND + 4, true) - 1;
    // From the pool of small Buffers: memory of its own costs more than the look-up.
    const copy = Buffer.allocUnsafe(size);
    this.#buffer.copy(copy, 0, this.#start + 1, this.#start + 1 + size);
    return copy;
  }
}
