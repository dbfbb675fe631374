/**
 * The global heap: collections of items that elements of variable length point to.
 *
 *     collection   "GCOL", u8 1, 3 bytes, length size; items: u16 index, u16 count, 4 bytes,
 *                  length size, bytes padded to 8; index 0 is free space
 *
 * Source: HDF5 File Format Specification, section III.E.
 *
 * @module
 */

import { Fields, type H5Format } from "./format.js";
import { HEAP_CACHE_SIZE } from "./limits.js";

interface Collection {
  readonly bytes: Buffer;
  /** Where each item begins and ends. */
  readonly items: ReadonlyMap<number, readonly [start: number, end: number]>;
}

/** Reads items; keeps the collections that were used last. */
export class GlobalHeap {
  readonly #format: H5Format;
  readonly #collections = new Map<number, Collection>();
  #cached = 0;

  constructor(format: H5Format) {
    this.#format = format;
  }

  /**
   * The bytes of an item; they belong to the heap, and must not be changed.
   *
   * @throws `DaosError` `DER_DF_INVAL` if there is no such item.
   */
  get(address: number, index: number, what: string): Uint8Array {
    const { bytes, items } = this.#collection(address, what);
    const item = items.get(index);
    if (item !== undefined) return bytes.subarray(...item);
    const fields = new Fields(bytes, what, this.#format);
    throw fields.malformed(`item ${index} of a collection is missing`);
  }

  #collection(address: number, what: string): Collection {
    const known = this.#collections.get(address);
    if (known !== undefined) return known;
    const collection = readCollection(this.#format, address, what);
    this.#cached += collection.bytes.length;
    if (this.#cached > HEAP_CACHE_SIZE) {
      this.#collections.clear();
      this.#cached = collection.bytes.length;
    }
    this.#collections.set(address, collection);
    return collection;
  }
}

function readCollection(format: H5Format, address: number, what: string): Collection {
  const headSize = 8 + format.lengthSize;
  const head = format.record(address, headSize, what).signature("GCOL");
  head.version("collection", 1);
  const size = head.skip(3).size();
  const fields = format.record(address, size, what);
  if (size < headSize) throw fields.malformed("a collection makes no sense");
  fields.skip(headSize);
  const items = new Map<number, readonly [number, number]>();
  const itemHeadSize = 8 + format.lengthSize;
  while (fields.remaining >= itemHeadSize) {
    const index = fields.u16();
    fields.skip(6);
    const length = fields.size();
    if (index === 0) break;
    const start = fields.position;
    fields.skip(length);
    items.set(index, [start, start + length]);
    fields.skip(Math.min(fields.remaining, (8 - (length % 8)) % 8));
  }
  return { bytes: format.bytes.read(format.base + address, size, what), items };
}
