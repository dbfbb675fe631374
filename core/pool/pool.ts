/**
 * A pool: a directory that holds containers, opened by any number of processes at once.
 *
 *     <pool>/POOL          superblock: format version, UUID, label, durability
 *     <pool>/scm/          index and pins; may be a link to a fast directory
 *     <pool>/nvme/         segments; may be a link to a large directory
 *
 * @module
 */

import fs from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import type { Device } from "../device/device.js";
import { NodeDevice } from "../device/node-device.js";
import { DaosError, storageError } from "../errors.js";
import { IndexStore } from "../index/index-store.js";
import { putSpace } from "../index/space-record.js";
import { LABEL_SIZE_MAX, RETAIN_COMMITS_DEFAULT, SCRUB_STEP_SIZE_DEFAULT } from "../limits.js";
import type { RecoveryReport } from "../log/segment-store.js";
import type { ContainerRecord } from "../vos/containers.js";
import { PinTable } from "../vos/pins.js";
import { checkRetention, type Retention } from "../vos/retention.js";
import { type ScrubReport, summed } from "../vos/scrub.js";
import { LocalTarget, PINS_FILE, type Target } from "../vos/target.js";
import { INDEX_FILE, type TargetUsage, type TierLimits } from "../vos/usage.js";
import { Container } from "./container.js";
import { durabilityNotes, requireLocal } from "./file-system.js";
import { type PoolSize, tierLimits } from "./pool-size.js";
import {
  type Durability,
  decodeSuperblock,
  encodeSuperblock,
  SUPERBLOCK_FILE,
  type Superblock,
} from "./superblock-format.js";
import { formatUuid, randomUuid } from "./uuid.js";

/** How a pool is created. */
export interface PoolCreateOptions {
  /** Directory of the pool; made if it does not exist, else it must be empty. */
  readonly path: string;
  /** Name for people; the directory's name by default. */
  readonly label?: string;
  /** What the pool survives; `power` by default. Fixed for the pool's life. */
  readonly durability?: Durability;
  /** Directory for the index and small values, if it should lie elsewhere: a fast, local one. */
  readonly scm?: string;
  /** Directory for bulk data, if it should lie elsewhere. */
  readonly nvme?: string;
  /** How large the pool may become, in bytes; bounded by its file systems only by default. */
  readonly size?: PoolSize;
}

/** How a pool is opened. */
export interface PoolConnectOptions {
  /** `rw` by default. */
  readonly mode?: "ro" | "rw";
  /** What this process calls itself when it writes, for `query`; its host by default. */
  readonly owner?: string;
  /** Files, clock and randomness; the machine's by default. Tests inject faults here. */
  readonly device?: Device;
}

/** What `query` tells. Sizes in bytes. */
export interface PoolInfo extends TargetUsage {
  /** Directory of the pool. */
  readonly path: string;
  /** Name for people. */
  readonly label: string;
  /** The pool's UUID. */
  readonly uuid: string;
  /** What the pool survives. */
  readonly durability: Durability;
  /** What a user should know of the pool's durability. */
  readonly notes: readonly string[];
  /** Number of containers. */
  readonly containers: number;
}

/** How a container is created. */
export interface ContainerCreateOptions {
  /** How many of the newest commits can always be read; 2 by default, at least 1. */
  readonly retainCommits?: number;
  /** The same, and for how long versions can be read; see {@link Retention}. */
  readonly retain?: Partial<Retention>;
}

const LABEL_PATTERN = /^[A-Za-z0-9._:-]+$/;

function checkLabel(label: string, what: string): void {
  if (LABEL_PATTERN.test(label) && label.length <= LABEL_SIZE_MAX) return;
  throw new DaosError(
    "DER_INVAL",
    {
      what,
      why: `"${label}" is not a label`,
      remedy: `use 1 to ${LABEL_SIZE_MAX} letters, digits and the characters . _ : -`,
    },
    { label },
  );
}

/** Whether a directory holds a pool's superblock. */
export function isPoolDirectory(directory: string): boolean {
  return fs.existsSync(path.join(directory, SUPERBLOCK_FILE));
}

