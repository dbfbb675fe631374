/**
 * Memory: what an operation allocates, and what a process keeps of the keys that it has used.
 *
 * Both are measured in processes of their own (programs/memory.mjs), by counting bytes, not time: the first
 * with a young generation so large that the collector does not run, the second after it ran.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { runProgram } from "../support/processes.ts";
import { isNightly } from "../support/property.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const MIB = 2 ** 20;
const PROGRAM = join(root, "test", "core", "programs", "memory.mjs");
const KEYS = isNightly ? 3_000_000 : 80_000;
/**
 * V8 and the allocator of C keep a part of what was freed, more or less of it from run to run. Of 72,000 keys
 * this is 230 bytes each: less than one reader of each would take, with its place in a map.
 */
const GROWTH_MAX = 16 * MIB;
/** Attempts of which the least growth counts. */
const ATTEMPTS = 4;

function run<T>(flags: readonly string[], args: readonly string[]): T {
  const command = ["--expose-gc", ...flags, PROGRAM, ...args];
  const { status, stdout, stderr } = runProgram(process.execPath, command, {
    timeoutMs: 300_000,
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return JSON.parse(stdout) as T;
}

/**
 * Bytes that an operation may allocate. A small object of V8 has 16 to 56 bytes, one with a view of bytes about 200;
 * values and keys have 64 and 9.
 */
const ALLOCATED_MAX: Readonly<Record<string, number>> = {
  nothing: 16,
  // The value that is returned: 64 bytes in a Buffer.
  getValue: 64 + 320,
  // The list that is returned, with one object in it.
  fetch: 144,
  // A long value lies in the log: as records.
  fetchLarge: 6144,
  // The number of records and of bytes does not matter: it is objects for the range, its window, its parts.
  fetchRecords: 6144,
  fetchManyRecords: 8192,
  // A few numbers that are not small integers, and one object for the resolution.
  readArray: 512,
  // What the transaction keeps: key, value, and what leads to them.
  put: 64 + 9 + 640,
  update: 64 + 9 + 704,
  // Of each of many changes, nothing: pages are LMDB's.
  commit: 96,
};

describe("operations", () => {
  test("allocate what they return or keep, and a bounded rest", () => {
    const path = join(temporaryDirectory(), "pool");
    const young = ["--min-semi-space-size=256", "--max-semi-space-size=256"];
    const measured = run<Record<string, { bytes: number; collections: number }>>(young, [
      "allocations",
      path,
      "20000",
    ]);
    expect(Object.keys(measured).sort()).toEqual(Object.keys(ALLOCATED_MAX).sort());
    for (const [operation, { bytes, collections }] of Object.entries(measured)) {
      const most = ALLOCATED_MAX[operation] as number;
      expect({ operation, collections }).toEqual({ operation, collections: 0 });
      expect({ operation, bytes: Math.max(bytes, most) }).toEqual({ operation, bytes: most });
    }
    // The measure itself finds allocations.
    expect(measured.getValue?.bytes).toBeGreaterThan(64);
  }, 120_000);
});

// Records lie in the log as arrays do.
const KINDS = ["values", ...(isNightly ? ["objects", "records", "arrays"] : [])];

describe.each(KINDS)("a process that uses %s", (kind) => {
  test(
    "keeps no more memory for ten times as many keys",
    () => {
      const path = join(temporaryDirectory(), "pool");
      const pool = Pool.create({ path, durability: "process" });
      pool.createContainer(kind);
      pool.close();
      const young = ["--min-semi-space-size=8", "--max-semi-space-size=8"];
      const phases = ["insert pool", "read random", "read pool"];
      const grown = phases.map((phase) => {
        const [mode, order] = phase.split(" ") as [string, string];
        const args = [mode, path, kind, String(KEYS), order];
        // What is kept of the keys is there in each attempt, what the allocators kept is not.
        let growth = Number.POSITIVE_INFINITY;
        for (let attempt = 0; attempt < ATTEMPTS && growth > GROWTH_MAX; attempt++) {
          const [few, many] = run<[number, number]>(young, args);
          growth = Math.min(growth, many - few);
        }
        return `${phase}: ${Math.max(GROWTH_MAX, growth) / MIB} MiB`;
      });
      expect(grown).toEqual(phases.map((phase) => `${phase}: ${GROWTH_MAX / MIB} MiB`));
    },
    isNightly ? 1_200_000 : 240_000,
  );
});
