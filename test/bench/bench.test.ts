/**
 * The benchmarks run: every case, with sizes that measure nothing. No figure is judged here.
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { debianH5py } from "../support/h5py.ts";
import { interopPython } from "../support/interop.ts";
import { available, oneNodeEnvironment } from "../support/mpirun.ts";
import { runProgram } from "../support/processes.ts";
import { isNightly } from "../support/property.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const PROGRAM = join(root, "dist/bench/main.js");

const TIMEOUT_MS = 240_000;

const CASES = [
  /^single value update 64 B/,
  /^single value update 4096 B/,
  /^single value fetch 64 B/,
  /^single value fetch 4096 B/,
  /^single value update 64 KiB$/,
  /^single value fetch 64 KiB$/,
  /^single value update 1 MiB$/,
  /^single value fetch 1 MiB$/,
  /^array update 1 MiB extents$/,
  /^array read 64 MiB by 64 writers in 4 KiB blocks$/,
  /^array strided run of 1,000,000 blocks of 1 KiB, index$/,
  /^array strided run of 1,000,000 blocks of 1 KiB, commit$/,
  /^array read 4 KiB over 100,000 commits$/,
  /^array first read over 100,000 commits$/,
  /^array read 4 KiB after 100,000 overwrites, aggregated$/,
  /^array read 1 MiB after 100,000 overwrites, aggregated$/,
  /^array space used after 100,000 overwrites, aggregated$/,
  /^array overwriting of 256 MiB, aggregated after each round$/,
  /^array space used by 1,000 short-lived writers of 5 KiB$/,
];

/** Cases of the suite `hdf5`, with their phases. */
const HDF5_CASES: readonly (readonly [string, readonly string[]])[] = [
  ["256^3 float64 in blocks, contiguous", ["write", "read"]],
  ["256^3 float64 in blocks, chunked 64^3", ["write", "read"]],
  ["256^3 float64 in blocks, chunked 64^3, gzip 4", ["write"]],
  ["256 MiB contiguous", ["write", "read"]],
  ["points of 8 MiB, at random", ["read"]],
  ["datasets of 80 bytes", ["create"]],
  ["1 GiB .h5, contiguous", ["export", "import"]],
  ["1 GiB .h5, chunked 64^3", ["export", "import"]],
];

/** A line of the output. */
interface Line {
  readonly case: string;
  readonly ranks: number;
  readonly fs: string;
  readonly value: number;
  readonly ratio: number;
}

function bench(...options: readonly string[]) {
  const env = { ...process.env, ...oneNodeEnvironment() };
  return runProgram(process.execPath, [PROGRAM, ...options], { env, timeoutMs: TIMEOUT_MS });
}

describe("npm run bench -- dfs", () => {
  test("measures one and four processes, and leaves nothing behind", () => {
    const disk = temporaryDirectory({ medium: "disk" });
    const options = ["--tiny", "--rounds", "1", "--json", "--disk", disk];
    const { status, stdout } = bench("dfs", ...options, "--case", "dfs-power-create-0");
    expect(status).toBe(0);
    const rows = JSON.parse(stdout) as Line[];
    expect(rows.map((row) => [row.case, row.ranks, row.fs])).toEqual([
      ["dfs-power-create-0", 1, "disk"],
      ["dfs-power-create-0-64-at-once", 1, "disk"],
      ["dfs-power-create-0", 4, "disk"],
      ["dfs-power-create-0-64-at-once", 4, "disk"],
    ]);
    for (const row of rows) expect(Math.min(row.value, row.ratio)).toBeGreaterThan(0);
    expect(readdirSync(disk)).toEqual([]);
  });
});

describe("npm run bench -- arrow-flight", () => {
  // Each case starts six processes.
  const run = isNightly && interopPython !== undefined ? test : test.skip;

  run("reads and writes as much as it says, and leaves nothing behind", () => {
    const disk = temporaryDirectory({ medium: "disk" });
    const options = ["--tiny", "--rounds", "1", "--json", "--disk", disk];
    const { status, stdout } = bench("arrow-flight", ...options);
    expect(status).toBe(0);
    const rows = JSON.parse(stdout) as Line[];
    const names = ["Flight DoGet", "Flight DoPut"].map(
      (name) => `${name}, 1 MiB batches, loopback`,
    );
    expect(new Set(rows.map((row) => row.case))).toEqual(new Set(names));
    for (const row of rows) expect(Math.min(row.value, row.ratio)).toBeGreaterThan(0);
    expect(readdirSync(disk)).toEqual([]);
  });
});

