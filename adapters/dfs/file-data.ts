/**
 * What calls of file handles give and take: whole files, and what came of a transfer.
 *
 * @module
 */

/** What `read` did. */
export interface ReadResult<B extends NodeJS.ArrayBufferView = Uint8Array> {
  /** Bytes that were read: fewer than asked for at the end of the file, 0 beyond it. */
  readonly bytesRead: number;
  /** The caller's buffer. */
  readonly buffer: B;
}

/** What `write` did. */
export interface WriteResult<B extends NodeJS.ArrayBufferView | string = Uint8Array> {
  /** Bytes that were written: all that were asked for. */
  readonly bytesWritten: number;
  /** The caller's buffer, or text. */
  readonly buffer: B;
}

/** What `readv` did. */
export interface ReadVectorResult<B extends readonly NodeJS.ArrayBufferView[]> {
  /** Bytes that were read, in all buffers. */
  readonly bytesRead: number;
  /** The caller's buffers. */
  readonly buffers: B;
}

/** What `writev` did. */
export interface WriteVectorResult<B extends readonly NodeJS.ArrayBufferView[]> {
  /** Bytes that were written: all of the buffers. */
  readonly bytesWritten: number;
  /** The caller's buffers. */
  readonly buffers: B;
}

/** What a whole file may be written from. */
export type FileData =
  | string
  | NodeJS.ArrayBufferView
  | Iterable<string | NodeJS.ArrayBufferView>
  | AsyncIterable<string | NodeJS.ArrayBufferView>;

/** How a whole file is read or written: an encoding, or options. */
export type FileDataOptions =
  | BufferEncoding
  | {
      /** Of text; `utf8` by default when writing, bytes when reading. */
      readonly encoding?: BufferEncoding | null | undefined;
      /** Ends the call with an `AbortError` between two parts. */
      readonly signal?: AbortSignal | undefined;
    }
  | null
  | undefined;

const isOptions = (options: FileDataOptions) => typeof options === "object" && options !== null;

/** The options of a call, whichever way they are given. */
export function fileOptions(options: FileDataOptions) {
  if (!isOptions(options)) return { encoding: options as BufferEncoding | null, signal: undefined };
  return options as Exclude<FileDataOptions, string | null | undefined>;
}
