/**
 * `daos arrow pin`: one version of a table as a file that other programs map into memory.
 *
 * @module
 */

import { type Call, defineVerb } from "../verb.js";
import {
  type ExportOptions,
  exportOptions,
  exportSchema,
  printWritten,
  targetOf,
  writeTable,
} from "./export.js";
import { tableOperand } from "./tables.js";

/** `daos arrow pin` */
export const arrowPin = defineVerb({
  name: "pin",
  summary: "write a version of a table as an Arrow file that programs map into memory",
  description:
    "Write one version of a table as an Arrow IPC file whose buffers begin at multiples of 64 bytes and are not compressed: pyarrow.memory_map, DuckDB and Polars read it without copying. On /dev/shm, it never leaves memory. The file stays as it is, whatever is committed or aggregated later.",
  operands: [
    tableOperand,
    {
      name: "target",
      kind: "text",
      description: "the file to write; with a slash at its end, the folder for it",
    },
  ],
  options: exportOptions,
  examples: [
    "daos arrow pin daos://run.pool/results/energy /dev/shm/energy.arrow",
    "daos arrow pin daos://run.pool/results/energy /dev/shm/ --snap before-restart --force",
  ],
  schema: exportSchema,
  run: (call: Call<ExportOptions>) => {
    const { words, address, roots } = call;
    const target = targetOf(words[0] ?? "", address, { roots, extension: "arrow" });
    return writeTable(call, target, "arrow");
  },
  print: printWritten,
});
