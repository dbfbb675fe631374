/**
 * `daos hdf5 export`: a file of a container, or another `.h5` file, as an `.h5` file.
 *
 * @module
 */

import path from "node:path";
import { type Hdf5Source, walkObjects, writeH5 } from "daos-ts/hdf5";
import { DaosError } from "../../core/index.js";
import { type VersionOptions, versionOptions } from "../container/open.js";
import { addressOfPath } from "../location.js";
import type { Output } from "../output/output.js";
import { Progress } from "../output/progress.js";
import { integer, list, number, object, text, type Value } from "../output/schema.js";
import { counted, humanDuration } from "../output/size.js";
import { type Call, defineVerb, option } from "../verb.js";
import { fileOperand, openSource, poolRootOption } from "./source.js";

interface ExportVerbOptions extends VersionOptions {
  readonly force?: boolean;
}

const schema = object({
  source: text("What was exported"),
  target: text("Where it is now"),
  groups: integer("Groups, the root included"),
  datasets: integer("Datasets"),
  datatypes: integer("Committed datatypes"),
  links: integer("Links of all kinds"),
  attributes: integer("Attributes"),
  bytes: integer("Bytes of elements, as they are stored"),
  size: integer("Bytes of the file"),
  seconds: number("How long it took"),
  notes: list(
    object({
      path: text("The object; an attribute behind @"),
      code: text("Stable code"),
      why: text("What is other than in the source, and why"),
    }),
    "The first 1,000 things that could not be carried over as they were",
  ),
  noteCount: integer("How many there are"),
});
type Answer = Value<typeof schema>;

/** The file to write; with a slash at its end, the folder for it. */
function targetOf(to: string, from: string, roots: readonly string[]): string {
  const name = path.posix.basename(from.replace(/\/+$/, ""));
  const target = path.resolve(to.endsWith("/") ? `${to}${name}` : to);
  if (addressOfPath(to, roots) === undefined) return target;
  const what = `Exporting ${from} to ${to}`;
  const remedy = "name a file outside of pools; for one in a pool, use `daos hdf5 import`";
  throw new DaosError("DER_INVAL", { what, why: "the target lies in a pool", remedy });
}

/** Bytes of elements that there are to copy, as far as they are known. */
async function sizeOf(source: Hdf5Source): Promise<number> {
  let size = 0;
  for await (const { object: one } of walkObjects(source)) {
    if (one.kind === "dataset") size += one.storedSize ?? 0;
  }
  return size;
}

async function run(call: Call<ExportVerbOptions>): Promise<Answer> {
  const { words, roots, options, output } = call;
  const [from = "", to = ""] = words;
  const started = performance.now();
  const target = targetOf(to, from, roots);
  await using opened = await openSource(from, roots, options);
  const total = output.showsProgress ? await sizeOf(opened.source) : 0;
  using progress = new Progress(output, { title: "export", total, unit: "bytes" });
  const giveUp = new AbortController();
  const interrupt = () => giveUp.abort();
  process.once("SIGINT", interrupt);
  try {
    const report = await writeH5(opened.source, target, {
      replace: options.force === true,
      signal: giveUp.signal,
      advance: (bytes) => progress.advance(bytes),
    });
    progress.close();
    const seconds = Math.round(performance.now() - started) / 1000;
    const { notes, ...counts } = report;
    return { source: opened.display, target, ...counts, notes: [...notes], seconds };
  } finally {
    process.off("SIGINT", interrupt);
  }
}

function print(answer: Answer, output: Output): void {
  for (const { path: at, why } of answer.notes) output.warn(`${at}: ${why}`);
  const { groups, datasets, attributes, size, seconds } = answer;
  if (!output.isTerminal) {
    output.facts([
      ["Groups", groups],
      ["Datasets", datasets],
      ["Datatypes", answer.datatypes],
      ["Links", answer.links],
      ["Attributes", attributes],
      ["Bytes", answer.bytes],
      ["Size", size],
      ["Notes", answer.noteCount],
    ]);
    return;
  }
  const rate = output.size(Math.round(size / Math.max(seconds, 0.001)));
  const took = humanDuration(seconds * 1000);
  const what = `${counted(groups, "group")}, ${counted(datasets, "dataset")}, ${counted(attributes, "attribute")}`;
  output.line(`Exported ${what}, ${output.size(size)} in ${took} (${rate}/s).`);
  if (answer.noteCount > 0) output.line(`${counted(answer.noteCount, "note")}: see above.`);
}

/** `daos hdf5 export` */
export const hdf5Export = defineVerb({
  name: "export",
  summary: "write a file of a container as an .h5 file",
  description:
    "Write a file of a container as an .h5 file that HDF5 1.10 and later read: groups, links of all kinds, attributes, committed types, references, virtual datasets, fill values, filters. The file appears when it is whole and on disk; if the export fails or is killed, what was there before stays. What could not be carried over as it was is listed by path.",
  operands: [
    { ...fileOperand, name: "source" },
    {
      name: "target",
      kind: "text",
      description: "the .h5 file to write; with a slash at its end, the folder for it",
    },
  ],
  options: [
    option("-f, --force", "replace a file that is there already"),
    ...versionOptions,
    poolRootOption,
  ],
  examples: [
    "daos hdf5 export daos://run.pool/results/run-7.h5 run-7.h5",
    "daos hdf5 export daos://run.pool/results/run-7.h5 /tmp/ --snap before-restart",
  ],
  schema,
  run,
  print,
});
