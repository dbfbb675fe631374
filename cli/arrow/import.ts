/**
 * `daos arrow import`: a file of another program as a table.
 *
 * @module
 */

import { statSync } from "node:fs";
import path from "node:path";
import type { RecordBatch, Schema } from "apache-arrow";
import {
  type BatchStream,
  type FileFormat,
  openTableFile,
  parseSchema,
  schemaText,
  Table,
} from "daos-ts/arrow";
import { type Container, DaosError, isDaosError, Pool } from "../../core/index.js";
import { findContainer } from "../container/open.js";
import { type Address, addressOfPath } from "../location.js";
import type { Output } from "../output/output.js";
import { Progress } from "../output/progress.js";
import { epoch, integer, number, object, text, type Value } from "../output/schema.js";
import { counted, humanDuration } from "../output/size.js";
import { type Call, defineVerb, option } from "../verb.js";
import { compressionOf, formatOption, poolRootOption, untilInterrupt } from "./options.js";
import { displayOf } from "./tables.js";

interface ImportOptions {
  readonly format?: FileFormat;
  readonly schema?: Schema;
  readonly append?: boolean;
  readonly force?: boolean;
  readonly compression?: string;
}

const schema = object({
  source: text("What was imported"),
  target: text("The table"),
  epoch: epoch("The version at which all of it appeared"),
  rows: integer("Rows that came"),
  schema: text("The columns of the table, with their types"),
  size: integer("Bytes of the file"),
  seconds: number("How long it took"),
});
type Answer = Value<typeof schema>;

/** The table to write; with a slash at its end, a target is the directory for it. */
function targetOf(written: string, source: string, roots: readonly string[]): Address {
  const address = addressOfPath(written, roots);
  if (address?.container === undefined) {
    const what = `Importing ${source} to ${written}`;
    const why = "the target names no container";
    const remedy = "write daos://<pool>/<container>/<table>";
    throw new DaosError("DER_INVAL", { what, why, remedy });
  }
  if (!written.endsWith("/") && address.path !== "") return address;
  const name = path.basename(source, path.extname(source));
  return { ...address, path: address.path === "" ? name : `${address.path}/${name}` };
}

function checkOptions({ append, force, compression }: ImportOptions): "lz4" | "zstd" | undefined {
  const what = "Reading the command line";
  if (append === true && force === true) {
    const why = "--append and --force were both given";
    throw new DaosError("DER_INVAL", { what, why, remedy: "give one of them" });
  }
  return compressionOf(compression);
}

/** Counts the rows of a stream, and ends it when it is to end. */
function watched(stream: BatchStream, signal: AbortSignal, count: (rows: number) => void) {
  const batches = (async function* (): AsyncGenerator<RecordBatch> {
    for await (const batch of stream) {
      signal.throwIfAborted();
      count(batch.numRows);
      yield batch;
    }
  })();
  return { schema: stream.schema, [Symbol.asyncIterator]: () => batches };
}

async function store(
  container: Container,
  target: string,
  { stream, options }: { readonly stream: BatchStream; readonly options: ImportOptions },
): Promise<Table> {
  const compression = checkOptions(options);
  const how = compression === undefined ? {} : { compression };
  if (options.append !== true) {
    return Table.createFrom(container, target, stream, { ...how, replace: options.force === true });
  }
  let table: Table;
  try {
    table = await Table.open(container, target, how);
  } catch (error) {
    if (!isDaosError(error, "DER_NONEXIST")) throw error;
    return Table.createFrom(container, target, stream, how);
  }
  try {
    await table.append(stream);
    return table;
  } catch (error) {
    table.close();
    throw error;
  }
}

async function run({ words, roots, options, output }: Call<ImportOptions>): Promise<Answer> {
  const [source = "", written = ""] = words;
  const started = performance.now();
  checkOptions(options);
  const target = targetOf(written, source, roots);
  const file = path.resolve(source);
  const { size } = statSync(file);
  using pool = Pool.connect(target.pool);
  const container = findContainer(pool, target.container ?? "");
  using progress = new Progress(output, { title: "import", total: size, unit: "bytes" });
  using interrupt = untilInterrupt();
  const { format, schema: given } = options;
  const advance = (bytes: number) => progress.advance(bytes);
  const stream = await openTableFile(file, { format, schema: given, advance });
  let rows = 0;
  const counting = watched(stream, interrupt.signal, (count) => {
    rows += count;
  });
  using table = await store(container, target.path, { stream: counting, options });
  progress.close();
  return {
    source: file,
    target: displayOf(target),
    epoch: String(table.epoch),
    rows,
    schema: schemaText(table.schema),
    size,
    seconds: Math.round(performance.now() - started) / 1000,
  };
}

function print({ epoch: at, rows, size, schema: columns, seconds }: Answer, output: Output): void {
  if (!output.isTerminal) {
    output.facts([
      ["Epoch", at],
      ["Rows", rows],
      ["Size", size],
      ["Schema", columns],
    ]);
    return;
  }
  const rate = output.size(Math.round(size / Math.max(seconds, 0.001)));
  const took = humanDuration(seconds * 1000);
  output.line(`Imported ${counted(rows, "row")}, ${output.size(size)} in ${took} (${rate}/s).`);
  output.line(columns);
}

/** `daos arrow import` */
export const arrowImport = defineVerb({
  name: "import",
  summary: "make a table of an Arrow, Parquet, CSV or JSON lines file",
  description:
    "Make a table of an Arrow IPC file or stream, a Parquet file, a CSV file with a header, or JSON lines. All rows appear at one epoch, or none if the import fails or is killed. Types of CSV and JSON lines are inferred from the first 65,536 rows, unless --schema gives them; a value that does not fit is refused with its row and column.",
  operands: [
    { name: "source", kind: "text", description: "the file to read" },
    {
      name: "target",
      kind: "text",
      description:
        "daos://<pool>/<container>/<table>; with a slash at its end, the directory for it",
    },
  ],
  options: [
    formatOption,
    option("--schema <columns>", 'types: "step: int32, at: timestamp[us]"', parseSchema),
    poolRootOption,
    option("-a, --append", "add the rows to a table that is there already"),
    option("-f, --force", "replace a table that is there already"),
    option(
      "--compression <codec>",
      "store buffers with lz4 or zstd; none by default, for zero copy",
    ),
  ],
  examples: [
    "daos arrow import flights.parquet daos://run.pool/results/",
    'daos arrow import energy.csv daos://run.pool/results/energy --schema "step: int32, energy: float64"',
    "daos arrow import more.jsonl daos://run.pool/results/energy --append",
  ],
  schema,
  run,
  print,
});
