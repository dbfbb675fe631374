/**
 * Conformance: one suite of cases for all communicators: solo, Open MPI and MPICH, at 1, 2 and 4
 * ranks (with MPICH: nightly).
 *
 * The cases are in programs/conformance-*.mjs and run in the ranks; here their verdicts are read.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { available, FAMILIES, type Family, runRanks } from "../support/mpirun.ts";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { isNightly } from "../support/property.ts";
import { root } from "../support/root.ts";

const CASE_COUNT_MIN = 201;
/**
 * Ranks of MPICH busy-wait: four of them on two busy cores have taken more than two minutes. Those are nightly.
 */
function rankCounts(family: Family): number[] {
  if (isNightly) return [1, 2, 4];
  return family === "mpich" ? [1, 2] : [1, 4];
}
const TIMEOUT_MS = 120_000;
const program = join(root, "test/mpi/programs/conformance.mjs");

interface Verdict {
  readonly rank: number;
  readonly size: number;
  readonly passed: number;
  readonly failed: Record<string, string>;
}

function judge(lines: readonly unknown[], size: number): void {
  const verdicts = (lines as Verdict[]).toSorted((a, b) => a.rank - b.rank);
  expect(verdicts.map(({ rank }) => rank)).toEqual([...Array(size).keys()]);
  for (const verdict of verdicts) {
    expect(verdict).toMatchObject({ size, failed: {} });
    expect(verdict.passed).toBeGreaterThanOrEqual(CASE_COUNT_MIN);
  }
}

describe("the solo communicator", () => {
  test.each(["solo", "world", "self", "dup"])("conforms as %s, without MPI", (kind) => {
    const outcome = runProgram(process.execPath, [program, kind], { env: plainEnvironment() });
    expect(outcome).toMatchObject({ status: 0, stderr: "" });
    judge([JSON.parse(outcome.stdout)], 1);
  });
});

describe.each(FAMILIES)("the communicators of %s", (family) => {
  const run = available(family) ? test : test.skip;

  run.each(rankCounts(family))(
    "conform at %i ranks",
    async (ranks) => {
      const outcome = await runRanks({ family, ranks, program, timeoutMs: TIMEOUT_MS });
      expect(outcome).toMatchObject({ status: 0, timedOut: false });
      judge(outcome.lines, ranks);
    },
    1.1 * TIMEOUT_MS,
  );

  // Communicators differ little from one another: in the gate, one library shows it.
  if (family === "mpich" || isNightly) {
    run("conform as a copy of world, and alone as self", async () => {
      const copy = await runRanks({ family, ranks: 2, program, args: ["dup"] });
      judge(copy.lines, 2);
      const alone = await runRanks({ family, ranks: 1, program, args: ["self"] });
      judge(alone.lines, 1);
    });
  }

  run("compute the same sizes and bounds of datatypes as this package", async () => {
    const measures = join(root, "test/mpi/programs/datatype-measures.mjs");
    for (const seed of ["1", "2"]) {
      const { lines } = await runRanks({ family, ranks: 1, program: measures, args: [seed] });
      expect(lines).toEqual([{ compared: 400, different: [], count: 0 }]);
    }
  });
});
