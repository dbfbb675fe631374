/**
 * A pool: a directory that holds containers, opened by any number of processes at once.
 *
 *     <pool>/POOL          superblock: format version, UUID, label, durability
 *     <pool>/scm/          index and pins; may be a link to a fast directory
 *     <pool>/nvme/         segments; may be a link to a large directory
 *
 * Longer than 500 lines: it is the documentation of the calls; what they do is in the files beside it.
 *
 * @module
 */

import { hostname } from "node:os";
import path from "node:path";
import {
  noRight,
  type Permission,
  poolRights,
  type Rights,
  requireAnyRight,
} from "../access/acl.js";
import { currentIdentity, type Identity } from "../access/identity.js";
import type { Device } from "../device/device.js";
import { NodeDevice } from "../device/node-device.js";
import { DaosError } from "../errors.js";
import { IndexStore } from "../index/index-store.js";
import { SCRUB_STEP_SIZE_DEFAULT } from "../limits.js";
import type { RecoveryReport } from "../log/segment-store.js";
import { processMetrics } from "../metrics/process-metrics.js";
import type { MetricFamily } from "../metrics/registry.js";
import type { ContainerRecord } from "../vos/containers.js";
import type { HandleLock } from "../vos/handle-locks.js";
import { LocalTarget } from "../vos/local-target.js";
import { getProperty, POOL_SCOPE } from "../vos/metadata.js";
import { type ScrubReport, summed } from "../vos/scrub.js";
import type { Target } from "../vos/target.js";
import { INDEX_FILE } from "../vos/usage.js";
import { Administered, type AdministeredOrigin } from "./administered.js";
import { Container } from "./container.js";
import { filesOf } from "./file-permissions.js";
import {
  decodeGlobalHandle,
  encodeGlobalHandle,
  type GlobalHandle,
  thisMachine,
} from "./global-handle-format.js";
import { exclusiveHandle, mayOnlyRead, otherPool } from "./labels.js";
import { readSuperblock, requireTiers } from "./layout.js";
import { PoolAccess } from "./pool-access.js";
import { destroyRecord, findRecord, newRecord } from "./pool-containers.js";
import { createPoolFiles } from "./pool-creation.js";
import { destroyPool, type PoolDestroyed, requirePool } from "./pool-destruction.js";
import { checkStepSize, markingUnclean, requireHealthy } from "./pool-health.js";
import { poolInfo } from "./pool-info.js";
import { poolFamilies } from "./pool-metrics.js";
import type {
  ContainerCreateOptions,
  ContainerListing,
  ContainerOpenOptions,
  PoolConnectOptions,
  PoolCreateOptions,
  PoolDestroyOptions,
  PoolInfo,
} from "./pool-options.js";
import { type PoolSize, tierLimits } from "./pool-size.js";
import { type PoolUpgraded, type PoolUpgradeOptions, upgradePool } from "./pool-upgrade.js";
import { POOL_PROPERTIES } from "./properties.js";
import { relabel, relabelPool } from "./relabel.js";
import type { Durability, Superblock } from "./superblock-format.js";
import { formatUuid, randomUuid } from "./uuid.js";

export { isPoolDirectory } from "./layout.js";
export type * from "./pool-options.js";

/** An open pool. Close it, or the process's leases last until it ends. */
export class Pool extends Administered {
  /** Directory of the pool. */
  readonly path: string;
  readonly #superblock: Superblock;
  readonly #target: Target;
  readonly #device: Device;
  readonly #readOnly: boolean;
  readonly #access: PoolAccess;
  readonly #rights: Rights;
  readonly #isExclusive: boolean;
  #open = true;

