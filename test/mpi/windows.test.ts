/**
 * Lifetimes of windows: memory is detached when MPI ends, kept while others use it, and each thread has its own.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { available, FAMILIES, runRanks } from "../support/mpirun.ts";
import { root } from "../support/root.ts";

const program = join(root, "test/mpi/programs/window-lifetimes.mjs");

describe.each(FAMILIES)("windows of %s", (family) => {
  const run = available(family) ? test : test.skip;
  const start = async (how: string) => {
    const nodeArgs = ["--expose-gc"];
    const outcome = await runRanks({ family, ranks: 2, program, args: [how], nodeArgs });
    expect(outcome).toMatchObject({ status: 0, timedOut: false });
    expect(outcome.lines).toHaveLength(2);
    return outcome.lines as Record<string, unknown>[];
  };

  run("that are forgotten stay, with their buffers, until MPI ends and detaches them", async () => {
    for (const line of await start("memory")) {
      expect(line).toMatchObject({ wrong: [], before: [64, 64, 64], after: [0, 0, 0], own: true });
      expect(new Set(line.codes as string[])).toEqual(new Set(["MPI_FINALIZED"]));
    }
  });

  run("work in the main thread and in a worker at the same time", async () => {
    for (const { totals, expected } of await start("threads")) {
      expect(totals).toEqual([expected, expected]);
    }
  });
});
