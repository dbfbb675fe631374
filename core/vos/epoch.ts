/**
 * Epochs: 64-bit hybrid logical clock stamps, strictly increasing in a pool.
 *
 * As in DAOS, an epoch counts sixteenths of a nanosecond since 2021-01-01 UTC; its low 18 bits are a
 * logical counter, so that commits faster than the clock still have their own epochs. An epoch is
 * drawn inside the index transaction of the commit that it stamps: commit order is epoch order.
 *
 * @module
 */

/** A version of a container. */
export type Epoch = bigint;

/** The largest epoch: a read at it sees the newest version. */
export const EPOCH_HEAD: Epoch = 0xffff_ffff_ffff_ffffn;

const ORIGIN_NS = BigInt(Date.UTC(2021, 0, 1)) * 1_000_000n;
const TICKS_PER_NS = 16n;
const LOGICAL_BITS = 18n;

/** The first epoch of a moment, in nanoseconds since 1970-01-01 UTC. */
export function epochOfTime(nanoseconds: bigint): Epoch {
  const ticks = (nanoseconds - ORIGIN_NS) * TICKS_PER_NS;
  return ticks <= 0n ? 0n : (ticks >> LOGICAL_BITS) << LOGICAL_BITS;
}

/** The moment of an epoch, in nanoseconds since 1970-01-01 UTC, to about 16 us. */
export function timeOfEpoch(epoch: Epoch): bigint {
  return epoch / TICKS_PER_NS + ORIGIN_NS;
}

/** The epoch after `last` at wall-clock time `now`: later than both. */
export function nextEpoch(now: bigint, last: Epoch): Epoch {
  const clock = epochOfTime(now);
  return clock > last ? clock : last + 1n;
}
