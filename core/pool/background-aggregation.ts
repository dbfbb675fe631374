/**
 * Aggregation in the background: a pass now and then, a short step at a time.
 *
 *     timer ─▶ step ─▶ pause in proportion ─▶ step ─▶ ... ─▶ end of the pass ─▶ interval ─▶ next pass
 *
 * Steps run on the event loop, since the index and the log are used synchronously; a pause after each keeps
 * their share of the time. Errors go to a handler and end the pass; the next one tries again.
 *
 * @module
 */

import { DaosError, isDaosError } from "../errors.js";
import {
  AGGREGATION_INTERVAL_MS_DEFAULT,
  AGGREGATION_INTERVAL_MS_MAX,
  AGGREGATION_SHARE_DEFAULT,
} from "../limits.js";
import type { AggregationOptions, AggregationReport } from "../vos/aggregation.js";

/** How a container is aggregated in the background. */
export interface BackgroundOptions extends AggregationOptions {
  /** Pause between two passes, in milliseconds; 1,000 by default. */
  readonly intervalMs?: number;
  /** Largest share of the process's time within a pass, above 0 and at most 1; 0.1 by default. */
  readonly share?: number;
  /** Learns what each step has done. */
  readonly onProgress?: (report: AggregationReport) => void;
  /**
   * Learns why a pass failed; by default, a warning of the process. What it throws itself is not caught.
   */
  readonly onError?: (error: unknown) => void;
}

type Pass = Generator<AggregationReport, void, undefined>;
type Timing = Omit<BackgroundOptions, keyof AggregationOptions>;

function checkTiming({ intervalMs, share }: { intervalMs: number; share: number }): void {
  const what = "Starting aggregation in the background";
  if (!(intervalMs >= 0 && intervalMs <= AGGREGATION_INTERVAL_MS_MAX)) {
    const remedy = `give milliseconds, at most ${AGGREGATION_INTERVAL_MS_MAX}`;
    throw new DaosError("DER_INVAL", { what, why: `intervalMs is ${intervalMs}`, remedy });
  }
  if (!(share > 0 && share <= 1)) {
    const remedy = "give a share of the time, above 0 and at most 1";
    throw new DaosError("DER_INVAL", { what, why: `share is ${share}`, remedy });
  }
}

/** A pass that does nothing. */
export function* emptyPass(): Pass {}

/** Aggregation that runs in the background until it is stopped or its pool is closed. */
export class BackgroundAggregation {
  readonly #beginPass: () => Pass;
  readonly #intervalMs: number;
  readonly #share: number;
  readonly #onProgress: (report: AggregationReport) => void;
  readonly #onError: (error: unknown) => void;
  #pass: Pass | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isRunning = true;

  /**
   * @param beginPass Begins a pass. A `DER_NO_HDL` error of it means that the pool was closed.
   * @throws {@link DaosError} `DER_INVAL` for a bad option.
   */
  constructor(beginPass: () => Pass, options: Timing) {
    const { intervalMs = AGGREGATION_INTERVAL_MS_DEFAULT, share = AGGREGATION_SHARE_DEFAULT } =
      options;
    checkTiming({ intervalMs, share });
    this.#beginPass = beginPass;
    this.#intervalMs = intervalMs;
    this.#share = share;
    this.#onProgress = options.onProgress ?? (() => {});
    this.#onError = options.onError ?? ((error) => process.emitWarning(error as Error));
    this.#wait(0);
  }

  /** Whether it was neither stopped nor ended by the closing of its pool. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  #wait(milliseconds: number): void {
    if (!this.#isRunning) return;
    const delay = Math.min(milliseconds, AGGREGATION_INTERVAL_MS_MAX);
    this.#timer = setTimeout(() => this.#step(), delay);
    // It must not keep a process alive that has nothing else to do.
    this.#timer.unref();
  }

  #step(): void {
    const begun = performance.now();
    let report: AggregationReport | undefined;
    let failure: { error: unknown } | undefined;
    try {
      this.#pass ??= this.#beginPass();
      const result = this.#pass.next();
      if (result.done === true) this.#pass = undefined;
      else report = result.value;
    } catch (error) {
      this.#pass = undefined;
      failure = { error };
    }
    const tookMs = performance.now() - begun;
    // The next step is sure before anybody hears of this one: a handler may throw.
    const pauseMs = tookMs * (1 / this.#share - 1);
    if (failure !== undefined && isDaosError(failure.error, "DER_NO_HDL")) this.stop();
    else this.#wait(this.#pass === undefined ? Math.max(this.#intervalMs, pauseMs) : pauseMs);
    if (failure !== undefined && this.#isRunning) this.#onError(failure.error);
    if (report !== undefined) this.#onProgress(report);
  }

  /** Stops it; what was begun of a pass stays done. Later calls do nothing. */
  stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    const pass = this.#pass;
    this.#pass = undefined;
    pass?.return();
  }

  /** Stops it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.stop();
  }
}
