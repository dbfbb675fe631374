/**
 * Which contiguous layer shows each offset of an array: layers laid over each other, flattened.
 *
 *     layer 2      ├── 2 ──┤
 *     layer 1   ├───── 1 ─────┤      ├ 1' ┤
 *     map       1  2       1  none   1'   none
 *
 * Invariants:
 *
 * 1. Entries have increasing starts; an entry holds from its start to the next one's. Before the
 *    first entry and from the last one on, nothing is written.
 * 2. Neighbours have different owners. Of `n` layers there are at most `2n` entries.
 *
 * A map never changes once it is made, so that readers of several epochs share it.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { finished, PAUSE_COUNT, type Pausing } from "./pausing.js";
import type { Layer } from "./piece.js";

/** Owner of offsets that no layer covers; smaller than the number of any layer. */
export const NO_OWNER = -1;

/** Entries of an overlay between two pauses: they are numbers, and quick. */
const OVERLAY_COUNT = 8 * PAUSE_COUNT;

/** Parallel arrays of entries. */
interface Entries {
  readonly starts: Float64Array;
  readonly owners: Int32Array;
}

/** Entries `[from, to)`. */
interface EntryRange {
  readonly entries: Entries;
  readonly from: number;
  readonly to: number;
}

/** A flattened map; see the module. */
export class SolidMap implements Entries {
  readonly starts: Float64Array;
  readonly owners: Int32Array;
  /** Number of entries. */
  readonly count: number;

  constructor({ starts, owners }: Entries, count: number) {
    this.starts = starts.slice(0, count);
    this.owners = owners.slice(0, count);
    this.count = count;
  }

  /** The entry that holds an offset; -1 if the offset is before the first. */
  find(offset: number): number {
    const { starts } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] as number) <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Owner of an entry; of -1, the offsets before the first, nothing. */
  ownerOf(entry: number): number {
    return entry < 0 ? NO_OWNER : (this.owners[entry] as number);
  }

  /** Where an entry ends. */
  endOf(entry: number): number {
    return entry + 1 < this.count ? (this.starts[entry + 1] as number) : Number.POSITIVE_INFINITY;
  }

  /** This map with a newer one laid over it. */
  *under(newer: SolidMap): Pausing<SolidMap> {
    if (newer.count === 0) return this;
    if (this.count === 0) return newer;
    const out = makeEntries(this.count + newer.count);
    const older = { entries: this, from: 0, to: this.count };
    const overlay = new Overlay(older, { entries: newer, from: 0, to: newer.count }, out, 0);
    while (!overlay.advance(OVERLAY_COUNT)) yield;
    return new SolidMap(out, overlay.at);
  }
}

function makeEntries(count: number): Entries {
  return { starts: new Float64Array(count), owners: new Int32Array(count) };
}

/** Lays entries over older ones, a number of them at a time. */
class Overlay {
  /** Where the result ends. */
  at: number;
  readonly #older: EntryRange;
  readonly #newer: EntryRange;
  readonly #out: Entries;
  #low: number;
  #high: number;
  #below = NO_OWNER;
  #above = NO_OWNER;
  #shown = NO_OWNER;

  /** @param out Takes the result, from `first` on. */
  constructor(older: EntryRange, newer: EntryRange, out: Entries, first: number) {
    this.#older = older;
    this.#newer = newer;
    this.#out = out;
    this.at = first;
    this.#low = older.from;
    this.#high = newer.from;
  }

  /** Goes on by `count` entries, about. @returns Whether it is done. */
  advance(count: number): boolean {
    const [older, newer, out] = [this.#older, this.#newer, this.#out];
    let [at, low, high, left] = [this.at, this.#low, this.#high, count];
    let [below, above, shown] = [this.#below, this.#above, this.#shown];
    while ((low < older.to || high < newer.to) && left > 0) {
      left -= 1;
      const lowStart = low < older.to ? (older.entries.starts[low] as number) : Infinity;
      const highStart = high < newer.to ? (newer.entries.starts[high] as number) : Infinity;
      const start = Math.min(lowStart, highStart);
      if (lowStart === start) below = older.entries.owners[low++] as number;
      if (highStart === start) above = newer.entries.owners[high++] as number;
      const owner = above === NO_OWNER ? below : above;
      if (owner === shown) continue;
      shown = owner;
      out.starts[at] = start;
      out.owners[at] = owner;
      at += 1;
    }
    [this.at, this.#low, this.#high] = [at, low, high];
    [this.#below, this.#above, this.#shown] = [below, above, shown];
    return low >= older.to && high >= newer.to;
  }
}

/** Flattens layers, oldest first; the owner of an entry is the layer's index plus `firstNumber`. */
export function flatten(layers: readonly Layer[], firstNumber: number): SolidMap {
  return finished(flattenPausing(layers, firstNumber));
}

/**
 * The same, with pauses.
 *
 * Cost: O(n log n), by laying neighbours over each other as a merge sort does.
 */
export function* flattenPausing(layers: readonly Layer[], firstNumber: number): Pausing<SolidMap> {
  let source = makeEntries(2 * layers.length);
  let target = makeEntries(2 * layers.length);
  /** Entries of the map of the layers from an index on; they begin at twice that index. */
  const counts = new Int32Array(layers.length);
  let leaves = 0;
  for (let index = 0; index < layers.length; index++) {
    const { piece, start, end } = layers[index] as Layer;
    if (index % PAUSE_COUNT === PAUSE_COUNT - 1) yield;
    if (piece.pattern.levels.length > 0) continue;
    source.starts[2 * leaves] = start;
    source.owners[2 * leaves] = firstNumber + index;
    source.starts[2 * leaves + 1] = end;
    source.owners[2 * leaves + 1] = NO_OWNER;
    counts[leaves] = 2;
    leaves += 1;
  }
  let done = 0;
  for (let width = 1; width < leaves; width *= 2) {
    for (let leaf = 0; leaf < leaves; leaf += 2 * width) {
      const rangeAt = (from: number) => {
        const count = from < leaves ? (counts[from] as number) : 0;
        return { entries: source, from: 2 * from, to: 2 * from + count };
      };
      const overlay = new Overlay(rangeAt(leaf), rangeAt(leaf + width), target, 2 * leaf);
      while (!overlay.advance(OVERLAY_COUNT)) yield;
      counts[leaf] = overlay.at - 2 * leaf;
      done += 2 * width;
      if (done < OVERLAY_COUNT) continue;
      done = 0;
      yield;
    }
    [source, target] = [target, source];
  }
  return new SolidMap(source, counts[0] ?? 0);
}
