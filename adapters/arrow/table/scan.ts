/**
 * Reads the rows of a table: of each batch only what its statistics do not rule out, and of that only the columns that
 * are asked for.
 *
 *     parts ─ rows? ─▶ batches ─ rows? statistics? ─▶ columns of the predicate ─ rows ─▶ other columns
 *
 * @module
 */

import {
  type Data,
  DataType,
  type Field,
  makeData,
  RecordBatch,
  Schema,
  Struct,
} from "apache-arrow";
import { invalid } from "../errors.js";
import { SKIPPED_BATCHES_MAX } from "../limits.js";
import { matchingRows, mayMatch, mustMatch } from "./filter.js";
import { gather, nullColumn } from "./gather.js";
import type { PartReader } from "./part-reader.js";
import {
  type BoundPredicate,
  bindPredicate,
  columnsOfPredicate,
  type Predicate,
} from "./predicate.js";
import type { BatchEntry, PartEntry } from "./table-format.js";
import { deletedOf, readerOf, type TableState } from "./table-state.js";

/** Which rows and columns are read. */
export interface ScanOptions {
  /** Names of columns, in the order in which they are wanted; all by default. */
  readonly columns?: readonly string[];
  /** Rows `[start, end)` of the table, counted before `where` selects; all by default. */
  readonly rows?: {
    /** The first one; 0 by default. */
    readonly start?: number;
    /** One past the last one. */
    readonly end?: number;
  };
  /** Which of them. */
  readonly where?: Predicate;
  /** Most rows. */
  readonly limit?: number;
  /** Ends the scan. */
  readonly signal?: AbortSignal;
}

/** A scan whose options were found to fit the table. */
export interface BoundScan {
  readonly schema: Schema;
  /** Numbers of the columns in the table's schema. */
  readonly columns: readonly number[];
  readonly start: number;
  readonly end: number;
  readonly where: BoundPredicate | undefined;
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
}

/** A batch that a scan came to, and the rows of it that are wanted. */
export interface FoundRows {
  readonly part: PartEntry;
  /** Number of the batch's first row in its part. */
  readonly firstRow: number;
  readonly batch: BatchEntry;
  /** Rows of the batch, increasing; `undefined` for all. */
  readonly rows: Int32Array | undefined;
  /** Number in the table of the first row of the batch that was not deleted. */
  readonly tableRow: number;
  column(index: number): Data;
  /** Loads columns of the table's schema, which {@link FoundRows.column} then has. */
  need(columns: Iterable<number>): Promise<void>;
}

function isCount(value: number): boolean {
  return value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value >= 0);
}

/**
 * Checks the options of a scan.
 *
 * @throws `DaosError` `DER_INVAL`.
 */
export function bindScan({ path, header }: TableState, options: ScanOptions): BoundScan {
  const what = `Reading table "${path}"`;
  const { schema } = header;
  const names = options.columns ?? schema.fields.map(({ name }) => name);
  const columns = names.map((name) => {
    const column = schema.fields.findIndex((field) => field.name === name);
    if (column >= 0) return column;
    throw invalid(what, `there is no column "${name}"`, "name columns of the table's schema");
  });
  const { start = 0, end = Number.POSITIVE_INFINITY } = options.rows ?? {};
  const { limit = Number.POSITIVE_INFINITY, signal } = options;
  if (![start, end, limit].every(isCount)) {
    throw invalid(what, "rows and limit are no counts", "give whole numbers of at least 0");
  }
  const where = options.where === undefined ? undefined : bindPredicate(schema, options.where);
  const fields = columns.map((column) => schema.fields[column] as Field);
  return { schema: new Schema(fields, schema.metadata), columns, start, end, where, limit, signal };
}

