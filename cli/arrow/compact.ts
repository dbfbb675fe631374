/**
 * `daos arrow compact`: fewer and larger batches of the same rows.
 *
 * @module
 */

import { Table } from "daos-ts/arrow";
import { Pool } from "../../core/index.js";
import { findContainer } from "../container/open.js";
import type { Output } from "../output/output.js";
import { epoch, integer, object, text, type Value } from "../output/schema.js";
import { type Call, defineVerb, option } from "../verb.js";
import { compressionOf } from "./options.js";
import { displayOf, tableOperand } from "./tables.js";

interface CompactOptions {
  readonly compression?: string;
}

const schema = object({
  table: text("The table"),
  epoch: epoch("The version at which it is visible"),
  replacedParts: integer("Files that were replaced"),
  newParts: integer("Files that took their place"),
  rows: integer("Rows that were written anew"),
  removedRows: integer("Deleted rows that are not in the new files"),
});

async function run({ address, options }: Call<CompactOptions>): Promise<Value<typeof schema>> {
  const compression = compressionOf(options.compression);
  using pool = Pool.connect(address.pool);
  const container = findContainer(pool, address.container ?? "");
  using table = await Table.open(container, address.path, compression ? { compression } : {});
  const compaction = await table.compact();
  return { table: displayOf(address), ...compaction, epoch: String(compaction.epoch) };
}

function print(answer: Value<typeof schema>, output: Output): void {
  output.facts([
    ["Epoch", answer.epoch],
    ["Replaced", answer.replacedParts],
    ["New", answer.newParts],
    ["Rows", answer.rows],
    ["Removed", answer.removedRows],
  ]);
}

/** `daos arrow compact` */
export const arrowCompact = defineVerb({
  name: "compact",
  summary: "write the small batches of a table as large ones, without deleted rows",
  description:
    "Write small batches of a table as batches of 65,536 rows or more, and files with deleted rows without them, as one commit. Rows keep their order; older versions and snapshots stay as they are. Others may append meanwhile. The space comes back with aggregation, once no version that is kept needs the old files.",
  operands: [tableOperand],
  options: [
    option("--compression <codec>", "store the new buffers with lz4 or zstd; none by default"),
  ],
  examples: [
    "daos arrow compact daos://run.pool/results/energy",
    "daos arrow compact daos://run.pool/results/energy --compression zstd --json",
  ],
  schema,
  run,
  print,
});
