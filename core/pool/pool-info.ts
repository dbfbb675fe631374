/**
 * What a pool tells of itself.
 *
 * @module
 */

import path from "node:path";
import type { Device } from "../device/device.js";
import type { ContainerRecord } from "../vos/containers.js";
import { getProperty } from "../vos/metadata.js";
import { countSnapshots } from "../vos/snapshots.js";
import type { Target } from "../vos/target.js";
import { durabilityNotes } from "./file-system.js";
import type { PoolInfo } from "./pool-options.js";

/** Space per tier, counts, and what to know of a pool's durability. */
export function poolInfo(
  target: Target,
  device: Device,
  names: Pick<PoolInfo, "path" | "label" | "uuid" | "durability">,
): PoolInfo {
  const scm = path.join(names.path, "scm");
  const nvme = path.join(names.path, "nvme");
  const notes = durabilityNotes(device, { durability: names.durability, scm, nvme });
  const records = target.listContainers();
  const isUnclean = ({ id }: ContainerRecord) =>
    getProperty(target.metadata.reader, id, "status") === "unclean";
  const snapshots = records.map(({ id }) => countSnapshots(target.metadata.reader, id));
  return {
    ...names,
    notes,
    containers: records.length,
    snapshots: snapshots.reduce((sum, count) => sum + count, 0),
    openHandles: target.handles.count("pool"),
    unclean: records.filter(isUnclean).map(({ label }) => label),
    ...target.usage(),
  };
}
