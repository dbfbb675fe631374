/**
 * JSON lines: an object in each line, with the names of the columns.
 *
 * Integers of 64 bits keep all their digits. A name that is missing is null.
 *
 * @module
 */

import { Field, Schema } from "apache-arrow";
import { invalid, malformed } from "../errors.js";
import type { BatchStream } from "../ipc/types.js";
import { TEXT_ROW_SIZE_MAX } from "../limits.js";
import { inferJson, MixedValues, namesOf } from "./infer.js";
import { type Advance, textFrom } from "./local-bytes.js";
import { jsonText, readerOf } from "./plain-values.js";
import { batchesOfText, type TextRow } from "./text-batches.js";
import type { EncodedPart } from "./write-file.js";

type JsonRow = Readonly<Record<string, unknown>>;

/** Texts, and integers that a double may not hold. */
const STRINGS_AND_LONG_INTEGERS = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;
const LONG_DIGITS = /\d{16,}/;
/** Begins the text that such an integer is kept in; JSON cannot have it as it is. */
const MARK = "\u0000integer:";

function parseLine(line: string): unknown {
  if (!LONG_DIGITS.test(line)) return JSON.parse(line);
  const marked = line.replace(STRINGS_AND_LONG_INTEGERS, (token, at: number) => {
    // The digits behind a point are none of an integer.
    const isFraction = /[\d.]/.test(line[at - 1] ?? "");
    return token.startsWith('"') || isFraction ? token : `"\\u0000integer:${token}"`;
  });
  return JSON.parse(marked, (_, value) => {
    const isMarked = typeof value === "string" && value.startsWith(MARK);
    return isMarked ? BigInt(value.slice(MARK.length)) : value;
  });
}

function parsedRow(line: string, number: number, what: string): TextRow<JsonRow> {
  let row: unknown;
  try {
    row = parseLine(line);
  } catch (error) {
    throw malformed(what, `line ${number} is no JSON: ${(error as Error).message}`);
  }
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    throw malformed(what, `line ${number} is no object`);
  }
  return { row: row as JsonRow, size: line.length };
}

async function* rowsOf(
  path: string,
  what: string,
  advance: Advance,
): AsyncGenerator<TextRow<JsonRow>> {
  let rest = "";
  let number = 0;
  for await (const text of textFrom(path, what, advance)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > TEXT_ROW_SIZE_MAX) throw malformed(what, `line ${number + 1} is too long`);
    for (const line of lines) {
      number += 1;
      if (line.trim() !== "") yield parsedRow(line, number, what);
    }
  }
  if (rest.trim() !== "") yield parsedRow(rest, number + 1, what);
}

function inferSchema(rows: readonly JsonRow[], what: string): Schema {
  if (rows.length === 0) throw malformed(what, "it is empty: its columns are not known");
  const fields = namesOf(rows).map((name) => {
    try {
      return new Field(name, inferJson(rows.map((row) => row[name])), true);
    } catch (error) {
      if (!(error instanceof MixedValues)) throw error;
      const why = `column "${name}": ${error.message}`;
      throw invalid(what, why, "make them of one kind, or give a schema");
    }
  });
  return new Schema(fields);
}

/** Reads a file of JSON lines. */
export async function openJsonLines(
  path: string,
  { schema, advance }: { readonly schema: Schema | undefined; readonly advance: Advance },
): Promise<BatchStream> {
  const what = `Reading ${path}`;
  let names: ReadonlySet<string> | undefined;
  const fault = (row: JsonRow, { fields }: Schema) => {
    names ??= new Set(fields.map(({ name }) => name));
    const other = Object.keys(row).find((name) => names?.has(name) !== true);
    return other === undefined ? undefined : `the schema has no column "${other}"`;
  };
  const infer = (rows: readonly JsonRow[]) => inferSchema(rows, what);
  const column = (rows: readonly JsonRow[], name: string) => rows.map((row) => row[name]);
  return batchesOfText(rowsOf(path, what, advance), { what, infer, column, fault }, schema);
}

/** Encodes batches as JSON lines. */
export async function* encodeJsonLines(stream: BatchStream): AsyncGenerator<EncodedPart> {
  const names = stream.schema.fields.map(({ name }) => JSON.stringify(name));
  for await (const batch of stream) {
    const readers = batch.data.children.map(readerOf);
    const lines: string[] = [];
    for (let row = 0; row < batch.numRows; row++) {
      const parts = readers.map((read, index) => `${names[index]}:${jsonText(read(row))}`);
      lines.push(`{${parts.join(",")}}\n`);
    }
    if (lines.length > 0) yield { pieces: [Buffer.from(lines.join(""))], rows: lines.length };
  }
}
