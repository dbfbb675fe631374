#!/usr/bin/env node
/**
 * The main job of `npm start`: see driver.ts for what it does.
 *
 * The last line of the output is one JSON object; the exit status is 0 only if all of it held.
 *
 * @module
 */

import { isDaosError } from "daos-ts";
import { Driver } from "./driver.js";
import { parseOptions } from "./options.js";

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints an expected failure as a notice, and its code as the last line. */
function reportFailure(error: unknown): void {
  if (!isDaosError(error)) throw error;
  const { what, why, remedy } = error.text;
  process.stderr.write(`\n*** ${what} failed: ${why}.\n*** To do: ${remedy}.\n\n`);
  print(
    JSON.stringify({ ok: false, job: "gray-scott", error: error.code, message: error.message }),
  );
  process.exitCode = 1;
}

try {
  const result = await new Driver(parseOptions(process.argv), print).run();
  print(JSON.stringify(result));
  process.exitCode = result.ok ? 0 : 1;
} catch (error) {
  reportFailure(error);
}
