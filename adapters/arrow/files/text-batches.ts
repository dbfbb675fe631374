/**
 * Rows of text formats as batches: types from a schema, or inferred from the first rows.
 *
 *     rows ─▶ up to 64 Ki of them, or 32 MiB of text ─▶ a batch
 *
 * @module
 */

import { makeData, RecordBatch, Schema, Struct } from "apache-arrow";
import { invalid, unsupported } from "../errors.js";
import type { BatchStream } from "../ipc/types.js";
import { TEXT_BATCH_ROWS, TEXT_BATCH_SIZE } from "../limits.js";
import { buildColumn, isBuildable, UnfitValue } from "./build-column.js";
import { typeText } from "./type-text.js";

/** A row, and about how many characters it has. */
export interface TextRow<Row> {
  readonly row: Row;
  readonly size: number;
}

/** What a format makes of its rows. */
export interface TextDialect<Row> {
  /** What is done, for errors. */
  readonly what: string;
  /** Infers the schema. */
  readonly infer: (rows: readonly Row[]) => Schema;
  /** The values of a column, one for each row. */
  readonly column: (rows: readonly Row[], name: string) => readonly unknown[];
  /** Says what is wrong with a row, before its values are looked at. */
  readonly fault?: (row: Row, schema: Schema) => string | undefined;
}

async function take<Row>(rows: AsyncIterator<TextRow<Row>>): Promise<Row[]> {
  const taken: Row[] = [];
  for (let size = 0; taken.length < TEXT_BATCH_ROWS && size < TEXT_BATCH_SIZE; ) {
    const next = await rows.next();
    if (next.done === true) break;
    taken.push(next.value.row);
    size += next.value.size;
  }
  return taken;
}

function checkSchema(schema: Schema, what: string): void {
  for (const { name, type } of schema.fields) {
    if (isBuildable(type)) continue;
    const why = `column "${name}" is of type ${typeText(type)}, which has no text form here`;
    throw unsupported(what, why, "give it as utf8, or use an Arrow or Parquet file");
  }
}

const REMEDY = "correct the value, or give a schema in which it has a type";

function batchOf<Row>(
  rows: readonly Row[],
  { schema, dialect, first }: { schema: Schema; dialect: TextDialect<Row>; first: number },
): RecordBatch {
  const { what, fault } = dialect;
  for (const [index, row] of fault === undefined ? [] : rows.entries()) {
    const why = fault?.(row, schema);
    if (why !== undefined) throw invalid(what, `row ${first + index + 1}: ${why}`, REMEDY);
  }
  const children = schema.fields.map(({ name, type, nullable }) => {
    const values = dialect.column(rows, name);
    const gap = nullable ? -1 : values.findIndex((value) => value === null || value === undefined);
    if (gap >= 0) {
      throw invalid(what, `row ${first + gap + 1}: column "${name}" has no value`, REMEDY);
    }
    try {
      return buildColumn(type, values);
    } catch (error) {
      if (!(error instanceof UnfitValue)) throw error;
      const why = `row ${first + error.row + 1}, column "${name}": ${error.message}`;
      throw invalid(what, why, REMEDY, { row: first + error.row + 1, column: name });
    }
  });
  const type = new Struct(schema.fields);
  const data = makeData({ type, length: rows.length, nullCount: 0, children } as never);
  return new RecordBatch(schema, data as never);
}

/**
 * Makes batches of rows.
 *
 * @param given The schema; inferred from the first batch's rows by default.
 * @throws `DaosError` `DER_INVAL` if there is nothing to infer from; `DER_NOSYS` for types without a text form. While
 *   iterating, `DER_INVAL` for a value that does not fit.
 */
export async function batchesOfText<Row>(
  rows: AsyncGenerator<TextRow<Row>>,
  dialect: TextDialect<Row>,
  given: Schema | undefined,
): Promise<BatchStream> {
  const end = async () => {
    await rows.return(undefined);
  };
  try {
    let taken = await take(rows);
    const schema = new Schema((given ?? dialect.infer(taken)).fields);
    checkSchema(schema, dialect.what);
    const batches = (async function* () {
      try {
        for (let first = 0; taken.length > 0; ) {
          yield batchOf(taken, { schema, dialect, first });
          first += taken.length;
          taken = await take(rows);
        }
      } finally {
        await end();
      }
    })();
    return { schema, [Symbol.asyncIterator]: () => batches };
  } catch (error) {
    await end();
    throw error;
  }
}
