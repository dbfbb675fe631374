/**
 * A dataset that a client reads: a table, or an array whose elements are rows, at one version.
 *
 * @module
 */

import { type Field, type RecordBatch, Schema } from "apache-arrow";
import type { Container, Epoch, Pool, Version } from "../../../core/index.js";
import {
  type MultiColumnOptions,
  readArrayBatches,
  type ScanOptions,
  Table,
  type TableVersion,
} from "../../arrow/index.js";
import { badRequest } from "../errors.js";
import { type ArrayRequest, parseVersion, type ReadRequest, type TableRequest } from "./request.js";

/** Rows `[start, end)`. */
export type RowRange = readonly [start: number, end: number];

/** An open dataset. Close it, so that its version can be reclaimed. */
export interface Dataset extends Disposable {
  /** Of the batches that the request asks for. */
  readonly schema: Schema;
  readonly epoch: Epoch;
  /** The rows of the dataset that the request ranges over, before a predicate. */
  readonly rows: RowRange;
  /** Whether {@link rows} are all that are read: there is neither a predicate nor a limit. */
  readonly isWhole: boolean;
  /** Reads what the request asks for. */
  batches(signal: AbortSignal): AsyncIterable<RecordBatch>;
}

/** The version that a client names, as core has it. */
export function versionOf({ epoch, snapshot, time }: TableVersion): Version | undefined {
  if (epoch !== undefined) return epoch;
  if (snapshot !== undefined) return { snapshot };
  return time === undefined ? undefined : { time };
}

function scanOptions({ columns, where, rows, limit }: Omit<TableRequest, "kind" | "name">) {
  return {
    ...(columns === undefined ? {} : { columns }),
    ...(where === undefined ? {} : { where }),
    ...(rows === undefined ? {} : { rows: { start: rows[0], end: rows[1] } }),
    ...(limit === undefined ? {} : { limit }),
  } satisfies ScanOptions;
}

function clipped([start, end]: RowRange, count: number): RowRange {
  return [Math.min(start, count), Math.min(end, count)];
}

/** A table's columns as a request asks for them: what a scan of none of its rows has. */
function schemaOf(table: Table, request: TableRequest): Schema {
  const { fields, metadata } = table.schema;
  if (request.columns === undefined) return table.schema;
  // The columns are there: a scan was bound to them.
  const field = (column: string) => fields.find(({ name }) => name === column) as Field;
  return new Schema(request.columns.map(field), metadata);
}

async function openTable(container: Container, request: TableRequest): Promise<Dataset> {
  const table = await Table.open(container, request.name.path, parseVersion(request.name.version));
  const end = () => {
    table.close();
    container.close();
  };
  try {
    // What does not fit the table is said now, and not with the first batch.
    table.scan({ ...scanOptions(request), limit: 0 });
    return {
      schema: schemaOf(table, request),
      epoch: table.epoch,
      rows: clipped(request.rows ?? [0, table.numRows], table.numRows),
      isWhole: request.where === undefined && request.limit === undefined,
      batches: (signal) => table.scan({ ...scanOptions(request), signal }),
      [Symbol.dispose]: end,
    };
  } catch (error) {
    table.close();
    throw error;
  }
}

function openArray(container: Container, request: ArrayRequest): Dataset {
  const { name, shape, columns, batchRows } = request;
  const view = container.view(versionOf(parseVersion(name.version)));
  const count = shape.reduce((product, extent) => product * extent, 1);
  const rows = clipped(request.rows ?? [0, count], count);
  const options: MultiColumnOptions = {
    path: name.path,
    shape,
    columns,
    epoch: view.epoch,
    ...(batchRows === undefined ? {} : { batchRows }),
  };
  const end = () => {
    view.close();
    container.close();
  };
  try {
    // One batch of no rows has the schema, and says what does not fit.
    const [first] = readArrayBatches(container, { ...options, rows: [0, Math.min(1, count)] });
    if (first === undefined) {
      throw badRequest("Reading an array", "it has no elements", "give a shape without a zero");
    }
    return {
      schema: first.schema,
      epoch: view.epoch,
      rows,
      isWhole: true,
      batches: async function* (signal) {
        for (const batch of readArrayBatches(container, { ...options, rows })) {
          signal.throwIfAborted();
          yield batch;
        }
      },
      [Symbol.dispose]: end,
    };
  } catch (error) {
    view.close();
    throw error;
  }
}

/**
 * Opens what a request asks for, with the rights of the pool's handle.
 *
 * @throws `DaosError` `DER_NONEXIST`, `DER_NO_PERM`, `DER_INVAL`, `DER_EPOCH_GONE`.
 */
export async function openDataset(pool: Pool, request: ReadRequest): Promise<Dataset> {
  const container = pool.openContainer(request.name.container, { mode: "ro" });
  try {
    if (request.kind === "table") return await openTable(container, request);
    return openArray(container, request);
  } catch (error) {
    container.close();
    throw error;
  }
}
