/**
 * What aggregation must keep: the container's newest `retainCommits` commits, its named snapshots, and
 * every epoch that a reader pins.
 *
 * @module
 */

import type { IndexReader, IndexStore, IndexTransaction } from "../index/index-store.js";
import { inSteps } from "../index/steps.js";
import { AGGREGATION_STEP_COUNT } from "../limits.js";
import {
  type CommitRecord,
  getContainer,
  listCommits,
  putContainer,
  removeCommit,
} from "./containers.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";
import type { PinTable } from "./pins.js";
import { listSnapshots } from "./snapshots.js";

/**
 * Epochs that a reader may use now or later, oldest first. HEAD is not among them but the newest
 * commit is: runs of commits that come while a pass runs are newer than all of these, and stay.
 *
 * The list stays good for as long as a pass takes: later pins and snapshots are at or after the horizon,
 * where they show what a listed commit shows or what is newer than all of the list, or they are of the
 * epoch of a listed snapshot.
 */
export function keptEpochs(
  index: IndexReader,
  container: number,
  options: { horizon: Epoch; pins: Pick<PinTable, "epochsOf"> },
): Epoch[] {
  // Snapshots before pins: see snapshots.ts. Commits before and after them: one at or before a pin
  // that were missing would seem hidden by what the pin sees; one that another pass forgets
  // meanwhile may have been pinned meanwhile too.
  const readable = () => listCommits(index, container, { epoch: EPOCH_HEAD });
  const named = [...readable(), ...listSnapshots(index, container)];
  const pinned = options.pins.epochsOf(container);
  const later = [...named, ...readable()].map(({ epoch }) => epoch);
  const epochs = new Set([options.horizon, ...pinned, ...later]);
  return [...epochs].sort((a, b) => (a < b ? -1 : 1));
}

/** Raises the horizon to the oldest retained commit; returns it. */
export function raiseHorizon(index: IndexStore, container: number): Epoch {
  let horizon = 0n;
  const raise = (tx: IndexTransaction) => {
    const record = getContainer(tx, container);
    if (record === undefined) return;
    const { retainCommits } = record;
    const commits = listCommits(tx, container, { epoch: EPOCH_HEAD, limit: retainCommits });
    const oldest = commits[retainCommits - 1]?.epoch ?? 0n;
    horizon = record.horizon;
    if (oldest <= horizon) return;
    // Before the second retained commit nothing is to be forgotten.
    const isFirst = listCommits(tx, container, { epoch: oldest - 1n, limit: 1 }).length === 0;
    if (isFirst) return;
    horizon = oldest;
    putContainer(tx, { ...record, horizon });
  };
  index.transact("Raising a container's horizon", raise, "reclaim");
  return horizon;
}

/** Forgets the commits before the horizon, in short transactions; yields after each. */
export function* forgetCommits(
  index: IndexStore,
  container: number,
  horizon: Epoch,
): Generator<void, void, undefined> {
  if (horizon === 0n) return;
  for (let isDone = false; !isDone; ) {
    const options = { epoch: horizon - 1n, limit: AGGREGATION_STEP_COUNT };
    const items = listCommits(index, container, options);
    const forget = (tx: IndexTransaction, commits: readonly CommitRecord[]) => {
      for (const commit of commits) removeCommit(tx, container, commit);
    };
    const steps = { what: "Forgetting commits", items, countMax: AGGREGATION_STEP_COUNT };
    for (const _ of inSteps(index, steps, forget)) yield;
    isDone = items.length < AGGREGATION_STEP_COUNT;
  }
}
