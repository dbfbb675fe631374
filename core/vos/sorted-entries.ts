/**
 * Index entries in memory, in key order: the uncommitted ones of a transaction.
 *
 * Sorted arrays of bounded length in a list, so that an insertion moves few entries.
 *
 * @module
 */

import type { IndexEntry, KeyRange } from "../index/index-store.js";

const CHUNK_COUNT_MAX = 512;

/** Entries in key order. */
export class SortedEntries {
  #chunks: IndexEntry[][] = [];

  /** Forgets all entries. */
  clear(): void {
    this.#chunks = [];
  }

  /** The chunk that a key belongs to: the last one that begins at or before it. */
  #chunkOf(key: Uint8Array): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const [first] = this.#chunks[middle] as IndexEntry[];
      if (Buffer.compare((first as IndexEntry).key, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** The value of a key, or `undefined`. */
  get(key: Uint8Array): Uint8Array | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)] ?? [];
    const entry = chunk[placeOf(chunk, key)];
    return entry !== undefined && Buffer.compare(entry.key, key) === 0 ? entry.value : undefined;
  }

  /** Adds an entry, or replaces the one of the same key. */
  put(key: Uint8Array, value: Uint8Array): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([{ key, value }]);
      return;
    }
    const place = placeOf(chunk, key);
    const found = chunk[place];
    if (found !== undefined && Buffer.compare(found.key, key) === 0) {
      chunk[place] = { key, value };
      return;
    }
    chunk.splice(place, 0, { key, value });
    if (chunk.length <= CHUNK_COUNT_MAX) return;
    this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_COUNT_MAX / 2));
  }

  /** The entries of a range, in order or from the last to the first. */
  *inRange({ start, end }: KeyRange, reverse: boolean): Generator<IndexEntry> {
    const step = reverse ? -1 : 1;
    let at = this.#chunkOf(reverse ? end : start);
    let chunk = this.#chunks[at];
    if (chunk === undefined) return;
    let place = reverse ? placeOf(chunk, end) - 1 : placeOf(chunk, start);
    for (;;) {
      const entry = chunk[place];
      if (entry === undefined) {
        at += step;
        chunk = this.#chunks[at];
        if (chunk === undefined) return;
        place = reverse ? chunk.length - 1 : 0;
        continue;
      }
      const isPast = reverse
        ? Buffer.compare(entry.key, start) < 0
        : Buffer.compare(entry.key, end) >= 0;
      if (isPast) return;
      yield entry;
      place += step;
    }
  }
}

/** Index of the first entry at or after a key. */
function placeOf(chunk: readonly IndexEntry[], key: Uint8Array): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Buffer.compare((chunk[middle] as IndexEntry).key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
