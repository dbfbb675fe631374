/**
 * A container as a file system, after `node:fs/promises`.
 *
 *     Dfs.mount(container)                 reads the newest version, and changes it
 *     Dfs.mount(container, { snapshot })   reads one version, for as long as it is mounted
 *
 * Each call is atomic, and takes effect in one commit: `writeFile` publishes the name and all of the
 * bytes, or neither. Failures are {@link DfsError}s: `code` is the POSIX code, `daosCode` the DAOS one. Storage is reached
 * by synchronous calls. Files and names that are created, replaced, renamed or removed in one turn of the event loop
 * share a commit and its flush, so that many at once (`Promise.all`) are much faster than one after the other;
 * calls see the effects of earlier ones, awaited or not.
 *
 * Here are the calls about the bytes of files; `dfs-names.ts` has those about names, `dfs-attributes.ts`
 * those about attributes.
 *
 * @module
 */

import { constants } from "node:buffer";
import {
  type Container,
  type ContainerView,
  isDaosError,
  Pattern,
  wholeOf,
} from "../../core/index.js";
import { setSize, writeAt } from "./content.js";
import { type CopyOptions, copyFile, TreeCopy } from "./copy.js";
import { DfsNames } from "./dfs-names.js";
import { DfsError, type FileCall, isDirectoryError, refusal, withPosixErrors } from "./errors.js";
import {
  collected,
  type FileData,
  type FileDataOptions,
  fileOptions,
  wholeData,
} from "./file-data.js";
import { FileHandle } from "./file-handle.js";
import type { ReadStream, WriteStream } from "./file-streams.js";
import { type Change, Mount, type MountOptions, type OpenView, ownView } from "./mount.js";
import {
  findOpened,
  type OpenFlags,
  type OpenMode,
  openChanged,
  openMode,
  opensByChange,
} from "./open-flags.js";
import { type PathLike, pathText } from "./path-argument.js";
import { modeBits } from "./path-attributes.js";
import {
  createReadStream,
  createWriteStream,
  type FileReadStreamOptions,
  type FileWriteStreamOptions,
} from "./path-streams.js";
import type { FoundPlace } from "./place.js";

/** A file by its path, or open. */
export type FileLike = PathLike | FileHandle;

/** How a whole file is written. */
export type WriteFileOptions =
  | FileDataOptions
  | {
      /** Of text; `utf8` by default. */
      readonly encoding?: BufferEncoding | null | undefined;
      /** Permission bits of a file that is created, or text in octal; `0o666` by default, less the umask. */
      readonly mode?: number | string | undefined;
      /** How it is opened; `w` by default, `a` of `appendFile`. */
      readonly flag?: OpenFlags | undefined;
      /** Ends the call with an `AbortError` before anything is changed. */
      readonly signal?: AbortSignal | undefined;
    };

/** How a whole file is read. */
export type ReadFileOptions =
  | FileDataOptions
  | {
      /** Of text; bytes by default. */
      readonly encoding?: BufferEncoding | null | undefined;
      /** How it is opened; `r` by default. */
      readonly flag?: OpenFlags | undefined;
      /** Ends the call with an `AbortError`. */
      readonly signal?: AbortSignal | undefined;
    };

const isHandle = (file: FileLike): file is FileHandle => file instanceof FileHandle;

/** The flags and the mode of a whole file's options. */
function fileFlags(options: unknown): { flag?: OpenFlags; mode?: number | string } {
  return typeof options === "object" && options !== null ? options : {};
}

/** Reads a whole file. */
function contentOf(view: ContainerView, call: FileCall, { inode }: FoundPlace): Buffer {
  if (inode.kind === "directory") throw isDirectoryError(call.path, call.what);
  const size = view.arraySize(inode.oid);
  if (size > constants.MAX_LENGTH) {
    const why = `its ${size} bytes are more than one buffer holds (${constants.MAX_LENGTH})`;
    const text = { what: `Reading "${call.path}"`, why, remedy: "open it, and read it in parts" };
    throw new DfsError("EFBIG", "DER_REC2BIG", text, { path: call.path, size });
  }
  const target = Buffer.allocUnsafeSlow(size);
  if (size > 0) view.readArray(inode.oid, wholeOf(Pattern.contiguous(0, size)), target);
  return target;
}

/**
 * A mounted container.
 *
 * @example
 * ```ts
 * const dfs = Dfs.mount(container);
 * await dfs.mkdir("runs/step-10", { recursive: true });
 * await dfs.writeFile("runs/step-10/log.txt", "It ran.");
 * await dfs.rename("runs/step-10", "runs/last");
 * ```
 */
export class Dfs extends DfsNames {
  private constructor(mount: Mount) {
    super(mount);
  }

