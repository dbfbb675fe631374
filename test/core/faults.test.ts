/**
 * Power cuts and failing disks at every device operation of a scenario that creates a pool, commits,
 * overwrites, aggregates and recycles.
 *
 * Oracle of a crash image: everything acknowledged reads right, nothing else is visible but at most the
 * whole of the one commit that was in flight, and the pool takes writes. Oracle of a failing operation:
 * a typed error, an unharmed pool, and a next attempt that works. The canary turns syncs off and must
 * be noticed.
 */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { isDaosError, NodeDevice, Pool } from "daos-ts";
import { FaultDevice, type FaultOperation } from "../../dist/core/device/fault-device.js";
import { isNightly, seed } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { CommitScenario } from "./support/commit-scenario.ts";
import { randomFrom } from "./support/random.ts";

/** LMDB's lock file does not survive a reboot. */
const LOCK_FILES = /-lock$/;
const RANDOM_IMAGES = isNightly ? 20 : 2;

/**
 * Calls that change what a power cut can lose; before any other the image is the same. A check must
 * not run inside a read of the scenario, since reads do not nest.
 */
const CHANGING = new Set(["write", "sync", "allocate", "rename", "unlink", "syncDirectory"]);
/** In the gate, one run tries every fifth operation, beginning where the seed says. */
const FAILURE_STRIDE = isNightly ? 1 : 13;

interface CutReport {
  /** Crash images that were checked. */
  readonly images: number;
  /** What went wrong, a line for each image. */
  readonly losses: string[];
}

/** Runs the scenario and checks crash images of every operation, until there are enough losses. */
function cutPowerEverywhere(options: { ignoresSync: boolean; lossesMax: number }): CutReport {
  const directory = temporaryDirectory();
  const random = randomFrom(seed);
  const device = new FaultDevice(new NodeDevice());
  const source = join(directory, "p");
  const scenario = new CommitScenario(source, device);
  const report = { images: 0, losses: [] as string[] };
  const check = ({ number, name }: FaultOperation) => {
    if (!CHANGING.has(name) || report.losses.length >= options.lossesMax) return;
    const sources = [() => 0, () => 0.999, ...Array.from({ length: RANDOM_IMAGES }, () => random)];
    for (const decide of sources) {
      const target = join(directory, "image");
      device.crashImage({ source, target, random: decide, without: LOCK_FILES });
      report.images += 1;
      try {
        scenario.checkImage(target);
      } catch (error) {
        report.losses.push(`before operation ${number} (${name}): ${error}`);
      }
      rmSync(target, { recursive: true });
    }
  };
  let recycled = 0;
  scenario.create();
  device.ignoresSync = options.ignoresSync;
  device.before = (operation) => {
    if (operation.name === "rename" && operation.path.endsWith(".seg")) recycled += 1;
    check(operation);
  };
  scenario.run();
  scenario.close();
  // A scenario that recycles nothing would prove less than it says.
  expect(recycled).toBeGreaterThan(0);
  return report;
}

/** Runs the scenario with one operation failing; returns whether there was such an operation. */
function failAt(number: number, code: "ENOSPC" | "EIO"): boolean {
  const directory = temporaryDirectory();
  const device = new FaultDevice(new NodeDevice());
  const scenario = new CommitScenario(join(directory, "p"), device);
  let failed = false;
  scenario.create();
  const first = device.operationCount;
  device.before = (operation) => {
    if (failed || operation.number !== first + number) return;
    failed = true;
    throw Object.assign(new Error(`${code}: injected, ${operation.name}`), { code });
  };
  scenario.run();
  scenario.close();
  rmSync(directory, { recursive: true });
  return failed;
}

describe("a power cut", () => {
  test("at any operation keeps what was acknowledged, and shows nothing else", () => {
    const { images, losses } = cutPowerEverywhere({ ignoresSync: false, lossesMax: 9 });
    expect(losses).toEqual([]);
    expect(images).toBeGreaterThan(200);
  });

  test("is noticed by this suite when syncs do nothing (canary)", () => {
    const { losses } = cutPowerEverywhere({ ignoresSync: true, lossesMax: 9 });
    expect(losses.length).toBeGreaterThanOrEqual(9);
  });

  test("right after Pool.create() leaves the pool", () => {
    const directory = temporaryDirectory();
    const device = new FaultDevice(new NodeDevice());
    const source = join(directory, "p");
    Pool.create({ path: source, device }).close();
    const target = join(directory, "image");
    device.crashImage({ source, target, random: () => 0, without: LOCK_FILES });
    using pool = Pool.connect(target);
    using view = pool.createContainer("c").view();
    expect(view.epoch).toBe(0n);
  });
});

describe.each(["ENOSPC", "EIO"] as const)("a disk that fails once with %s", (code) => {
  test("gives a typed error at any operation, and the next attempt works", () => {
    let number = 1 + (Math.abs(seed) % FAILURE_STRIDE);
    while (failAt(number, code)) number += FAILURE_STRIDE;
    expect(number).toBeGreaterThan(100);
  });
});

describe("a disk that stays full", () => {
  test("refuses writes with DER_NOSPACE, serves reads, and takes writes when there is space", () => {
    const device = new FaultDevice(new NodeDevice());
    const path = join(temporaryDirectory(), "p");
    const scenario = new CommitScenario(path, device);
    scenario.create();
    device.before = ({ name }) => {
      if (name !== "write" && name !== "allocate") return;
      throw Object.assign(new Error("ENOSPC: injected"), { code: "ENOSPC" });
    };
    for (let attempt = 0; attempt < 3; attempt++) {
      let thrown: unknown;
      try {
        scenario.commitOnce();
      } catch (error) {
        thrown = error;
      }
      expect(isDaosError(thrown, "DER_NOSPACE")).toBe(true);
    }
    device.before = () => {};
    scenario.commitOnce();
    scenario.run();
    scenario.close();
  });
});
