/**
 * Pool.destroy: what it refuses, what it leaves, and what a kill at any of its steps leaves.
 */

import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Pattern, Pool, wholeOf } from "daos-ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { Program } from "../support/program.ts";

const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

/** A pool with a container that holds something, its tiers elsewhere if asked for. */
function filledPool(path: string, tiers: { scm?: string; nvme?: string } = {}): string {
  using pool = Pool.create({ path, durability: "process", ...tiers });
  const range = wholeOf(Pattern.contiguous(0, 10_000));
  pool.createContainer("c").update((tx) => tx.write(1n, range, new Uint8Array(10_000).fill(7), 0n));
  return path;
}

test("Pool.destroy() removes the directory, and tells what it removed", () => {
  const path = join(temporaryDirectory(), "pool");
  Pool.create({ path }).close();
  const { files, bytes, left } = Pool.destroy(path);
  expect(files).toBe(4);
  expect(bytes).toBeGreaterThan(65_536);
  expect(left).toEqual([]);
  expect(existsSync(path)).toBe(false);
  expect(() => Pool.destroy(path)).toThrow(code("DER_NONEXIST"));
  Pool.create({ path }).close();
});

test("Pool.destroy() refuses open pools, pools with containers, and users who do not own it", async () => {
  const path = filledPool(join(temporaryDirectory(), "pool"));
  expect(() => Pool.destroy(path)).toThrow(code("DER_BUSY"));
  const bob = { user: "bob", groups: [] };
  expect(() => Pool.destroy(path, { recursive: true, identity: bob })).toThrow(code("DER_NO_PERM"));
  const other = new Program("hold-view", [path, "1"]);
  await other.printed(1);
  expect(() => Pool.destroy(path, { recursive: true })).toThrow(code("DER_BUSY"));
  await other.kill();
  const pool = Pool.connect(path);
  expect(() => Pool.destroy(path, { recursive: true })).toThrow(code("DER_BUSY"));
  expect(pool.openContainer("c").view().readBytes(1n, 0, 1)[0]).toBe(7);
  Pool.destroy(path, { recursive: true, force: true });
  expect(existsSync(path)).toBe(false);
  const range = wholeOf(Pattern.contiguous(0, 10_000));
  const write = () =>
    pool.openContainer("c").update((tx) => tx.write(2n, range, new Uint8Array(10_000), 0n));
  expect(write).toThrow();
  pool.close();
});

test("Pool.destroy() leaves what is not the pool's, and the directories that links name", () => {
  const folder = temporaryDirectory();
  const [path, scm, nvme] = ["pool", "fast", "large"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  filledPool(path, { scm, nvme });
  for (const name of [join(path, "notes"), join(scm, "mine"), join(nvme, "1.seg")])
    writeFileSync(name, "kept");
  mkdirSync(join(nvme, "000000000001"));
  const { left } = Pool.destroy(path, { recursive: true });
  expect(left).toEqual(
    [
      join(path, "notes"),
      join(path, "nvme", "000000000001"),
      join(path, "nvme", "1.seg"),
      join(path, "scm", "mine"),
    ].sort(),
  );
  expect(readdirSync(path)).toEqual(["notes"]);
  expect(readdirSync(scm)).toEqual(["mine"]);
  expect(readdirSync(nvme)).toEqual(["000000000001", "1.seg"]);
  expect(() => Pool.create({ path })).toThrow(code("DER_EXIST"));
});

test("Pool.destroy() removes a pool whose tier is gone by force only", () => {
  const folder = temporaryDirectory();
  const path = filledPool(join(folder, "pool"), { scm: join(folder, "fast") });
  renameSync(join(folder, "fast"), join(folder, "unmounted"));
  expect(() => Pool.destroy(path, { recursive: true })).toThrow(code("DER_NONEXIST"));
  Pool.destroy(path, { recursive: true, force: true });
  expect(readdirSync(folder)).toEqual(["unmounted"]);
});

/** What ends a destruction that was killed. */
const ENDS = [
  (path: string) => void Pool.destroy(path),
  (path: string) => Pool.create({ path }).close(),
];

test("a destruction that is killed at any step is ended by destroying the pool again, or creating one over it", async () => {
  const folder = temporaryDirectory();
  let killed = 0;
  for (let at = 1; ; at++) {
    const path = join(folder, `pool-${at}`);
    const tier = join(folder, `tier-${at}`);
    filledPool(path, at % 2 === 0 ? {} : { nvme: tier });
    const destroyer = new Program("destroy-pool", [path, `${at}`]);
    await destroyer.ended();
    if (destroyer.lines[0] === "done") {
      expect(existsSync(path)).toBe(false);
      break;
    }
    expect(destroyer.errors).toBe("");
    killed += 1;
    if (existsSync(join(path, "POOL"))) {
      using pool = Pool.connect(path);
      expect(pool.openContainer("c").view().readBytes(1n, 0, 1)[0]).toBe(7);
      continue;
    }
    expect(() => Pool.connect(path)).toThrow(code("DER_NONEXIST"));
    // All is done but for the directory itself, which is empty.
    if (!existsSync(path) || readdirSync(path).length === 0) continue;
    // Both with tiers inside and elsewhere.
    ENDS[Math.floor(at / 2) % ENDS.length]?.(path);
    if (existsSync(path)) {
      using pool = Pool.connect(path);
      expect(pool.listContainers()).toEqual([]);
    }
    if (existsSync(tier)) expect(readdirSync(tier)).toEqual([]);
  }
  expect(killed).toBeGreaterThan(10);
});
