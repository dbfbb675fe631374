/**
 * What is told of a pool.
 *
 * @module
 */

import type { PoolInfo, TierUsage } from "../../core/index.js";
import { choice, integer, list, object, optional, text, type Value } from "../output/schema.js";

const tierSchema = object({
  total: integer("The limit, or the size of the file system, in bytes"),
  limit: optional(integer("The limit, if there is one, in bytes")),
  used: integer("Bytes of the tier's files"),
  recyclable: integer("Bytes of files that hold nothing and are kept for recycling"),
  live: integer("Bytes that live data refers to"),
  free: integer("Bytes that can still be written, at most"),
});

/** What `pool query` answers. */
export const poolSchema = object({
  path: text("Directory of the pool"),
  label: text("Name for people"),
  uuid: text("UUID"),
  durability: choice(["power", "process"], "What the pool survives"),
  notes: list(text("A note"), "What to know of the pool's durability"),
  containers: integer("Number of containers"),
  snapshots: integer("Number of snapshots of all containers"),
  openHandles: integer("Open handles of all processes, with the one that asks"),
  unclean: list(text("A label"), "Containers that a scrub found damaged"),
  scm: tierSchema,
  nvme: tierSchema,
  segments: object({
    leased: integer("Held by a writer"),
    sealed: integer("Held by nobody, with data"),
    free: integer("Empty"),
  }),
  writers: list(
    object({
      id: text("Number, never used twice"),
      owner: text("Its place in a job, or its host"),
      pid: integer("Process id"),
    }),
    "Who writes",
  ),
});

/** What is told of a pool. */
export type PoolAnswer = Value<typeof poolSchema>;

function tierAnswer({ limit, ...usage }: TierUsage): PoolAnswer["scm"] {
  const { total, used, recyclable, live, free } = usage;
  return { total, used, recyclable, live, free, ...(limit === undefined ? {} : { limit }) };
}

/** What is told of a pool. */
export function poolAnswer(info: PoolInfo): PoolAnswer {
  const { path, label, uuid, durability, notes, containers, segments, writers } = info;
  const { snapshots, openHandles, unclean } = info;
  return {
    path,
    label,
    uuid,
    durability,
    notes,
    containers,
    snapshots,
    openHandles,
    unclean,
    scm: tierAnswer(info.scm),
    nvme: tierAnswer(info.nvme),
    segments: { leased: segments.leased, sealed: segments.sealed, free: segments.free },
    writers: writers.map(({ id, owner, pid }) => ({ id: String(id), owner, pid })),
  };
}

/** The two tiers of a pool, as rows. */
export const TIERS = ["scm", "nvme"] as const;
