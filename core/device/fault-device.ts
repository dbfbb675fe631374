/**
 * A machine that fails on demand: wraps another device, for tests of what a power cut or a broken disk
 * leaves behind. It needs no other process to see the files.
 *
 *     call ──▶ before(operation) ──▶ inner device
 *                   │
 *                   └─ may throw (ENOSPC, EIO), may take a crash image
 *
 * A *crash image* is a copy of a directory as a power cut at this moment could have left it:
 *
 * 1. Each 512-byte sector that was written since its file's last `sync` holds what it held then, or
 *    what any write since gave it, whatever the other sectors hold: dropped, torn, reordered.
 * 2. A file that grew since its last `sync` has either size; what was not written is zero. A file that
 *    was cut off stays so: nothing that a pool cuts off is ever looked for.
 * 3. A directory has its names as of some moment since its last `syncDirectory`: file systems keep
 *    the order of name changes, but nothing says how many of them are on the device.
 *
 * What bypasses the device, as the index does, is copied as it is.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import { assert } from "../errors.js";
import type { Device, DeviceFile, DeviceSpace, FileMap, LockKind, OpenMode } from "./device.js";

const SECTOR_SIZE = 512;
/** A removed or replaced file waits under such a name, in case a power cut brings it back. */
const LOST_SUFFIX = /\.lost-\d+$/;

/** A call that can fail. */
export interface FaultOperation {
  /** Order of the call, from 1. */
  readonly number: number;
  readonly name: keyof Device | keyof DeviceFile;
  readonly path: string;
}

/** What a file held at its last sync, and what was written since. */
interface FileHistory {
  syncedSize: number;
  /** Versions of each sector written since, oldest first; the first is the synced one. */
  readonly sectors: Map<number, Uint8Array[]>;
}

/** A change of a directory's names. `lost` is where the file that it removed waits. */
type NameChange =
  | { readonly kind: "create"; readonly name: string }
  | { readonly kind: "unlink"; readonly name: string; readonly lost: string }
  | {
      readonly kind: "rename";
      readonly source: string;
      readonly target: string;
      readonly lost: string | undefined;
    };

/** A random number in `[0, 1)`. */
export type RandomSource = () => number;

/** Where a crash image comes from and goes to. */
export interface CrashImageOptions {
  readonly source: string;
  /** Made if it does not exist. */
  readonly target: string;
  /** Decides what survives: always 0 loses all that was not synced, always just below 1 nothing. */
  readonly random: RandomSource;
  /** Names that a reboot removes, such as lock files. */
  readonly without?: RegExp;
}

class FaultFile implements DeviceFile {
  readonly path: string;
  readonly #device: FaultDevice;
  readonly #inner: DeviceFile;
  readonly #history: FileHistory;

  constructor(device: FaultDevice, inner: DeviceFile, history: FileHistory) {
    this.#device = device;
    this.#inner = inner;
    this.path = inner.path;
    this.#history = history;
  }

  read(target: Uint8Array, position: number): number {
    this.#device.operation("read", this.path);
    return this.#inner.read(target, position);
  }

