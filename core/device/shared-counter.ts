/**
 * A number that several processes of a node share: a counter that each may read, set and add to.
 *
 * It lies in a file without a name: made by one process, opened by the others while it has its name, and then
 * unlinked. It ends with the last process that has it open, however that ends. A lock that ends with its holder
 * orders the changes.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storageAddon } from "./addon.js";

const COUNTER_SIZE = 8;
const UNLOCK = 2;
const EXCLUSIVE = 1;

/** A counter in shared storage. */
export class SharedCounter {
  /** Where others open it, until it is unlinked. */
  readonly path: string;
  readonly #fd: number;
  readonly #bytes = new DataView(new ArrayBuffer(COUNTER_SIZE));

  private constructor(path: string, flags: string) {
    this.path = path;
    this.#fd = openSync(path, flags, 0o600);
  }

  /** Makes a counter of 0. @throws The system's error, if the temporary directory cannot be written. */
  static create(): SharedCounter {
    return new SharedCounter(join(tmpdir(), `daos-counter-${randomUUID()}`), "wx+");
  }

  /** Opens the counter of another process, before it is unlinked. */
  static open(path: string): SharedCounter {
    return new SharedCounter(path, "r+");
  }

  /** Takes its name away, when all have it open. */
  unlink(): void {
    rmSync(this.path, { force: true });
  }

  /** Its value. */
  get value(): number {
    return this.#change((value) => value);
  }

  /** Sets it, for all. */
  set value(value: number) {
    this.#change(() => value);
  }

  /** Adds to it, as one step. @returns What it was before. */
  add(amount: number): number {
    let before = 0;
    this.#change((value) => {
      before = value;
      return value + amount;
    });
    return before;
  }

  /** Lets go of it. */
  close(): void {
    closeSync(this.#fd);
  }

  #change(next: (value: number) => number): number {
    const addon = storageAddon();
    addon.waitForLock(this.#fd, 0, 1, EXCLUSIVE);
    try {
      // A new file is empty: 0.
      this.#bytes.setFloat64(0, 0);
      readSync(this.#fd, this.#bytes, 0, COUNTER_SIZE, 0);
      const old = this.#bytes.getFloat64(0);
      const value = next(old);
      if (value !== old) {
        this.#bytes.setFloat64(0, value);
        writeSync(this.#fd, this.#bytes, 0, COUNTER_SIZE, 0);
      }
      return value;
    } finally {
      addon.lock(this.#fd, 0, 1, UNLOCK);
    }
  }
}
