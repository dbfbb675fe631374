/**
 * `dmg pool metrics`: a pool's space and counts, and what this process counted, for Prometheus.
 *
 * @module
 */

import { formatPrometheus, Pool } from "../../core/index.js";
import type { Output } from "../output/output.js";
import { object, text, type Value } from "../output/schema.js";
import { type AnyVerb, type Call, defineVerb, poolOperand } from "../verb.js";

const schema = object({
  text: text("The metrics in the text form of Prometheus, 0.0.4"),
});

/** The verb, for one program. */
export function poolMetrics(program: string): AnyVerb {
  return defineVerb({
    name: "metrics",
    summary: "print a pool's metrics as Prometheus reads them",
    description:
      "Print a pool's space, segments, handles and writers, and the counters of this process, in the text form of Prometheus.",
    operands: [poolOperand],
    examples: [`${program} pool metrics /scratch/run.pool > /var/lib/node_exporter/daos.prom`],
    schema,
    run: ({ pool: directory }: Call) => {
      using pool = Pool.connect(directory, { mode: "ro" });
      return { text: formatPrometheus(pool.metrics()) };
    },
    print: (answer: Value<typeof schema>, output: Output) => {
      for (const line of answer.text.trimEnd().split("\n")) output.line(line);
    },
  });
}
