/**
 * Launcher: finding mpirun, and running a rank program under it to an end that it cannot escape.
 *
 * mpirun can ignore SIGTERM, and its ranks can outlive it. So when a job has to end, mpirun and every
 * rank that has told its process id get SIGKILL.
 *
 * @module
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { DaosError } from "daos-ts";
import { parseEvent, type SimulationEvent } from "./events.js";

/** A job that says nothing for so long hangs, in milliseconds. */
const SILENCE_MS_MAX = 120_000;
const VERSION_MS_MAX = 20_000;
/** What is kept of a job's standard error, in characters. */
const ERROR_TEXT_SIZE_MAX = 64 * 1024;

type Environment = Readonly<Record<string, string | undefined>>;

/** A launcher of MPI jobs. */
export interface Launcher {
  /** Path of the program. */
  readonly command: string;
  readonly family: "openmpi" | "mpich";
  readonly majorVersion: number;
}

/** What to run. */
export interface JobOptions {
  readonly ranks: number;
  /** Path of the module that Node runs in each rank. */
  readonly program: string;
  readonly args: readonly string[];
  /** Called with each event of the ranks. */
  readonly onEvent: (event: SimulationEvent) => void;
}

/** How a job ended. */
export interface JobOutcome {
  /** Exit status of the launcher; undefined if a signal ended it. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** Whether it was killed because it said nothing any more. */
  readonly wasSilent: boolean;
  /** The end of what it wrote to standard error. */
  readonly errorText: string;
}

/** Names under which launchers are installed, best first: Debian's plain mpirun may be either. */
const COMMANDS = ["mpirun.openmpi", "mpirun", "mpiexec.mpich", "mpiexec.hydra"];
const VERSIONS = [
  { family: "openmpi", pattern: /(?:OpenRTE|Open MPI|PRTE)\D*(\d+)\./ },
  { family: "mpich", pattern: /HYDRA[\s\S]*?(\d+)\./ },
] as const;

/**
 * Finds a launcher on the PATH.
 *
 * @throws {@link DaosError} `DER_SETUP` if there is none.
 */
export function findLauncher(env: Environment = process.env): Launcher {
  for (const name of COMMANDS) {
    const command = findProgram(name, env);
    const launcher = command === undefined ? undefined : identify(command);
    if (launcher !== undefined) return launcher;
  }
  throw new DaosError("DER_SETUP", {
    what: "Looking for mpirun",
    why: `neither ${COMMANDS.slice(0, -1).join(", ")} nor ${COMMANDS.at(-1)} is on the PATH`,
    remedy:
      "install an MPI library and build the addon for it: on Debian and Ubuntu, apt-get install " +
      "openmpi-bin libopenmpi-dev, then npx daos setup. Everything but this simulation works without",
  });
}

function findProgram(name: string, env: Environment): string | undefined {
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    const path = join(folder || ".", name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

function identify(command: string): Launcher | undefined {
  const options = { encoding: "utf8", timeout: VERSION_MS_MAX, killSignal: "SIGKILL" } as const;
  const { stdout } = spawnSync(command, ["--version"], options);
  for (const { family, pattern } of VERSIONS) {
    const major = pattern.exec(stdout ?? "")?.[1];
    if (major !== undefined) return { command, family, majorVersion: Number(major) };
  }
  return undefined;
}

function launcherArguments({ family, majorVersion }: Launcher, ranks: number): string[] {
  if (family === "mpich") return ["-n", String(ranks)];
  const asRoot = process.getuid?.() === 0 ? ["--allow-run-as-root"] : [];
  // More ranks than processors is what this example does on a small machine.
  const crowd = majorVersion >= 5 ? ["--map-by", ":OVERSUBSCRIBE"] : ["--oversubscribe"];
  return [...asRoot, ...crowd, "--bind-to", "none", "-n", String(ranks)];
}

/** Settings for a job on one node; what the user has set wins. */
function jobEnvironment({ family, majorVersion }: Launcher, ranks: number): NodeJS.ProcessEnv {
  if (family === "mpich") return process.env;
  const shared = majorVersion >= 5 ? "sm" : "vader";
  const crowded = ranks > availableParallelism();
  return {
    // Shared memory only: the fastest start.
    OMPI_MCA_pml: "ob1",
    OMPI_MCA_btl: `self,${shared}`,
    // Containers forbid reading another process's memory.
    [`OMPI_MCA_btl_${shared}_single_copy_mechanism`]: "none",
    ...(crowded ? { OMPI_MCA_mpi_yield_when_idle: "1" } : {}),
    ...process.env,
  };
}

/**
 * Runs a job to its end. If this process is told to end (SIGINT, SIGTERM), the job ends with it.
 *
 * @throws {@link DaosError} `DER_SETUP` if the launcher cannot be started.
 */
export function runJob(launcher: Launcher, options: JobOptions): Promise<JobOutcome> {
  const { ranks, program, args, onEvent } = options;
  const child = spawn(
    launcher.command,
    [...launcherArguments(launcher, ranks), process.execPath, program, ...args],
    { env: jobEnvironment(launcher, ranks), stdio: ["ignore", "pipe", "pipe"] },
  );
  const job = new RunningJob(child);
  let errorText = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errorText = (errorText + text).slice(-ERROR_TEXT_SIZE_MAX);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = parseEvent(line);
    if (event === undefined) return;
    job.hear(event);
    onEvent(event);
  });
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      job.end();
      reject(notStarted(launcher.command, cause));
    });
    child.once("close", (status, signal) => {
      job.end();
      const { wasSilent } = job;
      resolve({ status: status ?? undefined, signal: signal ?? undefined, wasSilent, errorText });
    });
  });
}

/** The processes of a job, and what ends them. */
class RunningJob {
  readonly #launcher: ChildProcess;
  readonly #ranks: number[] = [];
  #silence: NodeJS.Timeout;
  wasSilent = false;

  constructor(launcher: ChildProcess) {
    this.#launcher = launcher;
    this.#silence = this.#watchSilence();
    process.once("SIGINT", this.#interrupt).once("SIGTERM", this.#interrupt);
  }

  hear(event: SimulationEvent): void {
    if (event.event === "process") this.#ranks.push(event.pid);
    clearTimeout(this.#silence);
    this.#silence = this.#watchSilence();
  }

  end(): void {
    clearTimeout(this.#silence);
    process.off("SIGINT", this.#interrupt).off("SIGTERM", this.#interrupt);
  }

  #watchSilence(): NodeJS.Timeout {
    return setTimeout(() => {
      this.wasSilent = true;
      this.#kill();
    }, SILENCE_MS_MAX);
  }

  #interrupt = (signal: NodeJS.Signals): void => {
    this.#kill();
    process.exit(signal === "SIGINT" ? 130 : 143);
  };

  #kill(): void {
    this.#launcher.kill("SIGKILL");
    for (const pid of this.#ranks) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  }
}

function notStarted(command: string, cause: Error): DaosError {
  const text = {
    what: `Starting ${command}`,
    why: cause.message,
    remedy: "check that the MPI library is installed completely",
  };
  return new DaosError("DER_SETUP", text, { command }, cause);
}
