/**
 * Files of all formats, as streams of batches.
 *
 *     arrow      Arrow IPC file           .arrow .feather
 *     arrows     Arrow IPC stream         .arrows
 *     parquet    Parquet                  .parquet .pq
 *     csv        CSV with a header        .csv
 *     jsonl      JSON lines               .jsonl .ndjson
 *
 * @module
 */

import { extname } from "node:path";
import type { Schema } from "apache-arrow";
import { invalid } from "../errors.js";
import type { BatchStream } from "../ipc/types.js";
import { encodeCsv, openCsv } from "./csv.js";
import { openIpcFile, writeIpcFile } from "./ipc-files.js";
import { encodeJsonLines, openJsonLines } from "./json-lines.js";
import type { Advance } from "./local-bytes.js";
import { openParquet } from "./parquet-reader.js";
import { encodeParquet, type ParquetCompression } from "./parquet-writer.js";
import { type WriteFileOptions, type WrittenFile, writeParts } from "./write-file.js";

/** Names of the formats. */
export const FILE_FORMATS = ["arrow", "arrows", "parquet", "csv", "jsonl"] as const;
/** A format of files. */
export type FileFormat = (typeof FILE_FORMATS)[number];

const EXTENSIONS: Readonly<Record<string, FileFormat>> = {
  ".arrow": "arrow",
  ".feather": "arrow",
  ".arrows": "arrows",
  ".parquet": "parquet",
  ".pq": "parquet",
  ".csv": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
};

/**
 * The format of a file, by its name.
 *
 * @throws `DaosError` `DER_INVAL` if the name does not tell.
 */
export function fileFormatOf(path: string): FileFormat {
  const format = EXTENSIONS[extname(path).toLowerCase()];
  if (format !== undefined) return format;
  const why = `"${extname(path)}" is none of ${Object.keys(EXTENSIONS).join(", ")}`;
  throw invalid(`Finding the format of ${path}`, why, "name the format, or rename the file");
}

/** How a file is read. */
export interface OpenTableFileOptions {
  /** By the file's name by default. An Arrow file and an Arrow stream are told apart by their contents. */
  readonly format?: FileFormat | undefined;
  /** Types of the columns, of CSV and JSON lines; by default inferred from the first 64 Ki rows. */
  readonly schema?: Schema | undefined;
  /** Called with the bytes that were read. */
  readonly advance?: Advance | undefined;
}

/**
 * Opens a file to be read batch by batch. Memory is bounded by the largest batch, of Parquet by the largest row group.
 *
 * @throws `DaosError` `DER_INVAL` if it is not of its format, or damaged, or has a value that does not fit its column;
 *   `DER_NOSYS` for types that are not read here; the error of the system call if there is no such file. What lies
 *   behind the first batch is found out while iterating.
 *
 * @example
 * ```ts
 * const schema = parseSchema("step: int32, energy: float64");
 * using table = await Table.createFrom(container, "energy", await openTableFile("energy.csv", { schema }));
 * ```
 */
export async function openTableFile(
  path: string,
  { format = fileFormatOf(path), schema, advance = () => {} }: OpenTableFileOptions = {},
): Promise<BatchStream> {
  if (format === "csv") return openCsv(path, { schema, advance });
  if (format === "jsonl") return openJsonLines(path, { schema, advance });
  if (schema !== undefined) {
    const why = "a schema was given, and the file has its own";
    throw invalid(`Reading ${path}`, why, "leave the schema out");
  }
  return format === "parquet" ? openParquet(path, advance) : openIpcFile(path, { advance });
}

/** How a file is written. */
export interface WriteTableFileOptions extends WriteFileOptions {
  /** By the file's name by default. */
  readonly format?: FileFormat | undefined;
  /** How columns are compressed: Arrow not at all by default, Parquet with Zstandard. */
  readonly compression?: ParquetCompression | undefined;
}

function parts(
  stream: BatchStream,
  format: "csv" | "jsonl" | "parquet",
  codec?: ParquetCompression,
) {
  if (format === "parquet") return encodeParquet(stream, codec);
  return format === "csv" ? encodeCsv(stream) : encodeJsonLines(stream);
}

/**
 * Writes batches to a file, which appears when it is whole and on disk.
 *
 * Text formats have numbers with all their digits; dates and times as ISO 8601, bytes as base64, lists and structs as
 * JSON.
 *
 * @throws `DaosError` `DER_EXIST`, `DER_NONEXIST`, `DER_NO_PERM`, `DER_NOSPACE`, `DER_IO`; `DER_NOSYS` for types that
 *   Parquet does not have; `DER_INVAL` for a compression that the format does not have; as `writeIpc`. What was at the
 *   path before stays then.
 *
 * @example
 * ```ts
 * await writeTableFile(table.scan({ columns: ["step", "energy"] }), "energy.parquet");
 * ```
 */
export async function writeTableFile(
  stream: BatchStream,
  path: string,
  options: WriteTableFileOptions = {},
): Promise<WrittenFile> {
  const { format = fileFormatOf(path), compression } = options;
  if (format === "parquet") return writeParts(parts(stream, format, compression), path, options);
  const isArrow = format === "arrow" || format === "arrows";
  const isKnown = compression === undefined || compression === "none" || isArrow;
  if (!isKnown || compression === "snappy" || compression === "gzip") {
    const remedy = isArrow ? "choose lz4, zstd or none" : "leave the compression out";
    throw invalid(`Writing ${path}`, `${format} has no compression "${compression}"`, remedy);
  }
  if (!isArrow) return writeParts(parts(stream, format), path, options);
  return writeIpcFile(stream, path, {
    ...options,
    format: format === "arrow" ? "file" : "stream",
    compression: compression === "none" ? undefined : compression,
  });
}
