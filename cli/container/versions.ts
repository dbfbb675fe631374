/**
 * `container rollback` and `container diff`: going back to a version, and comparing two.
 *
 * @module
 */

import {
  type Container,
  type ContainerChange,
  DaosError,
  type Epoch,
  formatOid,
  timeOfEpoch,
} from "../../core/index.js";
import { keyText } from "../object/keys.js";
import {
  choice,
  epoch,
  flag,
  integer,
  list,
  object,
  oid,
  optional,
  text,
  time,
} from "../output/schema.js";
import { isoTime, parseCount } from "../output/size.js";
import { type Call, defineVerb, option, poolAndContainer } from "../verb.js";
import {
  openContainer,
  parseEpoch,
  type VersionOptions,
  versionOf,
  versionOptions,
} from "./open.js";

/** Differences that are told of unless the user wants more. */
const LIMIT_DEFAULT = 10_000;

/** `daos container rollback` */
export const containerRollback = defineVerb({
  name: "rollback",
  summary: "show an earlier version again, by a new commit; later versions stay readable",
  operands: poolAndContainer,
  options: versionOptions,
  examples: ["daos container rollback daos://run.pool/results --snap before-restart"],
  schema: object({
    epoch: epoch(
      "From here on the old version is shown; the newest commit, if nothing had changed",
    ),
    time: optional(time("When that was")),
    keys: integer("Akeys that were given their old version, or a punch"),
    runs: integer("Runs of arrays that were written again"),
    bytes: integer("Bytes of array data that are shown again; none were copied"),
  }),
  run: ({ pool: directory, container: name, options }: Call<VersionOptions>) => {
    const to = versionOf(options);
    if (to === undefined) {
      const what = `Rolling container "${name}" back`;
      const remedy = "give --snap or --epc; see `daos container list-snaps` and `list-commits`";
      throw new DaosError("DER_INVAL", { what, why: "no version was named", remedy });
    }
    using opened = openContainer(directory, name, "rw");
    const { epoch: at, keys, runs, bytes } = opened.container.rollback(to);
    const when = at === 0n ? {} : { time: isoTime(timeOfEpoch(at)) };
    return { epoch: String(at), ...when, keys, runs, bytes };
  },
  print: (answer, output) => {
    output.facts([
      ["Epoch", answer.epoch],
      ["Committed at", answer.time],
      ["Akeys", answer.keys],
      ["Runs", answer.runs],
      ["Data", { bytes: answer.bytes }],
    ]);
  },
});

/** A version as a person names it: a snapshot's name, else an epoch; the newest commit if none is named. */
function epochNamed(container: Container, written: string | undefined): Epoch {
  if (written === undefined) return container.commits()[0]?.epoch ?? 0n;
  const found = container.listSnapshots().find(({ name }) => name === written);
  return found?.epoch ?? parseEpoch(written);
}

const LEVELS = ["object", "dkey", "akey", "bytes", "records"] as const;

function describe(change: ContainerChange) {
  const { level, oid: id } = change;
  const keys = {
    ...("dkey" in change ? { dkey: keyText(id, "dkey", change.dkey) } : {}),
    ...("akey" in change ? { akey: keyText(id, "akey", change.akey) } : {}),
  };
  const ranges = {
    ...(level === "bytes" ? { start: String(change.start), end: String(change.end) } : {}),
    ...(level === "records"
      ? { start: String(change.index), end: String(change.index + change.count) }
      : {}),
  };
  const kind = "change" in change ? change.change : ("changed" as const);
  return { level, change: kind, oid: formatOid(id), ...keys, ...ranges };
}

/** `daos container diff` */
export const containerDiff = defineVerb({
  name: "diff",
  summary: "tell what differs between two versions of a container",
  operands: poolAndContainer,
  options: [
    option("--from <version>", "name of a snapshot, or an epoch"),
    option("--to <version>", "likewise; the newest commit by default"),
    option("--compare", "read values and bytes, and tell of real differences only"),
    option("--limit <count>", `differences at most; ${LIMIT_DEFAULT} by default`, parseCount),
  ],
  examples: ["daos container diff daos://run.pool/results --from before-restart --compare"],
  schema: object({
    from: epoch("The first version"),
    to: epoch("The second version"),
    changes: list(
      object({
        level: choice(LEVELS, "What it is"),
        change: choice(["added", "removed", "changed"], "What became of it"),
        oid: oid("The object"),
        dkey: optional(text("A number, text, or hexadecimal with 0x")),
        akey: optional(text("Likewise")),
        start: optional(epoch("First byte or record")),
        end: optional(epoch("One past the last")),
      }),
      "In the order of ids and keys; something comes before what it holds",
    ),
    isComplete: flag("Whether these are all"),
  }),
  run: (call: Call<{ from?: string; to?: string; compare?: boolean; limit?: number }>) => {
    const { pool: directory, container: name, options } = call;
    if (options.from === undefined) {
      const what = `Comparing versions of container "${name}"`;
      const remedy = "give --from; see `daos container list-snaps` and `list-commits`";
      throw new DaosError("DER_INVAL", { what, why: "no first version was named", remedy });
    }
    using opened = openContainer(directory, name, "ro");
    const { container } = opened;
    const from = epochNamed(container, options.from);
    const to = epochNamed(container, options.to);
    const limit = options.limit ?? LIMIT_DEFAULT;
    const changes: ReturnType<typeof describe>[] = [];
    let isComplete = true;
    for (const change of container.diff(from, to, { compare: options.compare === true })) {
      if (changes.length >= limit) {
        isComplete = false;
        break;
      }
      changes.push(describe(change));
    }
    return { from: String(from), to: String(to), changes, isComplete };
  },
  print: ({ changes, isComplete }, output) => {
    if (changes.length === 0 && output.isTerminal) {
      output.line("Nothing differs.");
      return;
    }
    output.table(
      [
        { head: "Change" },
        { head: "Level" },
        { head: "Object" },
        { head: "Dkey" },
        { head: "Akey" },
        { head: "Start", align: "right" },
        { head: "End", align: "right" },
      ],
      changes.map((one) => [
        one.change,
        one.level,
        one.oid,
        one.dkey,
        one.akey,
        one.start,
        one.end,
      ]),
    );
    if (!isComplete) output.warn("there are more: raise --limit");
  },
});
