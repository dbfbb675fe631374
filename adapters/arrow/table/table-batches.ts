/**
 * Fits the batches of a caller to the schema of a table.
 *
 * @module
 */

import { type Data, DataType, type RecordBatch, type Schema } from "apache-arrow";
import { invalid } from "../errors.js";
import { isSameType } from "../ipc/types.js";
import { STORED_BODY_SIZE_MAX, STORED_ROWS_MIN } from "../limits.js";
import { nullColumn } from "./gather.js";

/**
 * The columns of a batch in the order of a table's schema, by their names; columns that are missing are null.
 *
 * @throws `DaosError` `DER_INVAL` for other columns, other types, or nulls where there are to be none.
 */
export function columnsFor(schema: Schema, batch: RecordBatch, path: string): Data[] {
  const what = `Appending to table "${path}"`;
  const given = new Map(batch.schema.fields.map((field, index) => [field.name ?? "", index]));
  const names = new Set(schema.fields.map(({ name }) => name));
  const other = [...given.keys()].find((name) => !names.has(name));
  if (other !== undefined || given.size < batch.schema.fields.length) {
    const why = other === undefined ? "two columns have one name" : `there is no column "${other}"`;
    throw invalid(what, why, "name the columns as the table does, or add the column first");
  }
  return schema.fields.map(({ name, type, nullable }) => {
    const index = given.get(name);
    if (index === undefined) {
      if (nullable) return nullColumn(type, batch.numRows);
      throw invalid(what, `column "${name}" is missing`, "give a value in each row");
    }
    const data = batch.data.children[index] as Data;
    if (!isSameType(type, data.type)) {
      const why = `column "${name}" is of type ${String(type)}, the batch's of ${String(data.type)}`;
      throw invalid(what, why, "convert the data first; nothing is converted silently");
    }
    const hasNulls = !DataType.isUnion(type) && !DataType.isNull(type) && data.nullCount > 0;
    if (!nullable && hasNulls) {
      throw invalid(what, `column "${name}" has nulls`, "give a value in each row");
    }
    return data.length === batch.numRows ? data : data.slice(0, batch.numRows);
  });
}

/** Rows of a batch that are stored as one. */
export function storedRows(batch: RecordBatch): number {
  const size = batch.data.byteLength;
  if (size <= STORED_BODY_SIZE_MAX) return Math.max(1, batch.numRows);
  const rows = Math.floor((batch.numRows * STORED_BODY_SIZE_MAX) / size);
  // A slice may share buffers that are far larger than its rows.
  return Math.max(STORED_ROWS_MIN, rows);
}
