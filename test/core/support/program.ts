/**
 * Child processes that work on a pool while a test does.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { plainEnvironment } from "../../support/processes.ts";
import { root } from "../../support/root.ts";

/** A running program; its lines are kept as they come. */
export class Program {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #reader: Interface;
  readonly #ended: Promise<unknown>;
  #errors = "";

  /** Starts `test/core/programs/<name>.mjs`, with more in its environment if `extra` says so. */
  constructor(name: string, args: readonly string[], extra: NodeJS.ProcessEnv = {}) {
    const file = join(root, "test", "core", "programs", `${name}.mjs`);
    // In Node 20 a process that ends can wait for a compiling thread that waits for the collector, which
    // waits for the process.
    const command = ["--no-concurrent-recompilation", file, ...args];
    this.#child = spawn(process.execPath, command, { env: plainEnvironment(extra) });
    this.#ended = once(this.#child, "close");
    this.#reader = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    this.#reader.on("line", (line) => this.#lines.push(line));
    this.#child.stderr?.on("data", (data) => {
      this.#errors += data;
    });
  }

  /** Id of the process. */
  get pid(): number {
    return this.#child.pid as number;
  }

  /** Lines printed so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** What it wrote to stderr. */
  get errors(): string {
    return this.#errors;
  }

  /** Waits until it has printed `count` lines; throws if it ends before. */
  async printed(count: number): Promise<void> {
    while (this.#lines.length < count) {
      const ended = await Promise.race([
        this.#ended.then(() => true),
        once(this.#reader, "line").then(() => false),
      ]);
      if (ended && this.#lines.length < count) throw new Error(`it ended: ${this.#errors}`);
    }
  }

  /** Sends a line. */
  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Kills it and waits until it is gone and all it printed was read. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Waits until it ends. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  /** The signal that ended it, if one did. */
  get signal(): NodeJS.Signals | null {
    return this.#child.signalCode;
  }

  /** Whether it still runs. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }
}