describe("npm run bench -- hdf5", () => {
  // The cases of four ranks start Python often: the gate runs one of a single process.
  const run = debianH5py !== undefined && available("openmpi") ? test : test.skip;
  const cases = HDF5_CASES.filter(([name]) => isNightly || name.startsWith("datasets"));
  const chosen = isNightly ? [] : ["--case", "datasets of 80 bytes"];

  run(
    "writes and reads as much as it says, and leaves nothing behind",
    () => {
      const disk = temporaryDirectory({ medium: "disk" });
      const options = ["--tiny", "--rounds", "1", "--json", "--disk", disk];
      const { status, stdout } = bench("hdf5", ...options, ...chosen);
      expect(status).toBe(0);
      const rows = JSON.parse(stdout) as Line[];
      const names = cases.flatMap(([name, phases]) =>
        phases.map((phase) => `hdf5 ${name}: ${phase}`),
      );
      expect(new Set(rows.map((row) => row.case))).toEqual(new Set(names));
      for (const row of rows) {
        expect([1, 4]).toContain(row.ranks);
        expect(Math.min(row.value, row.ratio)).toBeGreaterThan(0);
      }
      expect(readdirSync(disk)).toEqual([]);
    },
    300_000,
  );
});

describe("npm run bench -- arrow", () => {
  // Each case starts three processes.
  const run = isNightly ? test : test.skip;

  run("checks what it reads and writes, and leaves nothing behind", () => {
    const disk = temporaryDirectory({ medium: "disk" });
    const { status, stdout } = bench("arrow", "--tiny", "--rounds", "1", "--json", "--disk", disk);
    expect(status).toBe(0);
    const rows = JSON.parse(stdout) as Line[];
    expect(new Set(rows.map((row) => row.case)).size).toBe(5);
    for (const row of rows) expect(Math.min(row.value, row.ratio)).toBeGreaterThan(0);
    expect(readdirSync(disk)).toEqual([]);
  });
});

describe("npm run bench -- mpi-io", () => {
  const run = available("openmpi") ? test : test.skip;

  run("reads back what it wrote, by each way and decomposition, and leaves nothing behind", () => {
    const disk = temporaryDirectory({ medium: "disk" });
    const options = ["--tiny", "--rounds", "1", "--ranks", "2", "--json", "--disk", disk];
    const names = isNightly ? ["mpi-io "] : ["mpi-io hard: "];
    for (const name of names) {
      const { status, stdout } = bench("mpi-io", ...options, "--case", name);
      expect(status).toBe(0);
      const rows = JSON.parse(stdout) as Line[];
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) {
        expect(row.case).toContain(name);
        expect(row.ranks).toBe(2);
        expect(Math.min(row.value, row.ratio)).toBeGreaterThan(0);
      }
    }
    expect(readdirSync(disk)).toEqual([]);
  });
});

describe("npm run bench -- vos", () => {
  test("prints one JSON array of all cases, on each place, and leaves nothing behind", () => {
    const disk = temporaryDirectory({ medium: "disk" });
    const { status, stdout } = bench("vos", "--tiny", "--rounds", "1", "--json", "--disk", disk);
    expect(status).toBe(0);
    const rows = JSON.parse(stdout) as Line[];
    for (const fs of new Set(rows.map((row) => row.fs))) {
      const names = rows.filter((row) => row.fs === fs).map((row) => row.case);
      for (const name of CASES) expect(names).toContainEqual(expect.stringMatching(name));
    }
    for (const row of rows) {
      expect(row.value).toBeGreaterThan(0);
      expect(row.ratio).toBeGreaterThan(0);
      expect(row.ranks).toBe(1);
    }
    expect(readdirSync(disk)).toEqual([]);
  });

  test("--case measures the cases with the text in their names, in a table", () => {
    const disk = temporaryDirectory({ medium: "disk" });
    const options = ["--tiny", "--rounds", "1", "--disk", disk];
    const { status, stdout } = bench("vos", ...options, "--case", "short-lived");
    expect(status).toBe(0);
    const [header, ...lines] = stdout.trim().split("\n");
    expect(header).toMatch(/^case +ranks +fs +ours +ratio +target$/);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/^array space used by .* limit /);
  });

  test.each([
    ["a suite that is not there", ["nosuch"], /suites are: .*\bvos\b/],
    ["no rounds", ["vos", "--rounds", "0"], /from 1 to 1000/],
    ["rounds that are no number", ["vos", "--rounds", "many"], /from 1 to 1000/],
    ["a case that is not there", ["vos", "--case", "nosuch"], /no case has a name with "nosuch"/],
    ["a directory that is not there", ["vos", "--disk", "/nonexistent"], /no such directory/],
  ])("refuses %s with a message", (_what, options, message) => {
    const { status, stdout, stderr } = bench(...options);
    expect(status).not.toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
