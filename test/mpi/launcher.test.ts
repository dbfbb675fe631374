/**
 * Launcher and library: each launcher gets the library of its family, and no other.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { detectLauncher } from "../../mpi/dist/launcher.js";
import { selectAddon } from "../../mpi/dist/library.js";
import { available, FAMILIES, runRanks } from "../support/mpirun.ts";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { root } from "../support/root.ts";

const program = join(root, "test/mpi/programs/environment.mjs");

const OPEN_MPI = {
  OMPI_COMM_WORLD_RANK: "1",
  OMPI_COMM_WORLD_SIZE: "4",
  PMIX_NAMESPACE: "7",
  PMIX_RANK: "1",
};
const HYDRA = {
  PMI_RANK: "2",
  PMI_SIZE: "3",
  PMI_FD: "6",
  MPI_LOCALRANKID: "2",
  MPI_LOCALNRANKS: "3",
};
const SLURM = { SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "2", SLURM_LOCALID: "0" };

describe("detectLauncher()", () => {
  const cases: [string, Record<string, string>, boolean, object | undefined][] = [
    ["nothing", {}, true, undefined],
    ["mpirun", OPEN_MPI, false, { family: "openmpi", rank: 1, size: 4 }],
    ["mpiexec", HYDRA, true, { family: "mpich", rank: 2, size: 3, localSize: 3 }],
    ["mpiexec without a descriptor", { PMI_RANK: "0", PMI_SIZE: "2" }, false, { family: "mpich" }],
    ["mpiexec whose socket is gone", HYDRA, false, { family: "none", size: 3 }],
    ["mpiexec inside mpirun", { ...OPEN_MPI, ...HYDRA }, true, { family: "mpich" }],
    ["mpirun inside mpiexec", { ...OPEN_MPI, ...HYDRA }, false, { family: "openmpi" }],
    ["srun without PMI", SLURM, false, { family: "none", size: 2 }],
    ["srun with PMIx", { ...SLURM, PMIX_NAMESPACE: "x" }, false, { family: "any", size: 2 }],
    [
      "another PMIx launcher",
      { PMIX_NAMESPACE: "x", PMIX_RANK: "5" },
      false,
      { family: "any", rank: 5 },
    ],
    ["a batch script of Slurm", { SLURM_PROCID: "0", SLURM_NTASKS: "8" }, false, undefined],
    [
      "nonsense",
      { OMPI_COMM_WORLD_RANK: "x", OMPI_COMM_WORLD_SIZE: "-1", PMI_SIZE: "3" },
      true,
      undefined,
    ],
  ];
  test.each(cases)("knows %s", (_, env, isSocket, expected) => {
    const launcher = detectLauncher(env, () => isSocket);
    if (expected === undefined) expect(launcher).toBeUndefined();
    else expect(launcher).toMatchObject(expected);
  });
});

describe("selectAddon()", () => {
  const openmpi = { name: "mpi-openmpi", family: "openmpi" };
  const mpich = { name: "mpi-mpich", family: "mpich" };
  const custom = { name: "mpi-custom", family: "mpich" };
  const mpirun = detectLauncher(OPEN_MPI, () => false);
  const mpiexec = detectLauncher(HYDRA, () => true);
  const code = (run: () => unknown) => {
    try {
      return run();
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  test("takes the family of the launcher, and a custom build before the others", () => {
    expect(selectAddon([openmpi, mpich], mpirun)).toBe(openmpi);
    expect(selectAddon([openmpi, mpich], mpiexec)).toBe(mpich);
    expect(selectAddon([custom, openmpi, mpich], mpiexec)).toBe(custom);
    expect(selectAddon([openmpi, mpich], undefined)).toBe(openmpi);
    expect(selectAddon([openmpi, mpich], undefined, "mpich")).toBe(mpich);
  });

  test("refuses a launcher whose family is not built", () => {
    expect(code(() => selectAddon([mpich], mpirun))).toBe("MPI_WRONG_LAUNCHER");
    expect(code(() => selectAddon([openmpi], mpiexec))).toBe("MPI_WRONG_LAUNCHER");
    expect(code(() => selectAddon([openmpi, mpich], mpiexec, "openmpi"))).toBe(
      "MPI_WRONG_LAUNCHER",
    );
    expect(code(() => selectAddon([], mpirun))).toBe("MPI_NOT_BUILT");
    expect(code(() => selectAddon([openmpi], undefined, "mpich"))).toBe("MPI_NOT_BUILT");
  });

  test("refuses a launcher that no library can join", () => {
    const orphan = detectLauncher(HYDRA, () => false);
    expect(code(() => selectAddon([openmpi, mpich], orphan))).toBe("MPI_WRONG_LAUNCHER");
  });
});

describe.each(FAMILIES)("under %s", (family) => {
  const run = available(family) ? test : test.skip;
  const other = family === "mpich" ? "openmpi" : "mpich";

  run("the library describes itself, and works from a worker thread", async () => {
    const { lines, status } = await runRanks({ family, ranks: 2, program, args: ["worker"] });
    expect(status).toBe(0);
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toMatchObject({
        size: 2,
        name: "MPI_COMM_WORLD",
        selfSize: 1,
        isInitialized: true,
        libraryVersion: expect.stringContaining(family === "mpich" ? "MPICH" : "Open MPI"),
        ticks: true,
        worker: { source: 0, received: 17 },
      });
    }
  });

  const both = available(family) && available(other) ? test : test.skip;
  both("a library of the other family is MPI_WRONG_LAUNCHER", async () => {
    const env = { DAOS_MPI_FAMILY: other };
    const { lines } = await runRanks({ family, ranks: 2, program, env });
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatchObject({ code: "MPI_WRONG_LAUNCHER" });
  });

  run("no addon at all is MPI_NOT_BUILT", async () => {
    const env = { DAOS_MPI_BUILD_DIR: join(root, "test/mpi/no-such-folder") };
    const { lines } = await runRanks({ family, ranks: 2, program, env });
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatchObject({ code: "MPI_NOT_BUILT" });
  });
});

describe("a process that was started alone", () => {
  test("is solo, and needs no addon", () => {
    const env = plainEnvironment({ DAOS_MPI_BUILD_DIR: join(root, "test/mpi/no-such-folder") });
    const { stdout } = runProgram(process.execPath, [program], { env });
    expect(JSON.parse(stdout)).toMatchObject({ size: 1, libraryVersion: "solo", ticks: true });
  });

  test("cannot init() without an addon", () => {
    const env = plainEnvironment({ DAOS_MPI_BUILD_DIR: join(root, "test/mpi/no-such-folder") });
    const { stdout, status } = runProgram(process.execPath, [program, "init"], { env });
    expect(JSON.parse(stdout)).toMatchObject({ code: "MPI_NOT_BUILT" });
    expect(status).toBe(3);
  });
});
