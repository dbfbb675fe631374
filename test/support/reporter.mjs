/**
 * jest reporter: names what was skipped, and closes with the counts.
 *
 *     12 passed, 0 failed, 3 skipped
 *
 * The counts are jest's own. A suite that failed to run has no tests to count and counts as one failed, so that a
 * syntax error never looks like success. `todo` counts as skipped. Where DAOS_TEST_SUMMARY names a file, the line
 * goes there instead, for a caller that prints it last itself.
 *
 * @module
 */

import { writeFileSync, writeSync } from "node:fs";
import { relative } from "node:path";

const STDOUT = 1;

export default class CountingReporter {
  onRunStart() {
    process.stdout.write(`SEED=${process.env.SEED}\n`);
  }

  /** @param {unknown} _contexts Unused. @param {import("@jest/reporters").AggregatedResult} results jest's result. */
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((suite) => skippedIn(suite));
    if (skipped.length > 0) process.stdout.write(`\nSkipped:\n${skipped.join("\n")}\n`);
    const line = countingLine(results);
    if (process.env.DAOS_TEST_SUMMARY) writeFileSync(process.env.DAOS_TEST_SUMMARY, `${line}\n`);
    // jest's own summary follows this call; only the end of the process is after everything.
    else process.once("exit", () => writeSync(STDOUT, `\n${line}\n`));
  }
}

/**
 * The part of jest's result that is counted.
 *
 * @typedef {Pick<import("@jest/reporters").AggregatedResult, "numPassedTests" | "numFailedTests" |
 *   "numPendingTests" | "numTodoTests" | "numRuntimeErrorTestSuites" | "wasInterrupted">} Counts
 */

/**
 * Returns "N passed, N failed, N skipped".
 *
 * @param {Counts} results jest's result.
 * @returns {string}
 */
export function countingLine(results) {
  const {
    numPassedTests,
    numFailedTests,
    numPendingTests,
    numTodoTests,
    numRuntimeErrorTestSuites,
  } = results;
  const interrupted = results.wasInterrupted ? 1 : 0;
  const failed = numFailedTests + numRuntimeErrorTestSuites + interrupted;
  return `${numPassedTests} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped`;
}

/** One line per suite and group with skipped tests: the reason stands in the group's title. */
function skippedIn(suite) {
  const groups = new Map();
  for (const test of suite.testResults) {
    if (!["pending", "todo", "skipped", "disabled"].includes(test.status)) continue;
    const group = test.ancestorTitles.join(" › ") || test.title;
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  const file = relative(process.cwd(), suite.testFilePath);
  return [...groups].map(([group, count]) => `  ${file}: ${group} (${count})`);
}