function notAPool(directory: string): DaosError {
  const exists = fs.existsSync(directory);
  const why = exists ? "the directory holds no pool" : "there is no such directory";
  const remedy = exists
    ? "name the directory of a pool, or create one with Pool.create()"
    : "correct the path, or create the pool with Pool.create()";
  const what = `Connecting to pool ${directory}`;
  return new DaosError("DER_NONEXIST", { what, why, remedy }, { path: directory });
}

function mayOnlyRead(directory: string): DaosError {
  const what = `Connecting to pool ${directory}`;
  const why = "this user may read the pool and not write to it";
  const remedy = 'connect with mode "ro", or give the user access to the pool\'s files';
  return new DaosError("DER_NO_PERM", { what, why, remedy }, { path: directory });
}

/** An open pool. Close it, or the process's leases last until it ends. */
export class Pool {
  /** Directory of the pool. */
  readonly path: string;
  readonly #superblock: Superblock;
  readonly #target: Target;
  readonly #device: Device;
  readonly #readOnly: boolean;
  #open = true;

  private constructor(
    directory: string,
    opened: { superblock: Superblock; target: Target; device: Device; readOnly: boolean },
  ) {
    this.path = directory;
    this.#superblock = opened.superblock;
    this.#target = opened.target;
    this.#device = opened.device;
    this.#readOnly = opened.readOnly;
  }

  /**
   * Creates a pool and connects to it. The superblock is written last: a creation that was killed
   * leaves no pool.
   *
   * @throws {@link DaosError} `DER_EXIST` if the directory is not empty, `DER_INVAL` for a bad label
   *   or size, `DER_NO_PERM`, `DER_NOSPACE`, `DER_NOSYS` if the index would lie on a network file
   *   system.
   */
  static create(options: PoolCreateOptions & PoolConnectOptions): Pool {
    const directory = path.resolve(options.path);
    const what = `Creating pool ${directory}`;
    const device = options.device ?? new NodeDevice();
    const label = options.label ?? path.basename(directory);
    checkLabel(label, what);
    const limits = tierLimits(options.size, what);
    requireEmpty(directory, what);
    const durability = options.durability ?? "power";
    try {
      const scm = makeTier(directory, "scm", options.scm);
      makeTier(directory, "nvme", options.nvme);
      requireLocal(device, scm);
      PinTable.create(device, path.join(scm, PINS_FILE));
      const durable = durability === "power";
      createIndex(path.join(scm, INDEX_FILE), durable, limits);
      const uuid = randomUuid(device);
      const superblock = { uuid, durability, created: device.now(), label };
      // The superblock says that the rest is there, so the rest is durable before it.
      device.syncDirectory(scm);
      device.syncDirectory(path.dirname(directory));
      writeSuperblock(device, directory, superblock);
    } catch (error) {
      throw storageError(error, what, directory);
    }
    return Pool.connect(directory, options);
  }

  /**
   * Connects to a pool.
   *
   * @param directory The pool's directory.
   * @throws {@link DaosError} `DER_NONEXIST` if there is no pool, `DER_DF_INCOMPT` if another format
   *   version wrote it, `DER_DF_INVAL` if it is damaged, `DER_NO_PERM`, `DER_SETUP` if the storage
   *   addon was not built.
   */
  static connect(directory: string, options: PoolConnectOptions = {}): Pool {
    const absolute = path.resolve(directory);
    if (!isPoolDirectory(absolute)) throw notAPool(absolute);
    const device = options.device ?? new NodeDevice();
    const readOnly = options.mode === "ro";
    const superblock = readSuperblock(device, absolute);
    const scm = path.join(absolute, "scm");
    const nvme = path.join(absolute, "nvme");
    requireTiers(absolute, scm, nvme);
    const durable = superblock.durability === "power";
    const index = IndexStore.open(path.join(scm, INDEX_FILE), { durable });
    if (index.readOnly && !readOnly) {
      index.close();
      throw mayOnlyRead(absolute);
    }
    const { uuid: poolUuid } = superblock;
    const owner = options.owner ?? hostname();
    const target = new LocalTarget({ device, index, scm, nvme, poolUuid, durable, owner });
    return new Pool(absolute, { superblock, target, device, readOnly });
  }

