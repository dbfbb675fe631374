/**
 * What users call things: pools by directory, label or UUID, and addresses of what is in them.
 *
 *     daos:///scratch/run.pool/results/step-10   a pool's directory, a container, a path in it
 *     daos://run.pool/results/step-10            the pool by name
 *     /scratch/run.pool/results/step-10          without daos://, where the way leads through a pool
 *
 * A name that is no directory is looked for below the pool roots: the directory of that name, else the
 * pool of that label or UUID. The roots are those of `--pool-root`, else of `$DAOS_POOL_PATH`
 * (separated by colons), else `$DAOS_POOL_ROOT`, else the current directory.
 *
 * @module
 */

import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { DaosError, isPoolDirectory, Pool } from "../core/index.js";

const SCHEME = "daos://";

/** Something in a pool. */
export interface Address {
  /** Directory of the pool. */
  readonly pool: string;
  /** Label or UUID of the container, if the address names one. */
  readonly container: string | undefined;
  /** Path in the container, without a leading slash; empty for its root. */
  readonly path: string;
}

/** Directories below which pools are looked for by name. */
export function poolRoots(given: readonly string[]): string[] {
  const fromPath = (process.env.DAOS_POOL_PATH ?? "").split(":").filter((root) => root !== "");
  const roots = given.length > 0 ? given : fromPath;
  return (roots.length > 0 ? roots : [process.env.DAOS_POOL_ROOT || "."]).map((root) =>
    path.resolve(root),
  );
}

/** Splits a path at the first directory on the way that is a pool; `undefined` if there is none. */
function splitAtPool(directory: string): Address | undefined {
  const names = path.resolve(directory).split("/").filter(Boolean);
  for (let count = 1; count <= names.length; count++) {
    const pool = `/${names.slice(0, count).join("/")}`;
    if (!isPoolDirectory(pool)) continue;
    const [container, ...rest] = names.slice(count);
    return { pool, container, path: rest.join("/") };
  }
  return undefined;
}

/** The directories of the pools right below a root. */
function poolsIn(root: string): string[] {
  if (!existsSync(root)) return [];
  const names = readdirSync(root, { withFileTypes: true });
  return names
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => path.join(root, name))
    .filter(isPoolDirectory);
}

/** Whether a pool has a label or UUID; one that cannot be opened has none. */
function isCalled(directory: string, name: string): boolean {
  try {
    using pool = Pool.connect(directory, { mode: "ro" });
    return pool.label === name || pool.uuid === name.toLowerCase();
  } catch {
    return false;
  }
}

function poolByName(name: string, roots: readonly string[], written: string): string {
  for (const root of roots) {
    const directory = path.join(root, name);
    if (isPoolDirectory(directory)) return directory;
  }
  const found = roots.flatMap(poolsIn).filter((directory) => isCalled(directory, name));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const what = `Looking for pool "${written}"`;
  if (found.length > 1) {
    const why = `${found.length} pools are called so: ${found.slice(0, 3).join(", ")}`;
    const text = { what, why, remedy: "name the pool's directory, or use its UUID" };
    throw new DaosError("DER_INVAL", text, { name });
  }
  const why = `there is no such directory, and no pool of that name in ${roots.join(", ")}`;
  const remedy =
    "correct the name, say where to look with --pool-root or DAOS_POOL_PATH, or create the pool with `dmg pool create`";
  throw new DaosError("DER_NONEXIST", { what, why, remedy }, { name });
}

/** Whether a text is written as an address. */
export function isAddress(written: string): boolean {
  return written.startsWith(SCHEME);
}

/**
 * Finds what an address names.
 *
 * @throws {@link DaosError} `DER_NONEXIST` if no pool is there, `DER_INVAL` if it is malformed.
 */
export function findAddress(written: string, roots: readonly string[]): Address {
  const hasScheme = isAddress(written);
  const rest = hasScheme ? written.slice(SCHEME.length) : written;
  const names = rest.split("/").filter((name) => name !== "");
  if (names.length === 0) {
    const text = {
      what: `Reading address "${written}"`,
      why: "it names no pool",
      remedy: "write daos://<pool>/<container>/<path>, or the directory of a pool",
    };
    throw new DaosError("DER_INVAL", text, { address: written });
  }
  if (!hasScheme || rest.startsWith("/")) {
    const split = splitAtPool(rest);
    if (split !== undefined) return split;
    if (rest.startsWith("/") || rest.startsWith(".")) {
      const text = {
        what: `Looking for the pool of "${written}"`,
        why: `no directory on the way to ${path.resolve(rest)} holds a pool`,
        remedy: "correct the path, or create the pool with `dmg pool create`",
      };
      throw new DaosError("DER_NONEXIST", text, { address: written });
    }
  }
  const [name = "", container, ...below] = names;
  return { pool: poolByName(name, roots, written), container, path: below.join("/") };
}

/** An address, if a path leads into a pool; `undefined` if it is one of the file system. */
export function addressOfPath(written: string, roots: readonly string[]): Address | undefined {
  return isAddress(written) ? findAddress(written, roots) : splitAtPool(written);
}
