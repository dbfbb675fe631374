/**
 * Pool.upgrade: up to date, newer, unknown, in use; and steps of made-up formats, killed anywhere.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { Program } from "../support/program.ts";

const internals = (name: string) => import(join(root, "dist", "core", "pool", `${name}.js`));
const { upgradePool } = await internals("pool-upgrade");
const { decodeSuperblock, encodeSuperblock, superblockVersion } =
  await internals("superblock-format");
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

/** A pool whose superblock says another version. */
function poolOfVersion(version: number): string {
  const path = `${temporaryDirectory()}/pool`;
  {
    using pool = Pool.create({ path, durability: "process" });
    pool.createContainer("c").update((tx) => tx.punch(1n));
  }
  const file = join(path, "POOL");
  writeFileSync(file, encodeSuperblock(decodeSuperblock(readFileSync(file), path), version));
  return path;
}

test("Pool.upgrade() does nothing to a pool that is up to date", () => {
  const path = poolOfVersion(1);
  const before = readFileSync(join(path, "POOL"));
  expect(Pool.upgrade(path)).toEqual({ path, from: 1, to: 1, steps: [] });
  expect(readFileSync(join(path, "POOL"))).toEqual(before);
  expect(() => Pool.upgrade(join(path, "none"))).toThrow(code("DER_NONEXIST"));
});

test.each([2, 0, 0xffff_ffff])("Pool.upgrade() and connect() refuse version %i", (version) => {
  const path = poolOfVersion(version);
  const before = readFileSync(join(path, "POOL"));
  expect(() => Pool.upgrade(path)).toThrow(code("DER_DF_INCOMPT"));
  expect(() => Pool.connect(path)).toThrow(code("DER_DF_INCOMPT"));
  expect(() => Pool.connect(path)).toThrow(version === 0 ? /Pool\.upgrade/ : /Use a release/);
  expect(readFileSync(join(path, "POOL"))).toEqual(before);
});

test("Pool.upgrade() refuses a damaged superblock, and a pool that is open", () => {
  const path = poolOfVersion(1);
  using pool = Pool.connect(path);
  expect(() => Pool.upgrade(path)).toThrow(code("DER_BUSY"));
  pool.close();
  const file = join(path, "POOL");
  const bytes = readFileSync(file);
  bytes[20] = (bytes[20] as number) ^ 0xff;
  writeFileSync(file, bytes);
  expect(() => Pool.upgrade(path)).toThrow(code("DER_DF_INVAL"));
});

test("steps run in order with the pool to themselves, and a failed one changes no version", () => {
  const path = poolOfVersion(0);
  const failing = {
    to: 1,
    summary: "fails",
    run: () => {
      throw new TypeError("bug");
    },
  };
  expect(() => upgradePool(path, {}, { steps: [failing], newest: 1 })).toThrow(TypeError);
  expect(() => Pool.connect(path)).toThrow(code("DER_DF_INCOMPT"));
  const run = () => expect(() => upgradePool(path, {})).toThrow(code("DER_BUSY"));
  const steps = [{ to: 1, summary: "looks", run }];
  expect(upgradePool(path, {}, { steps, newest: 1 })).toMatchObject({ from: 0, steps: ["looks"] });
  Pool.connect(path).close();
});

test("an upgrade that is killed at any step is ended by the next one", async () => {
  let killed = 0;
  for (let at = 1; ; at++) {
    const path = poolOfVersion(1);
    const upgrade = async (call: number) => {
      const program = new Program("upgrade-pool", [path, `${call}`]);
      await program.ended();
      expect(program.errors).toBe("");
      return program.lines;
    };
    if ((await upgrade(at)).length > 0) break;
    killed += 1;
    await upgrade(0);
    expect(readdirSync(join(path, "nvme"))).toEqual(["step-1", "step-2"]);
    const superblock = readFileSync(join(path, "POOL"));
    expect(superblockVersion(superblock, path)).toBe(3);
    // It is whole: only its version is none of this release.
    expect(decodeSuperblock(superblock, path, 3)).toMatchObject({ durability: "process" });
    expect(() => Pool.connect(path)).toThrow(code("DER_DF_INCOMPT"));
  }
  expect(killed).toBeGreaterThan(4);
});
