#!/usr/bin/env node
/**
 * `daos`: the command line of users. A table of contents; each verb is in a file of its group.
 *
 * @module
 */

import { administrationVerbs } from "./administration/verbs.js";
import { arrowCompact } from "./arrow/compact.js";
import { arrowExport } from "./arrow/export.js";
import { arrowHead } from "./arrow/head.js";
import { arrowImport } from "./arrow/import.js";
import { arrowPin } from "./arrow/pin.js";
import { arrowSchema } from "./arrow/schema.js";
import { arrowServe } from "./arrow/serve.js";
import { arrowStats } from "./arrow/stats.js";
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
import { hdf5Diff } from "./hdf5/diff.js";
import { hdf5Dump } from "./hdf5/dump.js";
import { hdf5Export } from "./hdf5/export.js";
import { hdf5Import } from "./hdf5/import.js";
import { hdf5List } from "./hdf5/ls.js";
import { hdf5Stat } from "./hdf5/stat.js";
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
  {
    name: "hdf5",
    aliases: ["h5"],
    summary: "HDF5 files, in containers and as .h5 files",
    verbs: [hdf5Import, hdf5Export, hdf5List, hdf5Dump, hdf5Stat, hdf5Diff],
  },
  {
    name: "arrow",
    summary: "tables of Apache Arrow record batches, in containers",
    verbs: [
      arrowImport,
      arrowExport,
      arrowHead,
      arrowSchema,
      arrowStats,
      arrowCompact,
      arrowPin,
      arrowServe,
    ],
  },
  {
    name: "health",
    summary: "whether this machine and a pool are sound",
    verbs: [healthCheck],
  },
];

const program = makeProgram({
  name: "daos",
  description: "A transactional, versioned object store for HPC: the commands of users.",
  groups,
  verbs: [setupVerb],
});

await runProgram(program);
