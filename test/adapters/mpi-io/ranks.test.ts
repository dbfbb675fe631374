/**
 * MPI files under mpirun: decompositions, restart with other rank counts, failures of one rank, and
 * SIGKILL at random points.
 *
 * @module
 */

import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { type ContainerView, Pool } from "daos-ts";
import { File, Mode, SoloCommunicator } from "daos-ts/mpi-io";
import { available, FAMILIES, type Family, runRanks } from "../../support/mpirun.ts";
import { isNightly, seed } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const programs = path.join(path.dirname(fileURLToPath(import.meta.url)), "programs");
const program = (name: string) => path.join(programs, name);
const KILLS = isNightly ? 40 : 1;

let pool = "";
beforeEach(() => {
  pool = `${temporaryDirectory({ medium: "memory" })}/pool`;
  const handle = Pool.create({ path: pool, durability: "process" });
  handle.createContainer("c", { retainCommits: 3 });
  handle.close();
});

/** A strided file, however many records it has, takes the same space of the index. */
async function expectSmallIndex(family: Family): Promise<void> {
  const indexSizeAfter = async (records: number) => {
    const args = [`daos://${pool}/c/strided-${records}`, String(records)];
    const options = { family, ranks: 4, program: program("strided.mjs"), args };
    const outcome = await runRanks(options);
    expect(outcome).toMatchObject({ status: 0 });
    expect(outcome.lines).toHaveLength(4);
    for (const line of outcome.lines) expect(line).toMatchObject({ wrong: -1 });
    using handle = Pool.connect(pool);
    return handle.query().scm.live;
  };
  const before = await indexSizeAfter(1);
  const few = await indexSizeAfter(200);
  const many = await indexSizeAfter(20_000);
  // A page or two: a record for each of 20,000 blocks would take a hundred times as much.
  expect(many - few).toBeLessThanOrEqual(few - before + 8192);
}

for (const family of FAMILIES) {
  const suite = available(family) ? describe : describe.skip;

  suite(`File under ${family}`, () => {
    test("blocks written by 4 ranks read back on 4, 2 and 1 ranks, and the other way round", async () => {
      const address = `daos://${pool}/c/runs/field`;
      const run = async (action: string, ranks: number) => {
        const args = [action, address, "20"];
        const outcome = await runRanks({ family, ranks, program: program("decompose.mjs"), args });
        expect(outcome).toMatchObject({ status: 0, lines: [{ ranks, failures: 0 }] });
      };
      await run("write", 4);
      await run("read", 4);
      // Ranks of MPICH wait by turning: on two cores, jobs of four take seconds.
      if (family === "mpich" && !isNightly) return;
      await run("read", 2);
      await run("read", 1);
      await run("write", 2);
      await run("read", 4);
    });

    if (family === "openmpi" || isNightly) {
      test("the size of the index does not follow the number of strided records", () =>
        expectSmallIndex(family));
    }

    test("a failure on one rank is an error on all, and nothing of it is visible", async () => {
      const outcome = await runRanks({
        family,
        ranks: 3,
        program: program("failures.mjs"),
        args: [pool],
      });
      expect(outcome.lines).toHaveLength(3);
      for (const line of outcome.lines) {
        expect(line).toMatchObject({
          missingPool: "DER_NONEXIST",
          missingFile: "DER_NONEXIST",
          otherPath: "DER_MISMATCH",
          otherMode: "MPI_ERR_NOT_SAME",
          badHint: ["MPI_ERR_INFO_VALUE", "DER_INVAL"],
          nodes: "DER_NOSYS",
          badView: "MPI_ERR_TYPE",
          failedFlush: "DER_NOSPACE",
          afterFailure: "111",
          failedRecord: "DER_NOSPACE",
          afterRecord: "111",
          failedView: "DER_NOSPACE",
          failedLater: "DER_NOSPACE",
          retried: "none",
          afterRetry: "333",
          idleRank: "none",
          afterIdle: "443",
        });
      }
      expect(outcome.status).toBe(0);
    });
  });
}

const openMpi = available("openmpi") ? describe : describe.skip;

/** The step that a version of the file shows; throws if it shows parts of several. */
function stepOf(view: ContainerView, address: string): number {
  const file = File.open(new SoloCommunicator(), address, Mode.RDONLY, {
    daos_epoch: String(view.epoch),
  });
  const bytes = new Uint8Array(file.getSize());
  file.readAt(0, bytes);
  file.close();
  const [first = 0] = bytes;
  const torn = bytes.findIndex((byte) => byte !== first);
  if (torn >= 0) throw new Error(`byte ${torn} is of step ${bytes[torn]}, byte 0 of step ${first}`);
  return first;
}

openMpi("A job that is killed", () => {
  /** Runs checkpoints until a rank is killed, `delay` ms after the first acknowledged step. */
  async function runAndKill(address: string, victim: number, delay: number): Promise<number> {
    const pids = new Map<number, number>();
    let acknowledged = 0;
    const outcome = await runRanks({
      family: "openmpi",
      ranks: 4,
      program: program("checkpoints.mjs"),
      args: [address, "40", "47008"],
      kill: (line) => {
        const { pid, rank, step } = line as { pid?: number; rank?: number; step?: number };
        if (pid !== undefined && rank !== undefined) pids.set(rank, pid);
        if (step === 1) {
          setTimeout(() => process.kill(pids.get(victim) as number, "SIGKILL"), delay);
        }
        acknowledged = Math.max(acknowledged, step ?? 0);
        return undefined;
      },
    });
    expect(outcome.timedOut).toBe(false);
    expect(outcome.status).not.toBe(0);
    return acknowledged;
  }

  test(`leaves every acknowledged checkpoint whole, ${KILLS} times`, async () => {
    const address = `daos://${pool}/c/checkpoint`;
    for (let round = 0; round < KILLS; round++) {
      const acknowledged = await runAndKill(
        address,
        (seed + round) % 4,
        (seed * 37 + round * 61) % 200,
      );
      const handle = Pool.connect(pool);
      const container = handle.openContainer("c");
      const view = container.view();
      const step = stepOf(view, address);
      // The commit that was in flight may have gone through.
      expect([acknowledged % 256, (acknowledged + 1) % 256]).toContain(step);
      for (const { epoch, bytes } of container.commits()) {
        const older = container.view(epoch);
        if (bytes > 0) stepOf(older, address);
        older.close();
      }
      view.close();
      // What the dead ranks leased can be leased again.
      handle.recover();
      expect(handle.query().segments.leased).toBe(0);
      handle.close();
    }
  }, 120_000);
});
