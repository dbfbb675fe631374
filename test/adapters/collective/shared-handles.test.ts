/**
 * Handles that travel between ranks: rank 0 connects, and the others get its handle by a broadcast.
 *
 * @module
 */

import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { Pattern, Pool, wholeOf } from "daos-ts";
import { available, FAMILIES, runRanks } from "../../support/mpirun.ts";
import { isNightly } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const directory = path.dirname(fileURLToPath(import.meta.url));
const program = path.join(directory, "programs", "shared-handles.mjs");
const SIZE = 10_000;

/** A pool that bob may use; as many ranges as ranks are written, in a container for reading. */
function poolFor(ranks: number): Pool {
  const name = `${temporaryDirectory({ medium: "memory" })}/pool`;
  const acl = "A::OWNER@:rwcdtTaAo\nA::bob@:rwt";
  const pool = Pool.create({ path: name, durability: "process", acl });
  const bytes = Buffer.concat(Array.from({ length: ranks }, (_, at) => Buffer.alloc(SIZE, at + 1)));
  const range = wholeOf(Pattern.contiguous(0, bytes.length));
  pool.createContainer("c").update((tx) => tx.write(1n, range, bytes));
  return pool;
}

describe.each(FAMILIES)("handles that travel under %s", (family) => {
  const run = available(family) ? test : test.skip;
  // Both libraries run the same code here: the gate sees less of the second.
  const rankCounts = family === "mpich" && !isNightly ? [2] : [2, 4];
  const cases = rankCounts.flatMap((ranks) => ["rw", "ro"].map((mode) => [ranks, mode] as const));

  run.each(cases)("P7: %i ranks use what rank 0 opened with mode %s", async (ranks, mode) => {
    const pool = poolFor(ranks);
    const { path: name } = pool;
    if (mode === "rw") pool.openContainer("c").update((tx) => tx.punch(1n));
    pool.close();
    const { status, lines, stderr } = await runRanks({
      family,
      ranks,
      program,
      args: [name, mode],
    });
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    const told = lines as { rank: number }[];
    expect(told.sort((a, b) => a.rank - b.rank)).toEqual(
      Array.from({ length: ranks }, (_, rank) => ({
        rank,
        write: mode === "rw" ? "none" : "DER_NO_PERM",
        // Bob's right is not on his list.
        setAcl: "DER_NO_PERM",
        seen: Array.from({ length: ranks }, () => true),
        openHandles: ranks,
        label: "c",
      })),
    );
  });
});
