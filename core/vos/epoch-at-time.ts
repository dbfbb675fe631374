/**
 * Finds the version that a container had at a moment of wall-clock time.
 *
 * A commit's epoch is the time at which it was committed, to 16 us, by the clock of its node; a clock
 * that went back is not followed, and commits that come faster than it ticks are a little ahead of it.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import type { IndexReader } from "../index/index-reader.js";
import { containerGone, getContainer, listCommits } from "./containers.js";
import { type Epoch, epochOfTime, timeOfEpoch } from "./epoch.js";
import { epochGone } from "./snapshots.js";

/** A moment: a Date, which counts milliseconds, or nanoseconds since 1970-01-01 UTC. */
export type Moment = Date | bigint;

function nanosecondsOf(what: string, time: Moment): bigint {
  if (typeof time === "bigint") return time;
  const milliseconds = time.getTime();
  if (Number.isInteger(milliseconds)) return BigInt(milliseconds) * 1_000_000n;
  const remedy = "give a Date, or nanoseconds since 1970 as a bigint";
  throw new DaosError("DER_INVAL", { what, why: "that is no valid date", remedy });
}

/**
 * The newest commit at or before a moment; 0 before the first one.
 *
 * @param now Wall clock in nanoseconds since 1970.
 * @throws {@link DaosError} `DER_INVAL` if the moment is in the future (what it shows is not decided yet) or
 *   no time, `DER_EPOCH_GONE` if what it showed was aggregated, `DER_NONEXIST` if the container is gone.
 */
export function epochAtTime(
  reader: IndexReader,
  container: number,
  { time, now }: { time: Moment; now: bigint },
): Epoch {
  const what = `Looking for the version of container ${container} at a time`;
  const wanted = nanosecondsOf(what, time);
  if (wanted > now) {
    const why = `the time is ${(wanted - now) / 1_000_000n} ms in the future`;
    const remedy = "give a time that has passed, or wait for commits with container.waitFor()";
    throw new DaosError("DER_INVAL", { what, why, remedy }, { time: wanted, now });
  }
  const record = getContainer(reader, container);
  if (record === undefined) throw containerGone(container);
  const bound = epochOfTime(wanted);
  const [found] = listCommits(reader, container, { epoch: bound, limit: 1 });
  const epoch = found?.epoch ?? 0n;
  // Again: it may have been raised since.
  const horizon = getContainer(reader, container)?.horizon ?? 0n;
  if (epoch >= horizon) return epoch;
  throw epochGone(`${what} (${timeOfEpoch(bound) / 1_000_000n} ms since 1970)`, bound, horizon);
}
