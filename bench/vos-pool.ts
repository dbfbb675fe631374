/**
 * Pools, data and random offsets for the parts of the suite `vos`.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import { Pool, type TargetUsage } from "daos-ts";
import type { Place } from "./harness.js";

/** Bytes of a KiB. */
export const KIB = 1024;
/** Bytes of a MiB. */
export const MIB = 1024 * KIB;

/** Directory of the pool that a part is measured in. */
export function poolPath(place: Place): string {
  return path.join(place.directory, "pool");
}

/** Runs `body` with a new `process` pool, which is removed afterwards. */
export function withPool<T>(place: Place, body: (pool: Pool) => T): T {
  const pool = Pool.create({ path: poolPath(place), durability: "process" });
  try {
    return body(pool);
  } finally {
    pool.close();
    fs.rmSync(poolPath(place), { recursive: true, force: true });
  }
}

/** Bytes of the segment files that hold data: those kept for recycling are not among them. */
export function occupiedSize({ nvme }: TargetUsage): number {
  return nvme.used - nvme.recyclable;
}

/** Makes numbers of `[0, limit)`, the same ones each time that the program runs. */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
