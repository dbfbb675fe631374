/**
 * Bootstrap: identity, node leader and business cards, from PMIx, from the environment, and alone.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { available, pmixAvailable, type RanksOutcome, runRanks } from "../support/mpirun.ts";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { root } from "../support/root.ts";

const program = join(root, "test/mpi/programs/bootstrap.mjs");

interface Facts {
  readonly identity: { readonly rank: number; readonly namespace: string };
  readonly [name: string]: unknown;
}

/** What every rank of a job of 4 on one node must say. */
function expectJob(lines: readonly unknown[], extra: Record<string, unknown>): void {
  const facts = (lines as Facts[]).toSorted((a, b) => a.identity.rank - b.identity.rank);
  expect(facts).toHaveLength(4);
  for (const [rank, fact] of facts.entries()) {
    expect(fact).toMatchObject({
      identity: { rank, size: 4, localRank: rank, localSize: 4, localPeers: [0, 1, 2, 3] },
      isNodeLeader: rank === 0,
      first: ["", "x", "xx", "xxx"],
      second: ["port 0", "port 1", "port 2", "port 3"],
      objects: [0, 1, 2, 3],
      badObject: "MPI_ERR_TYPE",
      same: true,
      ...extra,
    });
  }
  expect(new Set(facts.map(({ identity }) => identity.namespace)).size).toBe(1);
}

describe("bootstrap() with PMIx", () => {
  const run = pmixAvailable() ? test : test.skip;
  const start = (how: string) => runRanks({ family: "openmpi", ranks: 4, program, args: [how] });
  const ended = ({ status, stderr }: RanksOutcome) => ({
    status,
    stderr: status === 0 ? "" : stderr,
  });
  const well = { status: 0, stderr: "" };

  run("identifies 4 ranks and exchanges their cards without MPI", async () => {
    const outcome = await start("exit0");
    expect(ended(outcome)).toEqual(well);
    const { lines } = outcome;
    expectJob(lines, { source: "pmix", usesMpi: false });
  });

  run.each(["mpi-before", "mpi-after"])("shares the process with MPI (%s)", async (how) => {
    const outcome = await start(how);
    expect(ended(outcome)).toEqual(well);
    const { lines } = outcome;
    expectJob(lines, { source: "pmix", sum: 6 });
  });

  run("PMIx goes on when MPI has been finalized", async () => {
    const outcome = await start("mpi-ended");
    expect(ended(outcome)).toEqual(well);
    expectJob(outcome.lines, { source: "pmix", sum: 6, areKept: true });
  });

  run("Pmix puts, fences, gets, publishes and looks up; errors have codes", async () => {
    const outcome = await start("pmix");
    expect(ended(outcome)).toEqual(well);
    const { lines } = outcome;
    expectJob(lines, {
      missing: "PMIX_ERR_TIMEOUT",
      badRank: "MPI_ERR_RANK",
      badKey: "PMIX_ERR_BAD_PARAM",
      unpublished: "undefined",
      service: ["host:1234", 1],
      sameJob: true,
      empty: 0,
      badRange: "MPI_ERR_ARG",
      afterwards: "undefined",
      pair: "undefined",
      badFence: "MPI_ERR_RANK",
      job: { universeSize: expect.any(Number), nodeCount: 1, appNumber: 0 },
      afterFinalize: ["PMIX_ERR_INIT", "PMIX_NO_SERVER"],
    });
    for (const line of lines as Facts[]) {
      expect(line.get).toEqual([(line.identity.rank + 1) % 4, 42]);
      expect(line.twice).toBe(line.identity.rank === 1 ? "PMIX_ERR_DUPLICATE_KEY" : "");
      expect(line.waitedMs).toBeLessThan(10_000);
    }
  });
});

describe("bootstrap() without PMIx", () => {
  const run = available("mpich") ? test : test.skip;

  run("takes the identity from mpiexec and exchanges over MPI", async () => {
    const { lines, status } = await runRanks({ family: "mpich", ranks: 4, program });
    expect(status).toBe(0);
    expectJob(lines, { source: "environment", usesMpi: true });
  });

  test("is a job of one process where nothing launched it", () => {
    const { stdout, status } = runProgram(process.execPath, [program], { env: plainEnvironment() });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      source: "single",
      isNodeLeader: true,
      identity: { rank: 0, size: 1, localPeers: [0] },
      first: [""],
      second: ["port 0"],
      objects: [0],
    });
  });

  run("is a job of one process for a rank's child that wants to be alone", async () => {
    const env = { DAOS_MPI_FAMILY: "solo" };
    const { lines } = await runRanks({ family: "mpich", ranks: 2, program, env });
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatchObject({ source: "single" });
  });
});
