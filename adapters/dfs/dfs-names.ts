/**
 * Calls of a mounted container about names: directories, links, renaming and removing.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { DfsAttributes } from "./dfs-attributes.js";
import {
  Dir,
  findDirectory,
  type OpendirOptions,
  type ReaddirOptions,
  readDirectory,
} from "./directory-reader.js";
import { type FileCall, isDfsError, noEntryError, refusal, withPosixErrors } from "./errors.js";
import { TEMPORARY_NAME_ATTEMPTS_MAX } from "./limits.js";
import {
  makeDirectory,
  makeLink,
  type RmOptions,
  removeAny,
  removeDirectory,
  removeFile,
  rename,
} from "./name-changes.js";
import { createDirectories } from "./namespace.js";
import { type PathLike, pathText } from "./path-argument.js";
import { modeBits } from "./path-attributes.js";
import { walk } from "./path-walk.js";
import { findPlace } from "./place.js";
import { type Dirent, encodedName, type NameEncoding } from "./stats.js";
import { type PathWatch, type WatchPathOptions, watchPath } from "./watch.js";

/** How a directory is created. */
export interface MkdirOptions {
  /** Whether the directories that lead to it are created too, and one that exists is no error. */
  readonly recursive?: boolean | undefined;
  /** Permission bits, or text in octal; `0o777` by default, less the process's umask. */
  readonly mode?: number | string | undefined;
}

/** The encoding of a name, by itself or in options. */
export type NameOptions =
  | NameEncoding
  | {
      /** `utf8` by default, `buffer` for bytes. */
      readonly encoding?: NameEncoding;
    };

/** Options with an encoding that may be given alone. */
function encodingOptions<T extends { readonly encoding?: NameEncoding }>(
  options: NameEncoding | T,
): T {
  return typeof options === "string" ? ({ encoding: options } as T) : (options ?? ({} as T));
}

const TEMPORARY_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function temporaryName(): string {
  return [...randomBytes(6)].map((byte) => TEMPORARY_LETTERS[byte % 62]).join("");
}

/** What is done to names. */
export abstract class DfsNames extends DfsAttributes {
  /** The names in a directory, in the order of their bytes. */
  async readdir(
    path: PathLike,
    options?:
      | Exclude<NameEncoding, "buffer">
      | (ReaddirOptions & {
          encoding?: Exclude<NameEncoding, "buffer">;
          withFileTypes?: false | undefined;
        }),
  ): Promise<string[]>;
  /** The names as bytes. */
  async readdir(
    path: PathLike,
    options:
      | "buffer"
      | (ReaddirOptions & { encoding: "buffer"; withFileTypes?: false | undefined }),
  ): Promise<Buffer[]>;
  /** The entries of a directory, in the order of their names. */
  async readdir(
    path: PathLike,
    options: ReaddirOptions & {
      encoding?: Exclude<NameEncoding, "buffer">;
      withFileTypes: true;
    },
  ): Promise<Dirent[]>;
  /** The entries, with names as bytes. */
  async readdir(
    path: PathLike,
    options: ReaddirOptions & { encoding: "buffer"; withFileTypes: true },
  ): Promise<Dirent<Buffer>[]>;
  /** @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ELOOP`. */
  async readdir(
    path: PathLike,
    options?: NameEncoding | ReaddirOptions,
  ): Promise<(string | Buffer)[] | Dirent<string | Buffer>[]>;
  async readdir(
    path: PathLike,
    options?: NameEncoding | ReaddirOptions,
  ): Promise<(string | Buffer)[] | Dirent<string | Buffer>[]> {
    const call = { syscall: "scandir", what: "Listing", path: pathText(path) };
    const given = encodingOptions<ReaddirOptions>(options);
    return this.mount.read(call, (view) => readDirectory({ view }, call, given)) as string[];
  }

