/**
 * What a container tells of itself without reading its objects.
 *
 * @module
 */

import { containerGone } from "../vos/containers.js";
import { EPOCH_HEAD, type Epoch } from "../vos/epoch.js";
import { getProperty } from "../vos/metadata.js";
import { type Retention, retentionOf } from "../vos/retention.js";
import type { Target } from "../vos/target.js";
import { formatUuid } from "./uuid.js";

/** What `Container.query` tells. */
export interface ContainerInfo {
  /** Unique in the pool. */
  readonly label: string;
  /** 8-4-4-4-12 hexadecimal digits. */
  readonly uuid: string;
  /** Epoch of the newest commit; 0 before the first. */
  readonly newest: Epoch;
  /** The oldest epoch that can be read without a snapshot; 0 if nothing was aggregated. */
  readonly horizon: Epoch;
  /** Commits that can be read without a snapshot. */
  readonly commits: number;
  /** Named snapshots. */
  readonly snapshots: number;
  /** What of its history it keeps. */
  readonly retention: Retention;
  /** Open handles of all processes. */
  readonly openHandles: number;
  /** Whether a scrub found damage that nothing can repair: `unclean`. */
  readonly health: "healthy" | "unclean";
}

/**
 * What is known of a container.
 *
 * @throws {@link DaosError} `DER_NONEXIST` if it was destroyed.
 */
export function containerInfo(target: Target, id: number): ContainerInfo {
  const record = target.getContainer(id);
  if (record === undefined) throw containerGone(id);
  const commits = target.listCommits(id, { epoch: EPOCH_HEAD });
  const status = getProperty(target.metadata.reader, id, "status");
  return {
    label: record.label,
    uuid: formatUuid(record.uuid),
    newest: target.lastCommit(id),
    horizon: record.horizon,
    commits: commits.length,
    snapshots: target.listSnapshots(id).length,
    retention: retentionOf(record),
    openHandles: target.handles.count(id),
    health: status === "unclean" ? "unclean" : "healthy",
  };
}
