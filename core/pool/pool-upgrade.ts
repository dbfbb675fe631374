/**
 * Upgrades of pools that an older release made: steps from one format version to the next.
 *
 *     exclusive handle ─▶ step 1 ─▶ superblock says 2 ─▶ step 2 ─▶ superblock says 3 ─▶ ...
 *
 * Nobody else has the pool open meanwhile. A step may be killed anywhere and is run again from its start by
 * the next upgrade: so each is one transaction of the index, or writes beside what is there and can be
 * repeated. The superblock is replaced by renaming, after the step is durable.
 *
 * @module
 */

import path from "node:path";
import type { Device } from "../device/device.js";
import { NodeDevice } from "../device/node-device.js";
import { storageError, systemCode } from "../errors.js";
import { FORMAT_VERSION } from "../limits.js";
import { HandleTable } from "../vos/handle-locks.js";
import { PINS_FILE } from "../vos/local-target.js";
import { readSuperblockBytes, requireTiers, writeSuperblock } from "./layout.js";
import { requirePool } from "./pool-destruction.js";
import { decodeSuperblock, superblockVersion, unknownVersion } from "./superblock-format.js";

/** Where a step works. */
export interface UpgradePlace {
  readonly device: Device;
  /** Directory of the pool. */
  readonly directory: string;
  /** Whether what it writes survives a power cut. */
  readonly durable: boolean;
}

/** One step, from the version before to `to`. */
export interface UpgradeStep {
  /** The format version that it makes. */
  readonly to: number;
  /** What it does, for people. */
  readonly summary: string;
  /** Does it; durable when it returns, and may be run again if it was killed. */
  readonly run: (place: UpgradePlace) => void;
}

/** The steps of this release, in order. Version 1 is the first: there are none. */
export const UPGRADE_STEPS: readonly UpgradeStep[] = [];

/** What an upgrade has done. */
export interface PoolUpgraded {
  /** Directory of the pool. */
  readonly path: string;
  /** Format version before. */
  readonly from: number;
  /** Format version now. */
  readonly to: number;
  /** What was done, step by step; nothing if the pool was up to date. */
  readonly steps: readonly string[];
}

/** How a pool is upgraded. */
export interface PoolUpgradeOptions {
  /** Files of the machine by default. */
  readonly device?: Device;
}

/**
 * Upgrades a pool; see `Pool.upgrade`.
 *
 * @param directory Absolute path of the pool's directory.
 * @param table The steps that there are, and the version to which they lead.
 */
export function upgradePool(
  directory: string,
  options: PoolUpgradeOptions,
  table: { readonly steps: readonly UpgradeStep[]; readonly newest: number } = {
    steps: UPGRADE_STEPS,
    newest: FORMAT_VERSION,
  },
): PoolUpgraded {
  const what = `Upgrading pool ${directory}`;
  const { device = new NodeDevice() } = options;
  requirePool(directory);
  const scm = path.join(directory, "scm");
  requireTiers(directory, scm, path.join(directory, "nvme"));
  const handles = new HandleTable(device, path.join(scm, PINS_FILE));
  try {
    handles.acquire("pool", what, true);
    const bytes = readSuperblockBytes(device, directory, what);
    const from = superblockVersion(bytes, directory);
    const superblock = decodeSuperblock(bytes, directory, from);
    const pending = table.steps.filter(({ to }) => to > from && to <= table.newest);
    const isComplete = from + pending.length === table.newest;
    if (from > table.newest || !isComplete) throw unknownVersion(what, directory, from);
    const place = { device, directory, durable: superblock.durability === "power" };
    for (const { run, to } of pending) {
      run(place);
      writeSuperblock(device, directory, superblock, to);
    }
    return { path: directory, from, to: table.newest, steps: pending.map((step) => step.summary) };
  } catch (error) {
    // A bug of a step is told of as it is.
    if (systemCode(error) === undefined) throw error;
    throw storageError(error, what, directory);
  } finally {
    handles.close();
  }
}
