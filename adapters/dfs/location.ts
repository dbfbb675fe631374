/**
 * Addresses of the form `daos://<pool>/<container>/<path>`.
 *
 *     daos:///scratch/run.pool/results/fields   the pool is the directory /scratch/run.pool
 *     daos://run.pool/results/fields            the pool is run.pool in $DAOS_POOL_ROOT, or in the
 *                                               current directory
 *
 * In an absolute address, the pool is the first directory on the way that holds a superblock.
 *
 * @module
 */

import path from "node:path";
import { DaosError, isPoolDirectory } from "../../core/index.js";

/** The three parts of an address. */
export interface Location {
  /** Directory of the pool. */
  readonly pool: string;
  /** Label of the container. */
  readonly container: string;
  /** Path in the container, without a leading slash; empty for its root. */
  readonly path: string;
}

const SCHEME = "daos://";

/** Whether an address names something in a pool. */
export function isDaosAddress(address: string): boolean {
  return address.startsWith(SCHEME);
}

function invalid(address: string, why: string): DaosError {
  const remedy = "write it as daos://<pool>/<container>/<path>";
  return new DaosError(
    "DER_INVAL",
    { what: `Reading address "${address}"`, why, remedy },
    { address },
  );
}

function splitAbsolute(address: string, names: string[]): [string, string[]] {
  for (let count = 1; count <= names.length; count++) {
    const directory = `/${names.slice(0, count).join("/")}`;
    if (isPoolDirectory(directory)) return [directory, names.slice(count)];
  }
  const what = `Opening "${address}"`;
  const why = `no directory on the way to /${names.join("/")} holds a pool`;
  const remedy = "correct the path, or create the pool with Pool.create()";
  throw new DaosError("DER_NONEXIST", { what, why, remedy }, { address });
}

/**
 * Splits an address.
 *
 * @throws `DaosError` `DER_INVAL` if it is malformed, `DER_NONEXIST` if an absolute one leads to
 *   no pool.
 */
export function parseLocation(address: string): Location {
  if (!isDaosAddress(address)) throw invalid(address, "it does not begin with daos://");
  const rest = address.slice(SCHEME.length);
  const names = rest.split("/").filter((name) => name !== "");
  const root = process.env.DAOS_POOL_ROOT ?? ".";
  const [pool, below] = rest.startsWith("/")
    ? splitAbsolute(address, names)
    : [path.resolve(root, names[0] ?? ""), names.slice(1)];
  const [container, ...file] = below;
  if (names.length === 0 || container === undefined) {
    throw invalid(address, "it names no container");
  }
  return { pool, container, path: file.join("/") };
}
