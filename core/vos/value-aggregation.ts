/**
 * Aggregation of the keys of a container: what the commits up to the horizon changed is trimmed, and
 * their lists of changes are forgotten.
 *
 * A list whose keys hold something that only a pin or a snapshot sees stays until they are gone.
 *
 * @module
 */

import type { IndexStore } from "../index/index-store.js";
import { nextChanges } from "./change-list.js";
import type { Epoch } from "./epoch.js";
import { trimVersions } from "./version-trim.js";

/**
 * Trims the versions of akeys, in short transactions; yields after each the number of removed ones.
 *
 * @param kept Epochs that readers use or may use, oldest first.
 * @param horizon Commits after it may still be read, and are left for a later pass.
 */
export function* aggregateValues(
  index: IndexStore,
  container: number,
  { kept, horizon }: { kept: readonly Epoch[]; horizon: Epoch },
): Generator<number, void, undefined> {
  let after: Uint8Array | undefined;
  for (;;) {
    const list = nextChanges(index, container, { after, epoch: horizon });
    if (list === undefined) return;
    after = list.key;
    let isBlocked = false;
    let at = 0;
    let from: Uint8Array | undefined = list.prefixes[0];
    while (from !== undefined) {
      let removed = 0;
      index.transact("Aggregating keys", (tx) => {
        // Many keys with little to do share a transaction.
        for (let steps = 0; steps < STEPS_MAX && from !== undefined; steps++) {
          const prefix = list.prefixes[at] as Uint8Array;
          const step = trimVersions(tx, { prefix, from }, { kept, horizon });
          removed += step.removed;
          isBlocked ||= step.isBlocked;
          if (step.next === undefined) at += 1;
          from = step.next ?? list.prefixes[at];
          if (step.next !== undefined) break;
        }
        if (from === undefined && !isBlocked) tx.remove(list.key);
      });
      yield removed;
    }
  }
}

/** Keys of a list that one transaction looks at. */
const STEPS_MAX = 256;
