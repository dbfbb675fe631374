/**
 * What is known of a table without reading it: the statistics of its batches, put together.
 *
 * @module
 */

import type { Field } from "apache-arrow";
import type { PartReader } from "./part-reader.js";
import { compareScalars, isTextType, type Scalar } from "./scalars.js";
import { readerOf, type TableState } from "./table-state.js";

/** What is known of a column of a table without reading it. */
export interface TableColumnStatistics {
  /** Name of the column. */
  readonly name: string;
  /** Nulls of the rows that were appended. */
  readonly nullCount: number;
  /** The least value, or one below it; long texts are cut. `undefined` if it is not known. */
  readonly min: number | bigint | string | Uint8Array | undefined;
  /** The largest value, or one above it. */
  readonly max: number | bigint | string | Uint8Array | undefined;
}

/** What is known of a table without reading it. */
export interface TableStatistics {
  /** Rows that were not deleted. */
  readonly numRows: number;
  /** Rows that are stored, but were deleted. They count for the columns until the table is written anew. */
  readonly deletedRows: number;
  /** Files that it lies in. */
  readonly parts: number;
  /** Batches that are stored. */
  readonly batches: number;
  /** In the order of the schema. */
  readonly columns: readonly TableColumnStatistics[];
}

function shown(field: Field, value: Scalar | undefined): TableColumnStatistics["min"] {
  if (typeof value !== "object") return value;
  return isTextType(field.type) ? Buffer.from(value).toString() : value;
}

function columnStatistics(
  field: Field,
  id: number,
  readers: readonly PartReader[],
): TableColumnStatistics {
  let nullCount = 0;
  let min: Scalar | undefined;
  let max: Scalar | undefined;
  for (const { contents } of readers) {
    const index = contents.columnIds.indexOf(id);
    for (const { rows, statistics } of contents.batches) {
      const known = statistics[index];
      nullCount += known?.nullCount ?? rows;
      if (known?.bounds === undefined) continue;
      const { bounds } = known;
      if (min === undefined || compareScalars(bounds.min, min) < 0) min = bounds.min;
      if (max === undefined || compareScalars(bounds.max, max) > 0) max = bounds.max;
    }
  }
  return { name: field.name, nullCount, min: shown(field, min), max: shown(field, max) };
}

/** Puts together what is known of the batches of a table. */
export function tableStatistics(state: TableState): TableStatistics {
  const { parts, numRows, header } = state;
  const readers = parts.map((part) => readerOf(state, part));
  const deletedRows = parts.reduce((sum, part) => sum + part.deletedRows, 0);
  const batches = readers.reduce((sum, { contents }) => sum + contents.batches.length, 0);
  const columns = header.schema.fields.map((field, index) => {
    return columnStatistics(field, header.columnIds[index] as number, readers);
  });
  return { numRows, deletedRows, parts: parts.length, batches, columns };
}
