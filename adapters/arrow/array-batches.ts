/**
 * Array files as Apache Arrow record batches, at any version, while a job writes the next one.
 *
 *     file (n-d, row-major)   ├── row 0..65535 ──┼── 65536..131071 ──┼── ... ──┤
 *     batches                  one RecordBatch    one RecordBatch
 *
 * A row is one element, in row-major order. Each byte is copied once, from the store into the buffer
 * of the batch that is handed out; nothing else is kept, so that an array of any size streams through
 * the memory of one batch.
 *
 * @module
 */

import { makeData, RecordBatch, Struct, Table, type TypeMap } from "apache-arrow";
import { type Container, Pattern, wholeOf } from "../../core/index.js";
import {
  type ArrayReadOptions,
  type ArrayScan,
  checkOptions,
  type MultiColumnOptions,
  openScan,
  type ScanColumn,
  type SingleColumnOptions,
} from "./array-scan.js";
import type { ArrowTypeOf } from "./numeric-types.js";

type NameOf<Options> = Options extends { name: infer Name extends string }
  ? Name
  : "name" extends keyof Options
    ? string
    : "value";

/** The columns that options describe, with their Arrow types. */
export type ColumnsOf<Options> =
  Options extends Pick<MultiColumnOptions, "columns">
    ? { [Column in Options["columns"][number] as Column["name"]]: ArrowTypeOf<Column["type"]> }
    : Options extends Pick<SingleColumnOptions, "type">
      ? { [Name in NameOf<Options>]: ArrowTypeOf<Options["type"]> }
      : TypeMap;

function readColumn(scan: ArrayScan, column: ScanColumn, [start, end]: [number, number]) {
  const { oid, offset, type } = column;
  const size = (end - start) * type.size;
  // Not from a pool: the buffer belongs to the batch. Not zeroed: the read fills all of it.
  const bytes = Buffer.allocUnsafeSlow(size);
  const first = offset + start * type.size;
  scan.view.readArray(oid, wholeOf(Pattern.contiguous(first, first + size)), bytes);
  return type.column(bytes);
}

function readBatch<T extends TypeMap>(scan: ArrayScan, rows: [number, number]): RecordBatch<T> {
  const data = makeData({
    type: new Struct<T>(scan.schema.fields),
    length: rows[1] - rows[0],
    nullCount: 0,
    children: scan.columns.map((column) => readColumn(scan, column, rows)),
  });
  return new RecordBatch<T>(scan.schema, data, new Map([["daos.row", String(rows[0])]]));
}

function* batchesOf<T extends TypeMap>(scan: ArrayScan): Generator<RecordBatch<T>, void, void> {
  const { start, end, batchRows } = scan.request;
  for (let row = start; row < end; ) {
    const next = Math.min(end, (Math.floor(row / batchRows) + 1) * batchRows);
    yield readBatch<T>(scan, [row, next]);
    row = next;
  }
}

/**
 * Reads an array file as record batches, in row-major order.
 *
 * The version is pinned from the first batch until the iteration ends (by its last batch, `break`, an
 * exception or `return()`): later commits do not show, and aggregation keeps what is being read. The
 * buffers of a batch belong to the caller, and stay valid after the iteration.
 *
 * @param container Where the file lies.
 * @param options What to read. The metadata of the schema says what was read: `daos.pool`,
 *   `daos.container`, `daos.path`, `daos.epoch`, `daos.shape` (as a JSON array); that of a batch has
 *   its first row as `daos.row`.
 * @returns An iterator for `for ... of` and `for await ... of`; no batch if there are no rows.
 * @throws `DaosError` `DER_INVAL` for bad options, at once. While iterating: `DER_NONEXIST` if
 *   there is no such file, `DER_INVAL` if the shape needs more bytes than the file has,
 *   `DER_EPOCH_GONE` if the version was aggregated, `DER_CSUM` if stored bytes are damaged.
 *
 * @example
 * ```ts
 * let sum = 0;
 * for (const batch of readArrayBatches(container, { path: "u", shape: [96, 96, 96], type: "float64" })) {
 *   for (const value of batch.getChild("value")!.toArray()) sum += value;
 * }
 * ```
 */
export function readArrayBatches<const Options extends ArrayReadOptions>(
  container: Container,
  options: Options,
): Generator<RecordBatch<ColumnsOf<Options>>, void, void> {
  const request = checkOptions(options);
  return (function* () {
    const scan = openScan(container, request);
    try {
      yield* batchesOf<ColumnsOf<Options>>(scan);
    } finally {
      scan.view.close();
    }
  })();
}

/**
 * Reads an array file into a table: all batches of {@link readArrayBatches}, in memory at once.
 *
 * `tableToIPC` of apache-arrow makes an IPC stream or file of it, for other programs.
 *
 * @throws `DaosError` as {@link readArrayBatches}.
 *
 * @example
 * ```ts
 * const table = arrayTable(container, {
 *   path: "checkpoint",
 *   shape: [96, 96, 96],
 *   columns: [
 *     { name: "u", type: "float64", offset: 0 },
 *     { name: "v", type: "float64", offset: 96 ** 3 * 8 },
 *   ],
 * });
 * table.numRows; // 884736
 * ```
 */
export function arrayTable<const Options extends ArrayReadOptions>(
  container: Container,
  options: Options,
): Table<ColumnsOf<Options>> {
  const scan = openScan(container, checkOptions(options));
  try {
    return new Table<ColumnsOf<Options>>(scan.schema, [...batchesOf<ColumnsOf<Options>>(scan)]);
  } finally {
    scan.view.close();
  }
}
