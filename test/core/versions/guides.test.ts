/**
 * The examples of docs/guides/versions.md and docs/concepts/epochs.md, run in order.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { Pattern, Pool, wholeOf } from "daos-ts";
import { SoloCommunicator } from "daos-ts/mpi-io";
import { temporaryDirectory } from "../../support/temporary.ts";

const AsyncFunction = (async () => {}).constructor as FunctionConstructor;

/** The code of all blocks of a page. */
function examplesOf(page: string): string[] {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code as string);
}

describe("documentation", () => {
  test.each([
    ["guides/versions.md", 7],
    ["concepts/epochs.md", 2],
  ])("T5: the examples of %s do what they say", async (page, count) => {
    const examples = examplesOf(page);
    expect(examples).toHaveLength(count);
    const path = `${temporaryDirectory()}/pool`;
    using pool = Pool.create({ path, durability: "process" });
    const container = pool.createContainer("c", { retainCommits: 100 });
    const group = new SoloCommunicator();
    const given = { assert, container, group, Pattern, Pool, setTimeout, wholeOf };
    const run = new AsyncFunction(...Object.keys(given), examples.join("\n")) as (
      ...values: unknown[]
    ) => Promise<void>;
    await run(...Object.values(given));
    expect(container.commits().length).toBeGreaterThan(0);
  });
});
