/**
 * A process that runs SQL, as the server sees it: one statement at a time, within a time; then the next, or its end.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { DaosError } from "../../../core/index.js";
import { SQL_HEAP_MIB_MAX, SQL_START_MS_MAX } from "../limits.js";
import {
  type Answer,
  decodeFrame,
  encodeFrame,
  FRAME_PREFIX_SIZE,
  type Frame,
  frameSizes,
  type Request,
} from "./frames.js";

const PROGRAM = fileURLToPath(new URL("./worker.js", import.meta.url));
const WHAT = "Running a SQL statement";

function ended(): DaosError {
  const why = "the process that ran it ended: most likely it took too much memory";
  return new DaosError("DER_NOSPACE", { what: WHAT, why, remedy: "ask for less at once" });
}

function missing(): DaosError {
  return new DaosError("DER_SETUP", {
    what: WHAT,
    why: "the package @duckdb/node-api is not installed",
    remedy:
      "run npm install @duckdb/node-api@1.5.6-r.1 beside daos-ts; everything else works without it",
  });
}

function tooLong(limitMs: number): DaosError {
  const why = `it ran for more than ${limitMs / 1000} s`;
  return new DaosError("DER_TIMEDOUT", { what: WHAT, why, remedy: "ask for less at once" });
}

/** One process. */
export class SqlProcess {
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  #isOver = false;
  #isBusy = false;
  #wake: (() => void) | undefined;
  /** How long the statement may still be worked on, in milliseconds. */
  #leftMs = Number.POSITIVE_INFINITY;
  #limitMs = 0;

  private constructor() {
    this.#child = spawn(
      process.execPath,
      [`--max-old-space-size=${SQL_HEAP_MIB_MAX}`, "--no-warnings", PROGRAM],
      { cwd: "/", env: {}, stdio: ["ignore", "ignore", "ignore", "pipe"] },
    );
    this.#socket = this.#child.stdio[3] as Socket;
    this.#socket.on("error", () => undefined);
    // One listener for good: each new one is called at once for bytes that are there already.
    this.#socket.on("readable", () => this.#wake?.());
    const over = () => {
      this.#isOver = true;
      this.#wake?.();
    };
    this.#child.on("exit", over);
    this.#child.on("error", over);
    this.#socket.on("close", over);
    // A server that ends need not wait for it: the process ends when its socket does.
    this.#child.unref();
    this.#socket.unref();
  }

  /**
   * Starts a process: how long that takes is no matter of the statement that waits for it.
   *
   * @throws `DaosError` `DER_SETUP` if DuckDB is not installed.
   */
  static async start(): Promise<SqlProcess> {
    const made = new SqlProcess();
    made.begin(SQL_START_MS_MAX);
    const { head } = await made.receive();
    if (head.kind !== "failed") return made;
    made.end();
    throw missing();
  }

  /** Whether it can run another statement: it lives, and has ended the last one. */
  get isFree(): boolean {
    return !this.#isOver && !this.#isBusy;
  }

  /** A statement begins, which may be worked on for so long. */
  begin(limitMs: number): void {
    this.#leftMs = limitMs;
    this.#limitMs = limitMs;
  }

  /** Tells it something. */
  send(head: Request, payload: readonly Uint8Array[] = []): void {
    if (head.kind !== "batch") this.#isBusy = true;
    this.#socket.cork();
    for (const piece of encodeFrame(head, payload)) this.#socket.write(piece);
    this.#socket.uncork();
  }

  /** Waits for so many bytes, as long as the statement may run. */
  async #read(size: number): Promise<Buffer> {
    if (size === 0) return Buffer.alloc(0);
    const deadline = performance.now() + this.#leftMs;
    const started = performance.now();
    this.#socket.ref();
    try {
      for (;;) {
        const bytes: Buffer | null = this.#socket.read(size);
        if (bytes !== null && bytes.length === size) return bytes;
        if (this.#isOver) throw ended();
        await this.#readable(Math.max(0, deadline - performance.now()));
      }
    } finally {
      this.#leftMs -= performance.now() - started;
      this.#socket.unref();
    }
  }

  #readable(limitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer);
        this.#wake = undefined;
        end();
      };
      const late = () => {
        this.end();
        settle(() => reject(tooLong(this.#limitMs)));
      };
      const timer = Number.isFinite(limitMs) ? setTimeout(late, limitMs) : undefined;
      this.#wake = () => settle(resolve);
    });
  }

  /**
   * The next thing that it says.
   *
   * @throws `DaosError` `DER_TIMEDOUT` if the statement ran for too long, `DER_NOSPACE` if the process ended.
   */
  async receive(): Promise<Frame<Answer>> {
    const sizes = frameSizes(await this.#read(FRAME_PREFIX_SIZE));
    if (sizes === undefined) {
      this.end();
      throw ended();
    }
    const head = await this.#read(sizes.head);
    const frame = decodeFrame<Answer>(head, await this.#read(sizes.payload));
    if (["parsed", "done", "failed"].includes(frame.head.kind)) this.#isBusy = false;
    return frame;
  }

  /** Ends it, whatever it does. */
  end(): void {
    this.#isOver = true;
    this.#child.kill("SIGKILL");
    this.#socket.destroy();
  }
}
