/**
 * The table of DAOS's features says what the tests say.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { root } from "../support/root.ts";

type Row = [id: string, what: string, scope: string, note: string];

const { featurePage, featureRows, testsOfRows } = (await import(
  join(root, "docs/features/make.mjs")
)) as {
  featurePage(): string;
  featureRows(): Row[];
  testsOfRows(): Map<string, Map<string, number>>;
};

test("docs/features/README.md is what `node docs/features/make.mjs` makes of the tests", () => {
  expect(readFileSync(join(root, "docs/features/README.md"), "utf8")).toBe(featurePage());
});

test("each row that works has a test that is named after it", () => {
  const tests = testsOfRows();
  const unproven = featureRows().filter(([id, , scope]) => scope === "here" && !tests.has(id));
  expect(unproven.map(([id]) => id)).toEqual([]);
});

test("a test is named after a row that exists", () => {
  const known = new Set(featureRows().map(([id]) => id));
  expect([...testsOfRows().keys()].filter((id) => !known.has(id))).toEqual([]);
});
