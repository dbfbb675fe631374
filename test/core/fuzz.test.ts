/**
 * Damaged pool files: whatever happens to one file while nobody has the pool open, opening it, reading everything,
 * scrubbing, committing and aggregating end in typed errors or in exactly the contents of before. Never in a
 * crash, a hang or wrong data.
 *
 * Each batch of cases runs in a process of its own (programs/fuzz-pool.mjs), since damage that goes unnoticed can
 * end it: the case is reported by its seed. The damages are those of programs/damage.mjs, of the newest golden pool.
 *
 *     node test/core/programs/fuzz-pool.mjs <pool> <contents.json> <folder> <seed> 1     runs one case again
 */

import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { isNightly, seed } from "../support/property.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { contentsFile, newestGolden, unpackGolden } from "./support/golden-pool.ts";

const BATCH_COUNT = 30;
const BATCHES = isNightly ? 100 : 1;
const BATCH_MS_MAX = 60_000;
/** Seeds of one run do not meet those of the next. */
const SEED_STRIDE = 1_000_003;

interface Outcome {
  readonly seed: number;
  readonly damage: string;
  readonly reached: string;
  readonly codes: readonly string[];
  readonly wrong: readonly string[];
}

/** Runs cases; the one that ended its process is wrong, and the next process goes on behind it. */
function runCases(pool: string, first: number, count: number): Outcome[] {
  const program = join(root, "test", "core", "programs", "fuzz-pool.mjs");
  const contents = contentsFile(newestGolden);
  const folder = temporaryDirectory();
  const outcomes: Outcome[] = [];
  while (outcomes.length < count) {
    const range = [first + outcomes.length, count - outcomes.length].map(String);
    const { status, stdout, stderr } = runProgram(
      process.execPath,
      [program, pool, contents, folder, ...range],
      { env: plainEnvironment(), timeoutMs: BATCH_MS_MAX },
    );
    for (const [, at, text] of stdout.matchAll(/^end (\d+) (.*)$/gm)) {
      outcomes.push({ seed: Number(at), ...JSON.parse(text as string) });
    }
    if (status === 0) continue;
    const ended = `the process ended or hung (status ${status}): ${stderr}`;
    const at = first + outcomes.length;
    outcomes.push({ seed: at, damage: "?", reached: "?", codes: [], wrong: [ended] });
  }
  return outcomes;
}

test("a pool with a damaged file is read exactly, or refused with a typed error", () => {
  const pool = unpackGolden(newestGolden, temporaryDirectory());
  const start = Math.abs(seed % 1000) * SEED_STRIDE;
  const outcomes: Outcome[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    outcomes.push(...runCases(pool, start + batch * BATCH_COUNT, BATCH_COUNT));
  }
  expect(outcomes.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
  // The damages reach what they should: some are harmless, some refused, some found in the data.
  const codes = new Set(outcomes.flatMap((outcome) => outcome.codes));
  expect([...codes]).toEqual(expect.arrayContaining(["DER_DF_INVAL", "DER_CSUM"]));
  expect(outcomes.some((outcome) => outcome.codes.length === 0)).toBe(true);
  expect(outcomes.some(({ reached }) => reached === "nothing")).toBe(true);
});
