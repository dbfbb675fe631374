/**
 * What aggregation must keep: the container's newest commits, as many as its retention says; what was its
 * newest version at any time of the last seconds, as many as its retention says; its named snapshots;
 * and every epoch that a reader pins.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import type { IndexReader, IndexStore, IndexTransaction } from "../index/index-store.js";
import { inSteps } from "../index/steps.js";
import { AGGREGATION_STEP_COUNT, RETAIN_COMMITS_MAX, RETAIN_SECONDS_MAX } from "../limits.js";
import {
  type CommitRecord,
  type ContainerRecord,
  containerGone,
  getContainer,
  listCommits,
  putContainer,
  removeCommit,
} from "./containers.js";
import { EPOCH_HEAD, type Epoch, epochOfTime } from "./epoch.js";
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

/** What of its history a container keeps readable; what either of the two wants is kept. */
export interface Retention {
  /** How many of the newest commits can always be read; at least 1. */
  readonly commits: number;
  /**
   * For how long what was the newest version stays readable, in seconds; 0: no longer than `commits`
   * says.
   */
  readonly seconds: number;
}

/**
 * Checks a retention.
 *
 * @throws {@link DaosError} `DER_INVAL`.
 */
export function checkRetention(what: string, { commits, seconds }: Retention): void {
  if (!Number.isInteger(commits) || commits < 1 || commits > RETAIN_COMMITS_MAX) {
    const remedy = `give a whole number from 1 to ${RETAIN_COMMITS_MAX}`;
    const why = `the number of retained commits is ${commits}`;
    throw new DaosError("DER_INVAL", { what, why, remedy }, { retainCommits: commits });
  }
  if (!(seconds >= 0 && seconds <= RETAIN_SECONDS_MAX)) {
    const remedy = `give a number from 0 to ${RETAIN_SECONDS_MAX}`;
    const why = `the time of retention is ${seconds} seconds`;
    throw new DaosError("DER_INVAL", { what, why, remedy }, { retainSeconds: seconds });
  }
}

/** The retention of a container. */
export function retentionOf({ retainCommits, retainMs }: ContainerRecord): Retention {
  return { commits: retainCommits, seconds: retainMs / 1000 };
}

/** Changes what is kept from now on; what was aggregated before does not come back. */
export function setRetention(
  tx: IndexTransaction,
  container: number,
  change: Partial<Retention>,
): void {
  const record = getContainer(tx, container);
  if (record === undefined) throw containerGone(container);
  const { commits, seconds } = { ...retentionOf(record), ...change };
  const retainMs = Math.round(seconds * 1000);
  putContainer(tx, { ...record, retainCommits: commits, retainMs });
}

/**
 * The horizon that a container may have at a time, with the newest commit before it; `undefined` if it
 * cannot be raised.
 *
 * @param now Wall clock in nanoseconds since 1970; looked at if versions are retained by time.
 */
export function nextHorizon(
  reader: IndexReader,
  record: ContainerRecord,
  now: () => bigint,
): Pick<ContainerRecord, "horizon" | "forgotten"> | undefined {
  const { id, retainCommits, retainMs } = record;
  const commits = listCommits(reader, id, { epoch: EPOCH_HEAD, limit: retainCommits });
  let oldest = commits[retainCommits - 1]?.epoch ?? 0n;
  if (retainMs > 0) {
    // What was the newest version when the time began, and all that came since.
    const began = epochOfTime(now() - BigInt(retainMs) * 1_000_000n);
    const shown = listCommits(reader, id, { epoch: began, limit: 1 })[0]?.epoch ?? 0n;
    if (shown < oldest) oldest = shown;
  }
  if (oldest <= record.horizon) return undefined;
  // Before the second retained commit nothing is to be forgotten.
  const [before] = listCommits(reader, id, { epoch: oldest - 1n, limit: 1 });
  return before && { horizon: oldest, forgotten: before.epoch };
}

/** Raises the horizon to the oldest retained commit; returns it. */
export function raiseHorizon(index: IndexStore, container: number, now: () => bigint): Epoch {
  let horizon = 0n;
  const raise = (tx: IndexTransaction) => {
    const record = getContainer(tx, container);
    if (record === undefined) return;
    const next = nextHorizon(tx, record, now);
    horizon = next?.horizon ?? record.horizon;
    if (next !== undefined) putContainer(tx, { ...record, ...next });
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
