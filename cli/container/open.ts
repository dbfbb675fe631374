/**
 * Finding a container and a version of it, as users name them.
 *
 * @module
 */

import {
  type Container,
  type ContainerView,
  DaosError,
  type Epoch,
  isDaosError,
  Pool,
} from "../../core/index.js";
import { option } from "../verb.js";

/** What is open; both are closed with `using`. */
export interface OpenedContainer extends Disposable {
  readonly pool: Pool;
  readonly container: Container;
}

/** Opens a container by its label or UUID; with `force`, also one that a scrub found damaged. */
export function openContainer(
  directory: string,
  container: string,
  mode: "ro" | "rw",
  force = false,
): OpenedContainer {
  const pool = Pool.connect(directory, { mode });
  try {
    const found = findContainer(pool, container, force);
    return { pool, container: found, [Symbol.dispose]: () => pool.close() };
  } catch (error) {
    pool.close();
    throw error;
  }
}

/** A container of a pool by its label or UUID. */
export function findContainer(pool: Pool, name: string, force = false): Container {
  try {
    return pool.openContainer(name, { force });
  } catch (error) {
    if (!isDaosError(error, "DER_NONEXIST")) throw error;
  }
  const what = `Opening container "${name}" of pool ${pool.path}`;
  throw noContainer(what, pool, name, ', or create it with "daos container create"');
}

/** The error for a label or UUID that no container has. */
export function noContainer(what: string, { path }: Pool, name: string, otherwise = ""): DaosError {
  const why = "the pool has no container of that label or UUID";
  const remedy = `choose one of "daos container list ${path}"${otherwise}`;
  return new DaosError("DER_NONEXIST", { what, why, remedy }, { container: name, path });
}

/** Which version is meant; the newest by default. */
export interface VersionOptions {
  readonly epc?: Epoch;
  readonly snap?: string;
}

/** The options for a version. */
export const versionOptions = [
  option("--epc <epoch>", "the version at this epoch, decimal or 0x...", parseEpoch),
  option("--snap <name>", "the version of this snapshot"),
];

/** An epoch that a person wrote. */
export function parseEpoch(written: string): Epoch {
  if (/^([0-9]+|0x[0-9a-f]+)$/i.test(written)) {
    const epoch = BigInt(written);
    if (epoch < 1n << 64n) return epoch;
  }
  const what = `Reading epoch "${written}"`;
  const why = "it is no number of up to 64 bits";
  const remedy = "give an epoch as `daos container list-commits` prints it";
  throw new DaosError("DER_INVAL", { what, why, remedy }, { written });
}

/** Which version the options name; `undefined` for the newest. */
export function versionOf({ epc, snap }: VersionOptions): Epoch | { snapshot: string } | undefined {
  if (epc !== undefined && snap !== undefined) {
    const text = {
      what: "Choosing a version",
      why: "--epc and --snap were both given",
      remedy: "give one of them",
    };
    throw new DaosError("DER_INVAL", text);
  }
  return snap === undefined ? epc : { snapshot: snap };
}

/** The version that the options name. */
export function openView(container: Container, options: VersionOptions): ContainerView {
  return container.view(versionOf(options));
}
