/**
 * Checks of a pool, without changing it: superblock, index, containers, writers, space.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { isDaosError, Pool, type PoolInfo, type TierUsage } from "../../core/index.js";
import { counted, humanSize } from "../output/size.js";
import type { Finding } from "./machine.js";

/** Below this share of a tier, space is said to run out. */
const FREE_SHARE_MIN = 0.05;

/** Runs a check; what it throws is what it found. */
function attempt(check: string, body: () => Finding): Finding {
  try {
    return body();
  } catch (error) {
    if (!isDaosError(error)) throw error;
    const { why, remedy } = error.text;
    return { check, state: "failed", detail: why, remedy };
  }
}

/** Each container can be read at its newest version and at its snapshots. */
function checkContainers(pool: Pool): Finding {
  const check = "containers";
  let snapshots = 0;
  const labels = pool.listContainers();
  for (const label of labels) {
    const container = pool.openContainer(label);
    container.view().close();
    for (const { name } of container.listSnapshots()) {
      container.view({ snapshot: name }).close();
      snapshots += 1;
    }
  }
  const detail = `${counted(labels.length, "container")} and ${counted(snapshots, "snapshot")} open`;
  return { check, state: "ok", detail };
}

/** Writers of this host whose process is gone. */
function checkWriters({ writers }: PoolInfo, directory: string): Finding {
  const check = "writers";
  const dead = writers.filter(
    ({ owner, pid }) => owner === hostname() && !existsSync(`/proc/${pid}`),
  );
  const detail = `${counted(writers.length, "writer")}, of which ${dead.length} died`;
  if (dead.length === 0) return { check, state: "ok", detail };
  const remedy = `run "dmg pool recover ${directory}" to take back their space`;
  return { check, state: "warning", detail, remedy };
}

function checkSpace(tier: "scm" | "nvme", usage: TierUsage, directory: string): Finding {
  const { free, total } = usage;
  const check = `space of tier ${tier}`;
  const detail = `${humanSize(free)} of ${humanSize(total)} free`;
  if (free >= total * FREE_SHARE_MIN) return { check, state: "ok", detail };
  const remedy = `run "dmg pool aggregate ${directory}", raise its size, or remove data`;
  return { check, state: "warning", detail, remedy };
}

/** Checks a pool. */
export function checkPool(directory: string): Finding[] {
  let pool: Pool | undefined;
  const first = attempt("superblock and index", () => {
    pool = Pool.connect(directory, { mode: "ro" });
    const detail = `pool "${pool.label}", ${pool.uuid}`;
    return { check: "superblock and index", state: "ok", detail };
  });
  if (pool === undefined) return [first];
  try {
    const opened = pool;
    const info = opened.query();
    const notes = info.notes.map(
      (note): Finding => ({
        check: "durability",
        state: "warning",
        detail: note,
        remedy: "keep copies of what must not be lost",
      }),
    );
    return [
      first,
      attempt("containers", () => checkContainers(opened)),
      checkWriters(info, directory),
      checkSpace("scm", info.scm, directory),
      checkSpace("nvme", info.nvme, directory),
      ...notes,
    ];
  } finally {
    pool.close();
  }
}
