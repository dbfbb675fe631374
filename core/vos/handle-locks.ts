/**
 * Open handles of pools and containers, known to all processes: locks far behind the end of the pins file,
 * which the kernel ends with their process.
 *
 *     2^40                    use of the pool: shared by each handle, exclusive for an exclusive one
 *     2^40 + 1 + slot         one byte for each handle of the pool, so that they can be counted
 *     2^41 + id * 2^21        the same for the container of that id
 *
 * A shared lock needs no right to write the file. The locks of one open file do not conflict with each
 * other, so that a table counts what it holds itself; each pool handle has a table of its own.
 *
 * @module
 */

import type { Device, DeviceFile } from "../device/device.js";
import { assert, DaosError, storageError, systemCode } from "../errors.js";
import { HANDLE_SLOT_ATTEMPTS_MAX, HANDLE_SLOTS_MAX } from "../limits.js";

const POOL_OFFSET = 2 ** 40;
const CONTAINERS_OFFSET = 2 ** 41;
const CONTAINER_STRIDE = 2 ** 21;

assert(
  HANDLE_SLOTS_MAX + 1 <= CONTAINER_STRIDE,
  "the slots of a container end before the next one's",
);

/** What is locked: the pool, or the container of an id. */
export type HandleScope = "pool" | number;

/** A handle that is counted; release it when it is closed. */
export interface HandleLock {
  /** Ends it; later calls do nothing. */
  release(): void;
}

function offsetOf(scope: HandleScope): number {
  return scope === "pool" ? POOL_OFFSET : CONTAINERS_OFFSET + scope * CONTAINER_STRIDE;
}

function nameOf(scope: HandleScope): string {
  return scope === "pool" ? "the pool" : "the container";
}

interface Held {
  count: number;
  exclusive: boolean;
}

/** The handles of one pool handle: its own, and those of containers that were opened with it. */
export class HandleTable {
  readonly #device: Device;
  readonly #path: string;
  readonly #held = new Map<HandleScope, Held>();
  #file: DeviceFile | undefined;
  #writable = true;

  /** @param path The pins file. */
  constructor(device: Device, path: string) {
    this.#device = device;
    this.#path = path;
  }

  #open(): DeviceFile {
    if (this.#file !== undefined) return this.#file;
    try {
      this.#file = this.#device.open(this.#path, "write");
    } catch (error) {
      const code = systemCode(error);
      if (code !== "EACCES" && code !== "EROFS" && code !== "EPERM") {
        throw storageError(error, "Opening a handle", this.#path);
      }
      this.#writable = false;
      this.#file = this.#device.open(this.#path, "read");
    }
    return this.#file;
  }

  /**
   * Counts a handle.
   *
   * @throws {@link DaosError} `DER_BUSY` if another handle is exclusive, or if this one is to be and there
   *   are others; `DER_NO_PERM` if this user cannot take an exclusive one; `DER_IO`, `DER_NOSPACE`. Nothing is
   *   counted then.
   */
  acquire(scope: HandleScope, what: string, isExclusive: boolean): HandleLock {
    try {
      return this.#acquire(this.#open(), { scope, what, isExclusive });
    } catch (error) {
      throw storageError(error, what, this.#path);
    }
  }

  #acquire(
    file: DeviceFile,
    { scope, what, isExclusive }: { scope: HandleScope; what: string; isExclusive: boolean },
  ): HandleLock {
    if (isExclusive && !this.#writable) {
      const why = "an exclusive handle needs the right to write the pool's files";
      throw new DaosError("DER_NO_PERM", { what, why, remedy: 'open it with mode "ro"' });
    }
    const held = this.#held.get(scope);
    const isTaken = held !== undefined && (isExclusive || held.exclusive);
    const offset = offsetOf(scope);
    if (isTaken || !this.#lockUse(file, scope, isExclusive)) {
      const why = isExclusive
        ? `others have ${nameOf(scope)} open`
        : `somebody has ${nameOf(scope)} open exclusively`;
      throw new DaosError("DER_BUSY", {
        what,
        why,
        remedy: "wait until it is closed, then try again",
      });
    }
    let slot: number | undefined;
    try {
      slot = this.#takeSlot(file, offset);
    } catch (error) {
      if (held === undefined) file.unlock(offset, 1);
      throw error;
    }
    const now = held ?? { count: 0, exclusive: isExclusive };
    now.count += 1;
    this.#held.set(scope, now);
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld || this.#file !== file) return;
        isHeld = false;
        if (slot !== undefined) file.unlock(slot, 1);
        now.count -= 1;
        if (now.count > 0) return;
        this.#held.delete(scope);
        file.unlock(offset, 1);
      },
    };
  }

  #lockUse(file: DeviceFile, scope: HandleScope, isExclusive: boolean): boolean {
    if (this.#held.has(scope)) return true;
    return file.lock(offsetOf(scope), 1, isExclusive ? "exclusive" : "shared");
  }

  /** Locks a byte that no other handle has: drawn at random, so that few look at the same one. */
  #takeSlot(file: DeviceFile, offset: number): number | undefined {
    for (let attempt = 0; attempt < HANDLE_SLOT_ATTEMPTS_MAX; attempt++) {
      const random = this.#device.random(4);
      const slot =
        new DataView(random.buffer, random.byteOffset, 4).getUint32(0) % HANDLE_SLOTS_MAX;
      const byte = offset + 1 + slot;
      if (this.#slots.has(byte) || file.isLocked(byte, 1)) continue;
      const kind = this.#writable ? "exclusive" : "shared";
      if (!file.lock(byte, 1, kind)) continue;
      this.#slots.add(byte);
      return byte;
    }
    // Only the count misses it.
    return undefined;
  }

  readonly #slots = new Set<number>();

  /** How many handles all processes have. */
  count(scope: HandleScope): number {
    return this.#withOwnFile((file) => {
      const first = offsetOf(scope) + 1;
      const countIn = (start: number, size: number): number => {
        if (!file.isLocked(start, size)) return 0;
        if (size === 1) return 1;
        const half = Math.floor(size / 2);
        return countIn(start, half) + countIn(start + half, size - half);
      };
      return countIn(first, HANDLE_SLOTS_MAX);
    });
  }

  /** Whether any process has a handle. */
  isOpen(scope: HandleScope): boolean {
    return this.#withOwnFile((file) => file.isLocked(offsetOf(scope), 1));
  }

  /** A second open file sees this table's own locks as somebody else's. */
  #withOwnFile<T>(look: (file: DeviceFile) => T): T {
    const file = this.#device.open(this.#path, "read");
    try {
      return look(file);
    } finally {
      file.close();
    }
  }

  /**
   * Takes a scope for itself while `work` runs.
   *
   * @returns `false` if others use it; `work` was not run then.
   */
  whileUnused(scope: HandleScope, work: () => void): boolean {
    if (this.#held.has(scope)) return false;
    const file = this.#open();
    const offset = offsetOf(scope);
    if (!file.lock(offset, 1, "exclusive")) return false;
    try {
      work();
    } finally {
      file.unlock(offset, 1);
    }
    return true;
  }

  /** Ends all handles of this table. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#held.clear();
    this.#slots.clear();
  }
}
