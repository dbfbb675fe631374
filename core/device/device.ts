/**
 * The only door to files, clock and randomness.
 *
 * Everything below `core/vos` takes a `Device` as an argument, so that production and
 * fault-injecting tests run the same code. Calls are synchronous: a page-cache write costs about
 * 1 us this way and 18 to 36 us through the thread pool.
 *
 * Implementations: `NodeDevice` (the machine) and `FaultDevice` (a machine that loses power and
 * runs out of space on demand). The index does its own I/O, inside LMDB.
 *
 * @module
 */

/** How a file is opened: `create` makes a new file and fails if it exists. */
export type OpenMode = "create" | "write" | "read";

/** Kind of a byte-range lock. Locks belong to the open file and end with it, also when killed. */
export type LockKind = "shared" | "exclusive";

/** An open file. Positions and sizes are in bytes. System errors are thrown as they are. */
export interface DeviceFile {
  /** Path that the file was opened by. */
  readonly path: string;
  /** Reads up to `target.length` bytes; returns how many there were. */
  read(target: Uint8Array, position: number): number;
  /** Writes all of `source`. */
  write(source: Uint8Array, position: number): void;
  /** Returns when all that was written is durable, with the size needed to read it back. */
  sync(): void;
  /** Allocates `[start, start + size)`, so that writing there cannot run out of space. */
  allocate(start: number, size: number): void;
  /** Cuts the file off at `size`, which is at most its own, and gives back the space behind. */
  truncate(size: number): void;
  /** Size of the file. */
  size(): number;
  /** Identity of the file, whatever its name becomes. */
  inode(): bigint;
  /** Takes a lock without waiting; `false` if another open file holds it. */
  lock(start: number, size: number, kind: LockKind): boolean;
  /** Releases a lock. */
  unlock(start: number, size: number): void;
  /** Whether another open file locks a byte of the range. */
  isLocked(start: number, size: number): boolean;
  /** Maps the first `size` bytes. The map keeps the file's locks until it is closed. */
  map(size: number): FileMap;
  /**
   * Maps the first `size` bytes as memory for JavaScript, read and private: what is stored into it reaches no file.
   * It keeps the file's locks until nothing refers to it any more. A page that is not there any more ends the
   * process: for files that only their owner truncates.
   */
  mapMemory(size: number): ArrayBuffer;
  /** Closes the file and releases its locks. */
  close(): void;
}

/** Ranges to be copied, in bytes: `sizes[i]` of them from `positions[i]` to `targets[i]`. */
export interface Fragments {
  readonly targets: Float64Array;
  readonly positions: Float64Array;
  readonly sizes: Float64Array;
}

/** What blocks of a file are verified by. */
export interface BlockChecks {
  /** Size of a block, in bytes. */
  readonly size: number;
  /** By block, whether it was verified: 1. */
  readonly verified: Uint8Array;
  /** By block, CRC-32C continued from `seed` and the block's number, as big-endian u32. */
  readonly checksums: Uint32Array;
  readonly seed: number;
}

/**
 * The start of a file in memory. It is read by native code only, never by JavaScript: a page that is not there any
 * more, because the file was truncated under the map or the device fails, would end the process. Here it is an
 * error of code `EFAULT`.
 */
export interface FileMap {
  /** In bytes. */
  readonly size: number;
  /** Copies the first `count` fragments; positions count from `base`. */
  copy(target: Uint8Array, base: number, fragments: Fragments, count: number): void;
  /**
   * Fills `target` with bytes from `position` behind `base`, each block of them verified before it is copied.
   *
   * @returns How many bytes were copied: up to the first block that has no checksum, or another one.
   */
  readVerified(target: Uint8Array, base: number, position: number, blocks: BlockChecks): number;
  /** CRC-32C of `[start, end)`, up to a block of it, continued from `seed`. */
  crc32c(start: number, end: number, seed: number): number;
  /** Lets go of it. */
  close(): void;
}

/** Space of the file system under a directory, in bytes. */
export interface DeviceSpace {
  /** Size of the file system. */
  readonly total: number;
  /** What an ordinary user can still allocate. */
  readonly available: number;
  /** Type of the file system as `statfs` numbers it. */
  readonly type: number;
}

/** Files, clock and randomness of a machine. */
export interface Device {
  /** Opens a file. */
  open(path: string, mode: OpenMode): DeviceFile;
  /** Inode that a path names now, or `undefined` if there is none. */
  inodeAt(path: string): bigint | undefined;
  /** Names in a directory; empty if the directory does not exist. */
  list(directory: string): string[];
  /** Renames a file, replacing the target. */
  rename(source: string, target: string): void;
  /** Gives a file the owner, group and permissions of another, as far as the process may. */
  matchAccess(path: string, pattern: string): void;
  /** Removes a file; does nothing if there is none. */
  unlink(path: string): void;
  /** Makes the names in a directory durable. */
  syncDirectory(directory: string): void;
  /** Space under a directory. */
  space(directory: string): DeviceSpace;
  /** Wall clock in nanoseconds since 1970-01-01 UTC. */
  now(): bigint;
  /** `size` random bytes. */
  random(size: number): Uint8Array;
}
