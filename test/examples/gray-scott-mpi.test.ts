/**
 * The Gray-Scott example under mpirun: the same bits on any number of ranks, and the whole story of the driver on a
 * small box.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { defectOf, readVersion } from "../../dist/examples/gray-scott/inspection.js";
import { available, runRanks } from "../support/mpirun.ts";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const PROGRAMS = join(root, "dist", "examples", "gray-scott");
const TIMEOUT_MS = 180_000;
const family = "openmpi";
const describeMpi = available(family) ? describe : describe.skip;

function makePool(...labels: string[]): string {
  const path = join(temporaryDirectory(), "pool");
  using pool = Pool.create({ path, durability: "process" });
  for (const label of labels) pool.createContainer(label, { retainCommits: 4 });
  return path;
}

function simulate(ranks: number, address: string, ...more: string[]) {
  const plan = ["--size", "13", "--steps", "12", "--every", "4"];
  const args = ["--address", address, ...plan, ...more];
  const program = join(PROGRAMS, "simulation.js");
  return runRanks({ family, ranks, program, args, timeoutMs: TIMEOUT_MS / 3 });
}

describeMpi("the simulation under mpirun", () => {
  test(
    "computes the same bits on 1, 2 and 4 ranks, of an odd box too",
    async () => {
      const ranks = [1, 2, 4];
      const pool = makePool(...ranks.map((count) => `ranks${count}`));
      const addresses = ranks.map((count) => `daos://${pool}/ranks${count}/fields`);
      for (const [i, count] of ranks.entries()) {
        const outcome = await simulate(count, addresses[i] as string);
        expect({ status: outcome.status, stderr: outcome.stderr }).toMatchObject({ status: 0 });
        expect(outcome.lines).toContainEqual(expect.objectContaining({ event: "done", step: 12 }));
      }
      const [one, two, four] = addresses.map((address) => readVersion(address));
      expect(one?.header.step).toBe(12);
      expect(one && defectOf(one)).toBeUndefined();
      expect(Buffer.compare(one!.bytes, two!.bytes)).toBe(0);
      expect(Buffer.compare(one!.bytes, four!.bytes)).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    "shows the checkpoint before, when a rank dies in the middle of a write",
    async () => {
      const address = `daos://${makePool("c")}/c/fields`;
      const outcome = await simulate(2, address, "--kill-at-step", "8", "--kill-rank", "1");
      expect(outcome.status).not.toBe(0);
      expect(outcome.timedOut).toBe(false);
      expect(outcome.lines).toContainEqual(expect.objectContaining({ event: "dying", step: 8 }));
      const version = readVersion(address);
      expect(version?.header.step).toBe(4);
      expect(version && defectOf(version)).toBeUndefined();
    },
    TIMEOUT_MS,
  );
});

describeMpi("a simulation that cannot work", () => {
  test("tells why, with the code of the failure, and ends", async () => {
    const outcome = await simulate(2, `daos://${temporaryDirectory()}/pool/c/fields`);
    expect(outcome.status).toBe(1);
    expect(outcome.lines).toContainEqual(
      expect.objectContaining({ event: "failed", code: "DER_NONEXIST" }),
    );
  });
});

describeMpi("the driver", () => {
  test(
    "does all of it on a small box, and says so in its last line",
    () => {
      const out = join(temporaryDirectory(), "out");
      const args = [join(PROGRAMS, "main.js"), "--size", "16", "--steps", "20", "--out", out];
      const env = plainEnvironment();
      const { status, stdout, stderr } = runProgram(process.execPath, args, {
        env,
        timeoutMs: TIMEOUT_MS - 10_000,
      });
      expect({ status, stderr, stdout }).toMatchObject({ status: 0 });
      const last = JSON.parse(stdout.trim().split("\n").at(-1) as string);
      const bytes = 4096 + 2 * 8 * 16 ** 3;
      expect(last).toEqual({
        ok: true,
        job: "gray-scott",
        bitwiseEqual: true,
        partialVisible: false,
        ranks: [4, 4, 2],
        checkpoints: 10,
        bytes: 10 * bytes,
        writeMBps: expect.any(Number),
        png: join(out, "slice.png"),
      });
      expect(existsSync(last.png)).toBe(true);
      expect(existsSync(join(out, "checkpoints.csv"))).toBe(true);
    },
    TIMEOUT_MS,
  );
});