  /** Opens a directory, to go through its entries. */
  async opendir(
    path: PathLike,
    options?: OpendirOptions & { encoding?: Exclude<NameEncoding, "buffer"> },
  ): Promise<Dir>;
  /** The same, with names as bytes. */
  async opendir(
    path: PathLike,
    options: OpendirOptions & { encoding: "buffer" },
  ): Promise<Dir<Buffer>>;
  /**
   * Opens a directory, to go through its entries, of which `bufferSize` are read at a time.
   *
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ELOOP`, `EINVAL`.
   */
  async opendir(
    path: PathLike,
    options: OpendirOptions = {},
  ): Promise<Dir | Dir<Buffer> | Dir<string | Buffer>> {
    const call = { syscall: "opendir", what: "Opening directory", path: pathText(path) };
    return withPosixErrors(() => {
      const open = this.mount.open();
      try {
        return new Dir(open, { call, inode: findDirectory(open, call) }, options);
      } catch (error) {
        open.release();
        throw error;
      }
    }, call);
  }

  /**
   * Creates a directory.
   *
   * @param options Permission bits, or options.
   * @returns With `recursive`, the path of the first directory that was created; `undefined` if there was
   *   nothing to create.
   * @throws {@link DfsError} `EEXIST`, `ENOENT` without its parent, `ENOTDIR`, `EINVAL`, `EROFS`.
   */
  async mkdir(
    path: PathLike,
    options?: number | string | MkdirOptions | null,
  ): Promise<string | undefined> {
    const call = { syscall: "mkdir", what: "Creating", path: pathText(path) };
    const given = typeof options === "object" ? (options ?? {}) : { mode: options };
    const mode = given.mode === undefined ? undefined : modeBits(call, given.mode);
    return this.mount.changeTogether(call, (state) => {
      const { container } = this.mount;
      if (given.recursive !== true) {
        makeDirectory(container, state, { call, mode });
        return undefined;
      }
      // An empty path is refused by the walk.
      if (call.path === "") throw noEntryError(call.path, call.what);
      return createDirectories(container, state, { path: call.path, mode, what: call.what });
    });
  }

  /**
   * Creates a directory with a name that nothing had: the prefix and six random characters.
   *
   * @returns Its path.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `EROFS`.
   */
  async mkdtemp(prefix: PathLike): Promise<string>;
  /** The same; the path in an encoding. */
  async mkdtemp(prefix: PathLike, options: NameOptions): Promise<string | Buffer>;
  async mkdtemp(prefix: PathLike, options?: NameOptions): Promise<string | Buffer> {
    const start = pathText(prefix, "prefix");
    for (let attempt = 1; ; attempt++) {
      const path = start + temporaryName();
      const call = { syscall: "mkdtemp", what: "Creating", path };
      try {
        const made = { call, mode: 0o700 };
        await this.mount.changeTogether(call, (state) =>
          makeDirectory(this.mount.container, state, made),
        );
        return encodedName(path, encodingOptions(options).encoding);
      } catch (error) {
        if (!isDfsError(error, "EEXIST") || attempt >= TEMPORARY_NAME_ATTEMPTS_MAX) throw error;
      }
    }
  }

  /**
   * Gives a file, a symbolic link or a directory another name, in one commit: at every moment readers find it
   * under the old name or under the new one. What had the new name, a file or an empty directory, is gone then.
   * Extended attributes go along. Open handles keep the file, whatever its name.
   *
   * @throws {@link DfsError} `ENOENT`; `ENOTEMPTY` for a directory that has entries; `EISDIR`, `ENOTDIR` if
   *   one of the two is a directory and the other is not; `EINVAL` into its own subtree; `EBUSY` for the root;
   *   `EROFS`. Nothing is changed then.
   */
  async rename(from: PathLike, to: PathLike): Promise<void> {
    const paths = { path: pathText(from, "oldPath"), dest: pathText(to, "newPath") };
    const call = { syscall: "rename", what: "Renaming", ...paths };
    await this.mount.changeTogether(call, (state) => rename(state, call));
  }

  /**
   * Removes a file or a symbolic link.
   *
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `EISDIR` for a directory, `EROFS`.
   */
  async unlink(path: PathLike): Promise<void> {
    const call = { syscall: "unlink", what: "Removing", path: pathText(path) };
    await this.mount.changeTogether(call, (state) => removeFile(state, call));
  }

