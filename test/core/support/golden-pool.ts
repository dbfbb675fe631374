/**
 * The golden pools: pools of every format version ever released, and what is in them.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runSuccessfully } from "../../support/processes.ts";
import { root } from "../../support/root.ts";

const GOLDEN = join(root, "test", "golden");

/** What a pool holds, as test/core/programs/contents.mjs shows it. */
export interface Contents {
  readonly label: string;
  readonly durability: string;
  readonly containers: Readonly<Record<string, ContainerContents>>;
}

/** What a container holds: epochs are decimal numbers. */
export interface ContainerContents {
  /** Epochs, newest first. */
  readonly commits: readonly string[];
  readonly snapshots: Readonly<Record<string, string>>;
  /** What each epoch shows. */
  readonly versions: Readonly<Record<string, unknown>>;
  /** Marks of objects, by snapshot and object id; of pools that have some. */
  readonly marks?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Names of the golden pools. */
export const goldenPools: readonly string[] = readdirSync(GOLDEN, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

/** The one of the newest format, of durability `power`. */
export const newestGolden = goldenPools
  .filter((name) => !name.endsWith("-process"))
  .at(-1) as string;

/** Path of the file that says what a golden pool holds. */
export function contentsFile(name: string): string {
  return join(GOLDEN, name, "contents.json");
}

/** What a golden pool holds. */
export function goldenContents(name: string): Contents {
  return JSON.parse(readFileSync(contentsFile(name), "utf8"));
}

/**
 * Unpacks a golden pool below a directory.
 *
 * @returns The path of the pool.
 */
export function unpackGolden(name: string, directory: string): string {
  const archive = join(GOLDEN, name, "pool.tar.gz");
  runSuccessfully("tar", ["-xzf", archive, "-C", directory, "--no-same-owner"]);
  return join(directory, "pool");
}