/** Rows of a batch that were not deleted; `undefined` for all. */
function liveRows(deleted: Uint8Array | undefined, first: number, count: number) {
  if (deleted === undefined) return undefined;
  const rows = new Int32Array(count);
  let live = 0;
  for (let row = 0; row < count; row++) {
    const bit = first + row;
    if (((deleted[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) rows[live++] = row;
  }
  return live === count ? undefined : rows.subarray(0, live);
}

/** Those of the rows that lie in a range of the table's. */
function rowsWithin(
  live: Int32Array | undefined,
  count: number,
  { start, end }: { start: number; end: number },
): Int32Array | undefined {
  const [from, to] = [Math.max(0, start), Math.min(count, end)];
  if (from === 0 && to === count) return live;
  if (live !== undefined) return live.subarray(from, Math.max(from, to));
  return Int32Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}

function intersected(rows: Int32Array, others: Int32Array): Int32Array {
  const result = new Int32Array(Math.min(rows.length, others.length));
  let [at, other, count] = [0, 0, 0];
  while (at < rows.length && other < others.length) {
    const difference = (rows[at] as number) - (others[other] as number);
    if (difference === 0) result[count++] = rows[at] as number;
    if (difference <= 0) at += 1;
    if (difference >= 0) other += 1;
  }
  return result.subarray(0, count);
}

/** The columns of one batch, loaded as they are needed. */
class BatchColumns {
  readonly #state: TableState;
  readonly #reader: PartReader;
  readonly #batch: BatchEntry;
  readonly #loaded = new Map<number, Data>();

  constructor(state: TableState, reader: PartReader, batch: BatchEntry) {
    this.#state = state;
    this.#reader = reader;
    this.#batch = batch;
  }

  #inPart(column: number): number {
    const id = this.#state.header.columnIds[column] as number;
    return this.#reader.contents.columnIds.indexOf(id);
  }

  statistics(column: number) {
    const index = this.#inPart(column);
    if (index >= 0) return this.#batch.statistics[index];
    return { nullCount: this.#batch.rows, bounds: undefined, hasNan: false };
  }

  async need(columns: Iterable<number>): Promise<void> {
    const missing = [...new Set(columns)].filter((column) => !this.#loaded.has(column));
    if (missing.length === 0) return;
    const wanted = new Set(missing.map((column) => this.#inPart(column)).filter((at) => at >= 0));
    const found = await this.#reader.load(this.#state.view, this.#batch, wanted);
    for (const column of missing) {
      const type = (this.#state.header.schema.fields[column] as Field).type;
      const data = found.get(this.#inPart(column));
      this.#loaded.set(column, data ?? nullColumn(type, this.#batch.rows));
    }
  }

  column(index: number): Data {
    return this.#loaded.get(index) as Data;
  }
}

/** Goes through the batches that have rows for a scan. */
export async function* foundRows(state: TableState, scan: BoundScan): AsyncGenerator<FoundRows> {
  let tableRow = 0;
  let skipped = 0;
  const { where } = scan;
  const isExact = where !== undefined && hasExactStatistics(state, where);
  for (const part of state.parts) {
    const live = part.rows - part.deletedRows;
    if (tableRow >= scan.end) return;
    if (tableRow + live <= scan.start) {
      tableRow += live;
      continue;
    }
    const reader = readerOf(state, part);
    const deleted = deletedOf(state, part);
    let firstRow = 0;
    for (const batch of reader.contents.batches) {
      scan.signal?.throwIfAborted();
      const kept = liveRows(deleted, firstRow, batch.rows);
      const count = kept?.length ?? batch.rows;
      const range = { start: scan.start - tableRow, end: scan.end - tableRow };
      const place = { part, firstRow, batch, tableRow };
      firstRow += batch.rows;
      tableRow += count;
      if (range.end <= 0 || range.start >= count) continue;
      const columns = new BatchColumns(state, reader, batch);
      const statistics = { rows: batch.rows, column: (index: number) => columns.statistics(index) };
      if (where !== undefined && !mayMatch(where, statistics)) {
        skipped += 1;
        if (skipped % SKIPPED_BATCHES_MAX === 0) await new Promise(setImmediate);
        continue;
      }
      const within = rowsWithin(kept, count, range);
      const isSure = where === undefined || (isExact && mustMatch(where, statistics));
      const rows = isSure ? within : await selectedRows(columns, where, within, batch.rows);
      if (rows?.length === 0) continue;
      const access = { column: columns.column.bind(columns), need: columns.need.bind(columns) };
      yield { ...place, rows, ...access };
    }
  }
}

/** Whether the statistics know of all nulls: not of those among the values of a dictionary. */
function hasExactStatistics({ header }: TableState, where: BoundPredicate): boolean {
  const columns = [...columnsOfPredicate(where)];
  const types = columns.map((column) => header.schema.fields[column]?.type);
  return types.every((type) => !DataType.isDictionary(type));
}

async function selectedRows(
  columns: BatchColumns,
  where: BoundPredicate,
  rows: Int32Array | undefined,
  count: number,
): Promise<Int32Array | undefined> {
  if (rows?.length === 0) return rows;
  await columns.need(columnsOfPredicate(where));
  const matching = matchingRows(where, count, (column) => columns.column(column));
  if (rows === undefined || matching === undefined) return rows ?? matching;
  return intersected(rows, matching);
}

function isRun(rows: Int32Array): boolean {
  return (rows[rows.length - 1] as number) - (rows[0] as number) === rows.length - 1;
}

/** Takes rows of a column: a slice of it, where they lie one behind the other. */
function taken(data: Data, rows: Int32Array | undefined): Data {
  if (rows === undefined) return data;
  return isRun(rows) ? data.slice(rows[0] as number, rows.length) : gather(data, rows);
}

/** Reads the batches of a scan. */
export async function* scanBatches(
  state: TableState,
  scan: BoundScan,
): AsyncGenerator<RecordBatch> {
  let left = scan.limit;
  if (left === 0) return;
  const type = new Struct(scan.schema.fields);
  for await (const found of foundRows(state, scan)) {
    await found.need(scan.columns);
    const count = found.rows?.length ?? found.batch.rows;
    let { rows } = found;
    if (count > left) {
      rows = rows?.subarray(0, left) ?? Int32Array.from({ length: left }, (_, row) => row);
    }
    const length = Math.min(count, left);
    const children = scan.columns.map((column) => taken(found.column(column), rows));
    const data = makeData({ type, length, nullCount: 0, children } as never);
    const metadata = new Map([["daos.row", String(found.tableRow)]]);
    yield new RecordBatch(scan.schema, data as never, metadata);
    left -= length;
    if (left === 0) return;
  }
}
