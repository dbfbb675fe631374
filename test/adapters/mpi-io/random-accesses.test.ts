/**
 * Random views, datatypes and accesses, each also made to a native file, which says what is right; written on some
 * ranks, read and written on by others.
 *
 * The oracle of Open MPI is its ROMIO: OMPIO 4.1 returns zeros, and loses bytes, in some of these accesses at four ranks.
 */

import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { File, Mode, SoloCommunicator } from "daos-ts/mpi-io";
import { available, type Family, runRanks } from "../../support/mpirun.ts";
import { plainEnvironment, runProgram } from "../../support/processes.ts";
import { isNightly, seed } from "../../support/property.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const program = join(root, "test/adapters/mpi-io/programs/random-accesses.mjs");
const OPERATIONS = isNightly ? 300 : 60;
/** Ranks that go on with the same files, one job after the other. */
const JOBS: Record<Family, readonly number[]> = {
  openmpi: isNightly ? [4, 2, 1, 4] : [2, 1],
  mpich: isNightly ? [2, 1, 4] : [2],
};
const range = (count: number) => Array.from({ length: count }, (_, i) => seed + i);

let folder = "";

beforeAll(() => {
  folder = temporaryDirectory({ until: "file" });
  const pool = Pool.create({ path: join(folder, "pool"), durability: "process" });
  pool.createContainer("c", { retainCommits: 2 });
  pool.close();
});

const placesOf = (name: string) => [`daos://${folder}/pool/c/${name}`, join(folder, name)];

test.each(range(isNightly ? 100 : 1))(
  "one rank without MPI sees what a file holds, seed %i",
  (one) => {
    const env = plainEnvironment();
    for (const part of [1, 2]) {
      const numbers = [String(one * 10 + part), String(2 * OPERATIONS)];
      const args = [program, ...placesOf(`solo-${one}`), ...numbers, "solo", "past-end"];
      const { status, stdout, stderr } = runProgram(process.execPath, args, { env });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(JSON.parse(stdout)).toMatchObject({ differences: [] });
    }
  },
);

describe.each<Family>(["openmpi", "mpich"])("ranks of %s", (family) => {
  const run = available(family) ? test : test.skip;

  run.each(range(isNightly ? 20 : 1))("see what the library's file holds, seed %i", async (one) => {
    for (const [part, ranks] of JOBS[family].entries()) {
      const numbers = [String(one * 10 + part), String(OPERATIONS)];
      const args = [...placesOf(`${family}-${one}`), ...numbers];
      const env = { OMPI_MCA_io: "romio321" };
      const { status, lines, stderr } = await runRanks({ family, ranks, program, args, env });
      expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
      expect(lines).toHaveLength(ranks);
      for (const line of lines) expect(line).toMatchObject({ differences: [] });
    }
  });
});

/** All bytes of a file in the container. */
function contentOf(address: string): Uint8Array {
  const file = File.open(new SoloCommunicator(), address, Mode.RDONLY);
  const bytes = new Uint8Array(file.getSize());
  file.readAt(0, bytes);
  file.close();
  return bytes;
}

/** Whether a file holds a version; a size that grew behind it has added zeros. */
function holds(found: Uint8Array, version: Uint8Array): boolean {
  const start = Buffer.from(found.buffer, found.byteOffset, version.length);
  return (
    found.length >= version.length &&
    start.equals(version) &&
    found.subarray(version.length).every((byte) => byte === 0)
  );
}

/** Both libraries run the same code here: the gate sees one. */
const KILLED: Family[] = isNightly ? ["openmpi", "mpich"] : ["openmpi"];

describe.each(KILLED)("a job of %s that is killed", (family) => {
  const run = available(family) ? test : test.skip;

  run.each(range(isNightly ? 20 : 1))("leaves one of its versions, seed %i", async (one) => {
    const [address, native] = placesOf(`killed-${family}-${one}`) as [string, string];
    const ranks = isNightly ? 4 : 2;
    const pids = new Map<number, number>();
    let acknowledged = 0;
    const kill = (line: unknown) => {
      const { rank, pid, acknowledged: number } = line as Record<string, number | undefined>;
      if (rank !== undefined && pid !== undefined) pids.set(rank, pid);
      if (number === undefined) return undefined;
      acknowledged = number;
      // Some milliseconds later it is somewhere between two commits, or within one.
      if (number === 3 + (one % 5)) {
        const victim = pids.get(one % ranks) as number;
        setTimeout(() => process.kill(victim, "SIGKILL"), (one * 7) % 40);
      }
      return undefined;
    };
    const job = { family, ranks, program, env: { OMPI_MCA_io: "romio321" } };
    const args = [address, native, String(one), "5000", "to-be-killed"];
    const killed = await runRanks({ ...job, args, kill });
    expect({ status: killed.status === 0, timedOut: killed.timedOut }).toEqual({
      status: false,
      timedOut: false,
    });

    using pool = Pool.connect(`${folder}/pool`);
    pool.recover();
    const found = contentOf(address);
    const number = [acknowledged, acknowledged + 1].find((candidate) => {
      try {
        return holds(found, readFileSync(`${native}.${candidate}`));
      } catch {
        return false;
      }
    });
    expect(number).toBeDefined();

    // Another job goes on with what was left.
    writeFileSync(native, readFileSync(`${native}.${number}`));
    truncateSync(native, found.length);
    const next = await runRanks({ ...job, args: [address, native, String(one + 1), "20"] });
    expect(next.lines).toMatchObject(Array(ranks).fill({ differences: [] }));
  });
});
