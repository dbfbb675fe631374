/**
 * A progress bar on standard error, with rate and time left; nothing where nobody watches.
 *
 *     copy ███████████░░░░░░░░░ 54% 1.21/2.24 GiB 512 MiB/s 2.1 s left
 *
 * @module
 */

import { type Options, type Params, SingleBar } from "cli-progress";
import type { Output } from "./output.js";
import { hasColours } from "./output.js";
import { humanDuration, humanSize } from "./size.js";

const BAR_WIDTH_MAX = 24;
/** Below this, there is no bar, and only figures. */
const BAR_WIDTH_MIN = 4;
const FRAMES_PER_SECOND = 8;

/** What a bar counts. */
export interface ProgressOptions {
  /** The work's name, in front of the bar. */
  readonly title: string;
  /** How much there is to do. */
  readonly total: number;
  /** Bytes, or a noun in plural. */
  readonly unit: "bytes" | (string & {});
}

/** How far a piece of work is. Close it, or its line stays. */
export class Progress {
  readonly #bar: SingleBar | undefined;
  readonly #started = performance.now();
  #done = 0;
  #total: number;

  constructor(output: Output, { title, total, unit }: ProgressOptions) {
    this.#total = total;
    if (!output.showsProgress) return;
    const format = (_: Options, params: Params) => this.#line(title, unit, params);
    this.#bar = new SingleBar({
      format,
      stream: process.stderr,
      fps: FRAMES_PER_SECOND,
      hideCursor: false,
      clearOnComplete: true,
      // The lines are made to fit: a terminal that was told not to wrap would stay so after a kill.
      linewrap: true,
      // An interrupt ends the program at once: the store needs no farewell.
      gracefulExit: false,
    });
    this.#bar.start(Math.max(1, total), 0);
  }

  /** Counts what was done. */
  advance(count: number): void {
    this.#done += count;
    // What was estimated may turn out to be more.
    if (this.#done > this.#total) this.raise(this.#done);
    this.#bar?.update(this.#done);
  }

  /** Says that there is more to do than was known. */
  raise(total: number): void {
    this.#total = total;
    this.#bar?.setTotal(Math.max(1, total));
  }

  #line(title: string, unit: string, { value, total, progress }: Params): string {
    const elapsed = performance.now() - this.#started;
    const rate = value / Math.max(1, elapsed);
    const left = rate > 0 ? `${humanDuration((total - value) / rate)} left` : "";
    const isBytes = unit === "bytes";
    const amount = isBytes
      ? `${humanSize(value)} of ${humanSize(total)}  ${humanSize(Math.round(rate * 1000))}/s`
      : `${value} of ${total} ${unit}  ${Math.round(rate * 1000)}/s`;
    const after = ` ${Math.floor(progress * 100)}%  ${amount}  ${left}`;
    const columns = (process.stderr.columns || 80) - 1;
    const width = Math.min(BAR_WIDTH_MAX, columns - title.length - 1 - after.length);
    if (width < BAR_WIDTH_MIN) return `${title}${after}`.slice(0, columns);
    const filled = Math.round(progress * width);
    const bar = "█".repeat(filled) + "░".repeat(width - filled);
    return `${title} ${hasColours(process.stderr) ? `\u001b[36m${bar}\u001b[0m` : bar}${after}`;
  }

  /** Takes the bar away. Later calls do nothing. */
  close(): void {
    this.#bar?.stop();
  }

  /** Takes the bar away at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}
