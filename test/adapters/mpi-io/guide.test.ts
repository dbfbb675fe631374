/**
 * The examples of docs/guides/mpi-io.md, run in order.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { Datatype, File, Mode, SoloCommunicator } from "daos-ts/mpi-io";
import { temporaryDirectory } from "../../support/temporary.ts";

test("the examples of the guide do what they say", () => {
  const page = new URL("../../../docs/guides/mpi-io.md", import.meta.url);
  const text = readFileSync(page, "utf8");
  const examples = [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code);
  expect(examples).toHaveLength(4);
  const path = `${temporaryDirectory({ medium: "memory" })}/pool`;
  using pool = Pool.create({ path, durability: "process" });
  const container = pool.createContainer("c", { retainCommits: 10 });
  const before = container.commits().length;
  const address = `daos://${path}/c/guide`;
  const given = { assert, address, comm: new SoloCommunicator(), Datatype, File, Mode };
  new Function(...Object.keys(given), examples.join("\n"))(...Object.values(given));
  expect(container.commits().length).toBeGreaterThan(before);
});
