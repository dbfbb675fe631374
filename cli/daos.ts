#!/usr/bin/env node
/**
 * `daos`: the command line of users. A table of contents; each verb is in a file of its group.
 *
 * @module
 */

import { administrationVerbs } from "./administration/verbs.js";
import {
  containerCreate,
  containerList,
  containerListCommits,
  containerQuery,
} from "./container/create.js";
import { containerDestroy } from "./container/destroy.js";
import {
  containerCreateSnap,
  containerDestroySnap,
  containerListSnaps,
} from "./container/snapshots.js";
import { containerDiff, containerRollback } from "./container/versions.js";
import {
  filesystemChangeMode,
  filesystemGetAttributes,
  filesystemSetAttributes,
} from "./filesystem/attributes.js";
import { filesystemCheck } from "./filesystem/check.js";
import { filesystemCopy } from "./filesystem/copy/verb.js";
import { filesystemCat, filesystemList } from "./filesystem/read.js";
import { healthCheck } from "./health/check.js";
import { setupVerb } from "./health/setup.js";
import { objectList, objectQuery } from "./object/verbs.js";
import { poolList } from "./pool/list.js";
import { poolQuery } from "./pool/query.js";
import { type Group, makeProgram, runProgram } from "./program.js";
import { containerCheck } from "./storage/scrub.js";

const groups: Group[] = [
  {
    name: "pool",
    summary: "pools: directories that hold containers",
    verbs: [poolList("daos"), poolQuery("daos"), ...administrationVerbs("daos", "pool")],
  },
  {
    name: "container",
    aliases: ["cont"],
    summary: "containers: versioned sets of objects, with snapshots",
    verbs: [
      containerCreate,
      containerList,
      containerQuery,
      containerCheck,
      containerListCommits,
      containerCreateSnap,
      containerListSnaps,
      containerDestroySnap,
      containerRollback,
      containerDiff,
      containerDestroy,
      ...administrationVerbs("daos", "container"),
    ],
  },
  {
    name: "object",
    aliases: ["obj"],
    summary: "objects: what is stored under an id",
    verbs: [objectList, objectQuery],
  },
  {
    name: "filesystem",
    aliases: ["fs"],
    summary: "files and directories of a container",
    verbs: [
      filesystemCopy,
      filesystemList,
      filesystemCat,
      filesystemGetAttributes,
      filesystemSetAttributes,
      filesystemChangeMode,
      filesystemCheck,
    ],
  },
];

const health: Group = {
  name: "health",
  summary: "whether this machine and a pool are sound",
  verbs: [healthCheck],
};

/** Groups whose front ends take longer to load than most verbs take to run. */
const frontEnds = [
  { names: ["hdf5", "h5"], load: async () => (await import("./hdf5/group.js")).hdf5Group },
  { names: ["arrow"], load: async () => (await import("./arrow/group.js")).arrowGroup },
];

/**
 * Loads the front ends that a command line may need: the one that it names, none where it names something else, and
 * all where it names nothing that is known here, since help, completion and suggestions show every group.
 */
async function loadFrontEnds(words: readonly string[]): Promise<Group[]> {
  const word = words.find((candidate) => !candidate.startsWith("-")) ?? "";
  const known = [...groups, health].flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  if ([...known, setupVerb.name, "version"].includes(word)) return [];
  const named = frontEnds.filter(({ names }) => names.includes(word));
  return Promise.all((named.length > 0 ? named : frontEnds).map(({ load }) => load()));
}

const program = makeProgram({
  name: "daos",
  description: "A transactional, versioned object store for HPC: the commands of users.",
  groups: [...groups, ...(await loadFrontEnds(process.argv.slice(2))), health],
  verbs: [setupVerb],
});

await runProgram(program);
