/**
 * An open file, after `FileHandle` of `node:fs/promises`.
 *
 * A handle reads one version, that of its opening or of its last `sync`, with its own writes on top.
 * What it writes becomes visible to others when `sync` or `close` commits it: all of it, or nothing.
 * Attributes (`chmod`, `chown`, `utimes`, extended ones) are committed at once.
 *
 * A handle that was opened to append writes at the end of the file as of its commit, so that no writer
 * covers what another one appended. Its reads, and every 16 MiB, commit what was appended before.
 *
 * @module
 */

import { constants } from "node:buffer";
import { EventEmitter } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Epoch } from "../../core/index.js";
import { BigIntStats } from "./bigint-stats.js";
import { DfsError, withPosixErrors } from "./errors.js";
import {
  type FileData,
  type FileDataOptions,
  fileOptions,
  type ReadResult,
  type ReadVectorResult,
  type WriteResult,
  type WriteVectorResult,
} from "./file-data.js";
import {
  type HandleReadStreamOptions,
  type HandleWriteStreamOptions,
  ReadStream,
  WriteStream,
} from "./file-streams.js";
import { withTimes } from "./inode-times.js";
import { type FileHandleOrigin, OpenFile } from "./open-file.js";
import { checkedTimes, checkOwner, modeBits, withOwner } from "./path-attributes.js";
import { Stats } from "./stats.js";
import { nowNs, type TimeLike } from "./time-like.js";
import {
  bytesOf,
  checkPosition,
  checkTransfer,
  type Position,
  type ReadOptions,
  readArguments,
  type TransferOptions,
  writeArguments,
} from "./transfer-arguments.js";
import { getXattr, listXattrs, removeXattr, setXattr, type XattrFlags } from "./xattr.js";

export type { FileHandleOrigin } from "./open-file.js";

/** Numbers of open handles, as the system's file descriptors begin behind the standard streams. */
let nextFd = 3;

/**
 * An open file. Close it: what was written since the last `sync` is lost otherwise.
 *
 * Emits `close` when it was closed.
 *
 * @example
 * ```ts
 * await using handle = await dfs.open("log.txt", "a");
 * await handle.write("step 10\n");
 * await handle.sync();
 * ```
 */
export class FileHandle extends EventEmitter {
  readonly #file: OpenFile;
  #fd = nextFd++;

  /** @internal */
  constructor(origin: FileHandleOrigin) {
    super();
    this.#file = new OpenFile(origin);
  }

  /** A number that no other handle of the process has; -1 once it is closed. No file descriptor. */
  get fd(): number {
    return this.#fd;
  }

  /** The path that was opened. */
  get path(): string {
    return this.#file.origin.path;
  }

