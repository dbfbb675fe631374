/**
 * `daos arrow stats`: what is known of a table without reading it.
 *
 * @module
 */

import { typeText } from "daos-ts/arrow";
import { type VersionOptions, versionOptions } from "../container/open.js";
import type { Output } from "../output/output.js";
import { epoch, integer, list, object, optional, text, type Value } from "../output/schema.js";
import { type Call, defineVerb } from "../verb.js";
import { openTable, tableOperand } from "./tables.js";

const schema = object({
  table: text("The table"),
  epoch: epoch("The version that was read"),
  numRows: integer("Rows that were not deleted"),
  deletedRows: integer("Rows that are stored, but were deleted"),
  parts: integer("Files that the table lies in"),
  batches: integer("Batches that are stored"),
  columns: list(
    object({
      name: text("Name"),
      type: text("Type"),
      nullCount: integer("Nulls, those of deleted rows too"),
      min: optional(text("The least value, or one below it")),
      max: optional(text("The largest value, or one above it")),
    }),
    "In their order; bounds as they are stored: days, or units of a timestamp, since 1970",
  ),
});

type Bound = number | bigint | string | Uint8Array | undefined;

function boundText(bound: Bound): string | undefined {
  return bound instanceof Uint8Array ? Buffer.from(bound).toString("hex") : bound?.toString();
}

async function run({ address, options }: Call<VersionOptions>): Promise<Value<typeof schema>> {
  using opened = await openTable(address, options);
  const { table, display } = opened;
  const { columns, ...counts } = await table.statistics();
  const described = columns.map(({ name, nullCount, min, max }, index) => {
    const [low, high] = [boundText(min), boundText(max)];
    const type = typeText(table.schema.fields[index]?.type as never);
    const bounds = low === undefined || high === undefined ? {} : { min: low, max: high };
    return { name, type, nullCount, ...bounds };
  });
  return { table: display, epoch: String(table.epoch), ...counts, columns: described };
}

function print(answer: Value<typeof schema>, output: Output): void {
  output.facts([
    ["Rows", answer.numRows],
    ["Deleted", answer.deletedRows],
    ["Parts", answer.parts],
    ["Batches", answer.batches],
  ]);
  if (output.isTerminal) output.line();
  output.table(
    [
      { head: "Column" },
      { head: "Type" },
      { head: "Nulls", align: "right" },
      { head: "Min", align: "right" },
      { head: "Max", align: "right" },
    ],
    answer.columns.map(({ name, type, nullCount, min, max }) => [name, type, nullCount, min, max]),
  );
}

/** `daos arrow stats` */
export const arrowStats = defineVerb({
  name: "stats",
  summary: "print rows, nulls and bounds of a table without reading it",
  operands: [tableOperand],
  options: versionOptions,
  examples: [
    "daos arrow stats daos://run.pool/results/energy",
    "daos arrow stats daos://run.pool/results/energy --snap before-restart --json",
  ],
  schema,
  run,
  print,
});
