/**
 * The workspace: the output directory and the pool of a run.
 *
 *     <out>/.gray-scott         mark: the directory is ours; holds the process id of the run
 *     <out>/pool                the pool, unless it lies elsewhere
 *     <out>/slice.png           the picture
 *     <out>/checkpoints.csv     the table of checkpoints
 *
 * What an earlier run left is removed first. Nothing else is ever removed: a directory without the
 * mark, or a pool with another label, is refused.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import { DaosError, isPoolDirectory, Pool } from "daos-ts";

const MARK = ".gray-scott";
const PICTURE = "slice.png";
const TABLE = "checkpoints.csv";
const POOL = "pool";
/** Label of the pool, by which it is known as ours wherever it lies. */
const POOL_LABEL = "gray-scott-example";

/** Paths of a run. */
export interface Workspace {
  readonly pool: string;
  readonly picture: string;
  readonly table: string;
}

/**
 * Makes the directories ready, and creates the pool.
 *
 * @param out Output directory.
 * @param poolPath Directory of the pool; in `out` by default.
 * @returns The paths, and the pool, which the caller closes.
 * @throws {@link DaosError} `DER_EXIST` if a directory holds something else, `DER_BUSY` if another run
 *   is using it, `DER_NO_PERM`, `DER_NOSPACE`.
 */
export function prepareWorkspace(
  out: string,
  poolPath?: string,
): { workspace: Workspace; pool: Pool } {
  const directory = path.resolve(out);
  const poolDirectory = path.resolve(poolPath ?? path.join(directory, POOL));
  try {
    claim(directory);
    removeOldPool(poolDirectory);
    for (const name of [PICTURE, TABLE]) fs.rmSync(path.join(directory, name), { force: true });
  } catch (error) {
    throw workspaceError(error, directory);
  }
  return {
    workspace: {
      pool: poolDirectory,
      picture: path.join(directory, PICTURE),
      table: path.join(directory, TABLE),
    },
    pool: Pool.create({ path: poolDirectory, label: POOL_LABEL }),
  };
}

/** Marks a directory as ours, if it is new, empty, or ours already. */
function claim(directory: string): void {
  fs.mkdirSync(directory, { recursive: true });
  const mark = path.join(directory, MARK);
  const isOurs = fs.existsSync(mark);
  if (!isOurs && fs.readdirSync(directory).length > 0) {
    throw new DaosError(
      "DER_EXIST",
      {
        what: `Using ${directory} for output`,
        why: "it holds something that this example did not make",
        remedy: "give another directory with --out",
      },
      { path: directory },
    );
  }
  const owner = isOurs ? Number(fs.readFileSync(mark, "utf8")) : 0;
  if (isRunning(owner)) {
    throw new DaosError(
      "DER_BUSY",
      {
        what: `Using ${directory} for output`,
        why: `process ${owner} is running this example there`,
        remedy: "wait until it has ended, or give another directory with --out",
      },
      { path: directory, pid: owner },
    );
  }
  fs.writeFileSync(mark, String(process.pid));
}

/** Whether a process runs this example; process ids are used again, so its command counts too. */
function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("gray-scott");
  } catch {
    return false;
  }
}

/** Removes a pool that an earlier run of this example made, or was making. */
function removeOldPool(directory: string): void {
  if (!isPoolDirectory(directory)) return;
  if (path.basename(directory) !== POOL || !fs.existsSync(path.join(directory, "..", MARK))) {
    using pool = Pool.connect(directory, { mode: "ro" });
    if (pool.label !== POOL_LABEL) throw foreignPool(directory, pool.label);
  }
  fs.rmSync(directory, { recursive: true });
}

function foreignPool(directory: string, label: string): DaosError {
  const text = {
    what: `Replacing the pool ${directory}`,
    why: `it is not of this example; its label is "${label}"`,
    remedy: "give another directory with --pool",
  };
  return new DaosError("DER_EXIST", text, { path: directory, label });
}

function workspaceError(error: unknown, directory: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") return error;
  return new DaosError(
    "DER_NO_PERM",
    {
      what: `Using ${directory} for output`,
      why: `this user may not change it (${code})`,
      remedy: "remove it as its owner, or give another directory with --out",
    },
    { path: directory },
    error,
  );
}
