/**
 * The space of a target: what its tiers hold, what they may hold, and changing that.
 *
 *     scm    index, pins, reader table        limit: pages of the index (core/index/index-budget.ts)
 *     nvme   segments                         limit: sizes of their files (core/log/segment-space.ts)
 *
 * @module
 */

import type { Device } from "../device/device.js";
import type { IndexStore, IndexTransaction } from "../index/index-store.js";
import { getSpace, noSpace, putSpace } from "../index/space-record.js";
import { SegmentGrowth } from "../log/segment-growth.js";
import { listSegments } from "../log/segment-record.js";
import { listWriters, type WriterRecord } from "../log/writer-record.js";
import { PINS_SIZE } from "./pins.js";

/** File of the index, in the `scm` directory. */
export const INDEX_FILE = "index.mdb";

/** Space of a tier, in bytes. */
export interface TierUsage {
  /** The tier's limit, or the size of its file system if it has none. */
  readonly total: number;
  /** The tier's limit; `undefined` if only its file system bounds it. */
  readonly limit: number | undefined;
  /** Bytes of the tier's files. */
  readonly used: number;
  /** Bytes of those files that hold nothing and are kept for recycling. */
  readonly recyclable: number;
  /** Bytes that live data refers to; of the index, bytes of its pages in use. */
  readonly live: number;
  /**
   * What can still be written, at most, without the reserve: within the limit and what the file
   * system has, with what the tier's files hold for nothing.
   */
  readonly free: number;
}

/** Segments by state. */
export interface SegmentCounts {
  /** Held by a writer, or by one that died and was not recovered yet. */
  readonly leased: number;
  /** Held by nobody, with data in them. */
  readonly sealed: number;
  /** Empty, kept for recycling. */
  readonly free: number;
}

/** Counts and space of a target. */
export interface TargetUsage {
  /** The tier of the index. */
  readonly scm: TierUsage;
  /** The tier of the segments. */
  readonly nvme: TierUsage;
  /** Segments by state. */
  readonly segments: SegmentCounts;
  /** Who writes to it. */
  readonly writers: readonly WriterRecord[];
}

/** Limits of the tiers, in bytes; `undefined`: only the file system bounds it. */
export interface TierLimits {
  /** Of the tier of the index. */
  readonly scm: number | undefined;
  /** Of the tier of the segments. */
  readonly nvme: number | undefined;
}

/** Where a target lies. */
export interface TargetPlace {
  readonly device: Device;
  readonly index: IndexStore;
  /** Directory of the index. */
  readonly scm: string;
  /** Directory of the segments. */
  readonly nvme: string;
}

/** Counts and space of a target. */
export function targetUsage({ device, index, scm, nvme }: TargetPlace): TargetUsage {
  const { scmLimit, nvmeLimit, nvmeSize } = getSpace(index);
  const segments = { leased: 0, sealed: 0, free: 0 };
  let live = 0;
  let recyclable = 0;
  for (const { record } of listSegments(index)) {
    segments[record.state] += 1;
    live += record.liveSize;
    if (record.state === "free") recyclable += record.fileSize;
  }
  const fast = device.space(scm);
  const large = device.space(nvme);
  const pages = index.space(fast.available);
  const used = pages.used + PINS_SIZE;
  const free = new SegmentGrowth({ device, index, directory: nvme }).free();
  return {
    scm: { ...pages, used, recyclable: 0, total: scmLimit ?? fast.total, limit: scmLimit },
    nvme: {
      live,
      used: nvmeSize,
      recyclable,
      free,
      total: nvmeLimit ?? large.total,
      limit: nvmeLimit,
    },
    segments,
    writers: listWriters(index),
  };
}

/**
 * Changes the limits of the tiers, for all processes at once. What a tier holds for nothing is given
 * back if a lower limit needs it.
 *
 * @throws {@link DaosError} `DER_NOSPACE` if a tier holds more than its new limit; nothing is changed
 *   then.
 */
export function setLimits({ device, index, nvme }: TargetPlace, limits: TierLimits): void {
  const { nvmeSize } = getSpace(index);
  if (limits.nvme !== undefined && nvmeSize > limits.nvme) {
    new SegmentGrowth({ device, index, directory: nvme }).trim(nvmeSize - limits.nvme);
  }
  const body = (tx: IndexTransaction) => {
    const space = getSpace(tx);
    if (limits.nvme !== undefined && space.nvmeSize > limits.nvme) {
      const facts = { tier: "nvme", needed: space.nvmeSize, free: limits.nvme } as const;
      throw noSpace("Lowering the limit of tier nvme", { ...facts, limited: true });
    }
    if (limits.scm !== undefined) index.shrinkTo(limits.scm);
    putSpace(tx, { ...space, scmLimit: limits.scm, nvmeLimit: limits.nvme });
  };
  index.transact("Changing the limits of the tiers", body, "reclaim");
}
