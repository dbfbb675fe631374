/**
 * Set-up that cannot go on: what it prints, and that it stops with status 1.
 */

import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { checkOwnership } from "../../cli/setup/ownership.mjs";
import { runProgram } from "../support/processes.ts";
import { SetupClone } from "../support/setup-clone.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

describe("main.mjs", () => {
  test("without apt prints the exact list of packages and stops with status 1", async () => {
    const clone = new SetupClone();
    const programs = temporaryDirectory();
    symlinkSync(process.execPath, join(programs, "node"));
    const { status, output } = await clone.run({ PATH: programs, DAOS_SETUP_NO_SYSTEM: "" });
    expect(status).toBe(1);
    // What is known by its headers (PMIx, ISA-L) may be on this machine, and is then not in the list.
    expect(output).toMatch(/apt-get install -y gcc libc6-dev openmpi-bin libopenmpi-dev/);
    expect(output).toContain("DAOS_SETUP_NO_SYSTEM=1");
    expect(clone.log()).toEqual([]);
  });

  test("without a C compiler names the remedy and stops with status 1", async () => {
    const clone = new SetupClone();
    const programs = temporaryDirectory();
    symlinkSync(process.execPath, join(programs, "node"));
    const { status, output } = await clone.run({ PATH: programs, CC: "" });
    expect(status).toBe(1);
    expect(output).toMatch(/no C compiler[\s\S]*apt-get install gcc libc6-dev/);
  });

  test("with an unknown purpose stops with status 1", () => {
    const clone = new SetupClone();
    const main = join(clone.path, "cli", "setup", "main.mjs");
    const { status, stderr } = runProgram(process.execPath, [main, "nonsense"], {
      cwd: clone.path,
    });
    expect(status).toBe(1);
    expect(stderr).toContain('Unknown purpose "nonsense"');
  });
});

describe("checkOwnership()", () => {
  const self = process.getuid?.() as number;
  const other = self + 1;

  test("accepts what belongs to the user", () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, "node_modules", "package"), { recursive: true });
    expect(() => checkOwnership(folder, self)).not.toThrow();
  });

  test.each(["node_modules", "dist", "build"])("names the remedy for a foreign %s", (name) => {
    const folder = temporaryDirectory();
    chmodSync(folder, 0o777);
    mkdirSync(join(folder, name));
    expect(() => checkOwnership(folder, other)).toThrow(
      expect.objectContaining({
        name: "SetupError",
        remedy: expect.arrayContaining([expect.stringMatching(`sudo chown -R .*${name}`)]),
      }),
    );
  });

  (isRoot ? test : test.skip)(
    "as another user, stops with status 1 and the remedy (needs root)",
    async () => {
      const clone = new SetupClone();
      expect((await clone.run()).status).toBe(0);
      const main = join(clone.path, "cli", "setup", "main.mjs");
      const { status, stderr } = runProgram(process.execPath, [main, "start"], {
        cwd: clone.path,
        env: clone.environment(),
        uid: NOBODY,
        gid: NOBODY,
      });
      expect(status).toBe(1);
      expect(stderr).toMatch(/belong to another user[\s\S]*sudo chown -R \S+ .*node_modules/);
    },
  );
});
