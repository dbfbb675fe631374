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

/** Data after which a writer has had each of its segments before. */
export const WARM_UP_SIZE = 1024 * MIB;
/** Size of the file that plain writes go round, which is that of a segment. */
export const FILE_SIZE = 256 * MIB;

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

/** Runs `body` with a plain file that was written once. */
export function withFile<T>(place: Place, size: number, body: (fd: number) => T): T {
  const name = path.join(place.directory, "plain");
  const fd = fs.openSync(name, "w+");
  try {
    const buffer = Buffer.alloc(Math.min(size, MIB), 7);
    for (let at = 0; at < size; at += buffer.length) fs.writeSync(fd, buffer, 0, buffer.length, at);
    return body(fd);
  } finally {
    fs.closeSync(fd);
    fs.rmSync(name);
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
