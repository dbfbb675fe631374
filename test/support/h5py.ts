/**
 * h5py, which writes and reads `.h5` files through libhdf5: Debian's, and the pinned one of PyPI.
 *
 * Where neither is there, the suites that need them are skipped, visibly.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { describe } from "@jest/globals";
import { interopPython } from "./interop.ts";
import { type Outcome, runProgram } from "./processes.ts";
import { root } from "./root.ts";

const DEBIAN_PYTHON = "/usr/bin/python3";

/** Which h5py. */
export interface H5py {
  /** For titles of tests. */
  readonly name: string;
  /** Path of its Python. */
  readonly python: string;
}

/** h5py picks its parallel build where a launcher of MPI left variables behind. */
function serialEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !/^(OMPI|PMIX|PMI|MPI)_/.test(name)));
}

/** Runs a Python program of `test/adapters/hdf5/python`. */
export function runPython(
  { python }: H5py,
  program: string,
  args: readonly string[],
  input = "",
): Outcome {
  const path = join(root, "test", "adapters", "hdf5", "python", program);
  return runProgram(python, [path, ...args], { env: serialEnvironment(), input });
}

/** A Python program that answers a line with a line. */
export interface AnsweringPython {
  ask(line: string): Promise<string>;
  /** Ends its input, and waits until it has ended. */
  end(): Promise<void>;
}

/** Starts a Python program of `test/adapters/hdf5/python` that answers each line of its input with one of its output. */
export function startPython({ python }: H5py, program: string): AnsweringPython {
  const path = join(root, "test", "adapters", "hdf5", "python", program);
  const child = spawn(python, [path], { env: serialEnvironment() });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  // That it ended is found when it is asked again.
  child.stdin.on("error", () => {});
  return {
    async ask(line) {
      child.stdin.write(`${line}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${program} ended: ${complaints}`);
      return value;
    },
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}

function hasH5py(python: string): boolean {
  if (!existsSync(python)) return false;
  const outcome = runProgram(python, ["-c", "import h5py"], { env: serialEnvironment() });
  return outcome.status === 0;
}

/** Debian's h5py, if it is installed. */
export const debianH5py: H5py | undefined = hasH5py(DEBIAN_PYTHON)
  ? { name: "Debian's h5py", python: DEBIAN_PYTHON }
  : undefined;

/** PyPI's h5py, if the environment of the interoperability suites could be made. */
export const pypiH5py: H5py | undefined =
  interopPython !== undefined && hasH5py(interopPython)
    ? { name: "PyPI's h5py", python: interopPython }
    : undefined;

/** `describe`, or a visible skip where Debian's h5py is not installed. */
export const describeH5py: typeof describe.skip =
  debianH5py === undefined ? describe.skip : describe;

/** Files that were made, and what was left out with the reason. */
export interface MadeFiles {
  readonly directory: string;
  readonly names: readonly string[];
  readonly left: readonly string[];
}

/** Makes files of one feature each in a directory. */
export function makeFiles(h5py: H5py, directory: string, libver: "earliest" | "latest"): MadeFiles {
  const { status, stdout, stderr } = runPython(h5py, "make_files.py", [directory, libver]);
  if (status !== 0) throw new Error(`make_files.py: status ${status}\n${stderr}`);
  const lines = stdout.trim().split("\n");
  const left = lines.filter((line) => line.startsWith("-"));
  return { directory, names: lines.filter((line) => !line.startsWith("-")), left };
}

/** What h5py says of files, in their order: see `canonical.py`. */
export function canonicalByH5py(h5py: H5py, paths: readonly string[]): unknown[] {
  if (!paths.every((path) => dirname(path).startsWith("/"))) throw new Error("paths are relative");
  const input = `${paths.join("\n")}\n`;
  const { status, stdout, stderr } = runPython(h5py, "canonical.py", [], input);
  if (status !== 0) throw new Error(`canonical.py: status ${status}\n${stderr}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
