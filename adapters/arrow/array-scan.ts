/**
 * A scan of array files: what to read, checked against what is stored at one epoch.
 *
 *     options ──checkOptions──▶ ScanRequest ──openScan──▶ ArrayScan: a pinned view, a schema, and
 *                                                         for each column an object and an offset
 *
 * @module
 */

import { Field, Schema } from "apache-arrow";
import {
  type Container,
  type ContainerView,
  DaosError,
  type Epoch,
  type ObjectId,
} from "../../core/index.js";
import { lookup, notFound } from "../dfs/index.js";
import { type NumericType, type NumericTypeName, numericType } from "./numeric-types.js";

/** Rows of a batch by default. Batches much smaller than this cost more in headers than in data. */
export const BATCH_ROWS_DEFAULT = 64 * 1024;
/** Most rows of a batch: Arrow for JavaScript counts them in 32 bits. */
export const BATCH_ROWS_MAX = 2 ** 31 - 1;

/** One column: elements that lie one behind the other in a file. */
export interface ArrayColumn {
  /** Name of the column. */
  readonly name: string;
  /** Type of its elements, little-endian in the file. */
  readonly type: NumericTypeName;
  /** Where the first element lies, in bytes from the start of the file; 0 by default. */
  readonly offset?: number;
  /** File of this column; by default the `path` of the options. */
  readonly path?: string;
}

/** What every way to describe the columns has in common. */
export interface ArrayScanOptions {
  /** Path of the file in the container. */
  readonly path: string;
  /** Extent of the array along each dimension, slowest first (row-major). A row is one element. */
  readonly shape: readonly number[];
  /** Version to read; by default the newest commit when the iteration starts. */
  readonly epoch?: Epoch;
  /** Rows `[start, end)` to read, counted in row-major order; all by default. */
  readonly rows?: readonly [start: number, end: number];
  /** Most rows of a batch, 64 Ki by default. Batches begin at multiples of it, counted from row 0. */
  readonly batchRows?: number;
}

/** One column, described in the options themselves. */
export interface SingleColumnOptions extends ArrayScanOptions {
  /** Type of the elements, little-endian in the file. */
  readonly type: NumericTypeName;
  /** Name of the column; `"value"` by default. */
  readonly name?: string;
  /** Where the first element lies, in bytes from the start of the file; 0 by default. */
  readonly offset?: number;
}

/** Several columns of one shape. */
export interface MultiColumnOptions extends ArrayScanOptions {
  /** At least one column; names differ. */
  readonly columns: readonly ArrayColumn[];
}

/** How an array file is read as record batches. */
export type ArrayReadOptions = SingleColumnOptions | MultiColumnOptions;

interface ColumnRequest {
  readonly name: string;
  readonly path: string;
  readonly offset: number;
  readonly type: NumericType;
}

/** Options, checked. */
export interface ScanRequest {
  readonly path: string;
  readonly shape: readonly number[];
  readonly epoch: Epoch | undefined;
  readonly start: number;
  readonly end: number;
  readonly batchRows: number;
  readonly columns: readonly ColumnRequest[];
}

/** A column of an open scan. */
export interface ScanColumn extends ColumnRequest {
  readonly oid: ObjectId;
}

/** An open scan. Whoever opened it closes the view. */
export interface ArrayScan {
  readonly request: ScanRequest;
  readonly view: ContainerView;
  readonly schema: Schema;
  readonly columns: readonly ScanColumn[];
}

function invalid(path: string, why: string, remedy: string): DaosError {
  const what = `Reading "${path}" as record batches`;
  return new DaosError("DER_INVAL", { what, why, remedy }, { path });
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function rowCount({ path, shape }: ArrayScanOptions): number {
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (shape.every(isCount) && Number.isSafeInteger(count)) return count;
  const why = `[${shape.join(", ")}] is not a shape`;
  throw invalid(path, why, "give whole numbers of elements along each dimension");
}

function checkColumns(options: ArrayReadOptions): ColumnRequest[] {
  const { path } = options;
  const columns: readonly ArrayColumn[] =
    "columns" in options ? options.columns : [{ ...options, name: options.name ?? "value" }];
  const names = new Set(columns.map(({ name }) => name));
  if (names.size === 0 || names.size < columns.length) {
    const why = names.size === 0 ? "no column is named" : "two columns have one name";
    throw invalid(path, why, "give at least one column, and each its own name");
  }
  return columns.map((column) => {
    const { name, offset = 0 } = column;
    if (!isCount(offset)) {
      const why = `column "${name}" begins at byte ${offset}`;
      throw invalid(path, why, "give its offset in whole bytes from the start of the file");
    }
    return { name, offset, path: column.path ?? path, type: numericType(column.type) };
  });
}

/**
 * Checks what can be checked without the store.
 *
 * @throws `DaosError` `DER_INVAL`.
 */
export function checkOptions(options: ArrayReadOptions): ScanRequest {
  const { path, shape, epoch, batchRows = BATCH_ROWS_DEFAULT } = options;
  const count = rowCount(options);
  const [start, end] = options.rows ?? [0, count];
  if (!isCount(start) || !isCount(end) || start > end || end > count) {
    const why = `rows [${start}, ${end}) do not lie in [0, ${count})`;
    throw invalid(path, why, "give rows as [start, end), in row-major order");
  }
  if (!isCount(batchRows) || batchRows === 0 || batchRows > BATCH_ROWS_MAX) {
    const why = `batches of ${batchRows} rows cannot be made`;
    throw invalid(path, why, `give a whole number from 1 to ${BATCH_ROWS_MAX}`);
  }
  const columns = checkColumns(options);
  return { path, shape: [...shape], epoch, start, end, batchRows, columns };
}

function openColumn(view: ContainerView, column: ColumnRequest, shape: readonly number[]) {
  const { name, path, offset, type } = column;
  const inode = lookup({ view }, path);
  if (inode === undefined) throw notFound(path, "Reading");
  if (inode.kind === "directory") {
    throw invalid(path, "it is a directory", "name a file in it");
  }
  const needed = offset + shape.reduce((product, extent) => product * extent, 1) * type.size;
  const size = view.arraySize(inode.oid);
  if (needed > size) {
    const why = `column "${name}" of shape [${shape.join(", ")}] ends at byte ${needed}, the file at ${size}`;
    throw invalid(path, why, "correct the shape, the type or the offset, or read another version");
  }
  return { ...column, oid: inode.oid };
}

function schemaOf(container: Container, request: ScanRequest, epoch: Epoch): Schema {
  const { columns, shape, path } = request;
  const fields = columns.map(({ name, type, path: file, offset }) => {
    const metadata = new Map([
      ["daos.path", file],
      ["daos.offset", String(offset)],
    ]);
    return new Field(name, type.arrow, false, metadata);
  });
  const metadata = new Map([
    ["daos.pool", container.pool],
    ["daos.container", container.label],
    ["daos.path", path],
    ["daos.epoch", String(epoch)],
    ["daos.shape", JSON.stringify(shape)],
  ]);
  return new Schema(fields, metadata);
}

/**
 * Pins a version, finds the columns in it and checks that the shape fits.
 *
 * @throws `DaosError` `DER_NONEXIST`, `DER_INVAL`, `DER_EPOCH_GONE`. Nothing stays pinned then.
 */
export function openScan(container: Container, request: ScanRequest): ArrayScan {
  const view = container.view(request.epoch);
  try {
    const columns = request.columns.map((column) => openColumn(view, column, request.shape));
    return { request, view, columns, schema: schemaOf(container, request, view.epoch) };
  } catch (error) {
    view.close();
    throw error;
  }
}
