/**
 * Files in a container pass the cases that native files pass, and those of the store; a plain path goes to the
 * library through the same class.
 *
 * The cases are in test/mpi/programs/conformance-files.mjs and in programs/store-cases.mjs; here their verdicts
 * are read.
 */

import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { available, type Family, runRanks } from "../../support/mpirun.ts";
import { plainEnvironment, runProgram } from "../../support/processes.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const FILE_CASE_COUNT = 34;
const STORE_CASE_COUNT = 7;
/** Four ranks busy-wait for each other where there are fewer processors, which takes long. */
const RANK_COUNTS = process.env.DAOS_NIGHTLY ? [1, 2, 4] : [2];
const program = join(root, "test/adapters/mpi-io/programs/conformance.mjs");

let folder = "";
let runs = 0;

beforeAll(() => {
  folder = temporaryDirectory({ medium: "disk", until: "file" });
  const pool = Pool.create({ path: join(folder, "pool"), durability: "process" });
  pool.createContainer("c", { retainCommits: 3 });
  pool.close();
});

function address(): string {
  runs += 1;
  return `daos://${folder}/pool/c/run-${runs}`;
}

function judge(lines: readonly unknown[], size: number, passed: number): void {
  const verdicts = (lines as { rank: number }[]).toSorted((a, b) => a.rank - b.rank);
  expect(verdicts).toEqual(
    Array.from({ length: size }, (_, rank) => ({ rank, size, passed, failed: {} })),
  );
}

describe("files of one rank without MPI", () => {
  test.each([
    ["in a container", address, FILE_CASE_COUNT + STORE_CASE_COUNT],
    ["on a plain path", () => mkdtempSync(join(folder, "plain-")), FILE_CASE_COUNT],
  ])("%s conform", (_name, place, passed) => {
    const env = plainEnvironment();
    const outcome = runProgram(process.execPath, [program, place(), "solo"], { env });
    expect(outcome).toMatchObject({ status: 0, stderr: "" });
    judge([JSON.parse(outcome.stdout)], 1, passed);
  });
});

describe.each<Family>(["openmpi", "mpich"])("files in a container, with %s", (family) => {
  const run = available(family) ? test : test.skip;

  run.each(RANK_COUNTS)("conform at %i ranks", async (ranks) => {
    const outcome = await runRanks({ family, ranks, program, args: [address()] });
    expect(outcome).toMatchObject({ status: 0, timedOut: false });
    judge(outcome.lines, ranks, FILE_CASE_COUNT + STORE_CASE_COUNT);
  });
});