  /**
   * Removes a file or a symbolic link, or with `recursive` a directory and all in it, in one commit.
   *
   * @param options `force`: does nothing if there is no such file.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `EISDIR` for a directory without `recursive`, `EBUSY` for
   *   the root, `EROFS`.
   */
  async rm(path: PathLike, options: RmOptions = {}): Promise<void> {
    const call = { syscall: "rm", what: "Removing", path: pathText(path) };
    await this.mount.changeTogether(call, (state) => removeAny(state, call, options));
  }

  /**
   * Removes an empty directory.
   *
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ENOTEMPTY`, `EINVAL` for a path that ends with a dot,
   *   `EBUSY` for the root, `EROFS`.
   */
  async rmdir(path: PathLike): Promise<void> {
    const call = { syscall: "rmdir", what: "Removing", path: pathText(path) };
    await this.mount.changeTogether(call, (state) => removeDirectory(state, call));
  }

  /**
   * Creates a symbolic link.
   *
   * @param target Where it leads: from the root of the container if it begins with a slash, else from the
   *   directory of the link. It is looked up when the link is followed.
   * @throws {@link DfsError} `EEXIST`, `ENOENT`, `ENOTDIR`, `ENAMETOOLONG`, `EROFS`.
   *
   * @example
   * ```ts
   * await dfs.symlink("step-10", "runs/latest");
   * await dfs.readFile("runs/latest/log.txt", "utf8"); // of runs/step-10/log.txt
   * ```
   */
  async symlink(target: PathLike, path: PathLike): Promise<void> {
    const text = pathText(target, "target");
    const call: FileCall = {
      syscall: "symlink",
      what: "Creating the symbolic link",
      path: text,
      dest: pathText(path),
    };
    await this.mount.changeTogether(call, (state) =>
      makeLink(this.mount.container, state, { call, target: text }),
    );
  }

  /** Where a symbolic link leads, as it was given. */
  async readlink(path: PathLike, options?: Exclude<NameEncoding, "buffer">): Promise<string>;
  /** The same, in an encoding. */
  async readlink(path: PathLike, options: NameOptions): Promise<string | Buffer>;
  /** @throws {@link DfsError} `EINVAL` if it is no link, `ENOENT`, `ENOTDIR`, `ELOOP`. */
  async readlink(path: PathLike, options?: NameOptions): Promise<string | Buffer> {
    const call = { syscall: "readlink", what: "Reading the link", path: pathText(path) };
    const target = this.mount.read(call, (view) => {
      const { inode } = findPlace({ view }, call.path, call.what, { follow: false });
      if (inode.kind === "symlink") return Buffer.from(inode.target).toString();
      const remedy = "see what it is with lstat()";
      throw refusal(call, { posix: "EINVAL", why: "it is no symbolic link", remedy });
    });
    return encodedName(target, encodingOptions(options).encoding);
  }

  /** The path from the root, without links and dots. */
  async realpath(path: PathLike, options?: Exclude<NameEncoding, "buffer">): Promise<string>;
  /** The same, in an encoding. */
  async realpath(path: PathLike, options: NameOptions): Promise<string | Buffer>;
  /** @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ELOOP`. */
  async realpath(path: PathLike, options?: NameOptions): Promise<string | Buffer> {
    const call = { syscall: "realpath", what: "Resolving", path: pathText(path) };
    const found = this.mount.read(call, (view) => {
      const { inode, realPath } = walk({ view }, call.path, { what: call.what, follow: true });
      if (inode === undefined) throw noEntryError(call.path, call.what);
      return realPath;
    });
    return encodedName(found, encodingOptions(options).encoding);
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
  watch(path: PathLike, options?: WatchPathOptions): PathWatch {
    const call = { syscall: "watch", what: "Watching", path: pathText(path, "filename") };
    const { container, epoch } = this.mount;
    if (epoch === undefined) {
      return withPosixErrors(() => watchPath(container, call.path, options), call);
    }
    const why = `epoch ${epoch} is mounted, which never changes`;
    throw refusal(call, { posix: "EINVAL", why, remedy: "mount without a version" });
  }
}
