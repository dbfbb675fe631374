/**
 * Starts rank programs under the launchers of Open MPI and MPICH.
 *
 * A launcher can ignore SIGTERM, and killing it can leave its ranks alive. So each run has an end that
 * it cannot escape: at the timeout, the launcher and all of its descendants get SIGKILL.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { plainEnvironment } from "./processes.ts";
import { root } from "./root.ts";

/** Families of MPI libraries that are tested. */
export type Family = "openmpi" | "mpich";

/** Both families, for `describe.each`. */
export const FAMILIES: readonly Family[] = ["openmpi", "mpich"];

/** Time that a run may take, in milliseconds. */
const TIMEOUT_MS = 40_000;
/** Output kept of a run, in characters. */
const OUTPUT_SIZE_MAX = 64 * 2 ** 20;

/** What to start. */
export interface RanksOptions {
  readonly family: Family;
  /** Number of ranks. */
  readonly ranks: number;
  /** Absolute path of a module that Node runs, in each rank. */
  readonly program: string;
  readonly args?: readonly string[];
  /** Added to the environment of the ranks. */
  readonly env?: Readonly<Record<string, string>>;
  /** After this many milliseconds everything is killed; default 40,000. */
  readonly timeoutMs?: number;
  /**
   * Called with each JSON line as it is printed; a process id that it returns is killed with SIGKILL. So
   * a rank that prints its own id can be killed at a moment of its own choosing.
   */
  readonly kill?: (line: unknown) => number | undefined;
  /** Further arguments of the launcher. */
  readonly launcherArgs?: readonly string[];
  /** Further arguments of Node itself, before the program. */
  readonly nodeArgs?: readonly string[];
}

/** How a run ended. */
export interface RanksOutcome {
  /** Exit status of the launcher; undefined if a signal ended it. */
  readonly status: number | undefined;
  /** Signal that ended the launcher. */
  readonly signal: NodeJS.Signals | undefined;
  /**
   * Whether the timeout ended a rank. A launcher that hangs when all of its ranks have ended is killed too, and shows
   * as a signal: that of Open MPI 4 does so now and then after a killed rank, in `PMIx_server_finalize`.
   */
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of standard output that are JSON, parsed, in the order of arrival. */
  readonly lines: unknown[];
}

interface LauncherCommand {
  readonly command: string;
  readonly majorVersion: number;
}

const CANDIDATES: Record<Family, { commands: string[]; version: RegExp }> = {
  openmpi: {
    commands: ["mpirun.openmpi", "mpirun"],
    version: /(?:OpenRTE|Open MPI|PRTE)\D*(\d+)\./,
  },
  mpich: {
    commands: ["mpiexec.mpich", "mpiexec.hydra", "mpiexec"],
    version: /HYDRA[\s\S]*?(\d+)\./,
  },
};

const launchers = new Map<Family, LauncherCommand | undefined>();

/** Finds a family's launcher, under its own name or the plain one. */
function findLauncher(family: Family): LauncherCommand | undefined {
  if (!launchers.has(family)) {
    const { commands, version } = CANDIDATES[family];
    const found = commands.flatMap((command) => {
      const { stdout } = spawnSync(command, ["--version"], { encoding: "utf8", timeout: 10_000 });
      const major = version.exec(stdout ?? "")?.[1];
      return major === undefined ? [] : [{ command, majorVersion: Number(major) }];
    });
    launchers.set(family, found[0]);
  }
  return launchers.get(family);
}

/** Whether a family can be tested here: its launcher is installed and its addon is built. */
export function available(family: Family): boolean {
  return findLauncher(family) !== undefined && existsSync(addonFile(`mpi-${family}`));
}

/** Whether PMIx can be tested here: Open MPI's launcher serves it, and its addon is built. */
export function pmixAvailable(): boolean {
  return findLauncher("openmpi") !== undefined && existsSync(addonFile("pmix"));
}

/** Where the set-up puts an addon. */
function addonFile(name: string): string {
  return join(root, "mpi", "build", `${name}.node`);
}

