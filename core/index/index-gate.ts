/**
 * The gate of an index: opening, closing and writing pass it one at a time, of all processes.
 *
 * LMDB's own locks do not cover the opening and closing of an environment (as of `lmdb` 3.5.6):
 *
 * 1. `mdb_env_open2` sets the shared number of the last transaction to what it has read from the file a
 *    moment before. A commit of another process in between is undone: the next writer begins with the
 *    state before it, and overwrites pages that are in use.
 * 2. The last process to close destroys the shared mutexes, though another one may already wait for
 *    them to be its own.
 *
 * An exclusive lock of the index file's descriptor, far beyond its end, covers all three. LMDB locks
 * its lock file only. The kernel ends the lock with the process, however it ends.
 *
 * @module
 */

import fs from "node:fs";
import { storageAddon } from "../device/addon.js";

/** Beyond every offset that an index can have. */
const GATE_OFFSET = 2 ** 52;
const SHARED = 0;
const EXCLUSIVE = 1;
const RELEASE = 2;

/** The gate of one index file, as one handle sees it. */
export class IndexGate {
  readonly #fd: number;
  readonly #kind: typeof SHARED | typeof EXCLUSIVE;

  /**
   * @param options `writable`: whether this user may write the file; `create`: makes an empty one if
   *   there is none.
   */
  constructor(path: string, { writable, create }: { writable: boolean; create: boolean }) {
    this.#fd = fs.openSync(path, create ? "a+" : writable ? "r+" : "r", 0o664);
    // A descriptor that only reads cannot lock exclusively; it also changes nothing that is shared.
    this.#kind = writable ? EXCLUSIVE : SHARED;
  }

  /** Runs `work` while nobody else opens, closes or writes; waits for that, blocking the thread. */
  pass<T>(work: () => T): T {
    this.enter();
    try {
      return work();
    } finally {
      this.leave();
    }
  }

  /** Waits until nobody else is inside. */
  enter(): void {
    storageAddon().waitForLock(this.#fd, GATE_OFFSET, 1, this.#kind);
  }

  /** Lets others in. */
  leave(): void {
    storageAddon().lock(this.#fd, GATE_OFFSET, 1, RELEASE);
  }

  /** Makes durable what the file holds. */
  sync(): void {
    fs.fsyncSync(this.#fd);
  }

  /** Closes the descriptor. */
  close(): void {
    fs.closeSync(this.#fd);
  }
}
