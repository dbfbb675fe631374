/**
 * The driver of the Gray-Scott example: options, workspace, and what it says where mpirun is missing.
 */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { isDaosError, Pool } from "daos-ts";
import { findLauncher } from "../../dist/examples/gray-scott/launcher.js";
import { parseOptions } from "../../dist/examples/gray-scott/options.js";
import { formatCsv, formatTable, totalsOf } from "../../dist/examples/gray-scott/report.js";
import { prepareWorkspace } from "../../dist/examples/gray-scott/workspace.js";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const MAIN = join(root, "dist", "examples", "gray-scott", "main.js");

function parse(...flags: string[]) {
  return parseOptions(["node", "main.js", ...flags]);
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isDaosError(error) ? error.code : String(error);
  }
  return undefined;
}

describe("parseOptions()", () => {
  test("has defaults that make six checkpoints and restart on half the ranks", () => {
    const options = parse();
    expect(options).toMatchObject({ size: 96, ranks: 4, restartRanks: 2 });
    expect(options.steps / options.every).toBe(6);
    expect(options.killStep).toBe(4 * options.every);
  });

  test("never kills the first checkpoint, and keeps the one before within the last four", () => {
    for (const [steps, every] of [
      [2, 1],
      [3, 2],
      [20, 7],
      [100, 1],
    ]) {
      const { killStep } = parse("--steps", `${steps}`, "--every", `${every}`);
      expect(killStep).toBeGreaterThan(every!);
      expect(killStep).toBeLessThanOrEqual(steps!);
      expect(Math.ceil((steps! - killStep) / every!)).toBeLessThanOrEqual(2);
    }
  });

  test("refuses a plan with one checkpoint", () => {
    expect(codeOf(() => parse("--steps", "5", "--every", "5"))).toBe("DER_INVAL");
  });

  test("refuses more ranks than cells", () => {
    expect(codeOf(() => parse("--size", "2", "--ranks", "27"))).toBe("DER_INVAL");
    expect(codeOf(() => parse("--size", "2", "--restart-ranks", "3"))).toBe("DER_INVAL");
  });

  test("restarts one rank on two", () => {
    expect(parse("--ranks", "1").restartRanks).toBe(2);
  });
});

describe("prepareWorkspace()", () => {
  test("makes directories, and replaces what an earlier run left", () => {
    const out = join(temporaryDirectory(), "a", "out");
    for (const _ of [1, 2]) {
      const { workspace, pool } = prepareWorkspace(out);
      expect(pool.listContainers()).toEqual([]);
      pool.createContainer("c");
      pool.close();
      writeFileSync(workspace.picture, "old");
    }
  });

  test("keeps files that it does not know", () => {
    const out = temporaryDirectory();
    prepareWorkspace(out).pool.close();
    writeFileSync(join(out, "notes.txt"), "mine");
    prepareWorkspace(out).pool.close();
    expect(existsSync(join(out, "notes.txt"))).toBe(true);
  });

  test("refuses a directory that holds something else", () => {
    const out = temporaryDirectory();
    mkdirSync(join(out, "pool"));
    expect(codeOf(() => prepareWorkspace(out))).toBe("DER_EXIST");
  });

  test("takes a pool elsewhere, replaces its own, and refuses another's", () => {
    const [out, pool] = [temporaryDirectory(), join(temporaryDirectory(), "p")];
    for (const _ of [1, 2]) prepareWorkspace(out, pool).pool.close();
    const other = join(temporaryDirectory(), "pool");
    Pool.create({ path: other, label: "precious" }).close();
    expect(codeOf(() => prepareWorkspace(out, other))).toBe("DER_EXIST");
    expect(Pool.connect(other, { mode: "ro" }).label).toBe("precious");
  });
});

test("formatTable() and formatCsv() list every checkpoint", () => {
  const checkpoints = [
    { run: "reference", step: 10, epoch: 1n << 60n, bytes: 2_000_000, seconds: 0.5 },
    { run: "killed", step: 20, epoch: (1n << 60n) + 1n, bytes: 2_000_000, seconds: 1.5 },
  ];
  expect(totalsOf(checkpoints)).toEqual({ bytes: 4_000_000, seconds: 2, rate: 2 });
  const lines = formatTable(checkpoints).split("\n");
  expect(lines).toHaveLength(6);
  expect(lines[2]).toMatch(/^reference .* 10 +2000000 +0\.5000 +4\.0$/);
  const csv = formatCsv(checkpoints).trim().split("\n");
  expect(csv).toHaveLength(3);
  expect(csv[2]?.split(",")).toHaveLength(csv[0]?.split(",").length as number);
});

describe("without mpirun", () => {
  test("findLauncher() throws DER_SETUP", () => {
    expect(codeOf(() => findLauncher({ PATH: temporaryDirectory() }))).toBe("DER_SETUP");
  });

  test("the driver says what is missing, ends with status 1, and touches nothing", () => {
    const out = join(temporaryDirectory(), "out");
    const env = plainEnvironment({ PATH: temporaryDirectory() });
    const outcome = runProgram(process.execPath, [MAIN, "--out", out], { env });
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toMatch(/\*\*\* Looking for mpirun failed[\s\S]*openmpi-bin/);
    const last = JSON.parse(outcome.stdout.trim().split("\n").at(-1) as string);
    expect(last).toMatchObject({ ok: false, job: "gray-scott", error: "DER_SETUP" });
    expect(existsSync(out)).toBe(false);
  });
});

test("--help lists the flags", () => {
  const { status, stdout } = runProgram(process.execPath, [MAIN, "--help"]);
  expect(status).toBe(0);
  for (const flag of ["--size", "--steps", "--every", "--ranks", "--out", "--pool"]) {
    expect(stdout).toContain(flag);
  }
});
