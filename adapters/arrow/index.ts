/**
 * Apache Arrow front end: arrays of a container as record batches, at any version.
 *
 * @example
 * ```ts
 * import { Pool } from "daos-ts";
 * import { readArrayBatches } from "daos-ts/arrow";
 *
 * using pool = Pool.connect("/scratch/run.pool", { mode: "ro" });
 * const container = pool.openContainer("results");
 * const options = { path: "u", shape: [96, 96, 96], type: "float64", name: "u" } as const;
 * for (const batch of readArrayBatches(container, options)) console.log(batch.numRows);
 * ```
 *
 * @module
 */

export { arrayTable, type ColumnsOf, readArrayBatches } from "./array-batches.js";
export {
  type ArrayColumn,
  type ArrayReadOptions,
  type ArrayScanOptions,
  BATCH_ROWS_DEFAULT,
  BATCH_ROWS_MAX,
  type MultiColumnOptions,
  type SingleColumnOptions,
} from "./array-scan.js";
export {
  type OpenFileOptions,
  openIpcFile,
  type WriteIpcFileOptions,
  type WriteIpcOptions,
  writeIpc,
  writeIpcFile,
} from "./files/ipc-files.js";
export { type PlainReader, type PlainValue, readerOf } from "./files/plain-values.js";
export {
  FILE_FORMATS,
  type FileFormat,
  fileFormatOf,
  type OpenTableFileOptions,
  openTableFile,
  type WriteTableFileOptions,
  writeTableFile,
} from "./files/table-files.js";
export { parseSchema, schemaText, typeText } from "./files/type-text.js";
export type { WriteFileOptions, WrittenFile } from "./files/write-file.js";
export type { Compression } from "./ipc/compression.js";
export { IpcDecoder, readIpc } from "./ipc/decoder.js";
export { END_OF_STREAM, framedMessage, IpcEncoder, type IpcMessage } from "./ipc/encoder.js";
export { type BatchStream, batchStream } from "./ipc/types.js";
export type { IpcFormat } from "./ipc/writer.js";
export type { ArrowTypeOf, NumericTypeName } from "./numeric-types.js";
export type { ArrayName } from "./simulation/array-source.js";
export {
  type ArrayForm,
  type ArrayOrder,
  type ArrayStream,
  type FollowArrayOptions,
  followArray,
  type ScanArrayOptions,
  scanArray,
} from "./simulation/scan-array.js";
export type { Compaction } from "./table/compaction.js";
export type { Comparison, Literal, Predicate } from "./table/predicate.js";
export type { ScanOptions } from "./table/scan.js";
export {
  type ListedTable,
  listTables,
  Table,
  type TableImportOptions,
  type TableScan,
  type TableVersion,
  type TableWriteOptions,
} from "./table/table.js";
export type { TableColumnStatistics, TableStatistics } from "./table/table-statistics.js";
