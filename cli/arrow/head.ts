/**
 * `daos arrow head`: the first rows of a table.
 *
 * @module
 */

import { type PlainValue, readerOf } from "daos-ts/arrow";
import { type VersionOptions, versionOptions } from "../container/open.js";
import type { Output } from "../output/output.js";
import { anything, epoch, integer, list, object, text, type Value } from "../output/schema.js";
import { type Call, defineVerb } from "../verb.js";
import { type SelectionOptions, scanOptionsOf, selectionOptions } from "./options.js";
import { openTable, tableOperand } from "./tables.js";

const LIMIT_DEFAULT = 10;

const schema = object({
  table: text("The table"),
  epoch: epoch("The version that was read"),
  numRows: integer("Rows of the table"),
  columns: list(text("Name"), "The columns that were read"),
  rows: list(
    list(
      anything("A value; integers beyond 2^53, NaN and infinities are text"),
      "In the columns' order",
    ),
    "The first rows that match",
  ),
});

/** A value as JSON has it. */
function jsonValue(value: PlainValue): unknown {
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(jsonValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, jsonValue(one)]));
}

async function run({ address, options }: Call<VersionOptions & SelectionOptions>) {
  using opened = await openTable(address, options);
  const { table, display } = opened;
  const scan = table.scan({ limit: LIMIT_DEFAULT, ...scanOptionsOf(options) });
  const rows: unknown[][] = [];
  for await (const batch of scan) {
    const readers = batch.data.children.map(readerOf);
    for (let row = 0; row < batch.numRows; row++) {
      rows.push(readers.map((read) => jsonValue(read(row))));
    }
  }
  const columns = scan.schema.fields.map(({ name }) => name);
  return { table: display, epoch: String(table.epoch), numRows: table.numRows, columns, rows };
}

function cellOf(value: unknown): string | number | undefined {
  if (value === null) return undefined;
  if (typeof value === "string" || typeof value === "number") return value;
  return JSON.stringify(value);
}

function print({ columns, rows, numRows }: Value<typeof schema>, output: Output): void {
  output.table(
    columns.map((head, at) => ({
      head,
      align: rows.some((row) => typeof row[at] === "number") ? "right" : "left",
    })),
    rows.map((row) => row.map(cellOf)),
  );
  if (output.isTerminal) output.line(output.colour("dim", `${rows.length} of ${numRows} rows`));
}

/** `daos arrow head` */
export const arrowHead = defineVerb({
  name: "head",
  summary: "print the first rows of a table",
  operands: [tableOperand],
  options: [...selectionOptions, ...versionOptions],
  examples: [
    "daos arrow head daos://run.pool/results/energy",
    'daos arrow head daos://run.pool/results/energy -n 3 --where \'{"op": ">", "column": "energy", "value": 10}\'',
  ],
  schema,
  run,
  print,
});
