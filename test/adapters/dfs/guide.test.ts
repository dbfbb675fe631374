/**
 * The examples of docs/guides/files.md, run one after the other as they stand there.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { expect, test } from "@jest/globals";
import { checkFileSystem, Dfs } from "daos-ts/dfs";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

const AsyncFunction = (async () => {}).constructor as FunctionConstructor;

test("DFS: the examples of the guide do what they say", async () => {
  const page = readFileSync(new URL("../../../docs/guides/files.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
  expect(examples).toHaveLength(12);
  const { container } = temporaryContainer({ retainCommits: 100 });
  const given = {
    assert,
    checkFileSystem,
    codeOf: (promise: Promise<unknown>) => codeOf(() => promise),
    container,
    Dfs,
    pipeline,
  };
  const run = new AsyncFunction(...Object.keys(given), examples.join("\n")) as (
    ...values: unknown[]
  ) => Promise<void>;
  await run(...Object.values(given));
  expect(container.commits().length).toBeGreaterThan(10);
});
