/**
 * Moments as `node:fs` takes them.
 *
 * @module
 */

/** Seconds since 1970-01-01 UTC, as a number or text, or a Date. */
export type TimeLike = number | string | Date;

const NS_PER_MS = 1e6;
const TIME_NS_MAX = 2n ** 63n - 1n;

/** Nanoseconds since 1970-01-01 UTC; `undefined` for what is no time from then on. */
export function nanoseconds(time: TimeLike): bigint | undefined {
  const isDate = typeof time === "object" && time !== null && typeof time.getTime === "function";
  const milliseconds = isDate ? time.getTime() : Number(time) * 1000;
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return undefined;
  const whole = Math.floor(milliseconds);
  const at = BigInt(whole) * 1_000_000n + BigInt(Math.round((milliseconds - whole) * NS_PER_MS));
  return at <= TIME_NS_MAX ? at : undefined;
}

/** This moment, in nanoseconds since 1970-01-01 UTC. */
export function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
