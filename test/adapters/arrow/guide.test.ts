/**
 * The examples of docs/guides/arrow.md, run one after the other as they stand there: those in JavaScript, then those
 * in Python.
 */

import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import * as arrow from "apache-arrow";
import * as daosArrow from "daos-ts/arrow";
import { compoundType, File } from "daos-ts/hdf5";
import { describeInterop, interopPython } from "../../support/interop.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { store, temporaryContainer } from "../temporary-container.ts";

const FLIGHTS = join(root, "node_modules/vega-datasets/data/flights-200k.arrow");
const page = readFileSync(join(root, "docs/guides/arrow.md"), "utf8");

/** Runs the blocks in JavaScript; returns the folder with the files that they wrote. */
async function runBlocks(): Promise<string> {
  const blocks = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
  assert.equal(blocks.length, 9);
  const { container } = temporaryContainer({ retainCommits: 100 });
  const folder = temporaryDirectory();
  const known = {
    ...arrow,
    ...daosArrow,
    ...{ assert, compoundType, container, File, flightsFile: FLIGHTS, folder, join, store },
  };
  const body = `return (async () => {\n${blocks.join("\n")}\n})();`;
  await new Function(...Object.keys(known), body)(...Object.values(known));
  return folder;
}

test("the guide's JavaScript runs", async () => {
  await runBlocks();
});

describeInterop("pyarrow, DuckDB, Polars and pandas", () => {
  test("read what the guide's JavaScript wrote, as the guide says", async () => {
    const folder = await runBlocks();
    const blocks = [...page.matchAll(/^```python(?: \w+)?\n([\s\S]*?)^```$/gm)].map(
      ([, code]) => code,
    );
    expect(blocks).toHaveLength(5);
    const given = `FOLDER, FLIGHTS = ${JSON.stringify([folder, FLIGHTS])}\n`;
    const { status, stderr } = spawnSync(
      interopPython as string,
      ["-c", given + blocks.join("\n")],
      { encoding: "utf8" },
    );
    expect([status, stderr]).toEqual([0, ""]);
  });
});
