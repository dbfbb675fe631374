/**
 * Child processes of tests that are not MPI jobs (those are started by mpirun.ts).
 *
 * @module
 */

import { spawnSync } from "node:child_process";

/** How a child ended. */
export interface Outcome {
  /** Exit status; undefined if a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end, or kills it with SIGKILL when its time is over.
 *
 * @param command Program name or path.
 * @param args Its arguments.
 * @param options `env` is the whole environment; by default this process's. `input` is its standard
 *   input. `uid`, `gid`: another user, which only root can become.
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: {
    cwd?: string;
    env?: NodeJS.ProcessEnv;
    timeoutMs?: number;
    input?: string;
    uid?: number;
    gid?: number;
  } = {},
): Outcome {
  const { cwd, env = process.env, timeoutMs = 60_000, ...rest } = options;
  const child = spawnSync(command, args, {
    ...rest,
    cwd,
    env,
    encoding: "utf8",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: 64 * 2 ** 20,
  });
  if (child.error !== undefined && child.pid === 0) throw child.error;
  return { status: child.status ?? undefined, stdout: child.stdout, stderr: child.stderr };
}

/** The same; throws with everything it printed unless it ended with status 0. */
export function runSuccessfully(...args: Parameters<typeof runProgram>): Outcome {
  const outcome = runProgram(...args);
  if (outcome.status !== 0) {
    const command = [args[0], ...args[1]].join(" ");
    throw new Error(`${command}: status ${outcome.status}\n${outcome.stdout}\n${outcome.stderr}`);
  }
  return outcome;
}

/**
 * The environment without what npm and jest add to it, for children that stand for a user's own shell.
 *
 * npm hands its settings to scripts as npm_* variables, and they would override those of an inner npm.
 */
export function plainEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_|JEST_|DAOS_)/.test(name) && !["INIT_CWD", "NODE_ENV", "NODE_OPTIONS"].includes(name),
  );
  return { ...Object.fromEntries(inherited), ...extra };
}
