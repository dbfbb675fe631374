/**
 * The examples of docs/guides/transactions.md, run one after the other as they stand there.
 */

import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { ObjectType } from "daos-ts";
import { bytes, newContainer } from "../support/transaction-container.ts";

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;

test("T2: the examples of the guide do what it says", async () => {
  const guide = readFileSync(
    new URL("../../../docs/guides/transactions.md", import.meta.url),
    "utf8",
  );
  const examples = [...guide.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
  expect(examples.length).toBeGreaterThan(4);
  let checks = 0;
  const check = (holds: boolean) => {
    expect([checks, holds]).toEqual([checks, true]);
    checks += 1;
  };
  // A using declaration is not for every engine that runs the tests.
  const body = examples.join("\n").replaceAll("using past", "const past");
  const run = new AsyncFunction(
    "container",
    "ObjectType",
    "key",
    "check",
    `${body}; past.abort();`,
  );
  await run(newContainer(), ObjectType, bytes, check);
  expect(checks).toBe(7);
});
