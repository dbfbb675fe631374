/**
 * `dmg pool aggregate` and `dmg pool recover`: space comes back.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { type AggregationReport, type Container, DaosError, Pool } from "../../core/index.js";
import { findContainer } from "../container/open.js";
import { Progress } from "../output/progress.js";
import { choice, integer, list, object, text, type Value } from "../output/schema.js";
import { type Call, defineVerb, option, poolOperand } from "../verb.js";

/** Time of a step, so that progress is shown and an interruption is noticed, in milliseconds. */
const STEP_MS = 50;

const totals = {
  runs: integer("Runs removed that no reader could see"),
  merged: integer("Runs that merged ones took the place of"),
  values: integer("Versions of single values removed"),
  bytes: integer("Bytes of array data that nothing refers to any more"),
  copied: integer("Bytes of array data copied to free segments"),
};
const containerSchema = object({
  container: text("Label"),
  state: choice(["done", "busy"], "busy: another aggregation of the container is running"),
  ...totals,
});
const aggregateSchema = object({
  path: text("Directory of the pool"),
  containers: list(containerSchema, "The containers"),
  freed: integer("Bytes by which the files of array data can take more"),
});

async function aggregateContainer(
  container: Container,
  { compact, progress }: { compact: boolean; progress: Progress },
): Promise<Value<typeof containerSchema>> {
  const sum = { runs: 0, merged: 0, values: 0, bytes: 0, copied: 0 };
  let isBusy = false;
  const add = (step: AggregationReport) => {
    isBusy ||= step.isBusy;
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += step[name];
  };
  for (const step of container.aggregateSteps({ stepMs: STEP_MS, compact })) {
    add(step);
    progress.advance(step.bytes);
    await setImmediate();
  }
  return { container: container.label, state: isBusy ? "busy" : "done", ...sum };
}

async function aggregate({
  pool: directory,
  words,
  options,
  output,
  report,
}: Call<{ compact?: boolean }>): Promise<Value<typeof aggregateSchema>> {
  using pool = Pool.connect(directory);
  const labels = words.length > 0 ? words : pool.listContainers();
  const opened = labels.map((label) => findContainer(pool, label));
  const before = pool.query().nvme;
  // What can be freed is known when the pass is over; what is dead now is a good guess.
  const total = Math.max(0, before.used - before.live - before.recyclable);
  using progress = new Progress(output, { title: "aggregate", total, unit: "bytes" });
  const containers: Value<typeof containerSchema>[] = [];
  for (const container of opened) {
    const compact = options.compact !== false;
    containers.push(await aggregateContainer(container, { compact, progress }));
  }
  progress.close();
  const busy = containers.filter(({ state }) => state === "busy");
  if (busy.length > 0) {
    const what = `Aggregating container "${busy[0]?.container}" of pool ${directory}`;
    const why = "another aggregation of it is running";
    report(new DaosError("DER_BUSY", { what, why, remedy: "wait for it, then try again" }));
  }
  const freed = Math.max(0, pool.query().nvme.free - before.free);
  return { path: directory, containers, freed };
}

/** `dmg pool aggregate` */
export const poolAggregate = defineVerb({
  name: "aggregate",
  summary: "remove versions that no reader can see, and free their space",
  operands: [
    poolOperand,
    {
      name: "container",
      kind: "text",
      isOptional: true,
      isRepeated: true,
      description: "labels; all containers of the pool by default",
    },
  ],
  options: [option("--no-compact", "change the index only, and copy no data")],
  examples: [
    "dmg pool aggregate /scratch/run.pool",
    "dmg pool aggregate /scratch/run.pool results --no-compact",
  ],
  schema: aggregateSchema,
  run: aggregate,
  print: ({ containers, freed }, output) => {
    output.table(
      [
        { head: "Container" },
        { head: "State" },
        { head: "Runs removed", align: "right" },
        { head: "Merged", align: "right" },
        { head: "Values removed", align: "right" },
        { head: "Data freed", align: "right" },
        { head: "Copied", align: "right" },
      ],
      containers.map(({ container, state, runs, merged, values, bytes, copied }) => [
        container,
        state,
        runs,
        merged,
        values,
        { bytes },
        { bytes: copied },
      ]),
    );
    if (output.isTerminal) output.line(`Space for ${output.size(freed)} more of array data.`);
  },
});

/** `dmg pool recover` */
export const poolRecover = defineVerb({
  name: "recover",
  summary: "take back the space of writers that died",
  operands: [poolOperand],
  examples: ["dmg pool recover /scratch/run.pool"],
  schema: object({
    path: text("Directory of the pool"),
    reclaimed: integer("Leases of dead writers that ended"),
    removed: integer("Files removed that nothing referred to"),
  }),
  run: ({ pool: directory }: Call) => {
    using pool = Pool.connect(directory);
    const { reclaimed, removed } = pool.recover();
    return { path: directory, reclaimed, removed };
  },
  print: ({ reclaimed, removed }, output) => {
    output.facts([
      ["Leases reclaimed", reclaimed],
      ["Files removed", removed],
    ]);
  },
});
