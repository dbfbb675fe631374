/**
 * Checks of the machine: Node, native parts, MPI, file systems.
 *
 * Addons are loaded in processes of their own: a broken one must not end this one, and two families of
 * MPI do not go together in one process.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { PACKAGE_ROOT } from "../package-root.js";

/** What a check found. */
export interface Finding {
  /** What was checked. */
  readonly check: string;
  /** `failed`: pools cannot be used; `warning`: something is missing or will be. */
  readonly state: "ok" | "warning" | "failed";
  /** What is there, or why not. */
  readonly detail: string;
  /** What to do, unless it is well. */
  readonly remedy?: string;
}

const NODE_MAJOR_MIN = 20;
const LOAD_MS_MAX = 30_000;

/** File systems by the type of `statfs`, and whether an index may lie there. */
const FILE_SYSTEMS = new Map<number, { name: string; holdsIndex: boolean }>([
  [0xef53, { name: "ext4", holdsIndex: true }],
  [0x58465342, { name: "XFS", holdsIndex: true }],
  [0x9123683e, { name: "Btrfs", holdsIndex: true }],
  [0x2fc12fc1, { name: "ZFS", holdsIndex: true }],
  [0x01021994, { name: "tmpfs (memory)", holdsIndex: true }],
  [0x794c7630, { name: "overlayfs", holdsIndex: true }],
  [0x6969, { name: "NFS", holdsIndex: false }],
  [0x0bd00bd0, { name: "Lustre", holdsIndex: false }],
  [0xff534d42, { name: "CIFS", holdsIndex: false }],
  [0xfe534d42, { name: "SMB", holdsIndex: false }],
  [0x47504653, { name: "GPFS", holdsIndex: false }],
  [0x19830326, { name: "BeeGFS", holdsIndex: false }],
  [0x00c36400, { name: "Ceph", holdsIndex: false }],
  [0x01021997, { name: "9P", holdsIndex: false }],
]);

function checkNode(): Finding {
  const { version } = process;
  const check = "Node.js";
  if (Number(version.slice(1).split(".")[0]) >= NODE_MAJOR_MIN) {
    return { check, state: "ok", detail: version };
  }
  const detail = `${version} is older than ${NODE_MAJOR_MIN}`;
  return { check, state: "failed", detail, remedy: `install Node.js ${NODE_MAJOR_MIN} or newer` };
}

/** Why an addon cannot be loaded; `undefined` if it can. */
function loadingFails(file: string): string | undefined {
  if (!existsSync(file)) return "it has not been built";
  const code = "process.dlopen({ exports: {} }, process.argv[1])";
  const child = spawnSync(process.execPath, ["-e", code, file], {
    encoding: "utf8",
    timeout: LOAD_MS_MAX,
    killSignal: "SIGKILL",
  });
  if (child.status === 0) return undefined;
  const reason = /^Error: (.*)$/m.exec(child.stderr)?.[1];
  return reason ?? `loading it ended with ${child.signal ?? `status ${child.status}`}`;
}

const BUILD = "run `npx daos setup`; with --system it installs the packages that are missing";

function checkAddon(check: string, file: string, isNeeded: boolean, without: string): Finding {
  const why = loadingFails(file);
  if (why === undefined) return { check, state: "ok", detail: "loads" };
  const state = isNeeded ? "failed" : "warning";
  return { check, state, detail: `${why}: ${without}`, remedy: BUILD };
}

function mpiFolder(): string {
  const require = createRequire(import.meta.url);
  const entry = require.resolve("node-mpi-bindings/package.json");
  return process.env.DAOS_MPI_BUILD_DIR ?? path.join(path.dirname(entry), "build");
}

/** MPI is there if one family loads. */
function checkMpi(folder: string): Finding {
  const families = { "Open MPI": "mpi-openmpi", MPICH: "mpi-mpich", "your MPI": "mpi-custom" };
  const loaded = Object.entries(families).filter(
    ([, name]) => loadingFails(path.join(folder, `${name}.node`)) === undefined,
  );
  const check = "MPI";
  if (loaded.length > 0) {
    return { check, state: "ok", detail: `${loaded.map(([name]) => name).join(" and ")} load` };
  }
  const why = loadingFails(path.join(folder, "mpi-openmpi.node"));
  const detail = `${why}: programs run as one rank only`;
  return { check, state: "warning", detail, remedy: BUILD };
}

function inPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(":");
  return folders
    .map((folder) => path.join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function checkLauncher(): Finding {
  const found = inPath("mpirun") ?? inPath("mpiexec") ?? inPath("srun");
  const check = "job launcher";
  if (found !== undefined) return { check, state: "ok", detail: found };
  const detail = "neither mpirun, mpiexec nor srun is in PATH";
  const remedy = "install Open MPI or MPICH, or load the module that has it";
  return { check, state: "warning", detail, remedy };
}

/** Whether a directory can hold pools. */
export function checkFileSystem(directory: string): Finding {
  const check = `file system of ${directory}`;
  if (!existsSync(directory)) {
    const remedy = "correct the path, or make the directory";
    return { check, state: "failed", detail: "there is no such directory", remedy };
  }
  const { type } = statfsSync(directory);
  const known = FILE_SYSTEMS.get(type);
  const name = known?.name ?? `type 0x${type.toString(16)}`;
  if (known?.holdsIndex !== false) return { check, state: "ok", detail: name };
  const detail = `${name} is no place for a pool's index`;
  const remedy = "create pools with --scm on a local disk or tmpfs; --nvme may lie here";
  return { check, state: "warning", detail, remedy };
}

/** Checks the machine. */
export function checkMachine(roots: readonly string[]): Finding[] {
  const build = (name: string) => fileURLToPath(new URL(`build/${name}.node`, PACKAGE_ROOT));
  const mpi = mpiFolder();
  return [
    checkNode(),
    checkAddon("storage addon", build("storage"), true, "no pool can be used"),
    checkAddon("index addon", build("index"), true, "no pool can be used"),
    checkAddon("checksum addon", build("isal"), false, "checksums are computed in JavaScript"),
    checkMpi(mpi),
    checkAddon("PMIx", path.join(mpi, "pmix.node"), false, "ranks are told by the environment"),
    checkLauncher(),
    ...roots.map(checkFileSystem),
  ];
}
