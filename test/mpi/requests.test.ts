/**
 * Memory of nonblocking operations: 100,000 pairs and 5,000 forgotten ones do not grow the heap.
 *
 * A leak of one handle or one reference per operation would be at least 10 MB.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { available, FAMILIES, runRanks } from "../support/mpirun.ts";
import { root } from "../support/root.ts";

const GROWTH_SIZE_MAX = 3_000_000;
/** On busy cores two ranks that wait for each other take their time. */
const TIMEOUT_MS = 120_000;

describe.each(FAMILIES)("requests of %s", (family) => {
  const run = available(family) ? test : test.skip;

  run.each([1, 2])(
    "do not leak at %i ranks, waited for or forgotten",
    async (ranks) => {
      const outcome = await runRanks({
        family,
        ranks,
        program: join(root, "test/mpi/programs/many-requests.mjs"),
        nodeArgs: ["--expose-gc"],
        timeoutMs: TIMEOUT_MS,
      });
      expect(outcome).toMatchObject({ status: 0, timedOut: false });
      expect(outcome.lines).toHaveLength(ranks);
      for (const line of outcome.lines as { grown: number; forgotten: number }[]) {
        expect(line.grown).toBeLessThan(GROWTH_SIZE_MAX);
        expect(line.forgotten).toBeLessThan(GROWTH_SIZE_MAX);
      }
    },
    1.1 * TIMEOUT_MS,
  );
});
