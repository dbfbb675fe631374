/**
 * Wakes whoever waits for commits, of any process, when the index may have changed.
 *
 * LMDB writes the pages of each transaction, and then the one that makes them count, with write calls
 * to its file: inotify tells of those. So a commit does nothing for its listeners, whether there are any
 * or not, and who may only read the pool hears of it too. A ring is a hint: the transaction may be one
 * of aggregation, and it may become visible just after its last write. Listeners look again soon after a
 * ring, and now and then without one.
 *
 * @module
 */

import { type FileWatch, watchFile } from "../device/file-watch.js";

/** Someone who waits. */
export interface BellListener {
  /** The index may have changed. */
  ring(): void;
  /** The pool was closed. */
  close(): void;
}

/** The bell of one open pool. */
export class CommitBell {
  readonly #path: string;
  readonly #listeners = new Set<BellListener>();
  #watch: FileWatch | undefined;

  /** @param path The index file. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Whether rings come; if not, listeners must look by themselves. */
  get isLive(): boolean {
    return this.#watch?.isLive ?? false;
  }

  /** Adds a listener, until the returned function is called. */
  listen(listener: BellListener): () => void {
    this.#listeners.add(listener);
    this.#watch ??= watchFile(this.#path, () => {
      for (const each of this.#listeners) each.ring();
    });
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#unwatch();
    };
  }

  #unwatch(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** Tells all listeners that the pool was closed. */
  close(): void {
    this.#unwatch();
    for (const each of [...this.#listeners]) each.close();
    this.#listeners.clear();
  }
}
