/**
 * `daos arrow export` and `daos arrow pin`: a table, or a part of it, as a file for other programs.
 *
 * @module
 */

import path from "node:path";
import { type FileFormat, fileFormatOf, writeTableFile } from "daos-ts/arrow";
import { DaosError } from "../../core/index.js";
import { type VersionOptions, versionOptions } from "../container/open.js";
import { type Address, addressOfPath } from "../location.js";
import type { Output } from "../output/output.js";
import { Progress } from "../output/progress.js";
import { choice, epoch, integer, number, object, text, type Value } from "../output/schema.js";
import { counted, humanDuration } from "../output/size.js";
import { type Call, defineVerb, option } from "../verb.js";
import {
  formatOption,
  type SelectionOptions,
  scanOptionsOf,
  selectionOptions,
  untilInterrupt,
} from "./options.js";
import { openTable, tableOperand } from "./tables.js";

/** What both verbs take. */
export interface ExportOptions extends VersionOptions, SelectionOptions {
  readonly force?: boolean;
  readonly format?: FileFormat;
  readonly compression?: string;
}

const COMPRESSIONS = ["lz4", "zstd", "snappy", "gzip", "none"] as const;

/** The schema of both verbs' answers. */
export const exportSchema = object({
  source: text("The table"),
  epoch: epoch("The version that was read"),
  target: text("The file"),
  format: choice(["arrow", "arrows", "parquet", "csv", "jsonl"], "Its format"),
  rows: integer("Rows that were written"),
  batches: integer("Pieces that they were written in"),
  size: integer("Bytes of the file"),
  seconds: number("How long it took"),
});
/** The answer of both verbs. */
export type ExportAnswer = Value<typeof exportSchema>;

/** The file to write; with a slash at its end, the folder for it. */
export function targetOf(
  to: string,
  { path: table }: Address,
  { roots, extension }: { readonly roots: readonly string[]; readonly extension: string },
): string {
  const name = `${path.posix.basename(table)}.${extension}`;
  const target = path.resolve(to.endsWith("/") ? `${to}${name}` : to);
  if (addressOfPath(to, roots) === undefined) return target;
  const what = `Exporting table "${table}" to ${to}`;
  const remedy = "name a file outside of pools";
  throw new DaosError("DER_INVAL", { what, why: "the target lies in a pool", remedy });
}

function compressionOf(written: string | undefined) {
  if (written === undefined) return undefined;
  const compression = COMPRESSIONS.find((name) => name === written);
  if (compression !== undefined) return compression;
  const why = `there is no compression "${written}"`;
  const remedy = `choose one of ${COMPRESSIONS.join(", ")}`;
  throw new DaosError("DER_INVAL", { what: "Reading the command line", why, remedy });
}

/** Writes a table to a file. */
export async function writeTable(
  { address, options, output }: Pick<Call<ExportOptions>, "address" | "options" | "output">,
  target: string,
  format: FileFormat,
): Promise<ExportAnswer> {
  const started = performance.now();
  const compression = compressionOf(options.compression);
  using opened = await openTable(address, options);
  const { table, display } = opened;
  using interrupt = untilInterrupt();
  const { signal } = interrupt;
  const scan = table.scan({ ...scanOptionsOf(options), signal });
  const total = Math.min(table.numRows, options.limit ?? Number.POSITIVE_INFINITY);
  using progress = new Progress(output, { title: "export", total, unit: "rows" });
  const advance = (rows: number) => progress.advance(rows);
  const replace = options.force === true;
  const written = await writeTableFile(scan, target, {
    format,
    compression,
    replace,
    signal,
    advance,
  });
  progress.close();
  const seconds = Math.round(performance.now() - started) / 1000;
  return { source: display, epoch: String(table.epoch), target, format, ...written, seconds };
}

/** Prints what was written. */
export function printWritten(answer: ExportAnswer, output: Output): void {
  const { rows, batches, size, seconds, target } = answer;
  if (!output.isTerminal) {
    output.facts([
      ["Epoch", answer.epoch],
      ["Target", target],
      ["Rows", rows],
      ["Batches", batches],
      ["Size", size],
    ]);
    return;
  }
  const rate = output.size(Math.round(size / Math.max(seconds, 0.001)));
  const took = humanDuration(seconds * 1000);
  output.line(
    `Wrote ${counted(rows, "row")}, ${output.size(size)} in ${took} (${rate}/s): ${target}`,
  );
}

/** The options that both verbs have. */
export const exportOptions = [
  ...selectionOptions,
  option("-f, --force", "replace a file that is there already"),
  ...versionOptions,
];

/** `daos arrow export` */
export const arrowExport = defineVerb({
  name: "export",
  summary: "write a table as an Arrow, Parquet, CSV or JSON lines file",
  description:
    "Write a table, or a part of it, as an Arrow IPC file (.arrow) or stream (.arrows), Parquet (.parquet), CSV (.csv) or JSON lines (.jsonl). The file appears when it is whole and on disk; if the export fails or is killed, what was there before stays.",
  operands: [
    tableOperand,
    {
      name: "target",
      kind: "text",
      description: "the file to write; with a slash at its end, the folder for it",
    },
  ],
  options: [
    formatOption,
    option("--compression <codec>", "lz4, zstd or none; for Parquet snappy and gzip too"),
    ...exportOptions,
  ],
  examples: [
    "daos arrow export daos://run.pool/results/energy energy.parquet",
    'daos arrow export daos://run.pool/results/energy hot.csv --columns step,energy --where \'{"op": ">", "column": "energy", "value": 10}\'',
    "daos arrow export daos://run.pool/results/energy /tmp/ --format arrows --snap before-restart",
  ],
  schema: exportSchema,
  run: async (call: Call<ExportOptions>) => {
    const { words, address, roots, options } = call;
    const [to = ""] = words;
    const named = options.format ?? (to.endsWith("/") ? "arrow" : fileFormatOf(to));
    const target = targetOf(to, address, { roots, extension: named });
    return writeTable(call, target, named);
  },
  print: printWritten,
});