  write(source: Uint8Array, position: number): void {
    this.#device.operation("write", this.path);
    const first = Math.floor(position / SECTOR_SIZE);
    const end = Math.ceil((position + source.length) / SECTOR_SIZE);
    const { sectors } = this.#history;
    for (let sector = first; sector < end; sector++) {
      if (!sectors.has(sector)) sectors.set(sector, [this.#sector(sector)]);
    }
    this.#inner.write(source, position);
    for (let sector = first; sector < end; sector++) {
      sectors.get(sector)?.push(this.#sector(sector));
    }
  }

  #sector(sector: number): Uint8Array {
    const bytes = new Uint8Array(SECTOR_SIZE);
    this.#inner.read(bytes, sector * SECTOR_SIZE);
    return bytes;
  }

  sync(): void {
    this.#device.operation("sync", this.path);
    if (this.#device.ignoresSync) return;
    this.#inner.sync();
    this.#history.sectors.clear();
    this.#history.syncedSize = this.#inner.size();
  }

  allocate(start: number, size: number): void {
    this.#device.operation("allocate", this.path);
    this.#inner.allocate(start, size);
  }

  truncate(size: number): void {
    this.#device.operation("truncate", this.path);
    this.#inner.truncate(size);
    this.#history.syncedSize = Math.min(this.#history.syncedSize, size);
    for (const sector of this.#history.sectors.keys()) {
      if (sector * SECTOR_SIZE >= size) this.#history.sectors.delete(sector);
    }
  }

  size(): number {
    return this.#inner.size();
  }

  inode(): bigint {
    return this.#inner.inode();
  }

  lock(start: number, size: number, kind: LockKind): boolean {
    this.#device.operation("lock", this.path);
    return this.#inner.lock(start, size, kind);
  }

  unlock(start: number, size: number): void {
    this.#inner.unlock(start, size);
  }

  isLocked(start: number, size: number): boolean {
    return this.#inner.isLocked(start, size);
  }

  map(size: number): FileMap {
    this.#device.operation("map", this.path);
    return this.#inner.map(size);
  }

  mapMemory(size: number): ArrayBuffer {
    this.#device.operation("map", this.path);
    return this.#inner.mapMemory(size);
  }

  close(): void {
    this.#inner.close();
  }
}

/** A device that fails on demand and knows what a power cut would lose. */
export class FaultDevice implements Device {
  readonly #inner: Device;
  readonly #files = new Map<bigint, FileHistory>();
  readonly #names = new Map<string, NameChange[]>();
  #operations = 0;
  #lostFiles = 0;
  /** Called before each operation that can fail; what it throws, the operation throws. */
  before: (operation: FaultOperation) => void = () => {};
  /** Whether syncs do nothing: a canary, with which a test of durability must fail. */
  ignoresSync = false;

  constructor(inner: Device) {
    this.#inner = inner;
  }

  /** Operations so far. */
  get operationCount(): number {
    return this.#operations;
  }

  /** Counts an operation and lets it fail. */
  operation(name: FaultOperation["name"], at: string): void {
    this.#operations += 1;
    this.before({ number: this.#operations, name, path: at });
  }

  open(name: string, mode: OpenMode): DeviceFile {
    this.operation("open", name);
    const inner = this.#inner.open(name, mode);
    const inode = inner.inode();
    let history = this.#files.get(inode);
    if (history === undefined || mode === "create") {
      const syncedSize = mode === "create" ? 0 : inner.size();
      history = { syncedSize, sectors: new Map() };
      this.#files.set(inode, history);
    }
    if (mode === "create") this.#changed(name, { kind: "create", name: path.basename(name) });
    return new FaultFile(this, inner, history);
  }

  #changed(file: string, change: NameChange): void {
    const directory = path.dirname(file);
    const changes = this.#names.get(directory) ?? [];
    changes.push(change);
    this.#names.set(directory, changes);
  }

  /** Puts a file aside that is about to lose its name; returns its new one. */
  #putAside(name: string): string | undefined {
    if (this.#inner.inodeAt(name) === undefined) return undefined;
    this.#lostFiles += 1;
    const lost = `${path.basename(name)}.lost-${this.#lostFiles}`;
    this.#inner.rename(name, path.join(path.dirname(name), lost));
    return lost;
  }

  inodeAt(name: string): bigint | undefined {
    this.operation("inodeAt", name);
    return this.#inner.inodeAt(name);
  }

  list(directory: string): string[] {
    this.operation("list", directory);
    return this.#inner.list(directory).filter((name) => !LOST_SUFFIX.test(name));
  }

  rename(source: string, target: string): void {
    this.operation("rename", source);
    assert(path.dirname(source) === path.dirname(target), "files are renamed in their directory");
    const lost = this.#putAside(target);
    this.#inner.rename(source, target);
    const names = { source: path.basename(source), target: path.basename(target) };
    this.#changed(source, { kind: "rename", ...names, lost });
  }

  matchAccess(name: string, pattern: string): void {
    this.#inner.matchAccess(name, pattern);
  }

  unlink(name: string): void {
    this.operation("unlink", name);
    const lost = this.#putAside(name);
    if (lost !== undefined) {
      this.#changed(name, { kind: "unlink", name: path.basename(name), lost });
    }
  }

  syncDirectory(directory: string): void {
    this.operation("syncDirectory", directory);
    if (this.ignoresSync) return;
    this.#inner.syncDirectory(directory);
    for (const change of this.#names.get(directory) ?? []) {
      if (change.kind === "create" || change.lost === undefined) continue;
      this.#inner.unlink(path.join(directory, change.lost));
    }
    this.#names.delete(directory);
  }

  space(directory: string): DeviceSpace {
    return this.#inner.space(directory);
  }

  now(): bigint {
    return this.#inner.now();
  }

  random(size: number): Uint8Array {
    return this.#inner.random(size);
  }

  /** Writes a copy of a directory as a power cut at this moment could have left it. */
  crashImage(options: CrashImageOptions): void {
    const { source, target, random, without } = options;
    fs.mkdirSync(target, { recursive: true });
    for (const [name, actual] of this.#survivingNames(source, random)) {
      if (without?.test(name)) continue;
      const copy = path.join(target, name);
      if (fs.statSync(actual).isDirectory()) {
        this.crashImage({ ...options, source: actual, target: copy });
      } else {
        fs.copyFileSync(actual, copy);
        this.#loseWrites(copy, fs.statSync(actual, { bigint: true }).ino, random);
      }
    }
  }

  /** Names that survive, with the paths at which their files are now. */
  #survivingNames(directory: string, random: RandomSource): Map<string, string> {
    const at = (name: string) => path.join(directory, name);
    const names = new Map<string, string>();
    for (const name of fs.readdirSync(directory)) {
      if (!LOST_SUFFIX.test(name)) names.set(name, at(name));
    }
    const changes = this.#names.get(directory) ?? [];
    const kept = Math.floor(random() * (changes.length + 1));
    for (const change of changes.slice(kept).reverse()) {
      if (change.kind === "create") names.delete(change.name);
      else if (change.kind === "unlink") names.set(change.name, at(change.lost));
      else {
        names.set(change.source, names.get(change.target) as string);
        if (change.lost === undefined) names.delete(change.target);
        else names.set(change.target, at(change.lost));
      }
    }
    return names;
  }

  #loseWrites(copy: string, inode: bigint, random: RandomSource): void {
    const history = this.#files.get(inode);
    if (history === undefined) return;
    const fd = fs.openSync(copy, "r+");
    try {
      const size = fs.fstatSync(fd).size;
      for (const [sector, versions] of history.sectors) {
        const survivor = versions[Math.floor(random() * versions.length)] as Uint8Array;
        fs.writeSync(fd, survivor, 0, SECTOR_SIZE, sector * SECTOR_SIZE);
      }
      const hasGrown = size > history.syncedSize && random() >= 0.5;
      fs.ftruncateSync(fd, hasGrown ? size : Math.min(size, history.syncedSize));
    } finally {
      fs.closeSync(fd);
    }
  }
}
