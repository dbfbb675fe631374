/**
 * Destroying a pool: its files and nothing else.
 *
 *     1  lock the superblock      one destruction at a time, known by a lock that a kill ends
 *     2  POOL ─▶ POOL.destroying  nobody can connect any more; from here on it is decided
 *     3  segments, index, pins    through the links of the tiers, if they are links
 *     4  tiers                    a link is removed, what it names stays; a directory goes if it is empty
 *     5  POOL.destroying, the pool's directory
 *
 * Killed before step 2 it leaves a pool; killed later, a directory with `POOL.destroying`, which
 * `Pool.destroy` and `Pool.create` go on with. Files that are not the pool's are left where they are.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import { currentIdentity, isUser } from "../access/identity.js";
import type { Device, DeviceFile } from "../device/device.js";
import { NodeDevice } from "../device/node-device.js";
import { DaosError, isDaosError, storageError } from "../errors.js";
import { IndexStore } from "../index/index-store.js";
import { parseFileName } from "../log/segment-format.js";
import { listContainers } from "../vos/containers.js";
import { HandleTable } from "../vos/handle-locks.js";
import { PINS_FILE } from "../vos/local-target.js";
import { INDEX_FILE } from "../vos/usage.js";
import { notAPool } from "./labels.js";
import { isPoolDirectory, requireTiers, SCM_FILES } from "./layout.js";
import { PoolAccess } from "./pool-access.js";
import type { PoolDestroyOptions } from "./pool-options.js";
import { DESTROYING_FILE, SUPERBLOCK_FILE } from "./superblock-format.js";

/** What a destruction has done. */
export interface PoolDestroyed {
  /** Directory of the pool. */
  readonly path: string;
  /** Files that were removed. */
  readonly files: number;
  /** Their sizes together, in bytes. */
  readonly bytes: number;
  /** Paths that are not the pool's and were left, with the directories that hold them. */
  readonly left: readonly string[];
}

/** Whether a directory holds a pool whose destruction was begun. */
export function isBeingDestroyed(directory: string): boolean {
  return fs.existsSync(path.join(directory, DESTROYING_FILE));
}

/** The error of a pool that somebody destroys. */
function poolIsDestroyed(what: string): DaosError {
  const why = "the pool is being destroyed, or a destruction of it was killed";
  const remedy = "destroy it again with Pool.destroy(), or create a new pool there";
  return new DaosError("DER_NONEXIST", { what, why, remedy });
}

/** Whether a name in a tier is one of the pool's files. */
function isPoolFile(tier: "scm" | "nvme", name: string): boolean {
  return tier === "scm" ? SCM_FILES.includes(name) : parseFileName(name) !== undefined;
}

/** Locks a superblock, so that one process destroys the pool. */
function lockSuperblock(device: Device, name: string, what: string): DeviceFile {
  const file = device.open(name, "write");
  if (file.lock(0, 1, "exclusive")) return file;
  file.close();
  const remedy = "wait until it is done";
  throw new DaosError("DER_BUSY", { what, why: "another process is destroying it", remedy });
}

/** Removes the pool's files, in an order that a kill cannot harm, and says what is left. */
class Removal {
  readonly #device: Device;
  readonly #directory: string;
  #files = 0;
  #bytes = 0;
  readonly #left: string[] = [];

  constructor(device: Device, directory: string) {
    this.#device = device;
    this.#directory = directory;
  }

