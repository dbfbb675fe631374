/**
 * What calls of file handles give and take: whole files, and what came of a transfer.
 *
 * @module
 */

import { ArgumentTypeError } from "./errors.js";
import { bytesOf } from "./transfer-arguments.js";

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

/** The bytes of a part of a file. @throws `TypeError` `ERR_INVALID_ARG_TYPE`. */
function partBytes(part: unknown, encoding: BufferEncoding | null | undefined): Uint8Array {
  if (typeof part === "string") return Buffer.from(part, encoding ?? "utf8");
  if (ArrayBuffer.isView(part)) return bytesOf(part as NodeJS.ArrayBufferView);
  throw new ArgumentTypeError("data", "a string, a buffer, or an iterable of them", part);
}

const isIterable = (data: unknown): data is Iterable<unknown> | AsyncIterable<unknown> =>
  typeof data === "object" &&
  data !== null &&
  (Symbol.iterator in data || Symbol.asyncIterator in data);

/**
 * The bytes of a file that is to be written, if they are all there; else `undefined`: they have to be
 * waited for.
 *
 * @throws `TypeError` `ERR_INVALID_ARG_TYPE`.
 */
export function wholeData(
  data: FileData,
  { encoding, signal }: ReturnType<typeof fileOptions>,
): Uint8Array | undefined {
  signal?.throwIfAborted();
  const isWhole = typeof data === "string" || ArrayBuffer.isView(data) || !isIterable(data);
  return isWhole ? partBytes(data, encoding) : undefined;
}

/**
 * All bytes of an iterable.
 *
 * @throws `TypeError` `ERR_INVALID_ARG_TYPE`; an `AbortError` if the signal is aborted between two parts.
 */
export async function collected(
  data: FileData,
  { encoding, signal }: ReturnType<typeof fileOptions>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of data as AsyncIterable<unknown>) {
    signal?.throwIfAborted();
    // The caller may fill its buffer again for the next part.
    parts.push(Uint8Array.from(partBytes(part, encoding)));
  }
  return Buffer.concat(parts);
}
