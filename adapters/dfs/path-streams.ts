/**
 * Streams of files that are named by paths: they open the file themselves.
 *
 * @module
 */

import type { Dfs } from "./dfs.js";
import {
  type HandleReadStreamOptions,
  type HandleWriteStreamOptions,
  ReadStream,
  WriteStream,
} from "./file-streams.js";
import type { OpenFlags } from "./open-flags.js";

/** How a file is read as a stream. */
export interface FileReadStreamOptions extends HandleReadStreamOptions {
  /** How it is opened; `r` by default. */
  readonly flags?: OpenFlags | undefined;
}

/** How a stream is written to a file. */
export interface FileWriteStreamOptions extends HandleWriteStreamOptions {
  /** How it is opened; `w` by default. */
  readonly flags?: OpenFlags | undefined;
}

function optionsOf<T extends { encoding?: BufferEncoding | null | undefined }>(
  options: BufferEncoding | T | undefined,
): Partial<T> {
  return typeof options === "string" ? ({ encoding: options } as Partial<T>) : (options ?? {});
}

/**
 * Reads a file as a stream, of the version that is the newest when it is opened.
 *
 * @returns Emits `open` and `ready` when the file was opened, `error` with a `DfsError` if it cannot be.
 *
 * @example
 * ```ts
 * await pipeline(dfs.createReadStream("run.log"), createGzip(), dfs.createWriteStream("run.log.gz"));
 * ```
 */
export function createReadStream(
  dfs: Pick<Dfs, "open">,
  path: string,
  given?: BufferEncoding | FileReadStreamOptions,
): ReadStream {
  const { flags = "r", ...options } = optionsOf(given);
  // A place in the file, so that both ends of a range count from its beginning.
  const start = options.start ?? 0;
  return new ReadStream({ path, open: () => dfs.open(path, flags) }, { ...options, start });
}

/**
 * Writes a file as a stream. The file is created, or emptied, when it is opened; the bytes are visible when
 * the stream finishes, by one commit. A stream that is aborted, or destroyed before, writes nothing.
 *
 * @param given `start` writes in the middle of a file, with flags `r+`.
 */
export function createWriteStream(
  dfs: Pick<Dfs, "open">,
  path: string,
  given?: BufferEncoding | FileWriteStreamOptions,
): WriteStream {
  const { flags = "w", ...options } = optionsOf(given);
  return new WriteStream({ path, open: () => dfs.open(path, flags) }, options);
}