  private constructor(
    directory: string,
    opened: {
      superblock: Superblock;
      target: Target;
      device: Device;
      readOnly: boolean;
      identity: Identity;
      what: string;
      /** Of a handle of another process; by the access control list if absent. */
      rights: Rights | undefined;
      isExclusive: boolean;
    },
  ) {
    super();
    this.path = directory;
    this.#superblock = opened.superblock;
    this.#target = opened.target;
    this.#device = opened.device;
    this.#readOnly = opened.readOnly;
    const reader = () => this.#target.metadata.reader;
    this.#access = new PoolAccess(directory, reader, opened.identity);
    this.#rights = opened.rights ?? poolRights(this.#access.poolRights());
    this.#isExclusive = opened.isExclusive;
    requireAnyRight(opened.what, "r", this.#rights);
    if (!opened.readOnly) requireAnyRight(opened.what, "wcd", this.#rights);
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
    createPoolFiles(directory, options.device ?? new NodeDevice(), options);
    const pool = Pool.connect(directory, options);
    filesOf(directory, pool.#access).match();
    return pool;
  }

  /**
   * Destroys a pool: removes its files, and its directory if nothing else is in it. A tier that is a link to
   * another directory is emptied of the pool's files, and the link is removed.
   *
   * Killed half-way it leaves the whole pool, or one that nobody can connect to any more, which is destroyed
   * by calling this again, or by creating a pool there.
   *
   * @param directory The pool's directory.
   * @param options See {@link PoolDestroyOptions}.
   * @returns What was removed, and what was left since it is not the pool's.
   * @throws {@link DaosError} `DER_NONEXIST` if there is no pool, `DER_BUSY` if it is open or has containers,
   *   `DER_NO_PERM`: only the owner and an administrator may. Nothing is changed then.
   *
   * @example
   * ```ts
   * Pool.destroy("/scratch/run.pool", { recursive: true });
   * ```
   */
  static destroy(directory: string, options: PoolDestroyOptions = {}): PoolDestroyed {
    return destroyPool(path.resolve(directory), options);
  }

  /**
   * Brings a pool that an older release made to the format of this one. A kill leaves a pool that is upgraded by
   * calling this again.
   *
   * @param directory The pool's directory.
   * @returns What was done; no steps if the pool is up to date.
   * @throws {@link DaosError} `DER_DF_INCOMPT` if a newer release made it, or no step leads here from its
   *   version; `DER_BUSY` if somebody has it open, `DER_NONEXIST`, `DER_NO_PERM`. Nothing is changed then.
   */
  static upgrade(directory: string, options: PoolUpgradeOptions = {}): PoolUpgraded {
    return upgradePool(path.resolve(directory), options);
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
    return Pool.#connect(directory, options);
  }

  static #connect(directory: string, options: PoolConnectOptions, rights?: Rights): Pool {
    const absolute = path.resolve(directory);
    requirePool(absolute);
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
    const what = `Connecting to pool ${absolute}`;
    try {
      const identity = options.identity ?? currentIdentity();
      const isExclusive = options.mode === "ex";
      const opened = { superblock, target, device, readOnly, identity, what, rights, isExclusive };
      const pool = new Pool(absolute, opened);
      target.handles.acquire("pool", what, isExclusive);
      // A destruction may have begun before this handle was counted.
      requirePool(absolute);
      return pool;
    } catch (error) {
      target.close();
      throw error;
    }
  }

  /**
   * This handle as bytes, from which other processes of the machine make handles of their own: one rank
   * connects and broadcasts. They have its user, mode and rights.
   *
   * @throws {@link DaosError} `DER_BUSY` if the handle is exclusive: it cannot be shared.
   *
   * @example
   * ```ts
   * const bytes = comm.bcast(comm.rank === 0 ? pool.toGlobal() : undefined);
   * using mine = Pool.fromGlobal(bytes);
   * ```
   */
  toGlobal(): Uint8Array {
    const what = `Sharing the handle of pool ${this.path}`;
    this.#requireOpen(what);
    if (this.#isExclusive) throw exclusiveHandle(what);
    return encodeGlobalHandle(this.#globalHandle());
  }

  #globalHandle(): GlobalHandle {
    const { identity } = this.#access;
    const mode = this.#readOnly ? "ro" : "rw";
    const { uuid: poolUuid } = this.#superblock;
    const machine = thisMachine();
    return { machine, path: this.path, poolUuid, mode, rights: this.#rights, identity };
  }

  /**
   * Makes a handle of what {@link toGlobal} of another process returned. It is a handle of its own: close it.
   *
   * @throws {@link DaosError} `DER_INVAL` for other bytes, `DER_NOSYS` on another machine, `DER_MISMATCH` if
   *   another pool lies there now, and as {@link connect} does.
   */
  static fromGlobal(
    bytes: Uint8Array,
    options: Pick<PoolConnectOptions, "owner" | "device"> = {},
  ): Pool {
    const what = "Opening a shared handle of a pool";
    const {
      path: directory,
      poolUuid,
      mode,
      rights,
      identity,
    } = decodeGlobalHandle(what, bytes, "pool");
    const pool = Pool.#connect(directory, { ...options, mode, identity }, rights);
    if (Buffer.compare(pool.#superblock.uuid, poolUuid) === 0) return pool;
    pool.close();
    throw otherPool(what, directory);
  }

  /**
   * Makes a handle of what `toGlobal` of a container of another process returned.
   *
   * @throws {@link DaosError} `DER_MISMATCH` if it is of another pool, and as {@link fromGlobal} and
   *   {@link openContainer} do.
   */
  containerFromGlobal(bytes: Uint8Array): Container {
    const what = `Opening a shared handle of a container of pool ${this.path}`;
    this.#requireOpen(what);
    const { poolUuid, mode, rights, container } = decodeGlobalHandle(what, bytes, "container");
    const isOwn = Buffer.compare(this.#superblock.uuid, poolUuid) === 0;
    if (!isOwn || container === undefined) throw otherPool(what, this.path);
    const record = this.#find(formatUuid(container.uuid), what);
    return this.#handle(record, { mode, force: container.force }, rights);
  }

  /** Name for people. */
  get label(): string {
    const stored = this.#open && getProperty(this.#target.metadata.reader, POOL_SCOPE, "label");
    return stored ? String(stored) : this.#superblock.label;
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
    const { path: directory, label, uuid, durability } = this;
    const names = { path: directory, label, uuid, durability };
    return poolInfo(this.#target, this.#device, names);
  }

  /**
   * What this process counted, of all its pools, and what is true of this one; see docs/guides/metrics.md.
   *
   * @example
   * ```ts
   * console.log(formatPrometheus(pool.metrics()));
   * ```
   */
  metrics(): MetricFamily[] {
    return [...processMetrics.snapshot(), ...poolFamilies(this.query())];
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
    this.#requireRight(what, "w");
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
    this.#requireRight(what, "c");
    const created = newRecord(what, { label, owner: this.#access.identity.user, options });
    const uuid = randomUuid(this.#device);
    return this.#handle(this.#target.createContainer({ ...created, uuid }), {});
  }

  /**
   * Opens a container.
   *
   * @param name Its label or UUID.
   * @throws {@link DaosError} `DER_NONEXIST` if there is none, `DER_BUSY` beside an exclusive handle (or
   *   beside any, for an exclusive one), `DER_RF` if it is damaged, `DER_NO_PERM`.
   */
  openContainer(name: string, options: ContainerOpenOptions = {}): Container {
    const what = `Opening container "${name}" of pool ${this.path}`;
    this.#requireOpen(what);
    return this.#handle(this.#find(name, what), options);
  }

  #find(name: string, what: string): ContainerRecord {
    return findRecord(this.#target, name, { what, path: this.path });
  }

  /**
   * Destroys a container: nobody finds it any more when this returns, and its space comes back unless
   * somebody still has it open; then it does when the last handle and view are closed, with the next
   * {@link recover} or aggregation.
   *
   * @param options `force`: also while it is open; commits of its handles are `DER_NONEXIST` then.
   * @throws {@link DaosError} `DER_NONEXIST`, `DER_BUSY`, `DER_NO_PERM`.
   */
  destroyContainer(name: string, options: { force?: boolean } = {}): void {
    const what = `Destroying container "${name}" of pool ${this.path}`;
    this.#requireWritable(what);
    const { id } = this.#find(name, what);
    const rights = this.#access.containerRights(id);
    if (!rights.includes("d") && !this.#rights.includes("d")) throw noRight(what, "d", rights);
    destroyRecord(this.#target, { id, name, what, force: options.force === true });
  }

  /** Labels of the pool's containers, in order of creation; with `records`, more of each. */
  listContainers(): string[];
  listContainers(options: { records: true }): ContainerListing[];
  listContainers(options?: { records: true }): string[] | ContainerListing[] {
    this.#requireOpen("Listing containers");
    const records = this.#target.listContainers();
    if (options?.records !== true) return records.map(({ label }) => label);
    const { handles } = this.#target;
    return records.map(({ id, label, uuid }) => {
      return { label, uuid: formatUuid(uuid), openHandles: handles.count(id) };
    });
  }

  /** Takes back the space of writers that died. One process of a node does it, now and then. */
  recover(): RecoveryReport {
    this.#requireWritable(`Recovering pool ${this.path}`);
    for (const _ of this.#target.reclaim());
    return this.#target.recover();
  }

  /**
   * Reads every stored block that a version refers to and reports what is damaged. Takes as long as
   * reading the pool does: see {@link scrubSteps} for a pass in the background. Containers with damaged
   * arrays get the status `unclean`, unless the handle is read-only; nothing else is changed.
   *
   * @returns What was checked, every damaged page of the index, in which keys and small values lie, and every damaged
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
    checkStepSize(what, stepSize);
    const steps = this.#target.scrub(stepSize);
    return this.#readOnly ? steps : markingUnclean(this.#target, steps);
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

  protected override administered(what: string): AdministeredOrigin {
    this.#requireOpen(what);
    return {
      scope: POOL_SCOPE,
      name: `pool ${this.path}`,
      rights: this.#rights,
      readOnly: this.#readOnly,
      table: POOL_PROPERTIES,
      metadata: () => this.#target.metadata,
      defaults: () => this.#access.ofFiles(),
      label: () => this.label,
      rename: (label) => relabelPool(this.#target, label),
      files: filesOf(this.path, this.#access),
    };
  }

  #handle(record: ContainerRecord, options: ContainerOpenOptions, given?: Rights): Container {
    const { path: pool } = this;
    const { id, label } = record;
    const what = `Opening container "${label}" of pool ${pool}`;
    const mode = options.mode ?? (this.#readOnly ? "ro" : "rw");
    if (mode !== "ro") this.#requireWritable(what);
    const rights = given ?? this.#access.containerRights(id);
    const readOnly = mode === "ro" || (options.mode === undefined && !rights.includes("w"));
    const needed = readOnly ? "r" : "w";
    if (!rights.includes(needed)) throw noRight(what, needed, rights);
    if (options.force !== true) requireHealthy(this.#target, id, what);
    const lock: HandleLock = this.#target.handles.acquire(id, what, mode === "ex");
    const device = this.#device;
    const rename = (to: string) => relabel(this.#target, id, to);
    const share = () => {
      if (mode === "ex") throw exclusiveHandle(`Sharing the handle of container "${label}"`);
      const container = { uuid: record.uuid, force: options.force === true };
      const shared = { rights, mode: readOnly ? "ro" : "rw" } as const;
      return encodeGlobalHandle({ ...this.#globalHandle(), ...shared, container });
    };
    const access = {
      rights,
      lock,
      rename,
      share,
      defaults: () => this.#access.containerDefaults(),
    };
    return new Container(this.#target, { record, device, pool, readOnly, ...access });
  }

  #requireRight(what: string, right: Permission): void {
    if (!this.#rights.includes(right)) throw noRight(what, right, this.#rights);
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
