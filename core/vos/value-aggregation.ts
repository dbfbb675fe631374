/**
 * Aggregation of the keys of a container: what the commits up to the horizon changed is trimmed, and
 * their lists of changes are forgotten.
 *
 * A list whose keys hold something that only a pin or a snapshot sees stays until they are gone. Transactions
 * are short, and shorter where the pages of a full tier are short.
 *
 * @module
 */

import { isDaosError } from "../errors.js";
import type { IndexStore, IndexTransaction } from "../index/index-store.js";
import { AGGREGATION_SCAN_COUNT } from "../limits.js";
import { nextChanges, type StoredChanges } from "./change-list.js";
import type { Epoch } from "./epoch.js";
import { OBJECT_PREFIX_SIZE } from "./names.js";
import { forgetObject } from "./removed-objects.js";
import { PunchLookup, trimVersions } from "./version-trim.js";

/** Which epochs see what. */
interface Kept {
  /** Epochs that readers use or may use, oldest first. */
  readonly kept: readonly Epoch[];
  /** Commits after it may still be read, and are left for a later pass. */
  readonly horizon: Epoch;
}

/** Where the work on a list stands. */
interface Progress {
  /** Index of the key, and where to go on below it; the list is done when there is none. */
  readonly at: number;
  readonly from: Uint8Array | undefined;
  readonly isBlocked: boolean;
  readonly removed: number;
}

/** Trims keys of a list until a number of versions was looked at. */
function advance(
  tx: IndexTransaction,
  list: StoredChanges,
  start: Progress,
  options: Kept & { readonly scanMax: number },
): Progress {
  let { at, from, isBlocked } = start;
  let removed = 0;
  let left = options.scanMax;
  const lookup = new PunchLookup(tx);
  while (from !== undefined && left > 0) {
    const place = { prefix: list.prefixes[at] as Uint8Array, from };
    const step = trimVersions(tx, place, { ...options, scanMax: left, lookup });
    removed += step.removed;
    isBlocked ||= step.isBlocked;
    // A key without versions is work too.
    left -= Math.max(1, step.scanned);
    if (step.next === undefined) {
      if (place.prefix.length === OBJECT_PREFIX_SIZE) {
        isBlocked = forgetObject(tx, place.prefix, options.horizon) || isBlocked;
      }
      at += 1;
    }
    from = step.next ?? list.prefixes[at];
  }
  if (from === undefined && !isBlocked) tx.remove(list.key);
  return { at, from, isBlocked, removed };
}

/**
 * Trims the versions of akeys, in short transactions; yields after each the number of removed ones.
 *
 * @throws {@link DaosError} `DER_NOSPACE` if there is no space to remove a single one.
 */
export function* aggregateValues(
  index: IndexStore,
  container: number,
  kept: Kept,
): Generator<number, void, undefined> {
  let after: Uint8Array | undefined;
  let scanMax = AGGREGATION_SCAN_COUNT;
  for (;;) {
    const list = nextChanges(index, container, { after, epoch: kept.horizon });
    if (list === undefined) return;
    after = list.key;
    const [first] = list.prefixes;
    let progress: Progress = { at: 0, from: first, isBlocked: false, removed: 0 };
    while (progress.from !== undefined) {
      const before = progress;
      try {
        const body = (tx: IndexTransaction) => {
          progress = advance(tx, list, before, { ...kept, scanMax });
        };
        index.transact("Aggregating keys", body, "reclaim");
      } catch (error) {
        progress = before;
        if (scanMax === 1 || !isDaosError(error, "DER_NOSPACE")) throw error;
        scanMax = Math.ceil(scanMax / 2);
        continue;
      }
      scanMax = Math.min(AGGREGATION_SCAN_COUNT, scanMax * 2);
      yield progress.removed;
    }
  }
}
