/**
 * Every code of an error has an exit status, and the guide's table names each status.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { ERROR_NUMBERS } from "daos-ts";
import { root } from "../support/root.ts";

const { ExitStatus, statusOfCode } = await import(join(root, "dist", "cli", "exit-status.js"));

test.each(Object.keys(ERROR_NUMBERS))("%s has an exit status", (code) => {
  expect(Object.values(ExitStatus)).toContain(statusOfCode(code));
  expect(statusOfCode(code)).toBeGreaterThan(0);
});

test("the guide's table has every status and code", () => {
  const guide = readFileSync(join(root, "docs", "guides", "command-line.md"), "utf8");
  for (const status of Object.values(ExitStatus)) expect(guide).toContain(`\n| ${status} | `);
  for (const code of Object.keys(ERROR_NUMBERS)) expect(guide).toContain(code);
});
