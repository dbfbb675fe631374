/**
 * Calls of a mounted container about attributes: what is known of files, and changing that.
 *
 * @module
 */

import { constants } from "node:fs";
import type { Epoch } from "../../core/index.js";
import { BigIntStats, sizeOfInode } from "./bigint-stats.js";
import { type FileCall, isDfsError } from "./errors.js";
import type { Consistency, Mount } from "./mount.js";
import { type PathLike, pathText } from "./path-argument.js";
import {
  type AttributeCall,
  changeMode,
  changeOwner,
  changeTimes,
  checkAccess,
} from "./path-attributes.js";
import { findPlace, type NamedFile } from "./place.js";
import { type BigIntStatFs, type StatFs, statFs } from "./statfs.js";
import { Stats } from "./stats.js";
import type { TimeLike } from "./time-like.js";
import { getXattr, listXattrs, removeXattr, setXattr, type XattrFlags } from "./xattr.js";

/** Whether numbers are given as bigints. */
export interface StatOptions {
  /** Exact numbers, and times in nanoseconds; `false` by default. */
  readonly bigint?: boolean | undefined;
}

/** What is done to a file beside its name and bytes. */
export abstract class DfsAttributes {
  /** The container and its version. @internal */
  protected readonly mount: Mount;

  /** @internal */
  constructor(mount: Mount) {
    this.mount = mount;
  }

  /** The version that is mounted; `undefined` if new commits are seen. */
  get epoch(): Epoch | undefined {
    return this.mount.epoch;
  }

  /** The snapshot that is mounted, if one is. */
  get snapshot(): string | undefined {
    return this.mount.snapshot;
  }

  /** What calls see of the commits of others. */
  get consistency(): Consistency {
    return this.mount.consistency;
  }

  /** Whether nothing can be changed through this mount. */
  get readOnly(): boolean {
    return this.mount.readOnly;
  }

