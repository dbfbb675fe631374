/**
 * Dynamic processes: programs that ranks spawn, connections by ports, names and sockets.
 *
 * Open MPI has all of it. MPICH has it by device: where it has not, it must say so and go on.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { available, FAMILIES, runRanks } from "../support/mpirun.ts";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { root } from "../support/root.ts";

const program = join(root, "test/mpi/programs/processes.mjs");
const CASE_COUNT = 5;

interface Verdict {
  readonly rank: number;
  readonly passed: number;
  readonly failed: Record<string, string>;
  readonly names: string;
  readonly joined?: string;
}

describe.each(FAMILIES)("processes of %s", (family) => {
  const run = available(family) ? test : test.skip;

  run.each([1, 2])("are spawned and connected by %i ranks", async (ranks) => {
    // Shared memory does not reach processes of other jobs.
    const env = family === "openmpi" ? { OMPI_MCA_btl: "^openib,ofi,uct" } : {};
    const outcome = await runRanks({ family, ranks, program, args: ["join"], env });
    expect(outcome).toMatchObject({ status: 0, timedOut: false });
    const verdicts = (outcome.lines as Verdict[]).toSorted((a, b) => a.rank - b.rank);
    expect(verdicts).toHaveLength(ranks);
    for (const { failed } of verdicts) expect(failed).toEqual({});
    const isUnsupported = verdicts[0]?.names === "unsupported";
    if (family === "openmpi") expect(isUnsupported).toBe(false);
    if (isUnsupported) return;
    for (const { passed } of verdicts) expect(passed).toBe(CASE_COUNT);
    expect(verdicts[0]?.names).toMatch(/^(published|MPI_ERR_\w+) then MpiError MPI_ERR_\w+$/);
    if (ranks === 2) {
      expect(verdicts.map(({ joined }) => joined)).toEqual(["rank 0 got 1", "rank 1 got 0"]);
    }
  });
});

test("without a library, processes are refused by an error that says what to do", () => {
  const script = `
    import { openPort, parent, world, lookupName } from "node-mpi-bindings";
    const codes = [() => openPort(), () => lookupName("x"), () => world().connect("x"),
      () => world().spawn({ command: "node", processes: 1 })].map((call) => {
        try { return call(); } catch (error) { return error.code; }
      });
    console.log(JSON.stringify([parent() === undefined, new Set(codes).size, codes[0]]));`;
  const args = ["--input-type=module", "-e", script];
  const { stdout } = runProgram(process.execPath, args, { cwd: root, env: plainEnvironment() });
  expect(JSON.parse(stdout)).toEqual([true, 1, "MPI_ERR_UNSUPPORTED_OPERATION"]);
});
