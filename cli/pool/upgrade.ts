/**
 * `dmg pool upgrade`.
 *
 * @module
 */

import { Pool } from "../../core/index.js";
import { integer, list, object, text } from "../output/schema.js";
import { type Call, defineVerb, poolOperand } from "../verb.js";

/** `dmg pool upgrade` */
export const poolUpgrade = defineVerb({
  name: "upgrade",
  summary: "bring a pool that an older release made to the format of this one",
  operands: [poolOperand],
  examples: ["dmg pool upgrade /scratch/run.pool"],
  schema: object({
    path: text("Directory of the pool"),
    from: integer("Format version before"),
    to: integer("Format version now"),
    steps: list(text("A step"), "What was done; nothing if the pool was up to date"),
  }),
  run: ({ pool: directory }: Call) => Pool.upgrade(directory),
  print: ({ from, to, steps }, output) => {
    output.facts([
      ["Format before", from],
      ["Format now", to],
    ]);
    for (const step of steps) output.line(step);
  },
});
