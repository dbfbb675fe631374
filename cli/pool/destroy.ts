/**
 * `dmg pool destroy`.
 *
 * @module
 */

import path from "node:path";
import { DaosError, isBeingDestroyed, Pool } from "../../core/index.js";
import { findAddress } from "../location.js";
import { integer, list, object, text } from "../output/schema.js";
import { type Call, defineVerb, option } from "../verb.js";

/** The directory that a word names; also one whose destruction was killed, which is no pool any more. */
function directoryOf(word: string, roots: readonly string[]): string {
  const directory = path.resolve(word);
  if (isBeingDestroyed(directory)) return directory;
  const { pool, container } = findAddress(word, roots);
  if (container === undefined) return pool;
  const what = `Destroying pool ${word}`;
  const why = `the address goes on with "${container}"`;
  const remedy = 'name the pool alone, or use "daos container destroy"';
  throw new DaosError("DER_INVAL", { what, why, remedy });
}

/** `dmg pool destroy` */
export const poolDestroy = defineVerb({
  name: "destroy",
  summary: "destroy a pool: remove its files",
  description:
    "Destroy a pool: remove its files, and its directory if nothing else is in it. What is not the pool's is left, and so are directories that links to tiers name.",
  operands: [
    {
      name: "pool",
      kind: "text",
      description: "directory, label or UUID of the pool, or daos://<pool>",
    },
  ],
  options: [
    option("-f, --force", "also while somebody has it open, or a tier is missing"),
    option("-r, --recursive", "also if it has containers"),
  ],
  examples: ["dmg pool destroy /scratch/run.pool --recursive"],
  schema: object({
    path: text("Directory of the pool"),
    files: integer("Files that were removed"),
    bytes: integer("Their sizes together"),
    left: list(text("A path"), "What was left since it is not the pool's"),
  }),
  run: ({ words, roots, options }: Call<{ force?: boolean; recursive?: boolean }>) => {
    const directory = directoryOf(words[0] as string, roots);
    const { force = false, recursive = false } = options;
    return Pool.destroy(directory, { force, recursive });
  },
  print: ({ path: directory, files, bytes, left }, output) => {
    output.facts([
      ["Destroyed", directory],
      ["Files", files],
      ["Size", { bytes }],
    ]);
    for (const name of left) output.line(`Left: ${name}`);
  },
});