  /**
   * Mounts a container.
   *
   * @param options `epoch` or `snapshot`: the version to show, read-only; new commits are seen by default.
   *   `consistency`: whether each call sees the newest commit (`balanced`, the default), or calls may share a
   *   version for `staleMs` milliseconds, until the mount itself changes something (`relaxed`).
   * @throws {@link DfsError} `ESTALE` (`DER_EPOCH_GONE`) if the version was aggregated, `ENOENT` if there is no
   *   such snapshot, `EINVAL`.
   */
  static mount(container: Container, options: MountOptions = {}): Dfs {
    return new Dfs(new Mount(container, options));
  }

  /** A file's bytes. */
  async readFile(
    file: FileLike,
    options?: { encoding?: null | undefined; flag?: OpenFlags; signal?: AbortSignal } | null,
  ): Promise<Buffer>;
  /** A file's text. */
  async readFile(
    file: FileLike,
    options: BufferEncoding | { encoding: BufferEncoding; flag?: OpenFlags; signal?: AbortSignal },
  ): Promise<string>;
  /**
   * A file's text, or its bytes.
   *
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `EISDIR`, `ELOOP`; `EFBIG` if no buffer can hold the file;
   *   an `AbortError` if the signal is aborted.
   */
  async readFile(file: FileLike, options?: ReadFileOptions): Promise<Buffer | string>;
  async readFile(file: FileLike, options?: ReadFileOptions): Promise<Buffer | string> {
    if (isHandle(file)) return file.readFile(options as FileDataOptions);
    const { encoding, signal } = fileOptions(options as FileDataOptions);
    signal?.throwIfAborted();
    const { flag = "r" } = fileFlags(options);
    const call = { syscall: "open", what: "Reading", path: pathText(file) };
    const mode = openMode(call, flag);
    if (opensByChange(mode) || !mode.canRead) {
      await using handle = await this.open(call.path, flag);
      return await handle.readFile(options as FileDataOptions);
    }
    const bytes = this.mount.read(call, (view) => {
      return contentOf(view, call, findOpened({ view }, call, mode));
    });
    return encoding ? bytes.toString(encoding) : bytes;
  }

  /**
   * Creates or replaces a file, in one commit: readers see the old bytes or the new ones, never a mixture.
   *
   * @param data Bytes, which are not to be changed until the promise is settled, text, or an iterable or
   *   stream of them, which is gathered in memory first:
   *   {@link createWriteStream} is for what is large.
   * @throws {@link DfsError} `ENOENT` without its directory, `ENOTDIR`, `EISDIR`, `ELOOP`, `EROFS`, `ENOSPC`;
   *   an `AbortError` if the signal is aborted. The file is as it was then.
   */
  async writeFile(file: FileLike, data: FileData, options?: WriteFileOptions): Promise<void> {
    await this.#writeFile(file, data, { flag: "w", options });
  }

  /**
   * Writes behind the end of a file, which is created if there is none, in one commit: what several
   * processes append lies one behind the other.
   *
   * @throws {@link DfsError} as {@link writeFile}.
   */
  async appendFile(file: FileLike, data: FileData, options?: WriteFileOptions): Promise<void> {
    await this.#writeFile(file, data, { flag: "a", options });
  }

