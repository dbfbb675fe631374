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

/**
 * Whether a version that was replaced is seen: by a kept epoch in `[written, replaced)`, or because it
 * is newer than all kept epochs, and commits since the list was made may see it.
 *
 * @param kept Oldest first.
 */
export function isSeen(kept: readonly Epoch[], written: Epoch, replaced: Epoch): boolean {
  let low = 0;
  let high = kept.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((kept[middle] as Epoch) < written) low = middle + 1;
    else high = middle;
  }
  const first = kept[low];
  return first === undefined || first < replaced;
}
