/**
 * Files: one suite of cases for all implementations: node:fs, OMPIO, ROMIO within Open MPI, and MPICH's ROMIO.
 *
 * The cases are in programs/conformance-file*.mjs and run in the ranks; here their verdicts are read.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { available, type Family, runRanks } from "../support/mpirun.ts";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { root } from "../support/root.ts";

const CASE_COUNT = 34;
/** Four ranks busy-wait for each other where there are fewer processors, which takes long. */
const RANK_COUNTS = process.env.DAOS_NIGHTLY ? [1, 2, 4] : [1, 2];
const program = join(root, "test/mpi/programs/files.mjs");

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "daos-files-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** In milliseconds. */
const timeoutMs = 100_000;

function newFolder(): string {
  return mkdtempSync(join(folder, "run-"));
}

function judge(lines: readonly unknown[], size: number): void {
  const verdicts = (lines as { rank: number }[]).toSorted((a, b) => a.rank - b.rank);
  const expected = Array.from({ length: size }, (_, rank) => {
    return { rank, size, passed: CASE_COUNT, failed: {} };
  });
  expect(verdicts).toEqual(expected);
}

describe("files over node:fs", () => {
  test("conform without MPI", () => {
    const env = plainEnvironment();
    const outcome = runProgram(process.execPath, [program, newFolder(), "solo"], { env });
    expect(outcome).toMatchObject({ status: 0, stderr: "" });
    judge([JSON.parse(outcome.stdout)], 1);
  });
});

/** Each open is many small collectives: on a busy machine, ranks must not wait with their processors. */
const YIELDING = { OMPI_MCA_mpi_yield_when_idle: "1" };

const IMPLEMENTATIONS: readonly [name: string, family: Family, env: Record<string, string>][] = [
  ["OMPIO", "openmpi", { OMPI_MCA_io: "ompio", ...YIELDING }],
  ["ROMIO within Open MPI", "openmpi", { OMPI_MCA_io: "romio321", ...YIELDING }],
  ["ROMIO within MPICH", "mpich", {}],
];

describe.each(IMPLEMENTATIONS)("files of %s", (_, family, env) => {
  const run = available(family) ? test : test.skip;

  run.each(RANK_COUNTS)(
    "conform at %i ranks, and end with the job if left open",
    async (ranks) => {
      const outcome = await runRanks({
        family,
        ranks,
        program,
        args: [newFolder()],
        env,
        timeoutMs,
      });
      const whyHung = outcome.timedOut ? outcome.stderr : "";
      expect({ status: outcome.status, whyHung }).toEqual({ status: 0, whyHung: "" });
      judge(outcome.lines, ranks);
    },
    timeoutMs + 20_000,
  );
});
