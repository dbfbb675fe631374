/**
 * The gate of the index: processes that open and close it do no harm to those that write. Without the gate,
 * LMDB loses commits, corrupts its pages or fails within a few rounds of this.
 */

import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { isNightly } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { Program } from "./support/program.ts";

const WRITERS = ["a", "b", "c", "d"];
const COUNT = isNightly ? 1000 : 120;

test("commits beside processes that open, close and end are all there", async () => {
  const path = join(temporaryDirectory(), "p");
  Pool.create({ path, durability: "process" }).createContainer("c");
  const programs = WRITERS.map(
    (writer) => new Program("reopen-and-commit", [path, writer, `${COUNT}`]),
  );
  await Promise.all(programs.map((program) => program.ended()));
  expect(programs.map(({ errors }) => errors).join("")).toBe("");
  using pool = Pool.connect(path);
  using view = pool.openContainer("c").view();
  const missing = WRITERS.flatMap((writer) =>
    Array.from({ length: COUNT }, (_, number) => `${writer}/${number}`).filter(
      (name) => view.getValue(1n, Buffer.from(name), Buffer.from("a")) === undefined,
    ),
  );
  expect(missing).toEqual([]);
  expect(programs.map(({ lines }) => lines.length)).toEqual(WRITERS.map(() => COUNT));
});
