/**
 * The directories and the superblock of a pool: how they are made and found.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import type { Device } from "../device/device.js";
import { DaosError, storageError } from "../errors.js";
import { IndexStore } from "../index/index-store.js";
import { putSpace } from "../index/space-record.js";
import { FORMAT_VERSION } from "../limits.js";
import { PINS_FILE } from "../vos/local-target.js";
import { POOL_SCOPE, putProperty, type StoredProperty } from "../vos/metadata.js";
import { INDEX_FILE, type TierLimits } from "../vos/usage.js";
import {
  decodeSuperblock,
  encodeSuperblock,
  SUPERBLOCK_FILE,
  type Superblock,
} from "./superblock-format.js";

/** Names of the pool's files in the tier of the index; the pins last, which carry the locks of handles. */
export const SCM_FILES: readonly string[] = [INDEX_FILE, `${INDEX_FILE}-lock`, PINS_FILE];

/** What the index of a new pool is to say. */
export interface NewIndex extends TierLimits {
  readonly properties: ReadonlyMap<string, StoredProperty>;
}

/** Whether a directory holds a pool's superblock. */
export function isPoolDirectory(directory: string): boolean {
  return fs.existsSync(path.join(directory, SUPERBLOCK_FILE));
}

/** Makes an index that knows the pool's limits. */
export function createIndex(
  name: string,
  durable: boolean,
  { scm, nvme, properties }: NewIndex,
): void {
  const index = IndexStore.open(name, { durable, create: true });
  try {
    const space = { scmLimit: scm, nvmeLimit: nvme, nvmeSize: 0 };
    index.transact("Storing the limits of a pool", (tx) => {
      putSpace(tx, space);
      for (const [key, value] of properties) putProperty(tx, POOL_SCOPE, key, value);
    });
  } finally {
    index.close();
  }
}

/** Refuses a directory that holds a pool, or anything that a killed creation did not leave. */
export function requireEmpty(directory: string, what: string): void {
  if (!fs.existsSync(directory)) return;
  if (isPoolDirectory(directory)) {
    const remedy = "connect to it with Pool.connect(), or choose another directory";
    const text = { what, why: "the directory holds a pool already", remedy };
    throw new DaosError("DER_EXIST", text, { path: directory });
  }
  const isDirectory = fs.statSync(directory).isDirectory();
  const foreign = isDirectory ? foreignNames(directory) : [path.basename(directory)];
  if (foreign.length === 0) {
    for (const tier of ["scm", "nvme"])
      fs.rmSync(path.join(directory, tier), { recursive: true, force: true });
    return;
  }
  const remedy = "choose a directory that is empty or does not exist";
  const why = `there is something else already: ${foreign.slice(0, 3).join(", ")}`;
  throw new DaosError("DER_EXIST", { what, why, remedy }, { path: directory });
}

/**
 * Names in a directory that a killed creation did not leave behind. It makes no segments: a directory
 * with some is a pool that lost its superblock.
 */
function foreignNames(directory: string): string[] {
  const own = ["scm", "nvme", `${SUPERBLOCK_FILE}.tmp`];
  const namesIn = (tier: string) => {
    const inside = path.join(directory, tier);
    return fs.existsSync(inside) ? fs.readdirSync(inside) : [];
  };
  const index = namesIn("scm").filter((name) => !SCM_FILES.includes(name));
  const others = fs.readdirSync(directory).filter((name) => !own.includes(name));
  return [...others, ...index, ...namesIn("nvme")];
}

/** Makes the directory of a tier, or a link to it. */
export function makeTier(
  directory: string,
  name: "scm" | "nvme",
  elsewhere: string | undefined,
): string {
  const tier = path.join(directory, name);
  fs.mkdirSync(directory, { recursive: true });
  if (elsewhere === undefined) {
    fs.mkdirSync(tier);
    return tier;
  }
  const target = path.resolve(elsewhere);
  fs.mkdirSync(target, { recursive: true });
  if (fs.readdirSync(target).length > 0) {
    const what = `Creating pool ${directory}`;
    const remedy = `give the ${name} tier an empty directory`;
    throw new DaosError("DER_EXIST", { what, why: `${target} is not empty`, remedy });
  }
  fs.symlinkSync(target, tier);
  return tier;
}

/** Writes the superblock under a temporary name and renames it. */
export function writeSuperblock(
  device: Device,
  directory: string,
  superblock: Superblock,
  version: number = FORMAT_VERSION,
): void {
  const temporary = path.join(directory, `${SUPERBLOCK_FILE}.tmp`);
  device.unlink(temporary);
  const file = device.open(temporary, "create");
  file.write(encodeSuperblock(superblock, version), 0);
  file.sync();
  file.close();
  device.rename(temporary, path.join(directory, SUPERBLOCK_FILE));
  device.syncDirectory(directory);
}

/** Reads the superblock as it is. */
export function readSuperblockBytes(device: Device, directory: string, what: string): Uint8Array {
  try {
    const file = device.open(path.join(directory, SUPERBLOCK_FILE), "read");
    try {
      const bytes = new Uint8Array(Math.min(file.size(), 4096));
      file.read(bytes, 0);
      return bytes;
    } finally {
      file.close();
    }
  } catch (error) {
    throw storageError(error, what, directory);
  }
}

/** Reads and checks the superblock. */
export function readSuperblock(device: Device, directory: string): Superblock {
  const what = `Connecting to pool ${directory}`;
  return decodeSuperblock(readSuperblockBytes(device, directory, what), directory);
}

/** Refuses a pool whose tiers are not there. */
export function requireTiers(directory: string, ...tiers: string[]): void {
  for (const tier of tiers) {
    const what = `Connecting to pool ${directory}`;
    try {
      if (fs.statSync(tier, { throwIfNoEntry: false }) !== undefined) continue;
    } catch (error) {
      throw storageError(error, what, tier);
    }
    throw new DaosError(
      "DER_NONEXIST",
      {
        what,
        why: `its tier ${tier} is not there`,
        remedy: "mount the tier's directory, or restore the pool from a copy",
      },
      { path: directory, tier },
    );
  }
}
