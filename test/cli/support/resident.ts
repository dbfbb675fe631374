/**
 * A process that runs the built programs many times; see resident.mjs. It ends with the test file.
 *
 * @module
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import { type Outcome, plainEnvironment } from "../../support/processes.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const BLOCK_SIZE = 65_536;

class Resident {
  readonly #child: ChildProcess;
  readonly #requests: number;
  readonly #replies: number;
  readonly #block = Buffer.alloc(BLOCK_SIZE);

  constructor() {
    const folder = temporaryDirectory({ until: "file" });
    const [requests, replies] = [join(folder, "requests"), join(folder, "replies")] as const;
    execFileSync("mkfifo", [requests, replies]);
    const program = join(import.meta.dirname, "resident.mjs");
    this.#child = spawn(process.execPath, [program, requests, replies], {
      env: plainEnvironment(),
      // What it prints itself is of its failures.
      stdio: ["ignore", "ignore", "inherit"],
    });
    // Each waits for the other end.
    this.#requests = openSync(requests, "w");
    this.#replies = openSync(replies, "r");
  }

  run(module: string, words: readonly string[]): Outcome {
    writeSync(this.#requests, `${JSON.stringify({ module, words })}\n`);
    const chunks: Buffer[] = [];
    while (chunks.at(-1)?.at(-1) !== 0x0a) {
      const size = readSync(this.#replies, this.#block);
      if (size === 0) throw new Error(`the process ended in ${module} ${words.join(" ")}`);
      chunks.push(Buffer.from(this.#block.subarray(0, size)));
    }
    return JSON.parse(Buffer.concat(chunks).toString());
  }

  end(): void {
    closeSync(this.#requests);
    closeSync(this.#replies);
    this.#child.kill("SIGKILL");
  }
}

let resident: Resident | undefined;

afterAll(() => resident?.end());

/** Runs a module as the main one of a program, and returns how it ended. */
export function runResident(module: string, words: readonly string[]): Outcome {
  resident ??= new Resident();
  return resident.run(module, words);
}