  /** Name for people. */
  get label(): string {
    return this.#superblock.label;
  }

  /** The pool's UUID. */
  get uuid(): string {
    return formatUuid(this.#superblock.uuid);
  }

  /** What the pool survives. */
  get durability(): Durability {
    return this.#superblock.durability;
  }

  /** Whether this handle may only read. */
  get readOnly(): boolean {
    return this.#readOnly;
  }

  /** Space per tier, counts, and what to know of the pool's durability. */
  query(): PoolInfo {
    this.#requireOpen("Querying");
    const scm = path.join(this.path, "scm");
    const nvme = path.join(this.path, "nvme");
    const { label, uuid, durability } = this;
    const notes = durabilityNotes(this.#device, { durability, scm, nvme });
    const containers = this.#target.listContainers().length;
    return { path: this.path, label, uuid, durability, notes, containers, ...this.#target.usage() };
  }

  /**
   * Changes how large the pool may become, for all processes at once.
   *
   * @param size The new limits, in bytes; a tier that is left out loses its limit.
   * @throws {@link DaosError} `DER_INVAL` for a bad size, `DER_NOSPACE` if a tier holds more than its new
   *   limit, `DER_NO_PERM` on a read-only handle. Nothing is changed then.
   *
   * @example
   * ```ts
   * pool.setSize({ scm: 64 << 20, nvme: 2 ** 30 });
   * ```
   */
  setSize(size: PoolSize): void {
    const what = `Changing the size of pool ${this.path}`;
    this.#requireWritable(what);
    this.#target.setLimits(tierLimits(size, what));
  }

  /**
   * Creates a container.
   *
   * @throws {@link DaosError} `DER_EXIST`, `DER_INVAL` for a bad label or option, `DER_NO_PERM` on a
   *   read-only handle.
   */
  createContainer(label: string, options: ContainerCreateOptions = {}): Container {
    const what = `Creating container "${label}" in pool ${this.path}`;
    this.#requireWritable(what);
    checkLabel(label, what);
    const { retainCommits = RETAIN_COMMITS_DEFAULT } = options;
    const { commits = retainCommits, seconds = 0 } = options.retain ?? {};
    checkRetention(what, { commits, seconds });
    const retained = { retainCommits: commits, retainMs: Math.round(seconds * 1000) };
    const uuid = randomUuid(this.#device);
    return this.#handle(this.#target.createContainer({ label, uuid, ...retained }));
  }

  /**
   * Opens a container.
   *
   * @throws {@link DaosError} `DER_NONEXIST` if the pool has no container of that label.
   */
  openContainer(label: string): Container {
    this.#requireOpen(`Opening container "${label}"`);
    const record = this.#target.findContainer(label);
    if (record !== undefined) return this.#handle(record);
    throw new DaosError(
      "DER_NONEXIST",
      {
        what: `Opening container "${label}" of pool ${this.path}`,
        why: "the pool has no container of that label",
        remedy: `create it with pool.createContainer("${label}"), or choose one of pool.listContainers()`,
      },
      { label, path: this.path },
    );
  }

  /** Labels of the pool's containers, in order of creation. */
  listContainers(): string[] {
    this.#requireOpen("Listing containers");
    return this.#target.listContainers().map(({ label }) => label);
  }

  /** Takes back the space of writers that died. One process of a node does it, now and then. */
  recover(): RecoveryReport {
    this.#requireWritable(`Recovering pool ${this.path}`);
    return this.#target.recover();
  }

  /**
   * Reads every stored block that a version refers to and reports what is damaged. Takes as long as
   * reading the pool does: see {@link scrubSteps} for a pass in the background. Nothing is changed.
   *
   * @returns What was checked, every damaged page of the index, in which single values lie, and every damaged
   *   range of every array.
   * @throws {@link DaosError} `DER_IO` or `DER_NO_PERM` if the device fails, `DER_DF_INVAL` if the
   *   index is damaged.
   */
  scrub(): ScrubReport {
    return summed(this.scrubSteps());
  }

  /**
   * The same in steps, safe beside writers, aggregation and recycling: between steps nothing is held.
   * What is removed meanwhile is skipped, what is committed meanwhile may be left to the next pass.
   *
   * @param options `stepSize`: bytes after which a step ends; 16 MiB by default.
   * @returns What each step has checked and found.
   * @throws {@link DaosError} as {@link scrub} does, `DER_INVAL` for a bad size, `DER_NO_HDL` if the
   *   pool was closed.
   *
   * @example
   * ```ts
   * for (const { damages } of pool.scrubSteps()) {
   *   for (const { container, oid, start, end } of damages) console.error(container, oid, start, end);
   *   await setImmediate();
   * }
   * ```
   */
  scrubSteps(options: { stepSize?: number } = {}): Generator<ScrubReport, void, undefined> {
    const what = `Scrubbing pool ${this.path}`;
    this.#requireOpen(what);
    const { stepSize = SCRUB_STEP_SIZE_DEFAULT } = options;
    if (!(stepSize >= 1)) {
      const text = { what, why: `stepSize is ${stepSize}`, remedy: "give a number of bytes" };
      throw new DaosError("DER_INVAL", text, { stepSize });
    }
    return this.#target.scrub(stepSize);
  }

  /** Closes the handle: uncommitted writes are dropped, leases end. Later calls do nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#target.close();
  }

  /** Closes the handle at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #handle(record: ContainerRecord): Container {
    const { path: pool, readOnly } = this;
    return new Container(this.#target, { record, device: this.#device, pool, readOnly });
  }

  #requireOpen(what: string): void {
    if (this.#open) return;
    const remedy = "connect to the pool again";
    throw new DaosError("DER_NO_HDL", { what, why: `pool ${this.path} was closed`, remedy });
  }

  #requireWritable(what: string): void {
    this.#requireOpen(what);
    if (!this.#readOnly) return;
    const why = "the pool was connected read-only";
    throw new DaosError("DER_NO_PERM", { what, why, remedy: 'connect with mode "rw"' });
  }
}

/** Makes an index that knows the pool's limits. */
function createIndex(name: string, durable: boolean, { scm, nvme }: TierLimits): void {
  const index = IndexStore.open(name, { durable, create: true });
  try {
    const space = { scmLimit: scm, nvmeLimit: nvme, nvmeSize: 0 };
    index.transact("Storing the limits of a pool", (tx) => putSpace(tx, space));
  } finally {
    index.close();
  }
}

function requireEmpty(directory: string, what: string): void {
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
  const nvme = path.join(directory, "nvme");
  const segments = fs.existsSync(nvme) ? fs.readdirSync(nvme) : [];
  return [...fs.readdirSync(directory).filter((name) => !own.includes(name)), ...segments];
}

function makeTier(directory: string, name: "scm" | "nvme", elsewhere: string | undefined): string {
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

function writeSuperblock(device: Device, directory: string, superblock: Superblock): void {
  const temporary = path.join(directory, `${SUPERBLOCK_FILE}.tmp`);
  device.unlink(temporary);
  const file = device.open(temporary, "create");
  file.write(encodeSuperblock(superblock), 0);
  file.sync();
  file.close();
  device.rename(temporary, path.join(directory, SUPERBLOCK_FILE));
  device.syncDirectory(directory);
}

function readSuperblock(device: Device, directory: string): Superblock {
  try {
    const file = device.open(path.join(directory, SUPERBLOCK_FILE), "read");
    try {
      const bytes = new Uint8Array(Math.min(file.size(), 4096));
      file.read(bytes, 0);
      return decodeSuperblock(bytes, directory);
    } finally {
      file.close();
    }
  } catch (error) {
    throw storageError(error, `Connecting to pool ${directory}`, directory);
  }
}

function requireTiers(directory: string, ...tiers: string[]): void {
  for (const tier of tiers) {
    if (fs.existsSync(tier)) continue;
    throw new DaosError(
      "DER_NONEXIST",
      {
        what: `Connecting to pool ${directory}`,
        why: `its tier ${tier} is not there`,
        remedy: "mount the tier's directory, or restore the pool from a copy",
      },
      { path: directory, tier },
    );
  }
}
