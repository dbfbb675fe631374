/**
 * The commits of a container in the order of their epochs, for those that follow them.
 *
 * Aggregation raises the horizon first, with the newest commit before it (`forgotten`), and removes the
 * records of commits afterwards. A follower reads the list first and the horizon afterwards: if a commit
 * behind its place was forgotten by then, the list may have gaps, and it goes on at the horizon.
 *
 * @module
 */

import type { IndexReader } from "../index/index-reader.js";
import { type CommitRecord, containerGone, getContainer, listCommitsAfter } from "./containers.js";
import type { Epoch } from "./epoch.js";

/** The next commits of a container. */
export interface CommitBatch {
  /** Oldest first. */
  readonly commits: readonly CommitRecord[];
  /** Whether commits before the first of these, behind the place asked for, were aggregated. */
  readonly skipped: boolean;
  /** The container's horizon. */
  readonly horizon: Epoch;
}

/**
 * The commits after an epoch, oldest first.
 *
 * @throws {@link DaosError} `DER_NONEXIST` if the container was destroyed.
 */
export function nextCommits(
  reader: IndexReader,
  container: number,
  { after, limit }: { after: Epoch; limit: number },
): CommitBatch {
  // No commit is at epoch 0, so that nothing is lost of what lies behind -1.
  const place = after < 0n ? 0n : after;
  let from = place;
  for (;;) {
    const commits = listCommitsAfter(reader, container, { epoch: from, limit });
    const record = getContainer(reader, container);
    if (record === undefined) throw containerGone(container);
    // What was forgotten lies before the horizon, so that the next round ends unless it was raised again.
    const { forgotten, horizon } = record;
    if (forgotten <= from) return { commits, skipped: from !== place, horizon };
    from = horizon - 1n;
  }
}