  /** The version that the handle reads. */
  get epoch(): Epoch {
    return withPosixErrors(() => this.#file.requireOpen("Asking for the epoch of").epoch);
  }

  readonly #fail = (what: string) => (why: string, remedy: string) =>
    this.#file.error("EINVAL", "DER_INVAL", [what, why, remedy]);

  /** Reads into a buffer. */
  async read<B extends NodeJS.ArrayBufferView>(
    buffer: B,
    offset?: number | null,
    length?: number | null,
    position?: Position,
  ): Promise<ReadResult<B>>;
  /** Reads into a buffer. */
  async read<B extends NodeJS.ArrayBufferView>(
    buffer: B,
    options?: TransferOptions,
  ): Promise<ReadResult<B>>;
  /**
   * Reads into a buffer; into a new one of 16 KiB if none is given.
   *
   * @param options Offset and length in bytes; a position in the file, or `null` to go on where the last
   *   call ended.
   * @throws {@link DfsError} `EBADF` if the handle is closed or was opened for writing only, `EINVAL`.
   */
  async read<B extends NodeJS.ArrayBufferView = Buffer>(
    options?: ReadOptions<B> | null,
  ): Promise<ReadResult<B>>;
  async read<B extends NodeJS.ArrayBufferView>(
    first?: B | ReadOptions<B> | null,
    second?: TransferOptions | number | null,
    length?: number | null,
    position?: Position,
  ): Promise<ReadResult<B>> {
    return withPosixErrors(() => {
      this.#file.requireOpen("Reading");
      const { buffer, options } = readArguments(first, second, { length, position });
      const transfer = checkTransfer(buffer, options, this.#fail("Reading"));
      // As in node, which asks the system for nothing then.
      if (transfer.bytes.length === 0) return { bytesRead: 0, buffer };
      this.#file.requireReadable("Reading");
      return { bytesRead: this.#read(transfer.bytes, transfer.position), buffer };
    });
  }

  #read(bytes: Uint8Array, position: number | undefined): number {
    const start = position ?? this.#file.position;
    const count = this.#file.read(bytes, start);
    if (position === undefined) this.#file.position = start + count;
    return count;
  }

  /**
   * Reads into several buffers, one after the other.
   *
   * @throws {@link DfsError} as {@link read}.
   */
  async readv<B extends readonly NodeJS.ArrayBufferView[]>(
    buffers: B,
    position?: Position,
  ): Promise<ReadVectorResult<B>> {
    return withPosixErrors(() => {
      this.#file.requireReadable("Reading");
      const start = checkPosition(position, 0, this.#fail("Reading"));
      let bytesRead = 0;
      for (const buffer of buffers) {
        const at = start === undefined ? undefined : start + bytesRead;
        const count = this.#read(bytesOf(buffer), at);
        bytesRead += count;
        if (count < buffer.byteLength) break;
      }
      return { bytesRead, buffers };
    });
  }

  /** The rest of the file, from where the last call ended, as bytes. */
  async readFile(
    options?: { encoding?: null | undefined; signal?: AbortSignal | undefined } | null,
  ): Promise<Buffer>;
  /**
   * The rest of the file, from where the last call ended, as text or bytes.
   *
   * @throws {@link DfsError} `EBADF`; `EFBIG` if no buffer can hold it.
   */
  async readFile(
    options: BufferEncoding | { encoding: BufferEncoding; signal?: AbortSignal | undefined },
  ): Promise<string>;
  async readFile(options?: FileDataOptions): Promise<Buffer | string>;
  async readFile(options?: FileDataOptions): Promise<Buffer | string> {
    const { encoding, signal } = fileOptions(options);
    signal?.throwIfAborted();
    return withPosixErrors(() => {
      this.#file.requireReadable("Reading");
      const size = Math.max(0, this.#file.size() - this.#file.position);
      if (size > constants.MAX_LENGTH) {
        const why = `its ${size} bytes are more than one buffer holds (${constants.MAX_LENGTH})`;
        const text = { what: `Reading "${this.path}"`, why, remedy: "read it in parts" };
        throw new DfsError("EFBIG", "DER_REC2BIG", text, { path: this.path, size });
      }
      const bytes = Buffer.allocUnsafeSlow(size);
      this.#read(bytes, undefined);
      return encoding ? bytes.toString(encoding) : bytes;
    });
  }

  /** Writes bytes. */
  async write<B extends NodeJS.ArrayBufferView>(
    buffer: B,
    offset?: number | null,
    length?: number | null,
    position?: Position,
  ): Promise<WriteResult<B>>;
  /** Writes bytes. */
  async write<B extends NodeJS.ArrayBufferView>(
    buffer: B,
    options?: TransferOptions,
  ): Promise<WriteResult<B>>;
  /**
   * Writes bytes or text; others see them after `sync` or `close`.
   *
   * @param data Bytes, which may be changed again when the call returns, or text.
   * @param position In the file, or `null` to go on where the last call ended. A handle that was opened
   *   to append writes at the end, whatever the position.
   * @throws {@link DfsError} `EBADF` if the handle is closed or was opened for reading, `EINVAL`.
   *   `ENOSPC` or `EIO`: all writes since the last `sync` are dropped then.
   */
  async write(
    data: string,
    position?: Position,
    encoding?: BufferEncoding | null,
  ): Promise<WriteResult<string>>;
  async write(
    data: NodeJS.ArrayBufferView | string,
    second?: TransferOptions | Position,
    third?: number | string | null,
    position?: Position,
  ): Promise<WriteResult<NodeJS.ArrayBufferView | string>> {
    return withPosixErrors(() => {
      this.#file.requireOpen("Writing");
      if (ArrayBuffer.isView(data) && data.byteLength === 0) {
        return { bytesWritten: 0, buffer: data };
      }
      if (typeof data === "string" && third === "hex" && data.length % 2 !== 0) {
        throw this.#fail("Writing")("its hexadecimal text has an odd length", "give whole bytes");
      }
      this.#file.requireWritable("Writing");
      const { buffer, options } = writeArguments(data, second, third, position);
      const { bytes, position: start } = checkTransfer(buffer, options, this.#fail("Writing"));
      this.#file.write(bytes, start);
      return { bytesWritten: bytes.length, buffer: data };
    });
  }

  /**
   * Writes several buffers, one after the other.
   *
   * @throws {@link DfsError} as {@link write}.
   */
  async writev<B extends readonly NodeJS.ArrayBufferView[]>(
    buffers: B,
    position?: Position,
  ): Promise<WriteVectorResult<B>> {
    return withPosixErrors(() => {
      this.#file.requireWritable("Writing");
      const length = buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
      const start = checkPosition(position, length, this.#fail("Writing"));
      let bytesWritten = 0;
      for (const buffer of buffers) {
        this.#file.write(bytesOf(buffer), start === undefined ? undefined : start + bytesWritten);
        bytesWritten += buffer.byteLength;
      }
      return { bytesWritten, buffers };
    });
  }

  /**
   * Writes all of `data` from where the last call ended; what lies behind stays, as in node.
   *
   * @param data Bytes, text, or an iterable or stream of them.
   * @throws {@link DfsError} as {@link write}; an `AbortError` if the signal is aborted.
   */
  async writeFile(data: FileData, options?: FileDataOptions): Promise<void> {
    const { encoding, signal } = fileOptions(options);
    signal?.throwIfAborted();
    if (typeof data === "string" || ArrayBuffer.isView(data)) {
      await this.#writePart(data, encoding);
      return;
    }
    withPosixErrors(() => this.#file.requireWritable("Writing"));
    for await (const part of data) {
      signal?.throwIfAborted();
      await this.#writePart(part, encoding);
    }
  }

  async #writePart(
    part: string | NodeJS.ArrayBufferView,
    encoding: BufferEncoding | null | undefined,
  ): Promise<void> {
    const bytes = typeof part === "string" ? Buffer.from(part, encoding ?? "utf8") : part;
    await this.write(bytes);
  }

  /** The same as {@link writeFile}, as in node; open the file with `a` to write at its end. */
  async appendFile(data: FileData, options?: FileDataOptions): Promise<void> {
    await this.writeFile(data, options);
  }

  /**
   * Cuts the file, or makes it longer by zeros. Takes effect with the writes; of a handle that was opened to
   * append, at once.
   *
   * @param size In bytes; 0 by default. A negative one counts as 0, as in node.
   * @throws {@link DfsError} `EBADF` if it is closed, `EINVAL` if it was opened for reading.
   */
  async truncate(size: number | null = 0): Promise<void> {
    withPosixErrors(() => {
      this.#file.requireWritable("Truncating", "EINVAL");
      const wanted = Math.max(0, size ?? 0);
      if (!Number.isSafeInteger(wanted)) {
        throw this.#fail("Truncating")(`${size} is no size`, "give a number of whole bytes");
      }
      this.#file.truncate(wanted);
    });
  }

  /** Size, mode and times, with the handle's own writes; with numbers. */
  async stat(options?: { bigint?: false | undefined }): Promise<Stats>;
  /** The same; with bigints. */
  async stat(options: { bigint: true }): Promise<BigIntStats>;
  /** @throws {@link DfsError} `EBADF`. */
  async stat(options?: { bigint?: boolean | undefined }): Promise<Stats | BigIntStats>;
  async stat(options: { bigint?: boolean | undefined } = {}): Promise<Stats | BigIntStats> {
    return withPosixErrors(() => {
      this.#file.requireOpen("Asking about");
      const size = this.#file.size();
      const { inode } = this.#file;
      const file = { size, view: this.#file.requireOpen("Asking about") };
      return options.bigint === true ? new BigIntStats(inode, file) : new Stats(inode, file);
    });
  }

  #call(syscall: string, what: string) {
    return { syscall, what, path: this.path };
  }

  #changeInode(what: string, change: Parameters<OpenFile["changeInode"]>[1]): void {
    this.#file.changeInode(what, (inode, view) => ({ ...change(inode, view), changed: nowNs() }));
  }

  /**
   * Changes the permission bits, in a commit of its own.
   *
   * @throws {@link DfsError} `EBADF`, `EROFS`, `EINVAL`; `ENOENT` if the name was removed or renamed.
   */
  async chmod(mode: number | string): Promise<void> {
    withPosixErrors(() => {
      this.#file.requireOpen("Changing the mode of");
      const what = "Changing the mode of";
      const bits = modeBits(this.#call("fchmod", what), mode);
      this.#changeInode(what, (inode) => ({ ...inode, mode: bits }));
    });
  }

  /**
   * Changes the owner, in a commit of its own.
   *
   * @param uid User id; -1 leaves it.
   * @param gid Group id; -1 leaves it.
   * @throws {@link DfsError} as {@link chmod}.
   */
  async chown(uid: number, gid: number): Promise<void> {
    withPosixErrors(() => {
      const what = "Changing the owner of";
      this.#file.requireOpen(what);
      checkOwner(this.#call("fchown", what), uid, gid);
      this.#changeInode(what, (inode) => withOwner(inode, uid, gid));
    });
  }

  /**
   * Sets access and modification time, in a commit of its own; what was written is committed before.
   *
   * @param atime Seconds since 1970-01-01 UTC, or a Date.
   * @throws {@link DfsError} as {@link chmod}.
   */
  async utimes(atime: TimeLike, mtime: TimeLike): Promise<void> {
    withPosixErrors(() => {
      const what = "Setting the times of";
      this.#file.requireOpen(what);
      const times = checkedTimes(this.#call("futime", what), atime, mtime);
      // Writes count as modifications: those that were made before come first.
      this.#file.sync();
      this.#changeInode(what, (inode, view) => withTimes(inode, view, times));
    });
  }

  /**
   * Commits what was written, at one epoch; from then on the handle reads the newest version. A handle
   * of a version that was mounted, or opened for reading, stays at it.
   *
   * @throws {@link DfsError} `ENOENT` if the file was removed or replaced meanwhile, `ENOSPC`, `EIO`:
   *   nothing was committed then, and the writes since the last `sync` are dropped.
   */
  async sync(): Promise<void> {
    withPosixErrors(() => this.#file.sync());
  }

  /** The same as {@link sync}. */
  async datasync(): Promise<void> {
    await this.sync();
  }

  /**
   * Reads the file as a stream, from where the last call ended, or from `start`.
   *
   * @example
   * ```ts
   * for await (const chunk of handle.createReadStream({ start: 100, end: 199 })) total += chunk.length;
   * ```
   */
  createReadStream(options?: BufferEncoding | HandleReadStreamOptions): ReadStream {
    const given = typeof options === "string" ? { encoding: options } : options;
    return new ReadStream(this, given);
  }

  /**
   * Writes a stream into the file, from where the last call ended, or from `start`. One commit at the end
   * of the stream makes it visible.
   */
  createWriteStream(options?: BufferEncoding | HandleWriteStreamOptions): WriteStream {
    const given = typeof options === "string" ? { encoding: options } : options;
    return new WriteStream(this, given);
  }

  /**
   * The lines of the file, as text.
   *
   * @example
   * ```ts
   * for await (const line of handle.readLines()) console.log(line);
   * ```
   */
  readLines(options?: HandleReadStreamOptions): Interface {
    const input = this.createReadStream(options);
    return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  }

  /** Sets an extended attribute; see `Dfs.setxattr`. */
  async setxattr(name: string, value: string | Uint8Array, flags: XattrFlags = 0): Promise<void> {
    withPosixErrors(() =>
      setXattr(this.#file.named("Setting an attribute of"), { name, value, flags }),
    );
  }

  /** The value of an extended attribute; see `Dfs.getxattr`. */
  async getxattr(name: string): Promise<Buffer> {
    return withPosixErrors(() => getXattr(this.#file.named("Reading an attribute of"), name));
  }

  /** The names of the extended attributes; see `Dfs.listxattr`. */
  async listxattr(): Promise<string[]> {
    return withPosixErrors(() => listXattrs(this.#file.named("Listing the attributes of")));
  }

  /** Removes an extended attribute; see `Dfs.removexattr`. */
  async removexattr(name: string): Promise<void> {
    withPosixErrors(() => removeXattr(this.#file.named("Removing an attribute of"), name));
  }

  /** Drops what was written since the last `sync`: nobody will see it. */
  discard(): void {
    withPosixErrors(() => this.#file.discard());
  }

  /**
   * Commits what was written and closes the handle. Later calls do nothing.
   *
   * @throws {@link DfsError} as {@link sync}; the handle is closed all the same.
   */
  async close(): Promise<void> {
    if (!this.#file.isOpen) return;
    this.#fd = -1;
    try {
      withPosixErrors(() => this.#file.close());
    } finally {
      this.emit("close");
    }
  }

  /** Closes the handle at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
