/**
 * Has crash images examined by a process of its own, and a new one when an image ends it.
 *
 * @module
 */

import { setTimeout } from "node:timers/promises";
import { Program } from "./program.ts";
import type { Shown } from "./recorded-scenario.ts";

/** An image that takes longer has made the process hang. */
const EXAMINATION_MS_MAX = 20_000;

const nothing = {
  head: "0",
  commits: [],
  snapshots: {},
  readings: {},
  oid: "",
  wrong: [],
  after: { reading: { arrays: [], values: {} }, snapshots: {} },
};

/** The process that examines, while there is one. */
export class ImageExaminer {
  #program: Program | undefined;
  #answers = 0;

  /** What the pool at `path` shows. */
  async examine(path: string): Promise<Shown> {
    if (this.#program === undefined) {
      this.#program = new Program("examine-images", []);
      this.#answers = 0;
    }
    const program = this.#program;
    program.send(path);
    const timeout = new AbortController();
    const late = setTimeout(EXAMINATION_MS_MAX, "late" as const, { signal: timeout.signal });
    // Without an answer the race is over when the timer is cancelled.
    late.catch(() => {});
    try {
      const answer = await Promise.race([program.printed(this.#answers + 1), late]);
      if (answer === "late") throw new Error("it hung");
      this.#answers += 1;
      return JSON.parse(program.lines[this.#answers - 1] as string) as Shown;
    } catch (error) {
      await this.close();
      return { ...nothing, error: "the process ended", message: `${error}` };
    } finally {
      timeout.abort();
    }
  }

  /** Ends the process. */
  async close(): Promise<void> {
    await this.#program?.kill();
    this.#program = undefined;
  }
}
