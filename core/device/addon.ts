/**
 * Loads the native addons of the storage layer from `build/` of the package.
 *
 * They are compiled by `npx daos setup`, never while npm installs. `storage.node` and `index.node` are
 * needed for any pool; `isal.node` is optional.
 *
 * @module
 */

import { createRequire } from "node:module";
import { DaosError } from "../errors.js";

declare const mapHandle: unique symbol;

/** A map of a file, as the addon knows it. */
export interface MapHandle {
  readonly [mapHandle]: true;
}

/** The calls of `storage.node`; see the C source for their contracts. */
export interface StorageAddon {
  fallocate(fd: number, offset: number, size: number): void;
  lock(fd: number, offset: number, size: number, kind: 0 | 1 | 2): boolean;
  waitForLock(fd: number, offset: number, size: number, kind: 0 | 1): void;
  isLocked(fd: number, offset: number, size: number): boolean;
  map(fd: number, size: number): MapHandle;
  unmap(map: MapHandle): void;
  mapMemory(fd: number, size: number): ArrayBuffer;
  copyMapped(
    target: Uint8Array,
    map: MapHandle,
    base: number,
    targetOffsets: Float64Array,
    offsets: Float64Array,
    sizes: Float64Array,
    count: number,
  ): void;
  useCrc(crc: object): void;
  /** The numbers: where the data begins, position, size, size of a block, seed. */
  readVerified(
    target: Uint8Array,
    map: MapHandle,
    numbers: Float64Array,
    verified: Uint8Array,
    checksums: Uint32Array,
  ): number;
  crc32cMapped(map: MapHandle, start: number, end: number, seed: number): number;
  getXattr(path: string, name: string): Uint8Array | undefined;
  listXattrs(path: string): Uint8Array;
  setXattr(path: string, name: string, value: Uint8Array): void;
  removeXattr(path: string, name: string): void;
  setTimes(
    path: string,
    accessed: number,
    accessedNs: number,
    modified: number,
    modifiedNs: number,
  ): void;
  seekData(fd: number, offset: number, hole: boolean): number;
}

/** The calls of `isal.node`. */
export interface IsalAddon {
  crc32c(bytes: Uint8Array, start: number, end: number, seed: number): number;
  beginBlocks(
    bytes: Uint8Array,
    start: number,
    blockSize: number,
    crcs: Uint32Array,
    first: number,
    count: number,
  ): void;
  endBlocks(): void;
  /** What computes a checksum, for {@link StorageAddon.useCrc}. */
  readonly crcFunction: object;
}

const require = createRequire(import.meta.url);

/** Loads one addon, or returns why it cannot be loaded. */
export function loadAddon<T>(name: "storage" | "isal" | "index"): T | Error {
  try {
    return require(`../../../build/${name}.node`) as T;
  } catch (error) {
    return error as Error;
  }
}

/**
 * Loads an addon that no pool can do without.
 *
 * @throws {@link DaosError} `DER_SETUP` if it was not built, or does not load here.
 */
export function requireAddon<T extends object>(name: "storage" | "index"): T {
  const loaded = loadAddon<T>(name);
  if (!(loaded instanceof Error)) return loaded;
  const missing = (loaded as { code?: string }).code === "MODULE_NOT_FOUND";
  const why = missing ? "it has not been built" : loaded.message;
  const remedy = "run `npx daos setup` (it needs a C compiler), then try again";
  throw new DaosError("DER_SETUP", { what: `Loading the ${name} addon`, why, remedy });
}

let storage: StorageAddon | undefined;

/**
 * The storage addon.
 *
 * @throws {@link DaosError} `DER_SETUP` if it was not built, or does not load here.
 */
export function storageAddon(): StorageAddon {
  storage ??= requireAddon<StorageAddon>("storage");
  return storage;
}
