/**
 * The gate of an index: processes open and close it one at a time.
 *
 * LMDB's own locks do not cover that (as of `lmdb` 3.5.6): the last process to close destroys the shared
 * mutexes, though another one that opens may already wait for them to be its own. Opening also sets the
 * shared number of the last transaction to what was read from the file a moment before, which would undo
 * a commit in between; the set-up compiles LMDB without that statement (cli/setup/native-build.mjs).
 *
 * The gate is an exclusive lock of the index file's descriptor, far beyond its end; LMDB locks its lock file
 * only. The kernel ends the lock with the process, however it ends.
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

  /** Runs `work` while nobody else opens or closes; waits for that, blocking the thread. */
  pass<T>(work: () => T): T {
    storageAddon().waitForLock(this.#fd, GATE_OFFSET, 1, this.#kind);
    try {
      return work();
    } finally {
      storageAddon().lock(this.#fd, GATE_OFFSET, 1, RELEASE);
    }
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
