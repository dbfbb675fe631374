/**
 * Reading directories: at once, with what is below them, or entry by entry.
 *
 * @module
 */

import type { ContainerView } from "../../core/index.js";
import { type DirectoryEntry, listDirectory, type NamespaceState } from "./directory.js";
import { type FileCall, notDirectoryError, refusal, withPosixErrors } from "./errors.js";
import { decodeInode, INODE_AKEY, type Inode } from "./inode-format.js";
import { DIRECTORY_BUFFER_COUNT_DEFAULT } from "./limits.js";
import type { OpenView } from "./mount.js";
import { listValues } from "./own-values.js";
import { findPlace } from "./place.js";
import { Dirent, encodedName, type NameEncoding } from "./stats.js";

/** How a directory is listed. */
export interface ReaddirOptions {
  /** Of the names; `utf8` by default, `buffer` for their bytes. */
  readonly encoding?: NameEncoding;
  /** Whether entries are given instead of names. */
  readonly withFileTypes?: boolean | undefined;
  /** Whether what is in directories below is listed too; symbolic links are not followed. */
  readonly recursive?: boolean | undefined;
}

/** How a directory is opened. */
export interface OpendirOptions {
  /** Of the names; `utf8` by default, `buffer` for their bytes. */
  readonly encoding?: NameEncoding;
  /** Entries that are read at a time; 32 by default. */
  readonly bufferSize?: number | undefined;
  /** Whether what is in directories below is listed too; symbolic links are not followed. */
  readonly recursive?: boolean | undefined;
}

/** An entry, and where it is. */
export interface LocatedEntry extends DirectoryEntry {
  /** Path of the directory from the one that is listed; empty for itself. */
  readonly below: string;
}

/** The object of a directory. @throws `ENOENT`, `ENOTDIR`. */
export function findDirectory(state: NamespaceState, { path, what }: FileCall): Inode {
  const { inode } = findPlace(state, path, what);
  if (inode.kind === "directory") return inode;
  throw notDirectoryError(path, what);
}

/** What is in a directory, then what is in those below it; each in the order of names. */
export function* listBelow(
  state: NamespaceState,
  directory: Inode,
  isRecursive: boolean,
): Generator<LocatedEntry, void, undefined> {
  const waiting = [{ inode: directory, below: "" }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { below } = next;
    for (const entry of listDirectory(state, next.inode.oid)) {
      yield { ...entry, below };
      if (!isRecursive || entry.inode.kind !== "directory") continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      waiting.push({ inode: entry.inode, below: path });
    }
  }
}

/** A path with what is below it. */
function joined(path: string, below: string): string {
  if (below === "") return path;
  return path.endsWith("/") ? path + below : `${path}/${below}`;
}

/** The entries of a directory in the shape that was asked for; see `Dfs.readdir`. */
export function readDirectory(
  state: NamespaceState,
  call: FileCall,
  { encoding, withFileTypes = false, recursive = false }: ReaddirOptions,
): (string | Buffer | Dirent<string | Buffer>)[] {
  const directory = findDirectory(state, call);
  if (!withFileTypes && !recursive) {
    // What names stand for is not read: that is most of the work.
    return listValues(state, directory.oid, INODE_AKEY).map(({ dkey }) =>
      encodedName(Buffer.from(dkey).toString(), encoding),
    );
  }
  const entries = [...listBelow(state, directory, recursive)];
  if (!withFileTypes) {
    return entries.map(({ name, below }) =>
      encodedName(below === "" ? name : `${below}/${name}`, encoding),
    );
  }
  return entries.map(({ name, inode, below }) => {
    return new Dirent({ name: encodedName(name, encoding), inode }, joined(call.path, below));
  });
}

/**
 * An open directory, after `Dir` of `node:fs`. It shows one version: that of its opening. Close it, or go
 * through it to its end, so that the space of old versions can be reclaimed.
 *
 * @example
 * ```ts
 * for await (const entry of await dfs.opendir("runs")) console.log(entry.name);
 * ```
 */
export class Dir<Name extends string | Buffer = string> implements AsyncIterable<Dirent<Name>> {
  /** The path that was opened. */
  readonly path: string;
  readonly #options: OpendirOptions;
  readonly #count: number;
  #open: OpenView | undefined;
  /** Directories that are still to be listed, the next one first. */
  readonly #waiting: { readonly inode: Inode; readonly below: string }[];
  #after: Uint8Array | undefined;
  #buffer: Dirent<Name>[] = [];

  /** @internal */
  constructor(
    open: OpenView,
    { call, inode }: { call: FileCall; inode: Inode },
    options: OpendirOptions,
  ) {
    this.path = call.path;
    this.#open = open;
    this.#options = options;
    this.#waiting = [{ inode, below: "" }];
    this.#count = options.bufferSize ?? DIRECTORY_BUFFER_COUNT_DEFAULT;
    if (Number.isSafeInteger(this.#count) && this.#count >= 1) return;
    const why = `${this.#count} is no number of entries`;
    throw refusal(call, { posix: "EINVAL", why, remedy: "give a bufferSize of at least 1" });
  }

  #requireOpen(syscall: string): OpenView {
    if (this.#open !== undefined) return this.#open;
    const call = { syscall, what: "Reading directory", path: this.path };
    const why = "it was closed";
    throw refusal(call, { posix: "EBADF", code: "DER_NO_HDL", why, remedy: "open it again" });
  }

  /** Reads entries until there are some, or no directories. */
  #fill(view: ContainerView): void {
    const { encoding, recursive } = this.#options;
    for (let at = this.#waiting[0]; at && this.#buffer.length === 0; at = this.#waiting[0]) {
      const after = this.#after === undefined ? {} : { after: this.#after };
      const options = { akey: INODE_AKEY, limit: this.#count, ...after };
      const found = view.listValues(at.inode.oid, options);
      for (const { dkey, value } of found) {
        const text = Buffer.from(dkey).toString();
        const inode = decodeInode(value, text);
        const name = encodedName(text, encoding) as Name;
        this.#buffer.push(new Dirent({ name, inode }, joined(this.path, at.below)));
        if (recursive !== true || inode.kind !== "directory") continue;
        this.#waiting.push({ inode, below: at.below === "" ? text : `${at.below}/${text}` });
      }
      this.#after = found.at(-1)?.dkey;
      if (found.length < this.#count) {
        this.#after = undefined;
        this.#waiting.shift();
      }
    }
  }

  /** The next entry; `null` at the end. @throws {@link DfsError} `EBADF` if it was closed. */
  readSync(): Dirent<Name> | null {
    const { view } = this.#requireOpen("readdir");
    if (this.#buffer.length === 0) withPosixErrors(() => this.#fill(view));
    return this.#buffer.shift() ?? null;
  }

  /** The next entry; `null` at the end. @throws {@link DfsError} `EBADF` if it was closed. */
  async read(): Promise<Dirent<Name> | null> {
    return this.readSync();
  }

  /** Closes it. @throws {@link DfsError} `EBADF` if it was closed before. */
  closeSync(): void {
    this.#requireOpen("closedir").release();
    this.#open = undefined;
  }

  /** Closes it. @throws {@link DfsError} `EBADF` if it was closed before. */
  async close(): Promise<void> {
    this.closeSync();
  }

  /** The entries; closes the directory at the end, and when a loop over it is left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Dirent<Name>, void, undefined> {
    try {
      for (let entry = this.readSync(); entry !== null; entry = this.readSync()) yield entry;
    } finally {
      if (this.#open !== undefined) this.closeSync();
    }
  }

  /** Closes it at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#open !== undefined) this.closeSync();
  }
}
