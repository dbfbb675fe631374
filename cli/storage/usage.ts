/**
 * `dmg storage query usage`: the space of pools, tier by tier, and of the file systems below them.
 *
 * @module
 */

import { realpathSync, statfsSync } from "node:fs";
import path from "node:path";
import { Pool } from "../../core/index.js";
import { findAddress } from "../location.js";
import type { Output } from "../output/output.js";
import { choice, integer, list, number, object, text, type Value } from "../output/schema.js";
import { TIERS } from "../pool/answers.js";
import { type Call, defineVerb } from "../verb.js";

const schema = object({
  tiers: list(
    object({
      pool: text("Label of the pool"),
      tier: choice(TIERS, "Which tier"),
      directory: text("Where the tier lies"),
      total: integer("Its limit, or the size of its file system, in bytes"),
      used: integer("Bytes of its files"),
      free: integer("Bytes that can still be written, at most"),
      usedShare: number("Used of total, 0 to 1"),
      fileSystemTotal: integer("Size of the file system, in bytes"),
      fileSystemFree: integer("What of it is free for this user, in bytes"),
    }),
    "The tiers",
  ),
});
type Answer = Value<typeof schema>;

function tiersOf(directory: string): Answer["tiers"] {
  using pool = Pool.connect(directory, { mode: "ro" });
  const info = pool.query();
  return TIERS.map((tier) => {
    const { total, used, free } = info[tier];
    const place = realpathSync(path.join(directory, tier));
    const { bsize, blocks, bavail } = statfsSync(place);
    return {
      pool: info.label,
      tier,
      directory: place,
      total,
      used,
      free,
      usedShare: total === 0 ? 0 : used / total,
      fileSystemTotal: blocks * bsize,
      fileSystemFree: bavail * bsize,
    };
  });
}

function print({ tiers }: Answer, output: Output): void {
  output.table(
    [
      { head: "Pool" },
      { head: "Tier" },
      { head: "Total", align: "right" },
      { head: "Used", align: "right" },
      { head: "Share", align: "right" },
      { head: "Free", align: "right" },
      { head: "Disk free", align: "right" },
      { head: "Directory" },
    ],
    tiers.map((row) => [
      row.pool,
      row.tier,
      { bytes: row.total },
      { bytes: row.used },
      `${(row.usedShare * 100).toFixed(1)}%`,
      { bytes: row.free },
      { bytes: row.fileSystemFree },
      row.directory,
    ]),
  );
}

/** `dmg storage query usage` */
export const storageUsage = defineVerb({
  name: "usage",
  summary: "tell the space of pools, and of the file systems below them",
  operands: [
    {
      name: "pool",
      kind: "text",
      isRepeated: true,
      description: "directories, labels or UUIDs of pools",
    },
  ],
  examples: ["dmg storage query usage /scratch/run.pool /scratch/old.pool"],
  schema,
  run: ({ words, roots }: Call) => ({
    tiers: words.flatMap((word) => tiersOf(findAddress(word, roots).pool)),
  }),
  print,
});