  #removeFile(name: string): void {
    const found = fs.lstatSync(name, { throwIfNoEntry: false });
    if (found === undefined) return;
    this.#device.unlink(name);
    this.#files += 1;
    this.#bytes += found.size;
  }

  #emptyTier(tier: "scm" | "nvme"): void {
    const directory = path.join(this.#directory, tier);
    // A link to a directory that is not mounted has nothing to empty.
    if (!fs.existsSync(directory)) return;
    const names = fs.readdirSync(directory);
    const own = tier === "scm" ? SCM_FILES : names.filter((name) => isPoolFile(tier, name));
    for (const name of own) this.#removeFile(path.join(directory, name));
    for (const name of names) {
      if (!isPoolFile(tier, name)) this.#left.push(path.join(directory, name));
    }
    this.#device.syncDirectory(directory);
  }

  #removeTier(tier: "scm" | "nvme"): void {
    const directory = path.join(this.#directory, tier);
    const found = fs.lstatSync(directory, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (found.isSymbolicLink()) fs.unlinkSync(directory);
    else if (fs.readdirSync(directory).length === 0) fs.rmdirSync(directory);
  }

  run(): PoolDestroyed {
    const tiers = ["nvme", "scm"] as const;
    for (const tier of tiers) this.#emptyTier(tier);
    for (const tier of tiers) this.#removeTier(tier);
    this.#removeFile(path.join(this.#directory, `${SUPERBLOCK_FILE}.tmp`));
    // Names that came back after a power cut would look like a pool that lost its superblock.
    this.#device.syncDirectory(this.#directory);
    this.#removeFile(path.join(this.#directory, DESTROYING_FILE));
    const rest = fs.readdirSync(this.#directory);
    for (const name of rest) {
      const full = path.join(this.#directory, name);
      if (!this.#left.some((known) => known.startsWith(`${full}${path.sep}`)))
        this.#left.push(full);
    }
    if (rest.length === 0) fs.rmdirSync(this.#directory);
    const parent = path.dirname(this.#directory);
    this.#device.syncDirectory(rest.length === 0 ? parent : this.#directory);
    const [files, bytes] = [this.#files, this.#bytes];
    return { path: this.#directory, files, bytes, left: this.#left.sort() };
  }
}

/**
 * Destroys a pool that nobody may connect to any more, or goes on with a destruction that was killed.
 *
 * @param check Judges the pool while its superblock is locked; not asked when the destruction was decided.
 * @throws {@link DaosError} `DER_BUSY` if another process is destroying it, `DER_NO_PERM` or `DER_IO` of the
 *   file system, what `check` throws.
 */
function destroyPoolFiles(
  device: Device,
  directory: string,
  what: string,
  check: (rename: () => void) => void,
): PoolDestroyed {
  const superblock = path.join(directory, SUPERBLOCK_FILE);
  const marker = path.join(directory, DESTROYING_FILE);
  const isBegun = isBeingDestroyed(directory);
  let lock: DeviceFile | undefined;
  try {
    lock = lockSuperblock(device, isBegun ? marker : superblock, what);
    if (!isBegun) {
      check(() => {
        device.rename(superblock, marker);
        device.syncDirectory(directory);
      });
    }
    return new Removal(device, directory).run();
  } catch (error) {
    if (isDaosError(error)) throw error;
    throw storageError(error, what, directory);
  } finally {
    lock?.close();
  }
}

/** Ends a destruction that was killed, so that a pool can be made in its place. */
export function finishDestruction(device: Device, directory: string, what: string): void {
  if (!isBeingDestroyed(directory)) return;
  destroyPoolFiles(device, directory, what, () => {});
}

/** Refuses a directory that holds no pool, or one that is being destroyed. */
export function requirePool(directory: string): void {
  if (isPoolDirectory(directory)) return;
  const what = `Connecting to pool ${directory}`;
  throw isBeingDestroyed(directory) ? poolIsDestroyed(what) : notAPool(directory, what);
}

/** Takes the pool for this process while `work` runs; with force, also if others have it. */
function whileAlone(
  { device, scm, what }: { device: Device; scm: string; what: string },
  force: boolean,
  work: () => void,
): void {
  const handles = new HandleTable(device, path.join(scm, PINS_FILE));
  try {
    if (handles.whileUnused("pool", work)) return;
    if (!force) {
      const remedy = "close its handles, or destroy it with force";
      throw new DaosError("DER_BUSY", { what, why: "somebody has it open", remedy });
    }
    work();
  } finally {
    handles.close();
  }
}

/** Refuses who is neither owner nor administrator, and a pool with containers unless it is recursive. */
function judge(directory: string, what: string, options: PoolDestroyOptions): void {
  const { identity = currentIdentity(), recursive = false } = options;
  if (identity.isAdministrator === true && recursive) return;
  const index = IndexStore.open(path.join(directory, "scm", INDEX_FILE), { durable: false });
  try {
    const { ownership } = new PoolAccess(directory, () => index, identity).ofPool();
    if (identity.isAdministrator !== true && !isUser(identity, ownership.owner)) {
      const why = `the pool is owned by ${ownership.owner}`;
      const remedy = "ask the owner or an administrator to destroy it";
      throw new DaosError("DER_NO_PERM", { what, why, remedy }, { owner: ownership.owner });
    }
    const containers = listContainers(index).length;
    if (containers === 0 || recursive) return;
    const why = `it has ${containers} container${containers === 1 ? "" : "s"}`;
    const remedy = "destroy them first, or destroy the pool with recursive";
    throw new DaosError("DER_BUSY", { what, why, remedy }, { containers });
  } finally {
    index.close();
  }
}

/**
 * Destroys a pool; see `Pool.destroy`.
 *
 * @param directory Absolute path of the pool's directory.
 */
export function destroyPool(directory: string, options: PoolDestroyOptions): PoolDestroyed {
  const what = `Destroying pool ${directory}`;
  const { device = new NodeDevice(), force = false } = options;
  if (!isPoolDirectory(directory) && !isBeingDestroyed(directory)) throw notAPool(directory, what);
  const scm = path.join(directory, "scm");
  return destroyPoolFiles(device, directory, what, (rename) => {
    const isWhole = fs.existsSync(path.join(scm, PINS_FILE));
    // Without the tier there are no locks to look at and no containers to count.
    if (!isWhole && force) return rename();
    requireTiers(directory, scm, path.join(directory, "nvme"));
    whileAlone({ device, scm, what }, force, () => {
      judge(directory, what, options);
      rename();
    });
  });
}
