/**
 * Endings: a rank that ends badly ends its job, and a rank that ends well disturbs nobody.
 *
 * The hang that this guards against: the other ranks wait in a barrier for a rank that is gone. Each run
 * must end by itself, long before its timeout.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { available, FAMILIES, pmixAvailable, runRanks } from "../support/mpirun.ts";
import { root } from "../support/root.ts";

const TIMEOUT_MS = 20_000;
const crash = join(root, "test/mpi/programs/crash.mjs");
const bootstrap = join(root, "test/mpi/programs/bootstrap.mjs");

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe.each(FAMILIES)("under %s", (family) => {
  const run = available(family) ? test : test.skip;
  const end = (how: string, ranks = 3) =>
    runRanks({ family, ranks, program: crash, args: [how], timeoutMs: TIMEOUT_MS });

  run.each(["throw", "reject"])(
    "an uncaught error (%s) is printed once and ends the job",
    async (how) => {
      const outcome = await end(how);
      expect(outcome).toMatchObject({ status: 1, timedOut: false });
      const printed = outcome.stdout + outcome.stderr;
      expect(count(printed, "Error: the reactor is too hot")).toBe(1);
      expect(printed).toContain("rank 2 of 3");
    },
  );

  run("process.exit() with a status ends the job with it", async () => {
    expect(await end("exit")).toMatchObject({ status: 7, timedOut: false });
  });

  run("abort() ends the job with its status", async () => {
    expect(await end("abort")).toMatchObject({ status: 9, timedOut: false });
  });

  run.each([
    ["fatal", "MPI_File_open", "MPI_ERRORS_ARE_FATAL"],
    ["fatal-comm", "MPI_Send", "MPI_ERRORS_ARE_FATAL"],
    ["fatal-window", "MPI_Put", "MPI_ERRORS_ABORT"],
  ])("an error that meets a fatal error handler (%s) ends the job", async (how, call, handler) => {
    const outcome = await end(how);
    expect(outcome.timedOut).toBe(false);
    // 1, or 9 where the launcher reports a rank that it killed after the abort.
    expect([1, 9]).toContain(outcome.status);
    expect(outcome.stderr).toContain(handler);
    expect(outcome.stderr).toContain(`${call} failed`);
  });

  run("an error that the program handles ends nothing", async () => {
    const outcome = await end("handled");
    expect(outcome).toMatchObject({ status: 0, timedOut: false });
    expect(outcome.stderr).toContain("handled: the reactor is too hot");
  });

  run("an uncaught error in a job of one rank is Node's own matter", async () => {
    const outcome = await end("throw", 1);
    expect(outcome).toMatchObject({ status: 1, timedOut: false });
    expect(count(outcome.stderr, "Error: the reactor is too hot")).toBeGreaterThanOrEqual(1);
    expect(outcome.stderr).not.toContain("MPI_ABORT");
  });

  run("a rank killed with SIGKILL ends the job", async () => {
    const outcome = await runRanks({
      family,
      ranks: 2,
      program: join(root, "test/mpi/programs/sleeper.mjs"),
      timeoutMs: TIMEOUT_MS,
      kill: (line) => {
        const { rank, pid } = line as { rank: number; pid: number };
        return rank === 1 ? pid : undefined;
      },
    });
    expect(outcome.timedOut).toBe(false);
    expect(outcome.status).not.toBe(0);
  });
});

describe("PMIx", () => {
  const run = pmixAvailable() ? test : test.skip;

  run("exit without finalize leaves status 0", async () => {
    const outcome = await runRanks({ family: "openmpi", ranks: 4, program: bootstrap });
    expect(outcome).toMatchObject({ status: 0, timedOut: false });
    // hwloc says so where /sys is not mounted, as in a chroot.
    const said = outcome.stderr.replaceAll(/^.*hwloc.*failed to find sysfs.*\n/gm, "");
    expect(said).toBe("");
  });

  run("an uncaught error ends the job with status 1", async () => {
    const options = { family: "openmpi", ranks: 2, program: bootstrap, args: ["throw"] } as const;
    const outcome = await runRanks({ ...options, timeoutMs: TIMEOUT_MS });
    expect(outcome).toMatchObject({ status: 1, timedOut: false });
    expect(outcome.stderr).toContain("after the exchange");
  });
});
