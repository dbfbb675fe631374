/**
 * A container as a file system, after `node:fs/promises`.
 *
 *     Dfs.mount(container)              reads the newest version, and changes it
 *     Dfs.mount(container, { epoch })   reads one version, for as long as it is mounted
 *
 * Each call is atomic, and takes effect in one commit: `writeFile` publishes the name and all of the
 * bytes, or neither. Failures are {@link DfsError}s: `code` is the POSIX code, `daosCode` the DAOS one. Storage is reached
 * by synchronous calls: a promise is settled when its call returns.
 *
 * @module
 */

import { constants } from "node:buffer";
import {
  type Container,
  type ContainerView,
  type Epoch,
  Pattern,
  type Transaction,
  wholeOf,
} from "../../core/index.js";
import { DfsError, isDirectoryError, notDirectoryError, withPosixErrors } from "./errors.js";
import { FileHandle } from "./file-handle.js";
import type { ReadStream, WriteStream } from "./file-streams.js";
import type { Inode } from "./inode-format.js";
import {
  create,
  listDirectory,
  lookup,
  type NamespaceState,
  notFound,
  remove,
  replace,
  splitPath,
} from "./namespace.js";
import {
  createReadStream,
  createWriteStream,
  type FileReadStreamOptions,
  type FileWriteStreamOptions,
} from "./path-streams.js";
import { findPlace, type NamedFile } from "./place.js";
import { Dirent, Stats } from "./stats.js";
import { type PathWatch, type WatchPathOptions, watchPath } from "./watch.js";
import { getXattr, listXattrs, removeXattr, setXattr, type XattrFlags } from "./xattr.js";

/** How a file is opened: as `flags` of `node:fs`. */
export type OpenFlags = keyof typeof FLAGS;

const APPENDS = { canWrite: true, mayCreate: true, truncate: false, append: true } as const;

const FLAGS = {
  /** Reads a file that exists. */
  r: { canRead: true, canWrite: false, mayCreate: false, exclusive: false, truncate: false },
  /** Reads and writes a file that exists. */
  "r+": { canRead: true, canWrite: true, mayCreate: false, exclusive: false, truncate: false },
  /** Writes a file, which is created or emptied. */
  w: { canRead: false, canWrite: true, mayCreate: true, exclusive: false, truncate: true },
  /** The same, and reads it. */
  "w+": { canRead: true, canWrite: true, mayCreate: true, exclusive: false, truncate: true },
  /** Writes a file that must not exist. */
  wx: { canRead: false, canWrite: true, mayCreate: true, exclusive: true, truncate: false },
  /** The same, and reads it. */
  "wx+": { canRead: true, canWrite: true, mayCreate: true, exclusive: true, truncate: false },
  /** Writes at the end of a file, which is created if there is none. */
  a: { ...APPENDS, canRead: false, exclusive: false },
  /** The same, and reads it. */
  "a+": { ...APPENDS, canRead: true, exclusive: false },
  /** Writes at the end of a file that must not exist. */
  ax: { ...APPENDS, canRead: false, exclusive: true },
  /** The same, and reads it. */
  "ax+": { ...APPENDS, canRead: true, exclusive: true },
} as const;

type Change = NamespaceState & { own: Transaction };

/** A mounted container. */
export class Dfs {
  readonly #container: Container;
  readonly #pinned: ContainerView | undefined;

  private constructor(container: Container, pinned: ContainerView | undefined) {
    this.#container = container;
    this.#pinned = pinned;
  }

  /**
   * Mounts a container.
   *
   * @param options `epoch`: the version to show, read-only; the newest one at each call by default.
   * @throws {@link DfsError} `ESTALE` (`DER_EPOCH_GONE`) if the version was aggregated.
   */
  static mount(container: Container, options: { epoch?: Epoch } = {}): Dfs {
    const { epoch } = options;
    return withPosixErrors(
      () => new Dfs(container, epoch === undefined ? undefined : container.view(epoch)),
    );
  }

  /** The version that is mounted; `undefined` if each call sees the newest. */
  get epoch(): Epoch | undefined {
    return this.#pinned?.epoch;
  }

  /** Whether nothing can be changed through this mount. */
  get readOnly(): boolean {
    return this.#pinned !== undefined || this.#container.readOnly;
  }