/** Environment without what a launcher above this process has left in it. */
function rankEnvironment(family: Family, majorVersion: number, extra: RanksOptions["env"]) {
  const plain = Object.entries(plainEnvironment()).filter(
    ([name]) => !/^(OMPI_|PMI_|PMIX_|MPI_LOCAL|HYDI?_|PRTE_)/.test(name),
  );
  return {
    ...Object.fromEntries(plain),
    ...(family === "openmpi" ? oneNode(majorVersion) : {}),
    ...extra,
  };
}

/** Environment for the fastest start of Open MPI, on one node, and the same transport on every machine. */
function oneNode(majorVersion: number): Record<string, string> {
  const shared = majorVersion >= 5 ? "sm" : "vader";
  return {
    OMPI_MCA_pml: "ob1",
    OMPI_MCA_btl: `self,${shared}`,
    // Ranks wait by turning; beside other work they should let it run.
    OMPI_MCA_mpi_yield_when_idle: "1",
  };
}

/** The same environment, for programs that start Open MPI's launcher themselves; empty without one. */
export function oneNodeEnvironment(): Record<string, string> {
  const launcher = findLauncher("openmpi");
  return launcher === undefined ? {} : oneNode(launcher.majorVersion);
}

function launcherArguments(family: Family, majorVersion: number, ranks: number): string[] {
  if (family === "mpich") return ["-n", String(ranks)];
  const crowd = majorVersion >= 5 ? ["--map-by", ":OVERSUBSCRIBE"] : ["--oversubscribe"];
  return ["--allow-run-as-root", ...crowd, "--bind-to", "none", "-n", String(ranks)];
}

/**
 * Runs a program in a number of ranks, to its end or to the timeout.
 *
 * @throws {Error} If the family is not available; ask `available` first.
 */
export function runRanks(options: RanksOptions): Promise<RanksOutcome> {
  const { family, ranks, program, timeoutMs = TIMEOUT_MS } = options;
  const { args = [], nodeArgs = [], launcherArgs = [] } = options;
  const launcher = findLauncher(family);
  if (!launcher) throw new Error(`No launcher of ${family} is installed`);
  const { command, majorVersion } = launcher;
  // A second end, should this process itself be killed.
  const limit = ["-s", "KILL", String(Math.ceil(timeoutMs / 1000) + 5), command];
  const child = spawn(
    "timeout",
    [
      ...limit,
      ...launcherArguments(family, majorVersion, ranks),
      ...launcherArgs,
      process.execPath,
      ...nodeArgs,
      program,
      ...args,
    ],
    {
      env: rankEnvironment(family, majorVersion, options.env),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );

  const output = { stdout: "", stderr: "", lines: [] as unknown[], timedOut: false };
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (output.stderr.length < OUTPUT_SIZE_MAX) output.stderr += text;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (output.stdout.length < OUTPUT_SIZE_MAX) output.stdout += `${line}\n`;
    const value = parseLine(line);
    if (value === undefined) return;
    output.lines.push(value);
    const victim = options.kill?.(value);
    if (victim !== undefined) killQuietly(victim);
  });

  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const tree = treeOf(child.pid as number);
      output.timedOut = tree.some((pid) => runs(pid, program));
      tree.forEach(killQuietly);
    }, timeoutMs);
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ ...output, status: status ?? undefined, signal: signal ?? undefined });
    });
  });
}

function parseLine(line: string): unknown {
  if (!/^[[{]/.test(line)) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Whether a process runs a program; one that has ended, and that nobody has asked for, does not. */
function runs(pid: number, program: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    // The launcher names the program too.
    return words[0] === process.execPath && words.includes(program);
  } catch {
    return false;
  }
}

/** A process that we started, and everything that it started. */
function treeOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      parents.set(Number(name), Number(fields[1]));
    } catch {
      // It has ended in the meantime.
    }
  }
  const tree = [pid];
  for (let i = 0; i < tree.length; i += 1) {
    for (const [child, parent] of parents) if (parent === tree[i]) tree.push(child);
  }
  return tree;
}
