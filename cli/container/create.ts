/**
 * `container create`, `container list` and `container query`.
 *
 * @module
 */

import { type Container, Pool, timeOfEpoch } from "../../core/index.js";
import type { Output } from "../output/output.js";
import {
  choice,
  epoch,
  integer,
  list,
  object,
  optional,
  text,
  time,
  type Value,
} from "../output/schema.js";
import { isoTime, parseCount } from "../output/size.js";
import { type Call, defineVerb, option, poolAndContainer, poolOperand } from "../verb.js";
import { openContainer } from "./open.js";

const containerSchema = object({
  label: text("Name, unique in the pool"),
  uuid: text("UUID"),
  pool: text("Directory of the pool"),
  health: choice(["healthy", "unclean"], "unclean: a scrub found damage"),
  commits: integer("Commits from the oldest retained one on"),
  snapshots: integer("Named snapshots"),
  openHandles: integer("Open handles of all processes, with the one that asks"),
  horizon: epoch("The oldest epoch that can be read without a snapshot"),
  lastCommit: optional(epoch("Epoch of the newest commit")),
  lastCommitTime: optional(time("When that was")),
  objects: optional(integer("Objects that hold anything, in the newest version, if asked for")),
});
type Answer = Value<typeof containerSchema>;

function describe(container: Container): Answer {
  const { label, uuid, health, commits, snapshots, openHandles, horizon, newest } =
    container.query();
  return {
    label,
    uuid,
    pool: container.pool,
    health,
    commits,
    snapshots,
    openHandles,
    horizon: String(horizon),
    ...(newest > 0n && {
      lastCommit: String(newest),
      lastCommitTime: isoTime(timeOfEpoch(newest)),
    }),
  };
}

/** Looks at all objects of the newest version: takes as long as they are many. */
function countObjects(container: Container): number {
  using view = container.view();
  return view.listObjects().keys.length;
}

function printContainer(answer: Answer, output: Output): void {
  output.facts([
    ["Container", answer.label],
    ["UUID", answer.uuid],
    ["Pool", answer.pool],
    ["Health", answer.health],
    ...(answer.objects === undefined ? [] : [["Objects", answer.objects] as const]),
    ["Commits", answer.commits],
    ["Newest commit", answer.lastCommit],
    ["Committed at", answer.lastCommitTime],
    ["Oldest readable", answer.horizon],
    ["Snapshots", answer.snapshots],
    ["Open handles", answer.openHandles],
  ]);
}

/** `daos container create` */
export const containerCreate = defineVerb({
  name: "create",
  summary: "create a container",
  operands: poolAndContainer,
  options: [
    option(
      "--retain-commits <count>",
      "newest commits that can always be read; 2 by default",
      parseCount,
    ),
  ],
  examples: [
    "daos container create /scratch/run.pool results",
    "daos container create daos://run.pool/results --retain-commits 10",
  ],
  schema: containerSchema,
  run: ({ pool: directory, container, options }: Call<{ retainCommits?: number }>) => {
    using pool = Pool.connect(directory);
    const { retainCommits } = options;
    return describe(
      pool.createContainer(container, retainCommits === undefined ? {} : { retainCommits }),
    );
  },
  print: printContainer,
});

/** `daos container list`, and `daos pool list-containers` */
export const containerList = defineVerb({
  name: "list",
  aliases: ["ls"],
  summary: "list the containers of a pool",
  operands: [poolOperand],
  examples: ["daos container list /scratch/run.pool"],
  schema: object({ containers: list(containerSchema, "The containers, in order of creation") }),
  run: ({ pool: directory }: Call) => {
    using pool = Pool.connect(directory, { mode: "ro" });
    const containers = pool.listContainers().map((label) => {
      using container = pool.openContainer(label, { force: true });
      return describe(container);
    });
    return { containers };
  },
  print: ({ containers }, output) => {
    if (containers.length === 0 && output.isTerminal) {
      output.line("The pool has no containers.");
      return;
    }
    output.table(
      [
        { head: "Label" },
        { head: "UUID" },
        { head: "Health" },
        { head: "Commits", align: "right" },
        { head: "Snapshots", align: "right" },
        { head: "Newest commit" },
      ],
      containers.map(({ label, uuid, health, commits, snapshots, lastCommitTime }) => [
        label,
        uuid,
        health,
        commits,
        snapshots,
        lastCommitTime,
      ]),
    );
  },
});

/** `daos container query` */
export const containerQuery = defineVerb({
  name: "query",
  aliases: ["stat"],
  summary: "tell a container's health, commits and snapshots",
  operands: poolAndContainer,
  options: [option("--objects", "count the objects too, which looks at all of them")],
  examples: [
    "daos container query /scratch/run.pool results",
    "daos container query daos:///scratch/run.pool/results",
  ],
  schema: containerSchema,
  run: ({ pool: directory, container: name, options }: Call<{ objects?: boolean }>) => {
    using opened = openContainer(directory, name, "ro");
    const { container } = opened;
    const isCounted = options.objects === true;
    return { ...describe(container), ...(isCounted && { objects: countObjects(container) }) };
  },
  print: printContainer,
});

/** `daos container list-commits` */
export const containerListCommits = defineVerb({
  name: "list-commits",
  summary: "list the versions of a container that can be read, newest first",
  operands: poolAndContainer,
  examples: ["daos container list-commits daos://run.pool/results"],
  schema: object({
    commits: list(
      object({
        epoch: epoch("From where on its changes are seen"),
        time: time("When it was made"),
        bytes: integer("Bytes of array data that it published"),
        contributors: integer("Writers that took part"),
      }),
      "The commits, newest first; snapshots of older ones are not among them",
    ),
  }),
  run: ({ pool: directory, container: name }: Call) => {
    using opened = openContainer(directory, name, "ro");
    const commits = opened.container.commits().map((commit) => ({
      epoch: String(commit.epoch),
      time: isoTime(timeOfEpoch(commit.epoch)),
      bytes: commit.bytes,
      contributors: commit.contributors,
    }));
    return { commits };
  },
  print: ({ commits }, output) => {
    output.table(
      [
        { head: "Epoch", align: "right" },
        { head: "Time" },
        { head: "Data", align: "right" },
        { head: "Writers", align: "right" },
      ],
      commits.map(({ epoch: at, time: when, bytes, contributors }) => [
        at,
        when,
        { bytes },
        contributors,
      ]),
    );
  },
});
