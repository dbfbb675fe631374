/**
 * An open file, after `FileHandle` of `node:fs/promises`.
 *
 * A handle reads one version, that of its opening or of its last `sync`, with its own writes on top.
 * What it writes becomes visible to others when `sync` or `close` commits it: all of it, or nothing.
 *
 * @module
 */

import {
  type Container,
  type ContainerView,
  type Epoch,
  Pattern,
  type Transaction,
  wholeOf,
} from "../../core/index.js";
import { DfsError, withPosixErrors } from "./errors.js";
import type { Inode } from "./inode-format.js";
import { Stats } from "./stats.js";

/** Which bytes of a buffer and of a file a call is about. */
export interface TransferOptions {
  /** First byte of the buffer; 0 by default. */
  readonly offset?: number;
  /** Bytes to transfer; by default the rest of the buffer. */
  readonly length?: number;
  /** First byte in the file; by default where the last call without a position ended. */
  readonly position?: number | null;
}

/** What `read` did. */
export interface ReadResult<B extends Uint8Array = Uint8Array> {
  /** Bytes that were read: fewer than asked for at the end of the file, 0 beyond it. */
  readonly bytesRead: number;
  /** The caller's buffer. */
  readonly buffer: B;
}

/** What `write` did. */
export interface WriteResult<B extends Uint8Array = Uint8Array> {
  /** Bytes that were written: all that were asked for. */
  readonly bytesWritten: number;
  /** The caller's buffer. */
  readonly buffer: B;
}

/** What a handle is made of. */
export interface FileHandleOrigin {
  readonly container: Container;
  readonly path: string;
  readonly inode: Inode;
  /** Owned by the handle. */
  readonly view: ContainerView;
  readonly canRead: boolean;
  readonly canWrite: boolean;
}

/** An open file. Close it: what was written since the last `sync` is lost otherwise. */
export class FileHandle {
  readonly #origin: FileHandleOrigin;
  readonly #incarnation: Epoch;
  #view: ContainerView | undefined;
  #transaction: Transaction | undefined;
  #position = 0;

  /** @internal */
  constructor(origin: FileHandleOrigin) {
    this.#origin = origin;
    this.#view = origin.view;
    this.#incarnation = origin.container.incarnation(origin.inode.oid);
  }

  /** The version that the handle reads. */
  get epoch(): Epoch {
    return withPosixErrors(() => this.#requireOpen("Asking for the epoch of").epoch);
  }

  #error(posix: string, code: "DER_INVAL" | "DER_NO_HDL" | "DER_NO_PERM", text: string[]) {
    const { path } = this.#origin;
    const [what, why = "", remedy = ""] = text;
    return new DfsError(posix, code, { what: `${what} "${path}"`, why, remedy }, { path });
  }

  #requireOpen(what: string): ContainerView {
    if (this.#view !== undefined) return this.#view;
    const text = [what, "the handle was closed", "open the file again"];
    throw this.#error("EBADF", "DER_NO_HDL", text);
  }

