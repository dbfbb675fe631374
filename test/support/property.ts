/**
 * Seed and options of property tests.
 *
 * The seed comes from the environment (jest.config.mjs sets it, the reporter prints it), so that a failure is run
 * again with `SEED=... npm test`. The nightly run draws a new seed and runs more cases.
 *
 * @module
 */

import type { Parameters } from "fast-check";

const NIGHTLY_FACTOR = 20;

/** Seed of this run, a 32-bit integer. */
export const seed: number = parseSeed(process.env.SEED);

/** Whether this is the nightly run, which may take hours. */
export const isNightly: boolean = process.env.DAOS_NIGHTLY === "1";

/**
 * Options for `fc.assert`: the seed, and how many cases to run.
 *
 * @param numRuns Cases in the gate; the nightly run does 20 times as many.
 */
export function fcOptions<T = unknown>(numRuns = 100): Parameters<T> {
  return { seed, numRuns: isNightly ? numRuns * NIGHTLY_FACTOR : numRuns };
}

function parseSeed(text: string | undefined): number {
  const value = Number(text ?? "1");
  if (!Number.isSafeInteger(value)) throw new Error(`SEED must be an integer, not ${text}`);
  return value | 0;
}
