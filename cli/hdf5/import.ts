/**
 * `daos hdf5 import`: an `.h5` file, or a file of another container, into a container.
 *
 * @module
 */

import path from "node:path";
import { importH5 } from "daos-ts/hdf5";
import { DaosError, Pool } from "../../core/index.js";
import { findContainer } from "../container/open.js";
import type { Output } from "../output/output.js";
import { Progress } from "../output/progress.js";
import { epoch, integer, list, number, object, text, type Value } from "../output/schema.js";
import { counted, humanDuration, parseSize } from "../output/size.js";
import { type Call, defineVerb, option } from "../verb.js";
import { fileAddress, fileOperand, openSource, poolRootOption } from "./source.js";

interface ImportVerbOptions {
  readonly maxMemory?: number;
  readonly force?: boolean;
}

const schema = object({
  source: text("What was imported"),
  target: text("Where it is now"),
  epoch: epoch("The version at which all of it appeared"),
  groups: integer("Groups, the root included"),
  datasets: integer("Datasets"),
  datatypes: integer("Committed datatypes"),
  links: integer("Links of all kinds"),
  attributes: integer("Attributes"),
  bytes: integer("Bytes of elements, as they are stored"),
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

/** With a slash at its end, a target is the directory to import into. */
function completeTarget(target: string, source: string): string {
  return target.endsWith("/") ? `${target}${path.posix.basename(source)}` : target;
}

async function run(call: Call<ImportVerbOptions>): Promise<Answer> {
  const { words, roots, options, output } = call;
  const [from = "", to = ""] = words;
  const started = performance.now();
  const address = fileAddress(completeTarget(to, from), roots);
  if (address === undefined) {
    const what = `Importing ${from} to ${to}`;
    const text = {
      what,
      why: "the target lies in no pool",
      remedy: "write daos://<pool>/<container>/<file>",
    };
    throw new DaosError("DER_INVAL", text);
  }
  await using opened = await openSource(from, roots, { chunkSizeMax: options.maxMemory });
  using pool = Pool.connect(address.pool);
  const container = findContainer(pool, address.container);
  using progress = new Progress(output, {
    title: "import",
    total: opened.fileSize ?? 0,
    unit: "bytes",
  });
  const giveUp = new AbortController();
  const interrupt = () => giveUp.abort();
  process.once("SIGINT", interrupt);
  try {
    const report = await importH5(opened.source, container, address.path, {
      replace: options.force === true,
      signal: giveUp.signal,
      advance: (bytes) => progress.advance(bytes),
    });
    progress.close();
    const { epoch: at, ...counts } = report;
    return {
      source: opened.display,
      target: `daos://${address.pool}/${address.container}/${address.path}`,
      epoch: String(at),
      ...counts,
      seconds: Math.round(performance.now() - started) / 1000,
    };
  } finally {
    process.off("SIGINT", interrupt);
  }
}

function print(answer: Answer, output: Output): void {
  for (const { path: at, why } of answer.notes) output.warn(`${at}: ${why}`);
  const { groups, datasets, attributes, bytes, seconds } = answer;
  if (!output.isTerminal) {
    output.facts([
      ["Epoch", answer.epoch],
      ["Groups", groups],
      ["Datasets", datasets],
      ["Datatypes", answer.datatypes],
      ["Links", answer.links],
      ["Attributes", attributes],
      ["Bytes", bytes],
      ["Notes", answer.noteCount],
    ]);
    return;
  }
  const rate = output.size(Math.round(bytes / Math.max(seconds, 0.001)));
  const took = humanDuration(seconds * 1000);
  const what = `${counted(groups, "group")}, ${counted(datasets, "dataset")}, ${counted(attributes, "attribute")}`;
  output.line(`Imported ${what}, ${output.size(bytes)} in ${took} (${rate}/s).`);
  if (answer.noteCount > 0) output.line(`${counted(answer.noteCount, "note")}: see above.`);
}

/** `daos hdf5 import` */
export const hdf5Import = defineVerb({
  name: "import",
  summary: "copy an .h5 file, or one of another container, into a container",
  description:
    "Copy an .h5 file, or one of another container, into a container: groups, links of all kinds, attributes, committed types, references, virtual datasets, fill values, filters. All of it appears at one epoch, or nothing if the copy fails or is killed. What could not be carried over as it was is listed by path. Elements of external files are read into the copy.",
  operands: [
    { ...fileOperand, name: "source" },
    {
      name: "target",
      kind: "text",
      description:
        "daos://<pool>/<container>/<file>; with a slash at its end, the directory for it",
    },
  ],
  options: [
    option("-f, --force", "replace a file that is there already"),
    option("--max-memory <size>", "largest chunk that is read, 128MiB by default", parseSize),
    poolRootOption,
  ],
  examples: [
    "daos hdf5 import results.h5 daos://run.pool/results/",
    "daos hdf5 import large.h5 daos://run.pool/results/run-7.h5 --max-memory 1GiB",
  ],
  schema,
  run,
  print,
});
