/**
 * The examples of docs/guides/hdf5.md, run one after the other as they stand there.
 */

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "@jest/globals";
import * as hdf5 from "daos-ts/hdf5";
import { SoloCommunicator } from "daos-ts/mpi-io";
import { temporaryDirectory } from "../../support/temporary.ts";
import { temporaryContainer } from "../temporary-container.ts";

test("the guide's examples run", async () => {
  const page = readFileSync(new URL("../../../docs/guides/hdf5.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
  assert.equal(blocks.length, 9);
  const { container } = temporaryContainer({ retainCommits: 10 });
  const known = {
    ...hdf5,
    assert,
    container,
    comm: new SoloCommunicator(),
    h5Path: join(temporaryDirectory(), "run.h5"),
  };
  const body = `return (async () => {\n${blocks.join("\n")}\n})();`;
  await new Function(...Object.keys(known), body)(...Object.values(known));
});