  #read<T>(body: (view: ContainerView) => T): T {
    return withPosixErrors(() => {
      if (this.#pinned !== undefined) return body(this.#pinned);
      using view = this.#container.view();
      return body(view);
    });
  }

  #requireWritable(path: string, what: string): void {
    if (!this.readOnly) return;
    const why =
      this.#pinned === undefined
        ? "the pool was connected read-only"
        : `epoch ${this.#pinned.epoch} is mounted, and old versions cannot be changed`;
    const remedy = "mount the container without an epoch, of a pool connected for writing";
    throw new DfsError("EROFS", "DER_EP_RO", { what: `${what} "${path}"`, why, remedy }, { path });
  }

  /**
   * Makes a change in a serializable transaction: entries and listings that it read are the same at its
   * commit, or it is made again. So a file cannot be lost in a directory that is removed meanwhile.
   */
  #change<T>(path: string, what: string, body: (state: Change) => T): T {
    return withPosixErrors(() => {
      this.#requireWritable(path, what);
      return this.#container.runTransaction(body).value;
    });
  }

  /** A file's bytes. */
  async readFile(path: string): Promise<Buffer>;
  /**
   * A file's text, or its bytes.
   *
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `EISDIR`; `EFBIG` if no buffer can hold the file.
   */
  async readFile(path: string, encoding: BufferEncoding): Promise<string>;
  async readFile(path: string, encoding?: BufferEncoding): Promise<Buffer | string> {
    const bytes = this.#read((view) => {
      const { oid } = requireFile({ view }, path, "Reading");
      const size = view.arraySize(oid);
      if (size > constants.MAX_LENGTH) {
        const why = `its ${size} bytes are more than one buffer holds (${constants.MAX_LENGTH})`;
        const text = { what: `Reading "${path}"`, why, remedy: "open it, and read it in parts" };
        throw new DfsError("EFBIG", "DER_REC2BIG", text, { path, size });
      }
      const target = Buffer.allocUnsafeSlow(size);
      if (size > 0) view.readArray(oid, wholeOf(Pattern.contiguous(0, size)), target);
      return target;
    });
    return encoding === undefined ? bytes : bytes.toString(encoding);
  }

  /**
   * Creates or replaces a file, in one commit: readers see the old bytes or the new ones, never a mixture.
   *
   * @param data Bytes, or text as UTF-8.
   * @throws {@link DfsError} `ENOENT` without its directory, `ENOTDIR`, `EISDIR`, `EROFS`, `ENOSPC`; the
   *   file is as it was then.
   */
  async writeFile(path: string, data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    this.#change(path, "Writing", (state) => {
      const { oid } = this.#renew(state, path, "Writing");
      if (bytes.length === 0) return;
      const range = wholeOf(Pattern.contiguous(0, bytes.length));
      state.own.write(oid, range, bytes, this.#container.incarnation(oid));
    });
  }

  /** A file with nothing in it: created, or put in place of the old one. */
  #renew(state: Change, path: string, what: string): Inode {
    const known = lookup(state, path);
    if (known?.kind === "directory") throw isDirectoryError(path, what);
    if (known !== undefined) return replace(this.#container, state, { path, file: known });
    requireParent(state, path, what);
    return create(this.#container, state, { path, kind: "file" });
  }

  /** The names in a directory, in the order of their bytes. */
  async readdir(path: string): Promise<string[]>;
  /** The entries of a directory, in the order of their names. */
  async readdir(path: string, options: { withFileTypes: true }): Promise<Dirent[]>;
  /** @throws {@link DfsError} `ENOENT`, `ENOTDIR`. */
  async readdir(path: string, options?: { withFileTypes?: boolean }): Promise<string[] | Dirent[]>;
  async readdir(
    path: string,
    options: { withFileTypes?: boolean } = {},
  ): Promise<string[] | Dirent[]> {
    return this.#read((view) => {
      const inode = lookup({ view }, path);
      if (inode === undefined) throw notFound(path, "Listing");
      if (inode.kind !== "directory") throw notDirectoryError(path, "Listing");
      const entries = listDirectory({ view }, inode.oid);
      return options.withFileTypes === true
        ? entries.map((entry) => new Dirent(entry, path))
        : entries.map(({ name }) => name);
    });
  }

  /**
   * Creates a directory.
   *
   * @param options `recursive`: creates the directories that lead to it too, and is content with one
   *   that exists.
   * @throws {@link DfsError} `EEXIST`, `ENOENT` without its parent, `ENOTDIR`, `EROFS`.
   */
  async mkdir(path: string, options: { recursive?: boolean } = {}): Promise<void> {
    this.#change(path, "Creating", (state) => {
      if (options.recursive === true) {
        if (lookup(state, path)?.kind === "directory") return;
      } else if (splitPath(path).length > 0) requireParent(state, path, "Creating");
      create(this.#container, state, { path, kind: "directory" });
    });
  }

  /**
   * What is known of a file or directory.
   *
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`.
   */
  async stat(path: string): Promise<Stats> {
    return this.#read((view) => {
      const inode = lookup({ view }, path);
      if (inode === undefined) throw notFound(path, "Asking about");
      return new Stats(inode, inode.kind === "file" ? view.arraySize(inode.oid) : 0);
    });
  }

  /** Whether a path leads to a file or directory. */
  async exists(path: string): Promise<boolean> {
    try {
      return this.#read((view) => lookup({ view }, path) !== undefined);
    } catch (error) {
      if ((error as DfsError).code === "ENOTDIR") return false;
      throw error;
    }
  }

  /**
   * Removes a file, or with `recursive` a directory and all in it, in one commit.
   *
   * @param options `force`: does nothing if there is no such file.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `EISDIR` for a directory without `recursive`, `EROFS`.
   */
  async rm(path: string, options: { recursive?: boolean; force?: boolean } = {}): Promise<void> {
    this.#change(path, "Removing", (state) => {
      const inode = lookup(state, path);
      if (inode === undefined && options.force === true) return;
      if (inode?.kind !== "directory") return remove(state, path);
      if (options.recursive !== true) throw isDirectoryError(path, "Removing");
      requireNotRoot(path);
      remove(state, path, { recursive: true });
    });
  }

  /**
   * Removes an empty directory.
   *
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ENOTEMPTY`, `EROFS`.
   */
  async rmdir(path: string): Promise<void> {
    this.#change(path, "Removing", (state) => {
      if (lookup(state, path)?.kind === "file") throw notDirectoryError(path, "Removing");
      requireNotRoot(path);
      remove(state, path);
    });
  }

  /**
   * Opens a file. Creating and emptying it takes effect at once; what is written through the handle,
   * when it is synced or closed.
   *
   * @throws {@link DfsError} `ENOENT`, `EEXIST` with an exclusive flag, `ENOTDIR`, `EISDIR`, `EROFS`,
   *   `EINVAL` for other flags.
   */
  async open(path: string, flags: OpenFlags = "r"): Promise<FileHandle> {
    return withPosixErrors(() => {
      const mode = Object.hasOwn(FLAGS, flags) ? FLAGS[flags] : undefined;
      if (mode === undefined) throw badFlags(path, flags);
      if (mode.canWrite) this.#requireWritable(path, "Opening");
      if (mode.mayCreate) {
        this.#change(path, "Opening", (state) => {
          if (mode.truncate) this.#renew(state, path, "Opening");
          else if (mode.exclusive || lookup(state, path) === undefined) {
            requireParent(state, path, "Opening");
            create(this.#container, state, { path, kind: "file" });
          }
        });
      }
      const container = this.#container;
      const view = container.view(this.#pinned?.epoch);
      try {
        const inode = requireFile({ view }, path, "Opening");
        return new FileHandle({ container, path, inode, view, readOnly: this.readOnly, ...mode });
      } catch (error) {
        view.close();
        throw error;
      }
    });
  }

  /** Reads a file as a stream; see {@link createReadStream}. */
  createReadStream(path: string, options?: BufferEncoding | FileReadStreamOptions): ReadStream {
    return createReadStream(this, path, options);
  }

  /** Writes a file as a stream; see {@link createWriteStream}. */
  createWriteStream(path: string, options?: BufferEncoding | FileWriteStreamOptions): WriteStream {
    return createWriteStream(this, path, options);
  }

  #named<T>(path: string, what: string, body: (file: NamedFile) => T): T {
    return this.#read((view) => {
      const place = findPlace({ view }, path, what);
      const requireChangeable = () => this.#requireWritable(path, what);
      return body({ container: this.#container, view, path, place, what, requireChangeable });
    });
  }

  /**
   * Sets an extended attribute, as `setxattr(2)`.
   *
   * @param name Begins with `user.`, `trusted.` or `security.`; at most 255 bytes.
   * @param value At most 64 KiB; text as UTF-8.
   * @param flags {@link XATTR_CREATE}: it must not exist. {@link XATTR_REPLACE}: it must.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `EEXIST`, `ENODATA`, `ERANGE` for a name that is too long,
   *   `E2BIG` for a value, `ENOTSUP` for names of another class, `EPERM` on a symbolic link, `EROFS`.
   *
   * @example
   * ```ts
   * await dfs.setxattr("run.h5", "user.owner", "physics");
   * (await dfs.getxattr("run.h5", "user.owner")).toString(); // "physics"
   * ```
   */
  async setxattr(
    path: string,
    name: string,
    value: string | Uint8Array,
    flags: XattrFlags = 0,
  ): Promise<void> {
    const request = { name, value, flags };
    this.#named(path, "Setting an attribute of", (file) => setXattr(file, request));
  }

  /**
   * The value of an extended attribute, as `getxattr(2)`.
   *
   * @param options `size`: most bytes that are wanted.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ENODATA`; `ERANGE` if it has more than `size` bytes.
   */
  async getxattr(path: string, name: string, options: { size?: number } = {}): Promise<Buffer> {
    const what = "Reading an attribute of";
    return this.#named(path, what, (file) => getXattr(file, name, options.size));
  }

  /** The names of the extended attributes, in the order of their bytes, as `listxattr(2)`. */
  async listxattr(path: string): Promise<string[]> {
    return this.#named(path, "Listing the attributes of", listXattrs);
  }

  /** Removes an extended attribute. @throws {@link DfsError} `ENODATA` if there is none. */
  async removexattr(path: string, name: string): Promise<void> {
    this.#named(path, "Removing an attribute of", (file) => removeXattr(file, name));
  }

  /**
   * Watches a file or a directory: names that come and go, and changes of what they stand for, made by
   * whatever process, from this call on.
   *
   * @param options `recursive`: what is in directories below too. `signal` ends the watch.
   * @returns An endless async iterator; leave its loop, close or abort it.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`; `EINVAL` for a mounted version, which never changes.
   *
   * @example
   * ```ts
   * for await (const { eventType, filename } of dfs.watch("runs", { recursive: true, signal })) {
   *   if (eventType === "rename") console.log(filename, await dfs.exists(`runs/${filename}`));
   * }
   * ```
   */
  watch(path: string, options?: WatchPathOptions): PathWatch {
    if (this.#pinned === undefined) return watchPath(this.#container, path, options);
    const why = `epoch ${this.#pinned.epoch} is mounted, which never changes`;
    const text = { what: `Watching "${path}"`, why, remedy: "mount without an epoch" };
    throw new DfsError("EINVAL", "DER_INVAL", text, { path });
  }

  /** Lets go of a mounted version. Open handles stay open. Later calls do nothing. */
  close(): void {
    this.#pinned?.close();
  }

  /** Closes the mount at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function requireFile(state: NamespaceState, path: string, what: string): Inode {
  const inode = lookup(state, path);
  if (inode === undefined) throw notFound(path, what);
  if (inode.kind === "directory") throw isDirectoryError(path, what);
  return inode;
}

function requireParent(state: NamespaceState, path: string, what: string): void {
  const parent = splitPath(path).slice(0, -1).join("/");
  const inode = lookup(state, parent);
  if (inode === undefined) throw notFound(parent, `${what} "${path}", looking for`);
  if (inode.kind !== "directory") throw notDirectoryError(parent, `${what} "${path}" in`);
}

function requireNotRoot(path: string): void {
  if (splitPath(path).length > 0) return;
  const remedy = "remove what is in it, or destroy the container";
  const text = { what: `Removing "${path}"`, why: "it is the root of the container", remedy };
  throw new DfsError("EBUSY", "DER_BUSY", text, { path });
}

function badFlags(path: string, flags: string): DfsError {
  const remedy = `choose one of ${Object.keys(FLAGS).join(", ")}`;
  const text = { what: `Opening "${path}"`, why: `"${flags}" are no flags known here`, remedy };
  return new DfsError("EINVAL", "DER_INVAL", text, { path, flags });
}
