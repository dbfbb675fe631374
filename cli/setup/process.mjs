/**
 * Child processes and programs on the PATH.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Runs a program that talks to the terminal itself.
 *
 * @param {string} command Program name or path.
 * @param {string[]} args Its arguments.
 * @param {{cwd?: string, env?: Record<string, string | undefined>}} [options] Where and with what it runs.
 * @returns {number} Its exit status; 1 if a signal ended it or it could not be started.
 */
export function run(command, args, { cwd, env = process.env } = {}) {
  const child = spawnSync(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
  return child.status ?? 1;
}

/**
 * Runs a program and keeps what it prints.
 *
 * @param {string} command Program name or path.
 * @param {string[]} args Its arguments.
 * @param {{cwd?: string, env?: Record<string, string | undefined>, input?: string}} [options] Where, with what
 *   and with which standard input it runs.
 * @returns {{status: number, output: string, errors: string}} Exit status, standard output, standard error.
 */
export function capture(command, args, { cwd, env = process.env, input = "" } = {}) {
  const child = spawnSync(command, args, { cwd, env, input, encoding: "utf8" });
  return { status: child.status ?? 1, output: child.stdout ?? "", errors: child.stderr ?? "" };
}

/**
 * Runs a program that talks to the terminal itself, while this process goes on.
 *
 * @param {string} command Program name or path.
 * @param {string[]} args Its arguments.
 * @param {{cwd?: string, env?: Record<string, string | undefined>}} [options] Where and with what it runs.
 * @returns {Promise<number>} Its exit status; 1 if a signal ended it or it could not be started. Never rejects.
 */
export function runBeside(command, args, { cwd, env = process.env } = {}) {
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
  return new Promise((resolve) => {
    child.on("error", () => resolve(1));
    child.on("close", (status) => resolve(status ?? 1));
  });
}

/**
 * Runs a program and keeps what it prints, while this process goes on.
 *
 * @param {string} command Program name or path.
 * @param {string[]} args Its arguments.
 * @returns {Promise<{status: number, printed: string}>} Exit status; standard output and error, as they came, or why
 *   it could not be started. Never rejects.
 */
export function captureBeside(command, args) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve) => {
    let printed = "";
    const keep = (chunk) => {
      printed += chunk;
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => resolve({ status: 1, printed: error.message }));
    child.on("close", (status) => resolve({ status: status ?? 1, printed }));
  });
}

/**
 * Tells whether a program of this name is on the PATH.
 *
 * @param {string} name Program name without a folder.
 * @param {string} [path] A search path instead of the environment's.
 * @returns {boolean}
 */
export function hasProgram(name, path = process.env.PATH ?? "") {
  return path.split(delimiter).some((folder) => {
    try {
      const file = join(folder, name);
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}
