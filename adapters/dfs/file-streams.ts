/**
 * Streams of files, after those of `node:fs`.
 *
 * Bytes are read when the reader asks for them, and written as they come; what is too much waits (`drain`).
 * Between two parts other work of the process goes on. What a stream wrote is visible when it finishes, by
 * one commit; of a stream that is destroyed by an error or aborted, nothing is.
 *
 * @module
 */

import { finished, Readable, Writable } from "node:stream";
import { DfsError } from "./errors.js";
import type { FileHandle } from "./file-handle.js";
import { STREAM_CHUNK_SIZE_DEFAULT } from "./limits.js";

/** What streams of all kinds take. */
interface StreamOptions {
  /** Of the text that is read or written; bytes by default. */
  readonly encoding?: BufferEncoding | null | undefined;
  /** Whether the handle is closed at the end, and after an error; `true` by default. */
  readonly autoClose?: boolean | undefined;
  /** Whether `close` is emitted; `true` by default. */
  readonly emitClose?: boolean | undefined;
  /** First byte in the file; by default where the last call of the handle ended. */
  readonly start?: number | undefined;
  /** Bytes that may wait; 64 KiB by default. */
  readonly highWaterMark?: number | undefined;
  /** Destroys the stream when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** How a handle is read as a stream. */
export interface HandleReadStreamOptions extends StreamOptions {
  /** Last byte that is read, itself included; the end of the file by default. */
  readonly end?: number | undefined;
}

/** How a stream is written to a handle. */
export interface HandleWriteStreamOptions extends StreamOptions {}

/** A handle, or how to open one. */
export type HandleSource = FileHandle | { readonly path: string; open(): Promise<FileHandle> };

function requireOffset(name: string, path: string, value: number | undefined): void {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return;
  if (Number.isSafeInteger(value) && value >= 0) return;
  const text = {
    what: `Streaming "${path}"`,
    why: `${name} is ${value}`,
    remedy: "give whole bytes",
  };
  throw new DfsError("EINVAL", "DER_INVAL", text, { path });
}

function streamOptions(path: string, options: StreamOptions) {
  requireOffset("start", path, options.start);
  const { highWaterMark = STREAM_CHUNK_SIZE_DEFAULT, autoClose = true, emitClose = true } = options;
  const { signal } = options;
  const base = { highWaterMark, emitClose, autoDestroy: autoClose };
  return signal === undefined ? base : { ...base, signal };
}

const isHandle = (source: HandleSource): source is FileHandle => !("open" in source);

/** What both kinds of streams share: the handle, and how it ends. */
class StreamFile {
  readonly #source: HandleSource;
  readonly #autoClose: boolean;
  #handle: FileHandle | undefined;
  #ended = () => {};

  constructor(source: HandleSource, autoClose = true) {
    this.#source = source;
    this.#autoClose = autoClose;
  }

  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  get handle(): FileHandle {
    return this.#handle as FileHandle;
  }

