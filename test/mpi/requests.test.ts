/**
 * Memory of nonblocking operations: 200,000 of them, nightly a million, and 5,000 forgotten ones do not grow the heap;
 * neither do those of files.
 *
 * A leak of one handle or one reference per operation would be at least 10 MB.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { available, FAMILIES, runRanks } from "../support/mpirun.ts";
import { root } from "../support/root.ts";

const isNightly = process.env.DAOS_NIGHTLY !== undefined;
const PAIR_COUNT = isNightly ? 500_000 : 100_000;
const GROWTH_SIZE_MAX = 3_000_000;
/** Of all memory, with 35 MB of pools of V8 and the libraries: slots of handles would be 64 MB nightly. */
const RESIDENT_SIZE_MAX = 70_000_000;

const folder = mkdtempSync(join(tmpdir(), "daos-requests-"));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

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
        args: [String(PAIR_COUNT), join(folder, `${family}-${ranks}`)],
        nodeArgs: ["--expose-gc"],
        // On a busy machine, ranks must not wait with their processors.
        env: { OMPI_MCA_mpi_yield_when_idle: "1" },
        timeoutMs: TIMEOUT_MS,
      });
      expect(outcome).toMatchObject({ status: 0, timedOut: false });
      expect(outcome.lines).toHaveLength(ranks);
      for (const line of outcome.lines as Record<string, number>[]) {
        expect(line.grown).toBeLessThan(GROWTH_SIZE_MAX);
        expect(line.ofFiles).toBeLessThan(GROWTH_SIZE_MAX);
        expect(line.resident).toBeLessThan(RESIDENT_SIZE_MAX);
        expect(line.forgotten).toBeLessThan(GROWTH_SIZE_MAX);
      }
    },
    1.1 * TIMEOUT_MS,
  );
});