  #range(what: string, buffer: Uint8Array, options: TransferOptions) {
    const { offset = 0, length = buffer.length - offset } = options;
    const position = options.position ?? this.#position;
    const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
    if (!isCount(offset) || !isCount(length) || offset + length > buffer.length) {
      const why = `bytes [${offset}, ${offset + length}) do not lie in a buffer of ${buffer.length}`;
      throw this.#error("EINVAL", "DER_INVAL", [what, why, "give offset and length in the buffer"]);
    }
    if (!isCount(position) || !isCount(position + length)) {
      const why = `${position} is no position in a file`;
      throw this.#error("EINVAL", "DER_INVAL", [what, why, "give whole bytes from the start"]);
    }
    return { bytes: buffer.subarray(offset, offset + length), position };
  }

  #advance(options: TransferOptions, end: number): void {
    if (options.position === undefined || options.position === null) this.#position = end;
  }

  /**
   * Reads into a buffer.
   *
   * @throws {@link DfsError} `EBADF` if the handle is closed or was opened for writing only, `EINVAL`.
   */
  async read<B extends Uint8Array>(
    buffer: B,
    options: TransferOptions = {},
  ): Promise<ReadResult<B>> {
    return withPosixErrors(() => {
      const view = this.#requireOpen("Reading");
      if (!this.#origin.canRead) {
        const text = [
          "Reading",
          "it was opened for writing only",
          'open it with "r", "r+" or "w+"',
        ];
        throw this.#error("EBADF", "DER_NO_PERM", text);
      }
      const { bytes, position } = this.#range("Reading", buffer, options);
      const { oid } = this.#origin.inode;
      const left = Math.max(0, view.arraySize(oid, this.#transaction) - position);
      const bytesRead = Math.min(bytes.length, left);
      if (bytesRead > 0) {
        const range = wholeOf(Pattern.contiguous(position, position + bytesRead));
        view.readArray(oid, range, bytes, this.#transaction);
      }
      this.#advance(options, position + bytesRead);
      return { bytesRead, buffer };
    });
  }

  /**
   * Writes bytes; others see them after `sync` or `close`.
   *
   * @param buffer May be changed again when the call returns.
   * @throws {@link DfsError} `EBADF` if the handle is closed or was opened for reading, `EINVAL`.
   *   `ENOSPC` or `EIO`: all writes since the last `sync` are dropped then.
   */
  async write<B extends Uint8Array>(
    buffer: B,
    options: TransferOptions = {},
  ): Promise<WriteResult<B>> {
    return withPosixErrors(() => {
      this.#requireOpen("Writing");
      if (!this.#origin.canWrite) {
        const text = ["Writing", "it was opened for reading", 'open it with "r+", "w" or "w+"'];
        throw this.#error("EBADF", "DER_NO_PERM", text);
      }
      const { bytes, position } = this.#range("Writing", buffer, options);
      if (bytes.length > 0) this.#append(bytes, position);
      this.#advance(options, position + bytes.length);
      return { bytesWritten: bytes.length, buffer };
    });
  }

  #append(bytes: Uint8Array, position: number): void {
    const range = wholeOf(Pattern.contiguous(position, position + bytes.length));
    this.#transaction ??= this.#origin.container.begin();
    try {
      this.#transaction.write(this.#origin.inode.oid, range, bytes, this.#incarnation);
    } catch (error) {
      this.#transaction.abort();
      this.#transaction = undefined;
      throw error;
    }
  }

  /** Size, mode and times, with the handle's own writes. */
  async stat(): Promise<Stats> {
    return withPosixErrors(() => {
      const view = this.#requireOpen("Asking about");
      const { inode } = this.#origin;
      return new Stats(inode, view.arraySize(inode.oid, this.#transaction));
    });
  }

  /**
   * Commits what was written, at one epoch; from then on the handle reads the newest version. A handle
   * of a version that was mounted stays at it.
   *
   * @throws {@link DfsError} `ENOENT` if the file was removed or replaced meanwhile, `ENOSPC`, `EIO`:
   *   nothing was committed then, and the writes since the last `sync` are dropped.
   */
  async sync(): Promise<void> {
    withPosixErrors(() => {
      const view = this.#requireOpen("Syncing");
      this.#commit();
      if (!this.#origin.canWrite) return;
      this.#view = this.#origin.container.view();
      view.close();
    });
  }

  #commit(): void {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    if (transaction !== undefined) this.#origin.container.commit(transaction);
  }

  /**
   * Commits what was written and closes the handle. Later calls do nothing.
   *
   * @throws {@link DfsError} as {@link sync}; the handle is closed all the same.
   */
  async close(): Promise<void> {
    withPosixErrors(() => {
      const view = this.#view;
      this.#view = undefined;
      try {
        this.#commit();
      } finally {
        view?.close();
      }
    });
  }

  /** Closes the handle at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
