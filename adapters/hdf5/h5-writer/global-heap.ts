/**
 * Writes the global heap: items of variable length, regions, and mappings of virtual datasets.
 *
 *     collection   "GCOL", u8 1, 3 bytes, u64 size; items; what is left: an item of number 0
 *     item         u16 number, u16 references, 4 bytes, u64 size, bytes padded to 8
 *
 * Source: HDF5 File Format Specification, section III.E.
 *
 * @module
 */

import type { TargetFile } from "../../local/target-file.js";
import { COLLECTION_COUNT_MAX, COLLECTION_SIZE } from "./limits.js";

const HEAD_SIZE = 16;
const ITEM_HEAD_SIZE = 16;
/** Smallest collection that HDF5 reads. */
const COLLECTION_SIZE_MIN = 4096;

/** Where an item lies. */
export interface HeapPlace {
  /** Address of its collection. */
  readonly address: number;
  /** Its number there. */
  readonly item: number;
}

/** The global heap of a file under way. */
export class GlobalHeapWriter {
  readonly #target: TargetFile;
  readonly #collection = Buffer.alloc(COLLECTION_SIZE);
  #address: number | undefined;
  #used = HEAD_SIZE;
  #count = 0;

  constructor(target: TargetFile) {
    this.#target = target;
  }

  /** Puts an item into the heap; the bytes may be used again. */
  put(bytes: Uint8Array): HeapPlace {
    const size = ITEM_HEAD_SIZE + Math.ceil(bytes.length / 8) * 8;
    if (HEAD_SIZE + size > COLLECTION_SIZE / 2) return this.#putAlone(bytes, size);
    if (this.#used + size > COLLECTION_SIZE || this.#count === COLLECTION_COUNT_MAX) this.finish();
    this.#address ??= this.#target.allocate(COLLECTION_SIZE);
    this.#count++;
    writeItem(this.#collection, this.#used, this.#count, bytes);
    this.#used += size;
    return { address: this.#address, item: this.#count };
  }

  /** A large item has a collection of its own. */
  #putAlone(bytes: Uint8Array, size: number): HeapPlace {
    const collection = Buffer.alloc(Math.max(COLLECTION_SIZE_MIN, HEAD_SIZE + size));
    writeItem(collection, HEAD_SIZE, 1, bytes);
    endCollection(collection, HEAD_SIZE + size);
    return { address: this.#target.append(collection), item: 1 };
  }

  /** Writes what was gathered. */
  finish(): void {
    if (this.#address === undefined) return;
    endCollection(this.#collection, this.#used);
    this.#target.write(this.#address, this.#collection);
    this.#collection.fill(0);
    this.#address = undefined;
    this.#used = HEAD_SIZE;
    this.#count = 0;
  }
}

function writeItem(collection: Buffer, at: number, item: number, bytes: Uint8Array): void {
  collection.writeUInt16LE(item, at);
  // Nobody counts references to items of elements; HDF5 writes 0.
  collection.writeBigUInt64LE(BigInt(bytes.length), at + 8);
  collection.set(bytes, at + ITEM_HEAD_SIZE);
}

function endCollection(collection: Buffer, used: number): void {
  collection.write("GCOL", 0, "latin1");
  collection[4] = 1;
  collection.writeBigUInt64LE(BigInt(collection.length), 8);
  const free = collection.length - used;
  // Less than an item's head is known to be free without one.
  if (free >= ITEM_HEAD_SIZE) collection.writeBigUInt64LE(BigInt(free), used + 8);
}