  open(stream: Readable | Writable, callback: (error?: Error | null) => void): void {
    const ready = (handle: FileHandle) => {
      this.#handle = handle;
      // Who closes the handle ends the stream.
      this.#ended = () => stream.destroy();
      handle.once("close", this.#ended);
      callback();
      stream.emit("open", handle.fd);
      stream.emit("ready");
    };
    if (isHandle(this.#source)) ready(this.#source);
    else this.#source.open().then(ready, callback);
  }

  /** @param drop Whether what was written is dropped. */
  async close(error: Error | null, drop: boolean): Promise<Error | null> {
    const handle = this.#handle;
    handle?.off("close", this.#ended);
    if (handle === undefined || handle.fd === -1 || !this.#autoClose) return error;
    try {
      if (drop) handle.discard();
      await handle.close();
      return error;
    } catch (failure) {
      return error ?? (failure as Error);
    }
  }
}

/** A file as a stream of bytes or text. */
export class ReadStream extends Readable {
  /** The path of the file. */
  readonly path: string;
  /** Bytes that were read so far. */
  bytesRead = 0;
  readonly #file: StreamFile;
  readonly #end: number;
  #position: number | undefined;

  /** @internal */
  constructor(source: HandleSource, options: HandleReadStreamOptions = {}) {
    const { encoding, start, end } = options;
    requireOffset("end", source.path, end);
    if (start !== undefined && end !== undefined && start > end) {
      const why = `start ${start} lies behind end ${end}`;
      const text = { what: `Streaming "${source.path}"`, why, remedy: "give them in order" };
      throw new DfsError("EINVAL", "DER_INVAL", text, { path: source.path });
    }
    super({ ...streamOptions(source.path, options), ...(encoding ? { encoding } : {}) });
    this.path = source.path;
    this.#file = new StreamFile(source, options.autoClose);
    this.#position = start;
    this.#end = end ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the file was not opened yet. */
  get pending(): boolean {
    return !this.#file.isOpen;
  }

  /** @internal */
  override _construct(callback: (error?: Error | null) => void): void {
    // Not in the constructor, which has not made the fields yet.
    setImmediate(() => this.#file.open(this, callback));
  }

  /** @internal */
  override _read(size: number): void {
    const from = this.#position ?? this.bytesRead;
    const length = Math.min(size, this.#end - from + 1);
    if (length <= 0) {
      this.push(null);
      return;
    }
    // Others may run between two parts; memory that a consumer keeps is its own.
    setImmediate(() => {
      if (this.destroyed) return;
      const buffer = Buffer.allocUnsafeSlow(length);
      this.#file.handle.read(buffer, { position: this.#position ?? null }).then(
        ({ bytesRead }) => {
          this.bytesRead += bytesRead;
          if (this.#position !== undefined) this.#position += bytesRead;
          this.push(bytesRead === 0 ? null : buffer.subarray(0, bytesRead));
        },
        (error: Error) => this.destroy(error),
      );
    });
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    void this.#file.close(error, false).then(callback);
  }

  /** Ends the stream. */
  close(callback?: (error?: Error | null) => void): void {
    if (callback !== undefined) finished(this, (error) => callback(error ?? null));
    this.destroy();
  }
}

/** A stream that writes a file. */
export class WriteStream extends Writable {
  /** The path of the file. */
  readonly path: string;
  /** Bytes that were written so far; they are visible when the stream has finished. */
  bytesWritten = 0;
  readonly #file: StreamFile;
  #position: number | undefined;
  #hasFinished = false;

  /** @internal */
  constructor(source: HandleSource, options: HandleWriteStreamOptions = {}) {
    super(streamOptions(source.path, options));
    if (options.encoding) this.setDefaultEncoding(options.encoding);
    this.path = source.path;
    this.#file = new StreamFile(source, options.autoClose);
    this.#position = options.start;
  }

  /** Whether the file was not opened yet. */
  get pending(): boolean {
    return !this.#file.isOpen;
  }

  /** @internal */
  override _construct(callback: (error?: Error | null) => void): void {
    setImmediate(() => this.#file.open(this, callback));
  }

  /** @internal */
  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this._writev([{ chunk }], callback);
  }

  /** @internal */
  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    const buffers = chunks.map(({ chunk }) => chunk);
    setImmediate(() => {
      if (this.destroyed) {
        callback();
        return;
      }
      this.#file.handle.writev(buffers, this.#position ?? null).then(({ bytesWritten }) => {
        this.bytesWritten += bytesWritten;
        if (this.#position !== undefined) this.#position += bytesWritten;
        callback();
      }, callback);
    });
  }

  /** @internal */
  override _final(callback: (error?: Error | null) => void): void {
    this.#file.handle.sync().then(() => {
      this.#hasFinished = true;
      callback();
    }, callback);
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    void this.#file.close(error, !this.#hasFinished).then(callback);
  }

  /** Finishes the stream. */
  close(callback?: (error?: Error | null) => void): void {
    if (callback !== undefined) finished(this, (error) => callback(error ?? null));
    if (!this.writableEnded) this.end();
  }
}
