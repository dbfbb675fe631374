/**
 * `daos hdf5 diff`: what differs between two HDF5 files.
 *
 * @module
 */

import { compareSources } from "daos-ts/hdf5";
import { DaosError } from "../../core/index.js";
import type { Output } from "../output/output.js";
import { Progress } from "../output/progress.js";
import { flag, integer, list, object, text, type Value } from "../output/schema.js";
import { counted } from "../output/size.js";
import { type Call, defineVerb, option } from "../verb.js";
import { fileOperand, openSource, poolRootOption } from "./source.js";

/** Differences that are listed; all are counted. */
const DIFFERENCES_MAX = 1000;

const schema = object({
  first: text("The first file"),
  second: text("The second file"),
  equal: flag("Whether nothing differs"),
  differences: list(
    object({
      path: text("The object; an attribute behind @"),
      property: text("What of it"),
      first: text("What the first file has"),
      second: text("What the second file has"),
    }),
    "The first 1,000",
  ),
  differenceCount: integer("How many there are"),
});
type Answer = Value<typeof schema>;

interface DiffOptions {
  readonly elements?: boolean;
  readonly storage?: boolean;
}

async function run({ words, roots, options, output, report }: Call<DiffOptions>): Promise<Answer> {
  const [first = "", second = ""] = words;
  await using one = await openSource(first, roots);
  await using other = await openSource(second, roots);
  const total = one.fileSize ?? other.fileSize ?? 0;
  using progress = new Progress(output, { title: "compare", total, unit: "bytes" });
  const differences: Answer["differences"][number][] = [];
  let differenceCount = 0;
  const found = compareSources(one.source, other.source, {
    elements: options.elements !== false,
    storage: options.storage !== false,
    advance: (bytes) => progress.advance(bytes),
  });
  for await (const difference of found) {
    differenceCount++;
    if (differences.length < DIFFERENCES_MAX) differences.push(difference);
  }
  progress.close();
  if (differenceCount > 0) {
    const what = `Comparing ${one.display} and ${other.display}`;
    const why = `${counted(differenceCount, "property").replace("propertys", "properties")} differ`;
    const text = { what, why, remedy: "see the list of differences" };
    report(new DaosError("DER_MISMATCH", text, { differences: differenceCount }));
  }
  const equal = differenceCount === 0;
  return { first: one.display, second: other.display, equal, differences, differenceCount };
}

function print({ equal, differences }: Answer, output: Output): void {
  if (equal) {
    if (output.isTerminal) output.line(output.colour("green", "The files are equal."));
    return;
  }
  output.table(
    [{ head: "Path" }, { head: "Property" }, { head: "First" }, { head: "Second" }],
    differences.map(({ path, property, first, second }) => [path, property, first, second]),
  );
}

/** `daos hdf5 diff` */
export const hdf5Diff = defineVerb({
  name: "diff",
  summary: "compare two HDF5 files object by object",
  description:
    "Compare two HDF5 files, in containers or not, object by object: links and their order, datatypes with member names and character sets, limits, chunks, filters, fill values, attributes, virtual sources, elements. The status is 0 only if nothing differs.",
  operands: [
    { ...fileOperand, name: "first" },
    { ...fileOperand, name: "second" },
  ],
  options: [
    option("--no-elements", "do not compare elements of datasets"),
    option("--no-storage", "do not compare layouts, chunks, filters and fill times"),
    poolRootOption,
  ],
  examples: ["daos hdf5 diff results.h5 daos://run.pool/results/results.h5"],
  schema,
  run,
  print,
});
