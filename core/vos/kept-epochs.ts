/**
 * The epochs that aggregation keeps readable, as a sorted list, and what they see.
 *
 *     kept         k0     k1           k2
 *     versions  a ──▶ b ──▶ c ──▶ d ──▶ e       a, b, d and e are seen; c is not
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import type { Epoch } from "./epoch.js";

/** Index of the oldest kept epoch that sees a version written at `epoch`; their count if none does. */
export function firstSeeing(kept: readonly Epoch[], epoch: Epoch): number {
  let low = 0;
  let high = kept.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((kept[middle] as Epoch) < epoch) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Whether a version that was replaced is seen: by a kept epoch in `[written, replaced)`, or because it
 * is newer than all kept epochs, and commits since the list was made may see it.
 *
 * @param kept Oldest first.
 */
export function isSeen(kept: readonly Epoch[], written: Epoch, replaced: Epoch): boolean {
  const first = kept[firstSeeing(kept, written)];
  return first === undefined || first < replaced;
}

/** Versions, given newest first, that the same kept epochs see: between two neighbouring ones. */
export interface Interval<V> {
  /** The oldest kept epoch that sees them. */
  readonly sees: Epoch;
  /** Newest first. */
  readonly versions: readonly V[];
}

/** Versions by the oldest kept epoch that sees them; those newer than all kept epochs are left out. */
export function intervalsOf<V extends { readonly epoch: Epoch }>(
  versions: readonly V[],
  kept: readonly Epoch[],
): Interval<V>[] {
  const intervals: Interval<V>[] = [];
  let at = 0;
  while (at < versions.length) {
    const first = firstSeeing(kept, (versions[at] as V).epoch);
    const before = first === 0 ? -1n : (kept[first - 1] as Epoch);
    const end = countNewer(versions, before);
    const sees = kept[first];
    if (sees !== undefined) intervals.push({ sees, versions: versions.slice(at, end) });
    at = end;
  }
  return intervals;
}

/** How many versions, given newest first, are newer than an epoch. */
export function countNewer(versions: readonly { readonly epoch: Epoch }[], epoch: Epoch): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[middle] as { epoch: Epoch }).epoch > epoch) low = middle + 1;
    else high = middle;
  }
  return low;
}
