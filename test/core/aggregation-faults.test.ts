/**
 * Power cuts and failing disks at every device operation of a pass that merges, copies and empties segments.
 *
 * Oracle of a crash image: every kept version reads right, live sizes are exact, a scrub finds nothing, and the
 * pass can be made again. Oracle of a failing operation: a typed error or none, and the same. The canary turns
 * syncs off and must be noticed.
 */

import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { type AggregationReport, isDaosError, NodeDevice, Pool } from "daos-ts";
import { FaultDevice, type FaultOperation } from "../../dist/core/device/fault-device.js";
import { isNightly, seed } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { randomFrom } from "./support/random.ts";
import { ARRAY_SIZE, checkLiveSizes, ScatteredArray } from "./support/scattered-array.ts";

/** Calls that change what a power cut can lose. */
const CHANGING = new Set(["write", "sync", "allocate", "rename", "unlink", "syncDirectory"]);
/** LMDB's lock file does not survive a reboot. */
const LOCK_FILES = /-lock$/;
const RANDOM_IMAGES = isNightly ? 10 : 1;
/** In the gate, one run tries every third operation, beginning where the seed says. */
const FAILURE_STRIDE = isNightly ? 1 : 7;

let template: string;
let array: ScatteredArray;

/** A pool with a scattered array and a snapshot of an older version of it. */
beforeAll(() => {
  template = join(temporaryDirectory({ until: "file" }), "p");
  using pool = Pool.create({ path: template, durability: "power" });
  const container = pool.createContainer("c", { retainCommits: 1 });
  array = new ScatteredArray(container, seed);
  array.writeAll();
  for (let commit = 0; commit < 25; commit++) array.scatter(8);
  container.createSnapshot("s");
  for (let commit = 0; commit < 25; commit++) array.scatter(8);
});

function copyOfTemplate(): string {
  const path = join(temporaryDirectory(), "p");
  cpSync(template, path, { recursive: true });
  return path;
}

function aggregate(pool: Pool): AggregationReport {
  return pool.openContainer("c").aggregate();
}

/** Throws if a pool does not show what it should, or cannot be aggregated. */
function check(path: string): void {
  using pool = Pool.connect(path);
  const container = pool.openContainer("c");
  const checkVersions = () => {
    for (const at of [undefined, { snapshot: "s" }]) {
      using view = container.view(at);
      array.check(view);
    }
    checkLiveSizes(pool);
    const { damageCount } = pool.scrub();
    if (damageCount > 0) throw new Error(`a scrub finds ${damageCount} damaged ranges`);
  };
  checkVersions();
  pool.recover();
  if (pool.query().segments.leased > 0) throw new Error("a dead lease is left");
  container.aggregate();
  checkVersions();
  // Both versions, of which most is the same.
  const { live } = pool.query().nvme;
  if (live > 2 * ARRAY_SIZE) throw new Error(`${live} bytes are live`);
}

/** Cuts the power before each operation of a pass; returns what went wrong. */
function cutPowerEverywhere(ignoresSync: boolean, lossesMax: number): string[] {
  const source = copyOfTemplate();
  const random = randomFrom(seed);
  const device = new FaultDevice(new NodeDevice());
  const losses: string[] = [];
  let images = 0;
  const checkImages = ({ number, name }: FaultOperation) => {
    if (!CHANGING.has(name) || losses.length >= lossesMax) return;
    const sources = [() => 0, ...Array.from({ length: RANDOM_IMAGES }, () => random)];
    for (const decide of sources) {
      const target = join(source, "..", "image");
      device.crashImage({ source, target, random: decide, without: LOCK_FILES });
      images += 1;
      try {
        check(target);
      } catch (error) {
        losses.push(`before operation ${number} (${name}): ${error}`);
      }
      rmSync(target, { recursive: true });
    }
  };
  const pool = Pool.connect(source, { device });
  device.ignoresSync = ignoresSync;
  device.before = checkImages;
  expect(aggregate(pool).copied).toBeGreaterThan(ARRAY_SIZE);
  device.before = () => {};
  // The index is durable by now, so what it refers to must be too.
  checkImages({ number: device.operationCount, name: "sync", path: source });
  pool.close();
  // Of the canary, it ends with the first loss.
  expect(images).toBeGreaterThan(ignoresSync ? 0 : 10);
  return losses;
}

/** Makes a pass with one failing operation; returns whether there was such an operation. */
function failAt(number: number, code: "ENOSPC" | "EIO"): boolean {
  const path = copyOfTemplate();
  const device = new FaultDevice(new NodeDevice());
  const pool = Pool.connect(path, { device });
  const first = device.operationCount;
  let failed = false;
  device.before = (operation) => {
    if (failed || operation.number !== first + number) return;
    failed = true;
    throw Object.assign(new Error(`${code}: injected, ${operation.name}`), { code });
  };
  try {
    aggregate(pool);
  } catch (error) {
    if (!isDaosError(error)) throw error;
  }
  device.before = () => {};
  // The same handle goes on.
  aggregate(pool);
  pool.close();
  check(path);
  rmSync(path, { recursive: true });
  return failed;
}

describe("a power cut while a container is aggregated", () => {
  test("at any operation leaves every kept version, and a pass that can be made again", () => {
    expect(cutPowerEverywhere(false, 9)).toEqual([]);
  }, 120_000);

  test("is noticed by this suite when syncs do nothing (canary)", () => {
    expect(cutPowerEverywhere(true, 1).length).toBeGreaterThanOrEqual(1);
  }, 120_000);
});

describe.each(["ENOSPC", "EIO"] as const)("a disk that fails once with %s", (code) => {
  test("while a container is aggregated gives a typed error or none, and harms nothing", () => {
    let number = 1 + (Math.abs(seed) % FAILURE_STRIDE);
    while (failAt(number, code)) number += FAILURE_STRIDE;
    expect(number).toBeGreaterThan(15);
  }, 120_000);
});

test("a disk that stays full lets aggregation free what needs no copy", () => {
  const path = copyOfTemplate();
  const device = new FaultDevice(new NodeDevice());
  using pool = Pool.connect(path, { device });
  const { live } = pool.query().nvme;
  device.before = ({ name }) => {
    if (name !== "write" && name !== "allocate") return;
    throw Object.assign(new Error("ENOSPC: injected"), { code: "ENOSPC" });
  };
  expect(aggregate(pool)).toMatchObject({ copied: 0 });
  expect(pool.query().nvme.live).toBeLessThan(live);
  device.before = () => {};
  expect(aggregate(pool).copied).toBeGreaterThan(0);
  pool.close();
  check(path);
});
