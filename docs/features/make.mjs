/**
 * Makes docs/features/README.md: what DAOS has, row by row, and whether it works here.
 *
 *     node docs/features/make.mjs
 *
 * rows.json names the rows; that a row works is said by the tests whose titles begin with its name, as in
 * `test("P11: the owner may always get the list", ...)`. A row that should work and has no test says so.
 *
 * @module
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const TITLE = /\b(?:test|it)(?:\.each\([\s\S]*?\))?\(\s*["'`]([A-Z]+\d*(?:, [A-Z]+\d*)*): /g;

const STATES = {
  here: "works",
  engines: "when there are engines on many nodes",
  other: "otherwise",
  planned: "not yet",
};

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

/** Tests of each row: file names, relative to the root, and how many tests. */
export function testsOfRows() {
  const rows = new Map();
  for (const path of testFiles(join(root, "test")).sort()) {
    const name = relative(root, path);
    for (const [, ids] of readFileSync(path, "utf8").matchAll(TITLE)) {
      for (const id of ids.split(", ")) {
        const files = rows.get(id) ?? new Map();
        files.set(name, (files.get(name) ?? 0) + 1);
        rows.set(id, files);
      }
    }
  }
  return rows;
}

/** The rows: id, what it is, scope, note. */
export function featureRows() {
  return JSON.parse(readFileSync(join(here, "rows.json"), "utf8"));
}

function testsOf(files) {
  if (files === undefined) return "";
  return [...files]
    .map(([name, count]) => `[${name.replace(/^test\/|\.test\.ts$/g, "")}](../../${name}) ${count}`)
    .join(", ");
}

/** The page. */
export function featurePage() {
  const tests = testsOfRows();
  const lines = featureRows().map(([id, what, scope, note]) => {
    const isProven = scope !== "here" || tests.has(id);
    const state = isProven ? STATES[scope] : "no test says so";
    return `| ${id} | ${what} | ${note === "" ? state : `${state}: ${note}`} | ${testsOf(tests.get(id))} |`;
  });
  return `# DAOS, row by row

What DAOS has, and whether it works here. Made by \`node docs/features/make.mjs\` from the titles of the tests:
a row works if tests named after it pass. The last column says where they are, and how many.

| row | in DAOS | here | tests |
|---|---|---|---|
${lines.join("\n")}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(here, "README.md"), featurePage());
}
