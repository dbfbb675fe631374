/**
 * Random views, datatypes and accesses, each also made to a native file, which says what is right; written on some
 * ranks, read and written on by others.
 *
 * The oracle of Open MPI is its ROMIO: OMPIO 4.1 returns zeros, and loses bytes, in some of these accesses at four ranks.
 */

import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
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

test.each(range(isNightly ? 100 : 2))(
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
