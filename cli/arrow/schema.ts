/**
 * `daos arrow schema`: the columns of a table.
 *
 * @module
 */

import { schemaText, typeText } from "daos-ts/arrow";
import { type VersionOptions, versionOptions } from "../container/open.js";
import type { Output } from "../output/output.js";
import { epoch, flag, integer, list, object, record, text, type Value } from "../output/schema.js";
import { type Call, defineVerb } from "../verb.js";
import { openTable, tableOperand } from "./tables.js";

const schema = object({
  table: text("The table"),
  epoch: epoch("The version that was read"),
  numRows: integer("Rows"),
  columns: list(
    object({
      name: text("Name"),
      type: text("Type"),
      nullable: flag("Whether there may be nulls"),
      metadata: record(text("Value"), "Metadata of the column"),
    }),
    "In their order",
  ),
  metadata: record(text("Value"), "Metadata of the schema"),
  text: text("All columns, as `daos arrow import --schema` takes them"),
});

async function run({ address, options }: Call<VersionOptions>): Promise<Value<typeof schema>> {
  using opened = await openTable(address, options);
  const { table, display } = opened;
  const columns = table.schema.fields.map(({ name, type, nullable, metadata }) => {
    return { name, type: typeText(type), nullable, metadata: Object.fromEntries(metadata) };
  });
  return {
    table: display,
    epoch: String(table.epoch),
    numRows: table.numRows,
    columns,
    metadata: Object.fromEntries(table.schema.metadata),
    text: schemaText(table.schema),
  };
}

function print({ columns }: Value<typeof schema>, output: Output): void {
  output.table(
    [{ head: "Column" }, { head: "Type" }, { head: "Nulls" }],
    columns.map(({ name, type, nullable }) => [name, type, nullable ? "allowed" : "none"]),
  );
}

/** `daos arrow schema` */
export const arrowSchema = defineVerb({
  name: "schema",
  summary: "print the columns of a table",
  operands: [tableOperand],
  options: versionOptions,
  examples: [
    "daos arrow schema daos://run.pool/results/energy",
    "daos arrow schema daos://run.pool/results/energy --json",
  ],
  schema,
  run,
  print,
});
