/**
 * The machine: `node:fs` for what Node has, the storage addon for what it lacks.
 *
 * @module
 */

import { randomFillSync } from "node:crypto";
import fs from "node:fs";
import { systemCode } from "../errors.js";
import { type MapHandle, type StorageAddon, storageAddon } from "./addon.js";
import { crc32cAccelerated, type MappedCrc32c, mappedCrc32c } from "./crc32c.js";
import type {
  BlockChecks,
  Device,
  DeviceFile,
  DeviceSpace,
  FileMap,
  Fragments,
  LockKind,
  OpenMode,
} from "./device.js";

const FLAGS: Record<OpenMode, string> = { create: "wx+", write: "r+", read: "r" };

class NodeFileMap implements FileMap {
  readonly size: number;
  readonly #addon: StorageAddon;
  readonly #handle: MapHandle;
  readonly #crc32c: MappedCrc32c;
  readonly #numbers = new Float64Array(5);

  constructor(addon: StorageAddon, fd: number, size: number) {
    this.size = size;
    this.#addon = addon;
    this.#crc32c = mappedCrc32c(addon);
    this.#handle = addon.map(fd, size);
  }

  copy(target: Uint8Array, base: number, fragments: Fragments, count: number): void {
    const { targets, positions, sizes } = fragments;
    this.#addon.copyMapped(target, this.#handle, base, targets, positions, sizes, count);
  }

  readVerified(target: Uint8Array, base: number, position: number, blocks: BlockChecks): number {
    // The portable checksums are for machines without the fast ones; there, blocks are verified one by one.
    if (!crc32cAccelerated) return 0;
    const { size, verified, checksums, seed } = blocks;
    const numbers = this.#numbers;
    numbers[0] = base;
    numbers[1] = position;
    numbers[2] = target.length;
    numbers[3] = size;
    numbers[4] = seed;
    return this.#addon.readVerified(target, this.#handle, numbers, verified, checksums);
  }

  crc32c(start: number, end: number, seed: number): number {
    return this.#crc32c(this.#handle, start, end, seed);
  }

  close(): void {
    this.#addon.unmap(this.#handle);
  }
}

class NodeFile implements DeviceFile {
  readonly path: string;
  readonly #fd: number;
  readonly #addon: StorageAddon;
  #open = true;

  constructor(path: string, mode: OpenMode) {
    this.path = path;
    this.#addon = storageAddon();
    this.#fd = fs.openSync(path, FLAGS[mode], 0o666);
  }

  read(target: Uint8Array, position: number): number {
    let done = 0;
    while (done < target.length) {
      const count = fs.readSync(this.#fd, target, done, target.length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  write(source: Uint8Array, position: number): void {
    let done = 0;
    // One pwrite moves at most 2 GiB, and a nearly full disk may take less than asked.
    while (done < source.length) {
      done += fs.writeSync(this.#fd, source, done, source.length - done, position + done);
    }
  }

  sync(): void {
    fs.fdatasyncSync(this.#fd);
  }

  allocate(start: number, size: number): void {
    this.#addon.fallocate(this.#fd, start, size);
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.#fd, size);
  }

  size(): number {
    return fs.fstatSync(this.#fd).size;
  }

  inode(): bigint {
    return fs.fstatSync(this.#fd, { bigint: true }).ino;
  }

  lock(start: number, size: number, kind: LockKind): boolean {
    return this.#addon.lock(this.#fd, start, size, kind === "exclusive" ? 1 : 0);
  }

  unlock(start: number, size: number): void {
    this.#addon.lock(this.#fd, start, size, 2);
  }

  isLocked(start: number, size: number): boolean {
    return this.#addon.isLocked(this.#fd, start, size);
  }

  map(size: number): FileMap {
    return new NodeFileMap(this.#addon, this.#fd, size);
  }

  mapMemory(size: number): ArrayBuffer {
    return this.#addon.mapMemory(this.#fd, size);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    fs.closeSync(this.#fd);
  }
}

/** Random bytes that are drawn at once, each of which is handed out once. */
const RANDOM_POOL_SIZE = 4096;
const randomPool = new Uint8Array(RANDOM_POOL_SIZE);
let randomLeft = 0;

/** Files, clock and randomness of this machine. */
export class NodeDevice implements Device {
  /** Opens a file; see {@link Device.open}. */
  open(path: string, mode: OpenMode): DeviceFile {
    return new NodeFile(path, mode);
  }

  /** See {@link Device.inodeAt}. */
  inodeAt(path: string): bigint | undefined {
    return fs.statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
  }

  /** See {@link Device.list}. */
  list(directory: string): string[] {
    return fs.existsSync(directory) ? fs.readdirSync(directory) : [];
  }

  /** See {@link Device.rename}. */
  rename(source: string, target: string): void {
    fs.renameSync(source, target);
  }

  /** See {@link Device.matchAccess}. */
  matchAccess(path: string, pattern: string): void {
    const is = fs.statSync(path);
    const { mode, uid, gid } = fs.statSync(pattern);
    const isRoot = process.geteuid?.() === 0;
    let wanted = mode & 0o777;
    try {
      if (gid !== is.gid || (isRoot && uid !== is.uid)) fs.chownSync(path, isRoot ? uid : -1, gid);
    } catch (error) {
      if (systemCode(error) !== "EPERM") throw error;
      // Who is not of the group has another one, which is nobody that the permissions speak of.
      wanted &= ~0o070;
    }
    if (wanted !== (is.mode & 0o777)) fs.chmodSync(path, wanted);
  }

  /** See {@link Device.unlink}. */
  unlink(path: string): void {
    fs.rmSync(path, { force: true });
  }

  /** See {@link Device.syncDirectory}. */
  syncDirectory(directory: string): void {
    const fd = fs.openSync(directory, "r");
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** See {@link Device.space}. */
  space(directory: string): DeviceSpace {
    const { bsize, blocks, bavail, type } = fs.statfsSync(directory);
    return { total: bsize * blocks, available: bsize * bavail, type };
  }

  /** See {@link Device.now}. */
  now(): bigint {
    return BigInt(Date.now()) * 1_000_000n;
  }

  /** See {@link Device.random}. */
  random(size: number): Uint8Array {
    if (size > RANDOM_POOL_SIZE) return randomFillSync(new Uint8Array(size));
    if (randomLeft < size) {
      randomFillSync(randomPool);
      randomLeft = RANDOM_POOL_SIZE;
    }
    randomLeft -= size;
    return randomPool.slice(randomLeft, randomLeft + size);
  }
}
