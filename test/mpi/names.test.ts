/**
 * Names between jobs: what one job publishes, another looks up, by way of a server of names beside them.
 */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { available, type Family, runRanks } from "../support/mpirun.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const program = join(root, "test/mpi/programs/names.mjs");
/** Seconds after which a server ends, whatever happens to this process. */
const SERVER_LIFETIME = "90";

function isInstalled(command: string): boolean {
  return spawnSync("which", [command]).status === 0;
}

/** Runs something beside a server that ends with it. */
async function beside<T>(command: string[], run: () => Promise<T>): Promise<T> {
  const server = spawn("timeout", ["-s", "KILL", SERVER_LIFETIME, ...command], {
    detached: true,
    stdio: "ignore",
  });
  try {
    return await run();
  } finally {
    process.kill(-(server.pid as number), "SIGKILL");
  }
}

/** What two jobs of one rank each print. */
async function linesOfJobs(family: Family, launcherArgs: string[], jobs: string[]) {
  // Shared memory does not reach processes of other jobs.
  const env = family === "openmpi" ? { OMPI_MCA_btl: "^openib,ofi,uct" } : {};
  const service = `daos-names-${process.pid}`;
  const outcomes = await Promise.all(
    jobs.map((how) =>
      runRanks({ family, ranks: 1, program, args: [how, service], env, launcherArgs }),
    ),
  );
  for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 0, timedOut: false });
  return outcomes.flatMap(({ lines }) => lines);
}

(available("openmpi") && isInstalled("ompi-server") ? test : test.skip)(
  "jobs of Open MPI with an ompi-server find and reach each other",
  async () => {
    const uri = join(temporaryDirectory(), "uri");
    await beside(["ompi-server", "--no-daemonize", "-r", uri], async () => {
      while (!existsSync(uri) || readFileSync(uri).length === 0) await sleep(20);
      const lines = await linesOfJobs(
        "openmpi",
        ["--ompi-server", `file:${uri}`],
        ["serve", "visit"],
      );
      expect(lines).toEqual([
        { how: "serve", got: 8 },
        { how: "visit", got: 7 },
      ]);
    });
  },
);

(available("mpich") && isInstalled("hydra_nameserver") ? test : test.skip)(
  "jobs of MPICH with a hydra_nameserver find each other",
  async () => {
    await beside(["hydra_nameserver"], async () => {
      const lines = await linesOfJobs("mpich", ["-nameserver", "localhost"], ["tell", "ask"]);
      expect(lines).toEqual([
        { how: "tell", got: "seen" },
        { how: "ask", got: "here" },
      ]);
    });
  },
);
