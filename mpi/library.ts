/**
 * Library: chooses and loads the MPI addon that belongs to this process's launcher.
 *
 * A library of another family would start without error and see a job of one rank, N times over. That
 * is refused before it can happen, and once more after MPI_Init.
 *
 * @module
 */

import { fstatSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { NativeDatatypes } from "./datatype/native-datatypes.js";
import { libraryError, MpiError } from "./errors.js";
import { detectLauncher, type Launcher } from "./launcher.js";
import { KnownBuffer } from "./messages/known-buffer.js";
import { type MpiLibrary, type NativeMpi, SharedField } from "./native-mpi.js";
import { applySafeDefaults } from "./safe-defaults.js";

/** An addon that has been built. */
export interface BuiltAddon {
  /** File name without `.node`. */
  readonly name: string;
  /** Family of its MPI library; "unknown" for one that is neither Open MPI nor MPICH. */
  readonly family: string;
}

/** Addons in order of preference: one that was asked for by DAOS_MPICC comes first. */
const ADDON_NAMES = ["mpi-custom", "mpi-openmpi", "mpi-mpich"];
const CALL = "Loading MPI";

/** The launcher of this process; undefined if it was started alone. */
export function launcherOfProcess(): Launcher | undefined {
  return detectLauncher(process.env, (fd) => {
    try {
      return fstatSync(fd).isSocket();
    } catch {
      return false;
    }
  });
}

/** Where the addons are: `build/` of this package, or DAOS_MPI_BUILD_DIR. */
export function buildFolder(): string {
  return process.env.DAOS_MPI_BUILD_DIR ?? fileURLToPath(new URL("../build", import.meta.url));
}

/** What the set-up has built, by the stamps it left. */
export function builtAddons(folder: string): BuiltAddon[] {
  return ADDON_NAMES.flatMap((name) => {
    try {
      const stamp = JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8"));
      return [{ name, family: String(stamp.family) }];
    } catch {
      return [];
    }
  });
}

/**
 * Chooses the addon for a launcher.
 *
 * @param built What there is, best first.
 * @param launcher What started this process, if anything did.
 * @param forced Family that the user insists on (DAOS_MPI_FAMILY).
 * @throws {@link MpiError} `MPI_NOT_BUILT` if there is no addon at all (of the forced family),
 *   `MPI_WRONG_LAUNCHER` if no addon belongs to the launcher.
 */
export function selectAddon(
  built: readonly BuiltAddon[],
  launcher: Launcher | undefined,
  forced?: string,
): BuiltAddon {
  const wanted = forced ? built.filter(({ family }) => family === forced) : built;
  if (wanted.length === 0) {
    const kind = forced ? `no MPI addon of family "${forced}"` : "no MPI addon";
    throw new MpiError({ code: "MPI_NOT_BUILT", call: CALL, why: `${kind} has been built` });
  }
  const needed = launcher?.family ?? "any";
  const fitting = wanted.find(({ family }) => needed === "any" || family === needed);
  if (fitting) return fitting;
  throw wrongLauncher(
    launcher as Launcher,
    `the addons ${wanted.map(({ family }) => `"${family}"`).join(" and ")} cannot join its job`,
  );
}

function wrongLauncher(launcher: Launcher, why: string): MpiError {
  const family = launcher.family === "none" ? "that speaks PMI" : `"${launcher.family}"`;
  return new MpiError({
    code: "MPI_WRONG_LAUNCHER",
    call: CALL,
    why: `${launcher.command} started rank ${launcher.rank} of ${launcher.size ?? "a job"}, and ${why}`,
    remedy:
      `Build the addon of a library ${family} (node-mpi-setup), or start node directly with the ` +
      "launcher of the library that is built (mpirun.openmpi, mpiexec.mpich, srun --mpi=pmix); a " +
      "child process of a rank that wants to be alone sets DAOS_MPI_FAMILY=solo",
  });
}

/**
 * Refuses a library that did not join the job that the launcher started.
 *
 * @param size Number of ranks that the library sees.
 * @throws {@link MpiError} `MPI_WRONG_LAUNCHER`.
 */
export function requireWholeJob(launcher: Launcher | undefined, size: number): void {
  if (launcher?.size === undefined || launcher.size === size) return;
  throw wrongLauncher(launcher, `the library sees ${size} of them`);
}

/**
 * Loads the addon for this process's launcher; MPI is not initialized by it.
 *
 * @throws {@link MpiError} `MPI_NOT_BUILT`, `MPI_WRONG_LAUNCHER`; also `MPI_NOT_BUILT` if the addon
 *   or its MPI library cannot be loaded.
 */
export function loadLibrary(): MpiLibrary {
  const folder = buildFolder();
  const addon = selectAddon(
    builtAddons(folder),
    launcherOfProcess(),
    process.env.DAOS_MPI_FAMILY || undefined,
  );
  applySafeDefaults(process.env);
  const native = loadAddon(`${folder}/${addon.name}.node`) as NativeMpi;
  const shared = new Float64Array(SharedField.COUNT);
  native.configure(libraryError, shared);
  return {
    native,
    shared,
    sent: new KnownBuffer(),
    received: new KnownBuffer(),
    datatypes: new NativeDatatypes(native),
  };
}

/**
 * Loads an addon with its library's symbols visible to the plug-ins that the library loads itself
 * (those of some Open MPI builds are not linked to libmpi).
 *
 * @throws {@link MpiError} `MPI_NOT_BUILT`.
 */
export function loadAddon(path: string, code = "MPI_NOT_BUILT"): unknown {
  const module = { exports: {} };
  try {
    process.dlopen(module, path, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MpiError({ code, call: CALL, why, remedy: "Run node-mpi-setup again", cause });
  }
  return module.exports;
}
