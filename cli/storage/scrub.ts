/**
 * `dmg scrub` and `daos container check`: reads every stored block and tells what is damaged.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import {
  type Damage,
  DaosError,
  formatOid,
  isDaosError,
  Pool,
  timeOfEpoch,
} from "../../core/index.js";
import { openContainer } from "../container/open.js";
import { keyText } from "../object/keys.js";
import type { Output } from "../output/output.js";
import { Progress } from "../output/progress.js";
import {
  epoch,
  integer,
  list,
  object,
  oid,
  optional,
  text,
  time,
  type Value,
} from "../output/schema.js";
import { counted, isoTime } from "../output/size.js";
import { type Call, defineVerb, poolAndContainer, poolOperand } from "../verb.js";

/** Damaged ranges that an answer holds. */
const DAMAGES_MAX = 65_536;

const scrubSchema = object({
  path: text("Directory of the pool"),
  runs: integer("Runs whose blocks were all checked"),
  blocks: integer("Blocks read"),
  bytes: integer("Bytes of them"),
  damageCount: integer("How many damaged ranges there are"),
  damages: list(
    object({
      container: text("Label"),
      oid: oid("The array, or the object that it lies in"),
      dkey: optional(text("Of an array or a value under keys: the distribution key")),
      akey: optional(text("Likewise the attribute key")),
      epoch: epoch("The commit that wrote the range"),
      time: time("When that was"),
      start: integer("First byte of the array"),
      end: integer("One past the last byte"),
      segment: integer("Segment that the damaged blocks are in"),
    }),
    "Damaged ranges, the first 65,536",
  ),
});
type Answer = Value<typeof scrubSchema>;

function describe({ oid: of, dkey, akey, epoch: at, container, start, end, segment }: Damage) {
  const when = isoTime(timeOfEpoch(at));
  return {
    container,
    oid: formatOid(of),
    ...(dkey && { dkey: keyText(of, "dkey", dkey) }),
    ...(akey && { akey: keyText(of, "akey", akey) }),
    epoch: String(at),
    time: when,
    start,
    end,
    segment,
  };
}

/** Scrubs a pool; what is damaged in other containers than the wanted one is left out. */
async function scrub(
  pool: Pool,
  wanted: string | undefined,
  { output, report }: Pick<Call, "output" | "report">,
): Promise<Answer> {
  const total = { runs: 0, blocks: 0, bytes: 0, damageCount: 0 };
  const damages: Answer["damages"][number][] = [];
  const title = wanted === undefined ? "scrub" : "check";
  using progress = new Progress(output, { title, total: pool.query().nvme.live, unit: "bytes" });
  for (const step of pool.scrubSteps()) {
    total.runs += step.runs;
    total.blocks += step.blocks;
    total.bytes += step.bytes;
    const found = step.damages.filter(
      ({ container }) => wanted === undefined || container === wanted,
    );
    total.damageCount += found.length;
    damages.push(...found.slice(0, DAMAGES_MAX - damages.length).map(describe));
    progress.advance(step.bytes);
    await setImmediate();
  }
  progress.close();
  if (total.damageCount > 0) {
    const text = {
      what: wanted === undefined ? `Scrubbing pool ${pool.path}` : `Checking container "${wanted}"`,
      why: `${counted(total.damageCount, "range")} of stored data cannot be read`,
      remedy: "write the ranges again, or restore them from a snapshot or copy",
    };
    report(new DaosError("DER_CSUM", text, { damageCount: total.damageCount }));
  }
  return { path: pool.path, ...total, damages };
}

function print(answer: Answer, output: Output): void {
  if (output.isTerminal) {
    const { runs, blocks, bytes, damageCount } = answer;
    const checked = `${counted(blocks, "block")} (${output.size(bytes)}) of ${counted(runs, "run")}`;
    const found =
      damageCount === 0
        ? output.colour("green", "nothing is damaged")
        : output.colour("red", `${counted(damageCount, "range")} damaged`);
    output.line(`Checked ${checked}: ${found}.`);
    if (damageCount === 0) return;
  }
  output.table(
    [
      { head: "Container" },
      { head: "Object" },
      { head: "Key" },
      { head: "Start", align: "right" },
      { head: "End", align: "right" },
      { head: "Epoch" },
      { head: "Segment", align: "right" },
    ],
    answer.damages.map(({ container, oid: of, dkey, akey, start, end, epoch: at, segment }) => [
      container,
      of,
      dkey === undefined ? "" : `${dkey}/${akey}`,
      start,
      end,
      at,
      segment,
    ]),
  );
}

/** Who may write marks damaged containers as unclean; others only hear of them. */
function connect(directory: string): Pool {
  try {
    return Pool.connect(directory);
  } catch (error) {
    if (!isDaosError(error, "DER_NO_PERM")) throw error;
    return Pool.connect(directory, { mode: "ro" });
  }
}

/** `dmg scrub` */
export const scrubVerb = defineVerb({
  name: "scrub",
  summary: "read every stored block of a pool, and tell what is damaged",
  description:
    "Read every stored block of a pool, and tell what is damaged. Containers with damage get the status unclean: they open by force only, until `daos container set-prop <container> status:healthy`.",
  operands: [poolOperand],
  examples: ["dmg scrub /scratch/run.pool"],
  schema: scrubSchema,
  run: async ({ pool: directory, output, report }: Call) => {
    using pool = connect(directory);
    return await scrub(pool, undefined, { output, report });
  },
  print,
});

/** `daos container check` */
export const containerCheck = defineVerb({
  name: "check",
  summary: "read every stored block, and tell what of a container is damaged",
  description:
    "Read every stored block of the pool, and tell what of the container is damaged. Single values, which lie in the index, are not checked.",
  operands: poolAndContainer,
  examples: ["daos container check daos://run.pool/results"],
  schema: scrubSchema,
  run: async ({ pool: directory, container: name, output, report }: Call) => {
    using opened = openContainer(directory, name, "ro", true);
    return await scrub(opened.pool, opened.container.label, { output, report });
  },
  print,
});
