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

import type { Layer } from "./piece.js";

/** Owner of offsets that no layer covers; smaller than the number of any layer. */
export const NO_OWNER = -1;

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
  under(newer: SolidMap): SolidMap {
    if (newer.count === 0) return this;
    if (this.count === 0) return newer;
    const out = makeEntries(this.count + newer.count);
    const older = { entries: this, from: 0, to: this.count };
    const count = overlay(older, { entries: newer, from: 0, to: newer.count }, out, 0);
    return new SolidMap(out, count);
  }
}

function makeEntries(count: number): Entries {
  return { starts: new Float64Array(count), owners: new Int32Array(count) };
}

/** Lays entries over older ones, into `out` from `first` on; returns where they end. */
function overlay(older: EntryRange, newer: EntryRange, out: Entries, first: number): number {
  let at = first;
  let low = older.from;
  let high = newer.from;
  let below = NO_OWNER;
  let above = NO_OWNER;
  let shown = NO_OWNER;
  while (low < older.to || high < newer.to) {
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
  return at;
}

/**
 * Flattens layers, oldest first; the owner of an entry is the layer's index plus `firstNumber`.
 *
 * Cost: O(n log n), by laying neighbours over each other as a merge sort does.
 */
export function flatten(layers: readonly Layer[], firstNumber: number): SolidMap {
  let source = makeEntries(2 * layers.length);
  let target = makeEntries(2 * layers.length);
  /** Entries of the map of the layers from an index on; they begin at twice that index. */
  const counts = new Int32Array(layers.length);
  let leaves = 0;
  for (const [index, { piece, start, end }] of layers.entries()) {
    if (piece.pattern.levels.length > 0) continue;
    source.starts[2 * leaves] = start;
    source.owners[2 * leaves] = firstNumber + index;
    source.starts[2 * leaves + 1] = end;
    source.owners[2 * leaves + 1] = NO_OWNER;
    counts[leaves] = 2;
    leaves += 1;
  }
  for (let width = 1; width < leaves; width *= 2) {
    for (let leaf = 0; leaf < leaves; leaf += 2 * width) {
      const rangeAt = (from: number) => {
        const count = from < leaves ? (counts[from] as number) : 0;
        return { entries: source, from: 2 * from, to: 2 * from + count };
      };
      const end = overlay(rangeAt(leaf), rangeAt(leaf + width), target, 2 * leaf);
      counts[leaf] = end - 2 * leaf;
    }
    [source, target] = [target, source];
  }
  return new SolidMap(source, counts[0] ?? 0);
}
