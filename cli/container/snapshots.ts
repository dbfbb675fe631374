/**
 * `container create-snap`, `list-snaps` and `destroy-snap`.
 *
 * @module
 */

import { DaosError, type Epoch, type SnapshotRecord, timeOfEpoch } from "../../core/index.js";
import { epoch, list, object, optional, text, time } from "../output/schema.js";
import { isoTime } from "../output/size.js";
import { type Call, defineVerb, option, poolAndContainer } from "../verb.js";
import { openContainer, parseEpoch } from "./open.js";

const snapshotSchema = object({
  name: text("Unique in the container"),
  epoch: epoch("What it shows"),
  time: optional(time("When that epoch was committed, if anything was by then")),
  created: time("When the snapshot was created"),
});

function describe({ name, epoch: at, created }: SnapshotRecord) {
  return {
    name,
    epoch: String(at),
    created: isoTime(created),
    ...(at === 0n ? {} : { time: isoTime(timeOfEpoch(at)) }),
  };
}

/** A name for a snapshot that got none: the moment, so that names sort as their snapshots do. */
function defaultName(): string {
  return `snap-${new Date().toISOString().replace(/[-:]/g, "")}`;
}

/** `daos container create-snap` */
export const containerCreateSnap = defineVerb({
  name: "create-snap",
  summary: "name a version of a container, so that it stays readable",
  operands: poolAndContainer,
  options: [
    option("--snap <name>", "name of the snapshot; by default the time"),
    option("--epc <epoch>", "the version to name; the newest by default", parseEpoch),
  ],
  examples: ["daos container create-snap daos://run.pool/results --snap before-restart"],
  schema: snapshotSchema,
  run: ({ pool: directory, container: name, options }: Call<{ snap?: string; epc?: Epoch }>) => {
    using opened = openContainer(directory, name, "rw");
    const { snap = defaultName(), epc } = options;
    return describe(opened.container.createSnapshot(snap, epc));
  },
  print: (answer, output) => {
    output.facts([
      ["Snapshot", answer.name],
      ["Epoch", answer.epoch],
      ["Committed at", answer.time],
    ]);
  },
});

/** `daos container list-snaps` */
export const containerListSnaps = defineVerb({
  name: "list-snaps",
  summary: "list the snapshots of a container, oldest version first",
  operands: poolAndContainer,
  examples: ["daos container list-snaps daos://run.pool/results"],
  schema: object({ snapshots: list(snapshotSchema, "The snapshots, oldest version first") }),
  run: ({ pool: directory, container: name }: Call) => {
    using opened = openContainer(directory, name, "ro");
    return { snapshots: opened.container.listSnapshots().map(describe) };
  },
  print: ({ snapshots }, output) => {
    if (snapshots.length === 0 && output.isTerminal) {
      output.line("The container has no snapshots.");
      return;
    }
    output.table(
      [
        { head: "Name" },
        { head: "Epoch", align: "right" },
        { head: "Committed at" },
        { head: "Created" },
      ],
      snapshots.map(({ name, epoch: at, time: when, created }) => [name, at, when, created]),
    );
  },
});

/** `daos container destroy-snap` */
export const containerDestroySnap = defineVerb({
  name: "destroy-snap",
  summary: "destroy a snapshot; the next aggregation frees what nothing else sees",
  operands: poolAndContainer,
  options: [
    option("--snap <name>", "name of the snapshot"),
    option("--epc <epoch>", "the snapshot of this epoch, if it is the only one", parseEpoch),
  ],
  examples: ["daos container destroy-snap daos://run.pool/results --snap before-restart"],
  schema: snapshotSchema,
  run: ({ pool: directory, container: name, options }: Call<{ snap?: string; epc?: Epoch }>) => {
    using opened = openContainer(directory, name, "rw");
    const { container } = opened;
    const { snap, epc } = options;
    const what = `Destroying a snapshot of container "${container.label}"`;
    const remedy = "name one snapshot with --snap or --epc; see `daos container list-snaps`";
    if ((snap === undefined) === (epc === undefined)) {
      const why = snap === undefined ? "none was named" : "--snap and --epc were both given";
      throw new DaosError("DER_INVAL", { what, why, remedy });
    }
    const named = ({ name: of, epoch: at }: SnapshotRecord) =>
      snap === undefined ? at === epc : of === snap;
    const found = container.listSnapshots().filter(named);
    const [only] = found;
    if (only === undefined || found.length > 1) {
      const why = only === undefined ? "it has no such snapshot" : "several show that epoch";
      throw new DaosError(only ? "DER_INVAL" : "DER_NONEXIST", { what, why, remedy });
    }
    container.destroySnapshot(only.name);
    return describe(only);
  },
  print: ({ name, epoch: at }, output) => {
    output.facts([
      ["Destroyed", name],
      ["Epoch", at],
    ]);
  },
});
