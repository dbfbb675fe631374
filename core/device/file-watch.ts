/**
 * Tells of changes of a file that any process of the machine makes: inotify on Linux.
 *
 * Writes are told of, stores into maps are not. What is told of is a hint: events of one burst come as
 * one, and a system whose watches are used up has none to give.
 *
 * @module
 */

import fs from "node:fs";

/** A watched file. */
export interface FileWatch {
  /** Whether changes are told of; if not, look now and then. */
  readonly isLive: boolean;
  /** Ends it. Later calls do nothing. */
  close(): void;
}

/**
 * Watches a file. It does not keep the process alive.
 *
 * @param onChange Called after a change; never after `close`.
 * @returns A watch that is not live where the system gives none.
 */
export function watchFile(path: string, onChange: () => void): FileWatch {
  let watcher: fs.FSWatcher | undefined;
  const close = () => {
    const open = watcher;
    watcher = undefined;
    open?.close();
  };
  try {
    watcher = fs.watch(path, { persistent: false });
    watcher.on("change", () => {
      if (watcher !== undefined) onChange();
    });
    // The watch ended: whoever waits looks by itself from now on.
    watcher.on("error", close);
  } catch {
    close();
  }
  return {
    get isLive() {
      return watcher !== undefined;
    },
    close,
  };
}
