/**
 * `daos health check`: whether this machine, and a pool, are sound.
 *
 * @module
 */

import { DaosError } from "../../core/index.js";
import { findAddress } from "../location.js";
import type { Output } from "../output/output.js";
import { choice, list, object, optional, text, type Value } from "../output/schema.js";
import { type Call, defineVerb } from "../verb.js";
import { checkMachine, type Finding } from "./machine.js";
import { checkPool } from "./pool.js";

const STATES = ["ok", "warning", "failed"] as const;

const schema = object({
  state: choice(STATES, "The worst of the findings"),
  findings: list(
    object({
      check: text("What was checked"),
      state: choice(STATES, "failed: pools cannot be used"),
      detail: text("What is there, or why not"),
      remedy: optional(text("What to do, unless it is well")),
    }),
    "What was found",
  ),
});

const MARKS = { ok: "green", warning: "yellow", failed: "red" } as const;

function print({ findings }: Value<typeof schema>, output: Output): void {
  if (!output.isTerminal) {
    output.table(
      [],
      findings.map(({ check, state, detail, remedy }) => [state, check, detail, remedy]),
    );
    return;
  }
  const width = Math.max(...findings.map(({ check }) => check.length)) + 2;
  for (const { check, state, detail, remedy } of findings) {
    const mark = output.colour(MARKS[state], state.padEnd(9));
    output.line(`${mark}${check.padEnd(width)}${detail}`);
    if (remedy !== undefined)
      output.line(`${" ".repeat(9)}${output.colour("cyan", "do:")} ${remedy}`);
  }
}

function worst(findings: readonly Finding[]): (typeof STATES)[number] {
  const states = findings.map(({ state }) => STATES.indexOf(state));
  return STATES[Math.max(0, ...states)] as (typeof STATES)[number];
}

/** `daos health check` */
export const healthCheck = defineVerb({
  name: "check",
  summary: "check the native parts, MPI, file systems, and a pool if one is named",
  operands: [
    {
      name: "pool",
      kind: "text",
      isOptional: true,
      description: "directory, label or UUID of a pool",
    },
  ],
  examples: ["daos health check", "daos health check /scratch/run.pool"],
  schema,
  run: ({ words, roots, report }: Call) => {
    const [word] = words;
    // First of all, so that a wrong name is an error and not a finding.
    const directory = word === undefined ? undefined : findAddress(word, roots).pool;
    const machine = checkMachine(directory === undefined ? roots : []);
    const isUsable = worst(machine) !== "failed";
    const findings =
      directory === undefined || !isUsable ? machine : [...machine, ...checkPool(directory)];
    const state = worst(findings);
    if (state === "failed") {
      const failed = findings.find((finding) => finding.state === "failed") as Finding;
      const isPool = directory !== undefined && isUsable;
      const what = isPool ? `Checking pool ${directory}` : "Checking this machine";
      const why = `${failed.check}: ${failed.detail}`;
      const remedy = failed.remedy ?? "see the findings";
      report(new DaosError(isPool ? "DER_DF_INVAL" : "DER_SETUP", { what, why, remedy }));
    }
    return { state, findings };
  },
  print,
});
