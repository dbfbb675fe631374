/**
 * Benchmarks: `npm run bench -- <suite> [--json] [--rounds n] [--case text] [--ranks n] [--disk dir] [--tiny]`.
 *
 * Each suite runs on tmpfs and on a disk, against a peer in the same run. With `--json`, standard
 * output is one JSON array of rows and nothing else.
 *
 * @module
 */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { arrow } from "./arrow.js";
import { arrowFlight } from "./arrow-flight.js";
import { dfs } from "./dfs.js";
import {
  formatTable,
  type Options,
  type Part,
  type Place,
  partsWith,
  type Row,
  type Suite,
} from "./harness.js";
import { hdf5 } from "./hdf5.js";
import { mpi } from "./mpi.js";
import { mpiIo } from "./mpi-io.js";
import { vos } from "./vos.js";

const SUITES: ReadonlyMap<string, Suite> = new Map([
  ["arrow", arrow],
  ["arrow-flight", arrowFlight],
  ["dfs", dfs],
  ["hdf5", hdf5],
  ["mpi", mpi],
  ["mpi-io", mpiIo],
  ["vos", vos],
]);
const ROUNDS_DEFAULT = 5;
const COUNT_MAX = 1000;

/** What the command line asks for. */
interface CommandOptions extends Options {
  readonly json?: boolean;
  readonly case?: string;
  readonly disk: string;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= COUNT_MAX) return count;
  throw new InvalidArgumentError(`It is a number from 1 to ${COUNT_MAX}.`);
}

function parseSuite(name: string): Suite {
  const suite = SUITES.get(name);
  if (suite !== undefined) return suite;
  throw new InvalidArgumentError(`The suites are: ${[...SUITES.keys()].join(", ")}.`);
}

function parseDirectory(name: string): string {
  if (fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() === true) return name;
  throw new InvalidArgumentError("There is no such directory.");
}

function places(disk: string): Place[] {
  const candidates = [
    { fs: "tmpfs", parent: "/dev/shm" },
    { fs: "disk", parent: disk },
  ];
  return candidates
    .filter(({ parent }) => fs.existsSync(parent))
    .map(({ fs: name, parent }) => ({
      fs: name,
      directory: fs.mkdtempSync(path.join(parent, "daos-bench-")),
    }));
}

function measure(parts: readonly Part[], options: CommandOptions): Row[] {
  const all = places(options.disk);
  try {
    return all.flatMap((place) => parts.flatMap((part) => part.run(place, options)));
  } finally {
    for (const { directory } of all) fs.rmSync(directory, { recursive: true, force: true });
  }
}

new Command("bench")
  .description("Measures daos-ts against its peers, in the same run")
  .argument("<suite>", `one of: ${[...SUITES.keys()].join(", ")}`, parseSuite)
  .option("--json", "print one JSON array of rows")
  .option("--rounds <count>", "measured rounds of each case", parseCount, ROUNDS_DEFAULT)
  .option("--case <text>", "measure only the cases whose names contain the text")
  .option("--ranks <count>", "measure only jobs of so many ranks (suite mpi-io)", parseCount)
  .option("--disk <directory>", "where to measure a disk", parseDirectory, os.tmpdir())
  .option("--tiny", "sizes that show that the benchmark runs, and nothing else", false)
  .action((suite: Suite, options: CommandOptions, command: Command) => {
    const text = options.case ?? "";
    const rows = measure(partsWith(suite, text), options).filter((row) => row.case.includes(text));
    if (rows.length === 0) command.error(`error: no case has a name with "${text}" in it.`);
    console.log(options.json ? JSON.stringify(rows) : formatTable(rows));
  })
  .parse();
