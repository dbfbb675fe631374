/**
 * The linter refuses what architecture forbids: imports that point upwards, and transactions that wait.
 *
 * Method: write small wrong and right modules into a copy of the project's layout, lint them all in one
 * run with the project's configuration, and look at what was said of each.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A file, and what it imports or does. */
type Case = [file: string, content: string];

const forbiddenImports: Case[] = [
  ["core/pool/a.ts", "node-mpi-bindings"],
  ["core/vos/a.ts", "../../adapters/dfs/index.js"],
  ["core/vos/b.ts", "../pool/pool.js"],
  ["core/log/a.ts", "../vos/target.js"],
  ["core/index/a.ts", "../log/log-writer.js"],
  ["core/device/a.ts", "../index/index-store.js"],
  ["mpi/a.ts", "daos-ts"],
  ["mpi/b.ts", "../core/index.js"],
  ["adapters/arrow/a.ts", "../../core/vos/target.js"],
  ["examples/a.ts", "../core/vos/target.js"],
  ["cli/a.ts", "../core/log/log-writer.js"],
];

const allowedImports: Case[] = [
  ["core/vos/c.ts", "../log/log-writer.js"],
  ["core/log/c.ts", "../index/index-store.js"],
  ["adapters/arrow/c.ts", "../../core/index.js"],
  ["adapters/mpi-io/c.ts", "node-mpi-bindings"],
];

const waitingBodies: Case[] = [
  ["core/vos/d.ts", 'index.transact("x", async (tx) => { tx.put(); });'],
  ["core/vos/e.ts", 'index.transact("x", (tx) => { comm.barrier(); tx.put(); });'],
];

const goodBody: Case = ["core/vos/f.ts", 'index.transact("x", (tx) => { tx.put(); });'];

let directory = "";
let report = "";

beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "lint-"));
  const write = (file: string, text: string) => {
    fs.mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    fs.writeFileSync(path.join(directory, file), text);
  };
  for (const file of ["biome.json", "test/lint/no-await-in-transaction.grit"]) {
    write(file, fs.readFileSync(path.join(root, file), "utf8"));
  }
  for (const [file, source] of [...forbiddenImports, ...allowedImports]) {
    write(file, `import { a } from "${source}";\n\nexport const b = a;\n`);
  }
  for (const [file, body] of [...waitingBodies, goodBody]) {
    write(file, `export function f(index: Index) {\n  ${body}\n}\n`);
  }
  const biome = path.join(root, "node_modules/.bin/biome");
  const args = ["lint", "--vcs-enabled=false", "--max-diagnostics=none", "--reporter=github", "."];
  report = spawnSync(biome, args, { cwd: directory, encoding: "utf8" }).stdout;
});

afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

function findings(file: string): string {
  return report
    .split("\n")
    .filter((line) => line.includes(`/${file},`))
    .join("\n");
}

test.each(forbiddenImports)("%s may not import %s", (file) => {
  expect(findings(file)).toContain("noRestrictedImports");
});

test.each(allowedImports)("%s may import %s", (file) => {
  expect(findings(file)).not.toContain("noRestrictedImports");
});

test.each(waitingBodies)("%s: an index transaction may not do %s", (file) => {
  expect(findings(file)).toContain("never enters MPI");
});

test("a synchronous index transaction is accepted", () => {
  expect(findings(goodBody[0])).not.toContain("never enters MPI");
});