  async #writeFile(
    file: FileLike,
    data: FileData,
    { flag, options }: { flag: OpenFlags; options: WriteFileOptions },
  ): Promise<void> {
    const given = fileOptions(options as FileDataOptions);
    if (isHandle(file)) return file.writeFile(data, given);
    const call = { syscall: "open", what: "Writing", path: pathText(file) };
    const flags = fileFlags(options);
    const mode = openMode(call, flags.flag ?? flag);
    const permission = flags.mode === undefined ? undefined : modeBits(call, flags.mode);
    // What is at hand is not waited for: calls take effect in their order.
    const bytes = wholeData(data, given) ?? (await collected(data, given));
    this.mount.requireWritable(call);
    if (!mode.canWrite) {
      const why = "it is opened for reading";
      throw refusal(call, { posix: "EBADF", code: "DER_NO_PERM", why, remedy: 'use flag "w"' });
    }
    const change = (state: Change) => {
      const { inode } = this.#openChanged(state, { call, mode, permission });
      const target = { ...state, oid: inode.oid };
      writeAt(target, mode.append ? state.view.arraySize(inode.oid) : 0, bytes);
    };
    await this.mount.changeTogether(call, change, { size: bytes.length });
  }

  #openChanged(
    state: Change,
    opened: { call: FileCall; mode: OpenMode; permission?: number | undefined },
  ): FoundPlace {
    return openChanged(this.mount.container, state, opened);
  }

  /**
   * Cuts a file, or makes it longer by zeros, in one commit.
   *
   * @param size In bytes; 0 by default. A negative one counts as 0, as in node.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `EISDIR`, `ELOOP`, `EINVAL`, `EROFS`.
   */
  async truncate(path: PathLike, size: number | null = 0): Promise<void> {
    const call = { syscall: "open", what: "Truncating", path: pathText(path) };
    const wanted = Math.max(0, size ?? 0);
    if (!Number.isSafeInteger(wanted)) {
      const remedy = "give a number of whole bytes";
      throw refusal(call, { posix: "EINVAL", why: `${String(size)} is no size`, remedy });
    }
    const mode = openMode(call, "r+");
    this.mount.change(call, (state) => {
      const { inode } = this.#openChanged(state, { call, mode });
      setSize({ ...state, oid: inode.oid }, wanted);
    });
  }

  /**
   * Copies a file with its permission bits, in one commit. Links are followed.
   *
   * @param flags `COPYFILE_EXCL` of `node:fs`: the target must not exist.
   * @throws {@link DfsError} `ENOENT`, `ENOTDIR`, `EISDIR`, `EEXIST`, `ELOOP`, `EINVAL`, `EROFS`; `ENOTSUP` with
   *   `COPYFILE_FICLONE_FORCE`.
   */
  async copyFile(source: PathLike, target: PathLike, flags = 0): Promise<void> {
    const paths = { path: pathText(source, "src"), dest: pathText(target, "dest") };
    copyFile(this.mount, { syscall: "copyfile", what: "Copying", ...paths }, flags);
  }

  /**
   * Copies a file, a link or a tree, in one commit: readers see nothing of the copy, or all of it. (Times
   * that are preserved are set in a second one.) The directories that lead to the target are created.
   *
   * @throws {@link DfsError} `ENOENT`, `EEXIST` with `errorOnExist`, `EINVAL` onto or into itself, `EISDIR`
   *   for a directory without `recursive` or onto something else, `ENOTDIR` for something else onto a
   *   directory, `EROFS`; what the filter throws.
   */
  async cp(source: PathLike, target: PathLike, options: CopyOptions = {}): Promise<void> {
    const paths = { path: pathText(source, "src"), dest: pathText(target, "dest") };
    const call = { syscall: "cp", what: "Copying", ...paths };
    await new TreeCopy(this.mount, call, options).run();
  }

  /**
   * Opens a file, or a directory for reading (to sync it, or for its attributes). Creating and emptying it
   * takes effect at once; what is written through the handle, when it is synced or closed.
   *
   * @param flags As in `node:fs`: text such as `r+`, or constants such as `O_RDWR | O_CREAT`.
   * @param mode Permission bits of a file that is created, less the process's umask.
   * @throws {@link DfsError} `ENOENT`, `EEXIST` with an exclusive flag, `ENOTDIR`, `EISDIR`, `EROFS`, `ELOOP`,
   *   `EINVAL` for other flags.
   */
  async open(
    path: PathLike,
    flags: OpenFlags = "r",
    mode: number | string = 0o666,
  ): Promise<FileHandle> {
    const call = { syscall: "open", what: "Opening", path: pathText(path) };
    return withPosixErrors(() => {
      const asked = openMode(call, flags);
      const permission = modeBits(call, mode);
      if (asked.canWrite) this.mount.requireWritable(call);
      const { view, release, place } = this.#opened(call, asked, permission);
      try {
        const { container, readOnly, forget } = this.mount;
        const { inode } = place;
        const origin = { container, path: call.path, inode, place, view, release, readOnly };
        return new FileHandle({ ...origin, changed: forget, ...asked });
      } catch (error) {
        release();
        throw error;
      }
    }, call);
  }

  /** What is opened, and a version that shows it. */
  #opened(call: FileCall, mode: OpenMode, permission: number): OpenView & { place: FoundPlace } {
    const { container } = this.mount;
    this.mount.settle();
    if (opensByChange(mode)) {
      const opened = { call, mode, permission };
      const done = this.mount.commit(call, (state) => this.#openChanged(state, opened));
      try {
        return { ...ownView(container.view(done.epoch)), place: done.value };
      } catch (error) {
        // Aggregated already: the newest version may have another file there, or none.
        if (!isDaosError(error, "DER_EPOCH_GONE")) throw error;
      }
    }
    const open = mode.canWrite ? ownView(container.view()) : this.mount.open();
    try {
      const found = { ...mode, mayCreate: false, exclusive: false, truncate: false };
      return { ...open, place: findOpened(open, call, found) };
    } catch (error) {
      open.release();
      throw error;
    }
  }

  /** Reads a file as a stream; see {@link createReadStream}. */
  createReadStream(path: PathLike, options?: BufferEncoding | FileReadStreamOptions): ReadStream {
    return createReadStream(this, pathText(path), options);
  }

  /** Writes a file as a stream; see {@link createWriteStream}. */
  createWriteStream(
    path: PathLike,
    options?: BufferEncoding | FileWriteStreamOptions,
  ): WriteStream {
    return createWriteStream(this, pathText(path), options);
  }

  /** Lets go of a mounted version. Open handles stay open. Later calls do nothing. */
  close(): void {
    this.mount.close();
  }

  /** Closes the mount at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}
