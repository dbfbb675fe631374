/**
 * `pool list`: the pools below some directories.
 *
 * @module
 */

import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { DaosError, isDaosError, isPoolDirectory, Pool } from "../../core/index.js";
import { poolRoots } from "../location.js";
import type { Cell, Output } from "../output/output.js";
import { choice, integer, list, object, optional, text, type Value } from "../output/schema.js";
import { parseCount } from "../output/size.js";
import { type AnyVerb, type Call, defineVerb, option } from "../verb.js";

/** How deep below a root pools are looked for. */
const DEPTH_DEFAULT = 3;

const entrySchema = object({
  path: text("Directory of the pool"),
  state: choice(["ready", "unreadable"], "Whether it can be opened"),
  label: optional(text("Name for people")),
  uuid: optional(text("UUID")),
  containers: optional(integer("Number of containers")),
  used: optional(integer("Bytes of all its files")),
  free: optional(integer("Bytes of array data that can still be written, at most")),
  why: optional(text("Why it cannot be opened")),
});
const schema = object({
  roots: list(text("A directory"), "Where pools were looked for"),
  pools: list(entrySchema, "The pools, in the order of their paths"),
});
type Entry = Value<typeof entrySchema>;

/** Directories of pools below a root. Links are not followed; what is in a pool is none. */
function findPools(root: string, depth: number): string[] {
  if (isPoolDirectory(root)) return [root];
  if (depth === 0) return [];
  let entries: import("node:fs").Dirent[];
  try {
    entries = readdirSync(root, { withFileTypes: true });
  } catch {
    return []; // What the user may not list holds no pools for the user.
  }
  return entries
    .filter((entry) => entry.isDirectory() && !["proc", "sys"].includes(entry.name))
    .flatMap(({ name }) => findPools(path.join(root, name), depth - 1));
}

function describe(directory: string): Entry {
  try {
    using pool = Pool.connect(directory, { mode: "ro" });
    const { label, uuid, containers, scm, nvme } = pool.query();
    const used = scm.used + nvme.used;
    return { path: directory, state: "ready", label, uuid, containers, used, free: nvme.free };
  } catch (error) {
    if (!isDaosError(error)) throw error;
    return { path: directory, state: "unreadable", why: error.text.why };
  }
}

function run({ words, options }: Call<{ depth?: number; poolRoot?: string[] }>) {
  const roots = words.length > 0 ? words.map((root) => path.resolve(root)) : undefined;
  const searched = roots ?? poolRoots(options.poolRoot ?? []);
  for (const root of searched) {
    if (existsSync(root)) continue;
    const text = {
      what: `Looking for pools below ${root}`,
      why: "there is no such directory",
      remedy: "correct the path, or set DAOS_POOL_PATH to directories that exist",
    };
    throw new DaosError("DER_NONEXIST", text, { path: root });
  }
  const depth = options.depth ?? DEPTH_DEFAULT;
  const found = new Set(searched.flatMap((root) => findPools(root, depth)));
  return { roots: searched, pools: [...found].sort().map(describe) };
}

function print({ roots, pools }: Value<typeof schema>, output: Output): void {
  if (pools.length === 0 && output.isTerminal) {
    output.line(`No pools below ${roots.join(", ")}.`);
    return;
  }
  const sized = (bytes: number | undefined): Cell => (bytes === undefined ? undefined : { bytes });
  output.table(
    [
      { head: "Label" },
      { head: "State" },
      { head: "Containers", align: "right" },
      { head: "Used", align: "right" },
      { head: "Free", align: "right" },
      { head: "Path" },
    ],
    pools.map(({ label, state, containers, used, free, path: directory }) => [
      label,
      state,
      containers,
      sized(used),
      sized(free),
      directory,
    ]),
  );
}

/** The verb, for one program. */
export function poolList(program: string): AnyVerb {
  return defineVerb({
    name: "list",
    aliases: ["ls"],
    summary: "list the pools below the given directories",
    description:
      "List the pools below the given directories; by default below those of --pool-root, " +
      "DAOS_POOL_PATH, DAOS_POOL_ROOT, or the current directory.",
    operands: [
      {
        name: "directory",
        kind: "text",
        isOptional: true,
        isRepeated: true,
        description: "where to look",
      },
    ],
    options: [
      option("--depth <levels>", `how deep to look; ${DEPTH_DEFAULT} by default`, parseCount),
      option(
        "--pool-root <directory>",
        "where to look, as an option",
        (root: string, roots: string[] | undefined) => [...(roots ?? []), root],
      ),
    ],
    examples: [`${program} pool list /scratch`],
    schema,
    run,
    print,
  });
}