  #stat(call: AttributeCall, options: StatOptions): Stats | BigIntStats {
    return this.mount.read(call, (view) => {
      const { inode } = findPlace({ view }, call.path, call.what, call);
      const file = { size: sizeOfInode(inode, view), view };
      return options.bigint === true ? new BigIntStats(inode, file) : new Stats(inode, file);
    });
  }

  /** What is known of a file or directory. */
  async stat(path: PathLike, options?: { bigint?: false | undefined }): Promise<Stats>;
  /** The same, with bigints. */
  async stat(path: PathLike, options: { bigint: true }): Promise<BigIntStats>;
  /** @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ELOOP`. */
  async stat(path: PathLike, options?: StatOptions): Promise<Stats | BigIntStats>;
  async stat(path: PathLike, options: StatOptions = {}): Promise<Stats | BigIntStats> {
    const call = { syscall: "stat", what: "Asking about", path: pathText(path), follow: true };
    return this.#stat(call, options);
  }

  /** What is known of a file or directory, or of a symbolic link itself. */
  async lstat(path: PathLike, options?: { bigint?: false | undefined }): Promise<Stats>;
  /** The same, with bigints. */
  async lstat(path: PathLike, options: { bigint: true }): Promise<BigIntStats>;
  /** @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ELOOP`. */
  async lstat(path: PathLike, options?: StatOptions): Promise<Stats | BigIntStats>;
  async lstat(path: PathLike, options: StatOptions = {}): Promise<Stats | BigIntStats> {
    const call = { syscall: "lstat", what: "Asking about", path: pathText(path), follow: false };
    return this.#stat(call, options);
  }

  /**
   * Whether a path leads to a file or directory. As `existsSync` of `node:fs`, it is `false` also for paths that
   * cannot be followed: through a file, in a loop of links.
   */
  async exists(path: PathLike): Promise<boolean> {
    try {
      await this.stat(path);
      return true;
    } catch (error) {
      const known = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EINVAL"];
      if (isDfsError(error) && known.includes(error.code)) return false;
      throw error;
    }
  }

  /**
   * Refuses what the permission bits do not allow to this process's user and groups; the superuser may
   * read and write everything. Other calls do not look at these bits: who may use a container is said by
   * its access control list.
   *
   * @param mode `F_OK` (the default), or `R_OK`, `W_OK` and `X_OK` of `node:fs` joined by `|`.
   * @throws {@link DfsError} `EACCES`, `ENOENT`, `ENOTDIR`, `ELOOP`; `EROFS` for `W_OK` where nothing can be
   *   changed.
   */
  async access(path: PathLike, mode: number = constants.F_OK): Promise<void> {
    const call = { syscall: "access", what: "Asking for access to", path: pathText(path) };
    checkAccess(this.mount, call, mode);
  }

  /**
   * Changes the permission bits; of what a symbolic link leads to.
   *
   * @param mode Bits, or text in octal.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ELOOP`, `EINVAL`, `EROFS`.
   */
  async chmod(path: PathLike, mode: number | string): Promise<void> {
    const what = "Changing the mode of";
    changeMode(this.mount, { syscall: "chmod", what, path: pathText(path), follow: true }, mode);
  }

  /**
   * Changes the owner; of what a symbolic link leads to.
   *
   * @param uid User id; -1 leaves it.
   * @param gid Group id; -1 leaves it.
   * @throws {@link DfsError} as {@link chmod}.
   */
  async chown(path: PathLike, uid: number, gid: number): Promise<void> {
    const call = { syscall: "chown", what: "Changing the owner of", path: pathText(path) };
    changeOwner(this.mount, { ...call, follow: true }, uid, gid);
  }

  /** The same, of a symbolic link itself. @throws {@link DfsError} as {@link chmod}. */
  async lchown(path: PathLike, uid: number, gid: number): Promise<void> {
    const call = { syscall: "lchown", what: "Changing the owner of", path: pathText(path) };
    changeOwner(this.mount, { ...call, follow: false }, uid, gid);
  }

  /**
   * Sets access and modification time; of what a symbolic link leads to. Writes that are committed later
   * count as modifications.
   *
   * @param atime Seconds since 1970-01-01 UTC, or a Date.
   * @throws {@link DfsError} as {@link chmod}.
   */
  async utimes(path: PathLike, atime: TimeLike, mtime: TimeLike): Promise<void> {
    const call = { syscall: "utime", what: "Setting the times of", path: pathText(path) };
    changeTimes(this.mount, { ...call, follow: true }, { atime, mtime });
  }

  /** The same, of a symbolic link itself. @throws {@link DfsError} as {@link chmod}. */
  async lutimes(path: PathLike, atime: TimeLike, mtime: TimeLike): Promise<void> {
    const call = { syscall: "lutime", what: "Setting the times of", path: pathText(path) };
    changeTimes(this.mount, { ...call, follow: false }, { atime, mtime });
  }

  /** The space of the pool that the container is in. */
  async statfs(path: PathLike, options?: { bigint?: false | undefined }): Promise<StatFs>;
  /** The same, with bigints. */
  async statfs(path: PathLike, options: { bigint: true }): Promise<BigIntStatFs>;
  /** @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ELOOP`. */
  async statfs(path: PathLike, options?: StatOptions): Promise<StatFs | BigIntStatFs>;
  async statfs(path: PathLike, options: StatOptions = {}): Promise<StatFs | BigIntStatFs> {
    const call = { syscall: "statfs", what: "Asking for the space of", path: pathText(path) };
    return statFs(this.mount, call, options.bigint === true);
  }

  #named<T>(
    call: Omit<FileCall, "path">,
    path: PathLike,
    body: (file: NamedFile) => T,
    follow = true,
  ): T {
    const asked = { ...call, path: pathText(path) };
    const requireChangeable = () => this.mount.requireWritable(asked);
    const { container, forget } = this.mount;
    return this.mount.read(asked, (view) => {
      const place = findPlace({ view }, asked.path, call.what, { follow });
      const file = { container, view, path: asked.path, place, what: call.what };
      return body({ ...file, requireChangeable, changed: forget });
    });
  }

  /**
   * Sets an extended attribute, as `setxattr(2)`.
   *
   * @param name Begins with `user.`, `trusted.` or `security.`; at most 255 bytes.
   * @param value At most 64 KiB; text as UTF-8.
   * @param flags {@link XATTR_CREATE}: it must not exist. {@link XATTR_REPLACE}: it must.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `EEXIST`, `ENODATA`, `ERANGE` for a name that is too long,
   *   `E2BIG` for a value, `ENOTSUP` for names of another class, `EROFS`.
   *
   * @example
   * ```ts
   * await dfs.setxattr("run.h5", "user.owner", "physics");
   * (await dfs.getxattr("run.h5", "user.owner")).toString(); // "physics"
   * ```
   */
  async setxattr(
    path: PathLike,
    name: string,
    value: string | Uint8Array,
    flags: XattrFlags = 0,
  ): Promise<void> {
    const call = { syscall: "setxattr", what: "Setting an attribute of" };
    this.#named(call, path, (file) => setXattr(file, { name, value, flags }));
  }

  /** As {@link setxattr}, of a symbolic link itself. @throws {@link DfsError} `EPERM` for `user.` names on it. */
  async lsetxattr(
    path: PathLike,
    name: string,
    value: string | Uint8Array,
    flags: XattrFlags = 0,
  ): Promise<void> {
    const call = { syscall: "lsetxattr", what: "Setting an attribute of" };
    this.#named(call, path, (file) => setXattr(file, { name, value, flags }), false);
  }

  /**
   * The value of an extended attribute, as `getxattr(2)`.
   *
   * @param options `size`: most bytes that are wanted.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `ENODATA`; `ERANGE` if it has more than `size` bytes.
   */
  async getxattr(path: PathLike, name: string, options: { size?: number } = {}): Promise<Buffer> {
    const call = { syscall: "getxattr", what: "Reading an attribute of" };
    return this.#named(call, path, (file) => getXattr(file, name, options.size));
  }

  /** As {@link getxattr}, of a symbolic link itself. */
  async lgetxattr(path: PathLike, name: string, options: { size?: number } = {}): Promise<Buffer> {
    const call = { syscall: "lgetxattr", what: "Reading an attribute of" };
    return this.#named(call, path, (file) => getXattr(file, name, options.size), false);
  }

  /** The names of the extended attributes, in the order of their bytes, as `listxattr(2)`. */
  async listxattr(path: PathLike): Promise<string[]> {
    return this.#named({ syscall: "listxattr", what: "Listing attributes of" }, path, listXattrs);
  }

  /** As {@link listxattr}, of a symbolic link itself. */
  async llistxattr(path: PathLike): Promise<string[]> {
    const call = { syscall: "llistxattr", what: "Listing attributes of" };
    return this.#named(call, path, listXattrs, false);
  }

  /** Removes an extended attribute. @throws {@link DfsError} `ENODATA` if there is none. */
  async removexattr(path: PathLike, name: string): Promise<void> {
    const call = { syscall: "removexattr", what: "Removing an attribute of" };
    this.#named(call, path, (file) => removeXattr(file, name));
  }

  /** As {@link removexattr}, of a symbolic link itself. */
  async lremovexattr(path: PathLike, name: string): Promise<void> {
    const call = { syscall: "lremovexattr", what: "Removing an attribute of" };
    this.#named(call, path, (file) => removeXattr(file, name), false);
  }
}
