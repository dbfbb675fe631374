/**
 * Benchmarks: `npm run bench -- <suite> [--json] [--rounds n] [--disk dir]`.
 *
 * Each suite runs on tmpfs and on a disk, against a peer in the same run. With `--json`, standard
 * output is one JSON array of rows and nothing else.
 *
 * @module
 */

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Command } from "commander";
import { formatTable, type Place, type Row, type Suite } from "./harness.js";
import { vos } from "./vos.js";

const SUITES: Readonly<Record<string, Suite>> = { vos };
const ROUNDS_DEFAULT = 5;

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

async function runSuite(suite: Suite, disk: string, rounds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const place of places(disk)) {
    try {
      rows.push(...(await suite(place, { rounds })));
    } finally {
      fs.rmSync(place.directory, { recursive: true, force: true });
    }
  }
  return rows;
}

await new Command("bench")
  .description("Measures daos-ts against its peers, in the same run")
  .argument("<suite>", `one of: ${Object.keys(SUITES).join(", ")}`)
  .option("--json", "print one JSON array of rows")
  .option("--rounds <count>", "measured rounds of each case", String(ROUNDS_DEFAULT))
  .option("--disk <directory>", "where to measure a disk", os.tmpdir())
  .action(async (name: string, options: { json?: boolean; rounds: string; disk: string }) => {
    const suite = SUITES[name];
    if (suite === undefined) {
      console.error(
        `There is no suite "${name}". Choose one of: ${Object.keys(SUITES).join(", ")}.`,
      );
      process.exitCode = 2;
      return;
    }
    const rows = await runSuite(suite, options.disk, Number(options.rounds));
    console.log(options.json ? JSON.stringify(rows) : formatTable(rows));
  })
  .parseAsync();
