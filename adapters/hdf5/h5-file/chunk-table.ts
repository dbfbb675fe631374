/**
 * The chunks of a dataset, found by their position.
 *
 * Positions, addresses and sizes lie in typed arrays, sorted by position: a dataset of a million chunks
 * takes 40 MB, and no objects.
 *
 * @module
 */

import type { ChunkPlace } from "./chunk-index.js";

const FIRST_CAPACITY = 64;

/** Chunks of one dataset. */
export class ChunkTable {
  readonly #rank: number;
  #count = 0;
  #positions: Float64Array;
  #addresses = new Float64Array(FIRST_CAPACITY);
  #sizes = new Float64Array(FIRST_CAPACITY);
  #masks = new Uint32Array(FIRST_CAPACITY);
  /** Numbers of chunks in the order of their positions. */
  #order = new Uint32Array(0);

  constructor(rank: number, places: Iterable<ChunkPlace>) {
    this.#rank = rank;
    this.#positions = new Float64Array(FIRST_CAPACITY * rank);
    for (const place of places) this.#add(place);
    this.#order = Uint32Array.from({ length: this.#count }, (_, number) => number);
    // Most indexes list chunks in the order of their positions already.
    let isSorted = true;
    for (let number = 1; number < this.#count && isSorted; number++) {
      isSorted = this.#compare(number - 1, number) < 0;
    }
    if (!isSorted) this.#order.sort((a, b) => this.#compare(a, b));
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Bytes that they take. */
  get storedSize(): number {
    let total = 0;
    for (let number = 0; number < this.#count; number++) total += this.#sizes[number] as number;
    return total;
  }

  #add({ position, address, size, filterMask }: ChunkPlace): void {
    const number = this.#count++;
    if (number === this.#addresses.length) this.#grow();
    for (let dimension = 0; dimension < this.#rank; dimension++) {
      this.#positions[number * this.#rank + dimension] = position[dimension] as number;
    }
    this.#addresses[number] = address;
    this.#sizes[number] = size;
    this.#masks[number] = filterMask;
  }

  #grow(): void {
    const capacity = 2 * this.#addresses.length;
    const larger = <T extends Float64Array | Uint32Array>(made: T, old: T): T => {
      made.set(old);
      return made;
    };
    this.#positions = larger(new Float64Array(capacity * this.#rank), this.#positions);
    this.#addresses = larger(new Float64Array(capacity), this.#addresses);
    this.#sizes = larger(new Float64Array(capacity), this.#sizes);
    this.#masks = larger(new Uint32Array(capacity), this.#masks);
  }

  #compare(first: number, second: number): number {
    for (let dimension = 0; dimension < this.#rank; dimension++) {
      const a = this.#positions[first * this.#rank + dimension] as number;
      const b = this.#positions[second * this.#rank + dimension] as number;
      if (a !== b) return a - b;
    }
    return 0;
  }

  #compareWith(number: number, position: readonly number[]): number {
    for (let dimension = 0; dimension < this.#rank; dimension++) {
      const at = this.#positions[number * this.#rank + dimension] as number;
      if (at !== position[dimension]) return at - (position[dimension] as number);
    }
    return 0;
  }

  #at(number: number): ChunkPlace {
    const start = number * this.#rank;
    return {
      position: [...this.#positions.subarray(start, start + this.#rank)],
      address: this.#addresses[number] as number,
      size: this.#sizes[number] as number,
      filterMask: this.#masks[number] as number,
    };
  }

  /** The chunk at a position, if there is one. */
  find(position: readonly number[]): ChunkPlace | undefined {
    let [low, high] = [0, this.#count - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const number = this.#order[middle] as number;
      const order = this.#compareWith(number, position);
      if (order === 0) return this.#at(number);
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** All of them, in the order of their positions. */
  *[Symbol.iterator](): Generator<ChunkPlace> {
    for (const number of this.#order) yield this.#at(number);
  }
}
