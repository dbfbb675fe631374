/**
 * Arrow IPC streams and files, written from batches and read from paths.
 *
 * @module
 */

import type { Data } from "apache-arrow";
import { malformed } from "../errors.js";
import { type Compression, loadCodec } from "../ipc/compression.js";
import { readIpc, readMessages } from "../ipc/decoder.js";
import { endsAsFile, FILE_END_SIZE, MAGIC, schemaOfFooter } from "../ipc/messages.js";
import { type BatchStream, numberDictionaries } from "../ipc/types.js";
import { type IpcFormat, IpcWriter } from "../ipc/writer.js";
import { METADATA_SIZE_MAX } from "../limits.js";
import { columnsFor } from "../table/table-batches.js";
import { type Advance, bytesFrom, edgesOf } from "./local-bytes.js";
import { DictionaryUnifier } from "./unify-dictionaries.js";
import {
  type EncodedPart,
  type WriteFileOptions,
  type WrittenFile,
  writeParts,
} from "./write-file.js";

/** How Arrow IPC is written. */
export interface WriteIpcOptions {
  /** `"stream"` by default. In a file, dictionaries are made one for each column. */
  readonly format?: IpcFormat;
  /** How buffers are compressed; by default not at all. */
  readonly compression?: Compression | undefined;
}

/** How an Arrow IPC file is written to a path. */
export interface WriteIpcFileOptions extends WriteIpcOptions, WriteFileOptions {}

/** The messages of a stream, each as the pieces that it is made of. */
async function* messagesOf(
  stream: BatchStream,
  { format = "stream", compression }: WriteIpcOptions,
): AsyncGenerator<EncodedPart> {
  const what = `Writing an Arrow IPC ${format}`;
  const schema = numberDictionaries(stream.schema);
  const codec = compression && { compression, codec: await loadCodec(compression) };
  const writer = new IpcWriter(schema, format, codec);
  const unifier = format === "file" ? new DictionaryUnifier(schema, what) : undefined;
  yield { pieces: writer.begin(), rows: 0 };
  for await (const batch of stream) {
    if (batch.numRows === 0) continue;
    const given: Data[] = columnsFor(schema, batch, what);
    const columns = unifier?.unify(given) ?? given;
    yield { pieces: writer.add(columns, batch.numRows), rows: batch.numRows };
  }
  yield { pieces: writer.end(), rows: 0 };
}

/**
 * Encodes batches as Arrow IPC, as a stream of bytes. No more than one batch is held; buffers are not copied.
 *
 * @param stream What is written: the scan of a table, or what `readIpc` returns.
 * @returns Pieces of any size, which share memory with the batches.
 * @throws `DaosError` `DER_INVAL` if batches do not have the schema's columns, or in a file the values of a dictionary
 *   become more than its indices can number; what the stream throws.
 *
 * @example
 * ```ts
 * await pipeline(Readable.from(writeIpc(table.scan({ columns: ["step"] }))), process.stdout);
 * ```
 */
export async function* writeIpc(
  stream: BatchStream,
  options: WriteIpcOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  for await (const { pieces } of messagesOf(stream, options)) yield* pieces;
}

/**
 * Writes batches to an Arrow IPC file, or a stream in a file. It appears when it is whole and on disk.
 *
 * @param path Where; its folder exists.
 * @param options `format` is `"file"` by default here: what programs map into memory.
 * @throws `DaosError` as {@link writeIpc}; `DER_EXIST`, `DER_NONEXIST`, `DER_NO_PERM`, `DER_NOSPACE`, `DER_IO`. What was
 *   at the path before stays then.
 *
 * @example
 * ```ts
 * await writeIpcFile(table.scan({ where: { op: ">", column: "energy", value: 10 } }), "energy.arrow");
 * ```
 */
export async function writeIpcFile(
  stream: BatchStream,
  path: string,
  options: WriteIpcFileOptions = {},
): Promise<WrittenFile> {
  const { format = "file" } = options;
  return writeParts(messagesOf(stream, { ...options, format }), path, options);
}

/** Whether a file begins as an Arrow IPC file does. */
export function beginsAsFile(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) === 0;
}

/** The schema that a file's footer has, as a message. */
async function footerSchema(path: string, what: string): Promise<Uint8Array> {
  const { end } = await edgesOf(path, { beginSize: 0, endSize: FILE_END_SIZE });
  if (end.length < FILE_END_SIZE || !endsAsFile(end)) {
    throw malformed(what, "the file is cut off: it has no footer");
  }
  const size = Math.min(end.readUInt32LE(0), METADATA_SIZE_MAX);
  const { end: footer } = await edgesOf(path, {
    beginSize: 0,
    endSize: size + FILE_END_SIZE,
  });
  return schemaOfFooter(footer, what);
}

/** How a file is read. */
export interface OpenFileOptions {
  /** Called with the bytes that were read. */
  readonly advance?: Advance | undefined;
}

/**
 * Opens an Arrow IPC file, or a stream in a file, to be read batch by batch. Memory is bounded by the largest batch.
 *
 * @throws `DaosError` as `readIpc`; the error of the system call if there is no such file.
 *
 * @example
 * ```ts
 * using table = await Table.createFrom(container, "flights", await openIpcFile("flights.arrow"));
 * ```
 */
export async function openIpcFile(
  path: string,
  { advance = () => {} }: OpenFileOptions = {},
): Promise<BatchStream> {
  const what = `Reading ${path}`;
  const { begin } = await edgesOf(path, { beginSize: MAGIC.length, endSize: 0 });
  if (!beginsAsFile(begin)) return readIpc(bytesFrom(path, 0, advance), what);
  const schema = await footerSchema(path, what);
  return readMessages(bytesFrom(path, MAGIC.length, advance), schema, what);
}
