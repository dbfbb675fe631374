/**
 * The table that the suite `arrow` measures: 8 columns of float64, of which the first one increases, in batches of
 * 64 Ki rows; and what both sides do with a column.
 *
 * @module
 */

import { Table as ArrowTable, makeVector, type RecordBatch, type Vector } from "apache-arrow";

/** Rows of a batch: 512 KiB of each column. */
export const BATCH_ROWS = 64 * 1024;
/** Columns: "key", then "v1" to "v7". */
export const COLUMNS = 8;
/** Bytes of a batch. */
export const BATCH_SIZE = BATCH_ROWS * COLUMNS * Float64Array.BYTES_PER_ELEMENT;

function columnsOf(first: number): Record<string, Float64Array> {
  const columns: Record<string, Float64Array> = {
    key: Float64Array.from({ length: BATCH_ROWS }, (_, row) => first + row),
  };
  for (let column = 1; column < COLUMNS; column++) {
    columns[`v${column}`] = Float64Array.from({ length: BATCH_ROWS }, (_, row) => row * column);
  }
  return columns;
}

/** Batches whose keys are 0, 1, 2 ...; all of them have the same arrays for the other columns. */
export function* batchesOf(count: number): Generator<RecordBatch> {
  const columns = columnsOf(0);
  const { schema } = arrowTable(columns);
  for (let batch = 0; batch < count; batch++) {
    const first = batch * BATCH_ROWS;
    const key = Float64Array.from({ length: BATCH_ROWS }, (_, row) => first + row);
    yield new ArrowTable(schema, arrowTable({ ...columns, key }).batches).batches[0] as RecordBatch;
  }
}

function arrowTable(columns: Record<string, Float64Array>): ArrowTable {
  const vectors = Object.entries(columns).map(([name, values]) => [name, makeVector(values)]);
  return new ArrowTable(Object.fromEntries(vectors) as Record<string, Vector>);
}

/** Sum of a column without nulls. */
export function sumOf(column: Vector | null): number {
  let sum = 0;
  for (const { values, length } of column?.data ?? []) {
    for (let row = 0; row < length; row++) sum += (values as Float64Array)[row] as number;
  }
  return sum;
}

/** What `sumOf` makes of column "v3" of so many batches; whole numbers, of which every sum is exact. */
export function expectedSum(batches: number): number {
  return (batches * 3 * BATCH_ROWS * (BATCH_ROWS - 1)) / 2;
}
