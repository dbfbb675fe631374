/**
 * Set-up of a clone: does its steps once, says so, and goes on after being killed in the middle of any of them.
 */

import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { SetupClone, type Step } from "../support/setup-clone.ts";

const POLL_INTERVAL_MS = 20;

describe("set-up", () => {
  test("does every step once, and nothing the second time", async () => {
    const clone = new SetupClone();
    const first = await clone.run();
    expect(first).toMatchObject({ status: 0 });
    const log = clone.log();
    expect(log).toEqual(expect.arrayContaining(["npm", "native", "tsc"]));

    const start = performance.now();
    const second = await clone.run();
    const elapsedMs = Math.round(performance.now() - start);
    expect(second.status).toBe(0);
    expect(clone.log()).toEqual(log);
    for (const step of ["npm packages", "native parts", "TypeScript"]) {
      expect(second.output).toContain(`set-up: ${step}: present\n`);
    }
    process.stdout.write(`set-up with nothing to do: ${elapsedMs} ms\n`);
  });

  test("compiles again when a source changed, and installs again when the lock file changed", async () => {
    const clone = new SetupClone();
    await clone.run();
    const before = clone.log().length;
    writeFileSync(join(clone.path, "core", "index.ts"), "export const changed = true;\n");
    await clone.run();
    expect(clone.log().slice(before)).toEqual(["tsc"]);
    writeFileSync(join(clone.path, "package-lock.json"), "{}\n");
    await clone.run();
    expect(clone.log().slice(before + 1)).toContain("npm");
  });

  test("removes compiled files whose source is gone", async () => {
    const clone = new SetupClone();
    await clone.run();
    const outputs = join(clone.path, "dist", "core");
    const orphan = join(outputs, "gone.js");
    mkdirSync(outputs, { recursive: true });
    for (const file of [orphan, join(outputs, "index.js")]) writeFileSync(file, "");
    utimesSync(join(clone.path, "core", "index.ts"), 1, 1);
    await clone.run();
    expect(statSync(orphan, { throwIfNoEntry: false })).toBeUndefined();
    expect(statSync(join(outputs, "index.js")).isFile()).toBe(true);
  });

  test.each<Step>(["npm", "native", "tsc"])(
    "goes on after SIGKILL in the middle of %s",
    async (step) => {
      const clone = new SetupClone();
      clone.hang(step);
      const child = clone.start();
      const closed = new Promise((resolve) => child.on("close", resolve));
      await waitFor(() => clone.log().includes(`${step} hangs`));
      process.kill(-(child.pid as number), "SIGKILL");
      await closed;

      rmSync(join(clone.path, `hang-${step}`));
      const before = clone.log().length;
      const { status } = await clone.run();
      expect(status).toBe(0);
      expect(clone.log().slice(before)).toContain(step);
      expect((await clone.run()).output).toContain("set-up: TypeScript: present\n");
    },
  );

  test("a step that fails lets the one beside it come to its end", async () => {
    const clone = new SetupClone();
    clone.fail("native");
    const { status, output } = await clone.run();
    expect(status).toBe(1);
    expect(output).toContain("native has failed");
    rmSync(join(clone.path, "fail-native"));
    const second = await clone.run();
    expect(second.status).toBe(0);
    expect(second.output).toContain("set-up: TypeScript: present\n");
  });

  test("steps that fail side by side are all told", async () => {
    const clone = new SetupClone();
    clone.fail("native");
    clone.fail("tsc");
    const { status, output } = await clone.run();
    expect(status).toBe(1);
    expect(output).toContain("FAILED: tsc -b failed with status 1");
    expect(output).toContain("FAILED: native has failed");
  });

  test("does the work once when two are started together", async () => {
    const clone = new SetupClone();
    const outcomes = await Promise.all([clone.run(), clone.run()]);
    expect(outcomes.map(({ status }) => status)).toEqual([0, 0]);
    expect(clone.log().filter((line) => line === "npm")).toHaveLength(1);
    expect(outcomes.map(({ output }) => output).join("")).toContain("waiting for another set-up");
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
}
