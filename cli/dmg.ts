#!/usr/bin/env node
/**
 * `dmg`: the command line of administrators. A table of contents; each verb is in a file of its group.
 *
 * @module
 */

import { administrationVerbs } from "./administration/verbs.js";
import { poolAggregate, poolRecover } from "./pool/aggregate.js";
import { poolCreate, poolSetSize } from "./pool/create.js";
import { poolDestroy } from "./pool/destroy.js";
import { poolList } from "./pool/list.js";
import { poolMetrics } from "./pool/metrics.js";
import { poolQuery } from "./pool/query.js";
import { poolUpgrade } from "./pool/upgrade.js";
import { type Group, makeProgram, runProgram } from "./program.js";
import { scrubVerb } from "./storage/scrub.js";
import { storageUsage } from "./storage/usage.js";

const groups: Group[] = [
  {
    name: "pool",
    summary: "create and look after pools",
    verbs: [
      poolCreate,
      poolList("dmg"),
      poolQuery("dmg"),
      poolSetSize,
      poolAggregate,
      poolRecover,
      poolMetrics("dmg"),
      poolDestroy,
      poolUpgrade,
      ...administrationVerbs("dmg", "pool"),
    ],
  },
  {
    name: "storage",
    summary: "the space below pools",
    groups: [{ name: "query", summary: "ask about storage", verbs: [storageUsage] }],
    verbs: [],
  },
];

const program = makeProgram({
  name: "dmg",
  description: "A transactional, versioned object store for HPC: the commands of administrators.",
  groups,
  verbs: [scrubVerb],
});

await runProgram(program);
