/**
 * `pool query`: a pool's space, containers, segments and writers.
 *
 * @module
 */

import { Pool } from "../../core/index.js";
import type { Output } from "../output/output.js";
import { type AnyVerb, type Call, defineVerb, poolOperand } from "../verb.js";
import { type PoolAnswer, poolAnswer, poolSchema, TIERS } from "./answers.js";

/** Prints what is told of a pool. */
export function printPool(answer: PoolAnswer, output: Output): void {
  const { segments, writers } = answer;
  output.facts([
    ["Pool", answer.label],
    ["Path", answer.path],
    ["UUID", answer.uuid],
    ["Survives", answer.durability === "power" ? "power cuts" : "killed processes"],
    ["Containers", answer.containers],
    ["Snapshots", answer.snapshots],
    ["Open handles", answer.openHandles],
    ...answer.unclean.map((label) => ["Unclean", label] as const),
    ["Segments", `${segments.leased} leased, ${segments.sealed} sealed, ${segments.free} free`],
    ["Writers", writers.length],
  ]);
  if (output.isTerminal) output.line();
  output.table(
    [
      { head: "Tier" },
      { head: "Total", align: "right" },
      { head: "Limited" },
      { head: "Used", align: "right" },
      { head: "Live", align: "right" },
      { head: "Recyclable", align: "right" },
      { head: "Free", align: "right" },
    ],
    TIERS.map((tier) => {
      const { total, limit, used, live, recyclable, free } = answer[tier];
      const sizes = [used, live, recyclable, free].map((bytes) => ({ bytes }));
      return [tier, { bytes: total }, limit === undefined ? "no" : "yes", ...sizes];
    }),
  );
  if (!output.isTerminal) return;
  for (const { id, owner, pid } of writers) {
    output.line(`Writer ${id}: ${owner}, process ${pid}`);
  }
  for (const note of answer.notes) output.line(output.colour("yellow", `Note: ${note}`));
}

/** The verb, for one program. */
export function poolQuery(program: string): AnyVerb {
  return defineVerb({
    name: "query",
    summary: "tell a pool's space, containers, segments and writers",
    operands: [poolOperand],
    examples: [`${program} pool query /scratch/run.pool`],
    schema: poolSchema,
    run: ({ pool: directory }: Call) => {
      using pool = Pool.connect(directory, { mode: "ro" });
      return poolAnswer(pool.query());
    },
    print: printPool,
  });
}
