/**
 * CSV (RFC 4180): a header with the names of the columns, then rows.
 *
 * An empty field is null, an empty one in quotes is an empty text. Lists and structs are written as JSON.
 *
 * @module
 */

import { Readable } from "node:stream";
import { Field, Schema } from "apache-arrow";
import { parse } from "csv-parse";
import { malformed } from "../errors.js";
import type { BatchStream } from "../ipc/types.js";
import { TEXT_ROW_SIZE_MAX } from "../limits.js";
import { inferText } from "./infer.js";
import { type Advance, textFrom } from "./local-bytes.js";
import { jsonText, type PlainValue, readerOf } from "./plain-values.js";
import { batchesOfText, type TextRow } from "./text-batches.js";
import type { EncodedPart } from "./write-file.js";

type CsvRow = readonly (string | null)[];

/** Rows of a file, the header first. */
async function* recordsOf(path: string, what: string, advance: Advance): AsyncGenerator<CsvRow> {
  const parser = parse({
    bom: true,
    cast: (value, { quoting }) => (value === "" && !quoting ? null : value),
    skip_empty_lines: true,
    max_record_size: TEXT_ROW_SIZE_MAX,
  });
  const text = Readable.from(textFrom(path, what, advance));
  // What fails before the parser does is told by it.
  text.once("error", (error) => parser.destroy(error));
  try {
    for await (const record of text.pipe(parser)) yield record as CsvRow;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code?.startsWith("CSV_") !== true) throw error;
    throw malformed(what, (error as Error).message);
  } finally {
    text.destroy();
    parser.destroy();
  }
}

async function* rowsOf(records: AsyncGenerator<CsvRow>): AsyncGenerator<TextRow<CsvRow>> {
  for await (const row of records) {
    let size = 0;
    for (const field of row) size += field?.length ?? 0;
    yield { row, size };
  }
}

function namesOf(header: CsvRow | undefined, what: string): string[] {
  if (header === undefined) throw malformed(what, "it is empty: there is no header");
  const names = header.map((name) => name ?? "");
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw malformed(what, `two columns are called "${twice}"`);
  return names;
}

/** Reads a CSV file. */
export async function openCsv(
  path: string,
  { schema, advance }: { readonly schema: Schema | undefined; readonly advance: Advance },
): Promise<BatchStream> {
  const what = `Reading ${path}`;
  const records = recordsOf(path, what, advance);
  const names = namesOf((await records.next()).value as CsvRow | undefined, what);
  const unknown = schema?.fields.find(({ name }) => !names.includes(name));
  if (unknown !== undefined) {
    await records.return(undefined);
    throw malformed(what, `it has no column "${unknown.name}", which the schema has`);
  }
  const columnAt = (rows: readonly CsvRow[], at: number) => rows.map((row) => row[at] ?? null);
  const infer = (rows: readonly CsvRow[]) => {
    return new Schema(
      names.map((name, at) => new Field(name, inferText(columnAt(rows, at)), true)),
    );
  };
  const column = (rows: readonly CsvRow[], name: string) => columnAt(rows, names.indexOf(name));
  return batchesOfText(rowsOf(records), { what, infer, column }, schema);
}

function fieldText(value: PlainValue): string {
  if (value === null) return "";
  if (typeof value === "number") return numberText(value);
  const text = typeof value === "object" ? jsonText(value) : String(value);
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0.0" : String(value);
}

/** Encodes batches as CSV. */
export async function* encodeCsv(stream: BatchStream): AsyncGenerator<EncodedPart> {
  const names = stream.schema.fields.map(({ name }) => fieldText(name));
  yield { pieces: [Buffer.from(`${names.join(",")}\r\n`)], rows: 0 };
  for await (const batch of stream) {
    const readers = batch.data.children.map(readerOf);
    const lines: string[] = [];
    for (let row = 0; row < batch.numRows; row++) {
      const line = readers.map((read) => fieldText(read(row))).join(",");
      // A row of one null would be an empty line, which is none.
      lines.push(line === "" && readers.length === 1 ? '""' : line);
    }
    if (lines.length > 0) {
      yield { pieces: [Buffer.from(`${lines.join("\r\n")}\r\n`)], rows: lines.length };
    }
  }
}
