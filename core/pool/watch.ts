/**
 * Watching a container: its commits, by whatever process, as they come.
 *
 *     ring of the bell ─▶ look ─▶ (nothing: look again after 2 ms) ─▶ wait
 *     no ring          ─▶ look after 1 s, 2 s, 4 s, 8 s, 8 s ...
 *
 * Where the system tells of nothing (its inotify watches are used up), the pauses are 5 ms to 1 s. A
 * look costs two reads of the index. What is found is decided by the index alone, so that a lost ring
 * costs time and never a commit.
 *
 * @module
 */

import { DaosError, isDaosError } from "../errors.js";
import {
  WATCH_BATCH_COUNT,
  WATCH_IDLE_MS_MAX,
  WATCH_IDLE_MS_MIN,
  WATCH_LOOK_MS_MIN,
  WATCH_POLL_MS_MAX,
  WATCH_POLL_MS_MIN,
} from "../limits.js";
import type { CommitBell } from "../vos/commit-bell.js";
import type { CommitBatch } from "../vos/commit-feed.js";
import type { CommitRecord } from "../vos/containers.js";
import type { Epoch } from "../vos/epoch.js";

/** How a container is watched. */
export interface WatchOptions {
  /** Commits after this epoch are wanted; by default, those after the newest one now. */
  readonly from?: Epoch;
  /** Ends the watch when it is aborted. */
  readonly signal?: AbortSignal;
}

/** A commit, as a watch tells of it. */
export interface WatchedCommit extends CommitRecord {
  /**
   * Whether commits between the one before and this one were aggregated before the watch came to them.
   * This one shows what they left.
   */
  readonly skipped: boolean;
}

/** What a watch needs of its pool. */
export interface CommitSource {
  readonly bell: CommitBell;
  /** The commits after an epoch. */
  next(options: { after: Epoch; limit: number }): CommitBatch;
}

const DONE = { done: true, value: undefined } as const;

/** The commits of a container, in order, each once, as an endless async iterator. */
export class CommitWatch implements AsyncIterableIterator<WatchedCommit> {
  readonly #source: CommitSource;
  readonly #signal: AbortSignal | undefined;
  readonly #unlisten: () => void;
  readonly #found: WatchedCommit[] = [];
  #after: Epoch;
  #looks = 0;
  #isOpen = true;
  /** Whether somebody waits for the next look; called to make it happen. */
  #wake: (() => void) | undefined;
  #hasRung = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Calls of `next` come one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param after Commits behind this epoch are told of. */
  constructor(source: CommitSource, after: Epoch, signal?: AbortSignal) {
    this.#source = source;
    this.#after = after;
    this.#signal = signal;
    const ring = () => {
      this.#hasRung = true;
      this.#wake?.();
    };
    this.#unlisten = source.bell.listen({ ring, close: () => this.close() });
    if (signal?.aborted) this.close();
    else signal?.addEventListener("abort", this.#abort);
  }

  readonly #abort = () => this.close();

  /** The watch itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Times that the index was looked at: what an idle watch costs. */
  get looks(): number {
    return this.#looks;
  }

  /**
   * The next commit; waits until there is one. Keeps the process alive meanwhile.
   *
   * @returns Done when the watch was closed, aborted, or its pool was closed.
   * @throws {@link DaosError} `DER_NONEXIST` if the container was destroyed; the watch is closed then.
   */
  next(): Promise<IteratorResult<WatchedCommit, undefined>> {
    const result = this.#last.then(() => this.#next());
    this.#last = result.catch(() => {});
    return result;
  }

  async #next(): Promise<IteratorResult<WatchedCommit, undefined>> {
    let idleMs = 0;
    while (this.#isOpen) {
      if (this.#found.length === 0) this.#look();
      const value = this.#found.shift();
      if (value !== undefined) return { done: false, value };
      if (this.#isOpen) idleMs = await this.#wait(idleMs);
    }
    return DONE;
  }

  #look(): void {
    this.#hasRung = false;
    this.#looks += 1;
    this.#lookedAt = performance.now();
    try {
      const batch = this.#source.next({ after: this.#after, limit: WATCH_BATCH_COUNT });
      for (const [index, commit] of batch.commits.entries()) {
        this.#found.push({ ...commit, skipped: batch.skipped && index === 0 });
        this.#after = commit.epoch;
      }
    } catch (error) {
      this.close();
      if (!isDaosError(error, "DER_NO_HDL")) throw error;
    }
  }

  /** Waits until it is time to look. @returns The pause that went by without a ring; 0 after one. */
  async #wait(idleMs: number): Promise<number> {
    const { isLive } = this.#source.bell;
    const [least, most] = isLive
      ? [WATCH_IDLE_MS_MIN, WATCH_IDLE_MS_MAX]
      : [WATCH_POLL_MS_MIN, WATCH_POLL_MS_MAX];
    const pauseMs = Math.min(most, Math.max(least, idleMs * 2));
    if (!this.#hasRung && !(await this.#sleep(pauseMs, true))) return pauseMs;
    // The transaction that rang may become visible a moment later, and rings come in bursts.
    const early = this.#lookedAt + WATCH_LOOK_MS_MIN - performance.now();
    if (early > 0) await this.#sleep(early, false);
    if (!this.#isOpen) return 0;
    this.#look();
    if (this.#found.length === 0) await this.#sleep(WATCH_LOOK_MS_MIN, false);
    return 0;
  }

  /** Sleeps; until a ring if `untilRing`. @returns Whether there was one. */
  #sleep(milliseconds: number, untilRing: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (rung: boolean) => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(rung);
      };
      const timer = setTimeout(() => end(false), milliseconds);
      this.#wake = () => {
        if (untilRing || !this.#isOpen) end(true);
      };
    });
  }

  /** Ends the watch: who waits for the next commit is told that there is none. Later calls do nothing. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#found.length = 0;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#unlisten();
    this.#wake?.();
  }

  /** Ends the watch when a loop over it is left. */
  return(): Promise<IteratorResult<WatchedCommit, undefined>> {
    this.close();
    return Promise.resolve(DONE);
  }

  /** Ends the watch at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

/** How long a commit is waited for. */
export interface WaitOptions {
  /** Gives up when it is aborted. */
  readonly signal?: AbortSignal;
  /** Gives up after so many milliseconds; waits for ever by default. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** @throws {@link DaosError} `DER_INVAL` for a negative epoch. */
export function checkEpoch(what: string, epoch: Epoch): void {
  if (epoch >= 0n) return;
  const text = { what, why: `${epoch} is no epoch`, remedy: "give the epoch of a commit" };
  throw new DaosError("DER_INVAL", text, { epoch });
}

function checkTimeout(what: string, timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (timeoutMs >= 0 && timeoutMs <= TIMEOUT_MS_MAX)) return;
  const remedy = `give milliseconds, at most ${TIMEOUT_MS_MAX}`;
  const text = { what, why: `timeoutMs is ${timeoutMs}`, remedy };
  throw new DaosError("DER_INVAL", text, { timeoutMs });
}

/** Waits for the first commit at or after an epoch; see `Container.waitFor`. */
export async function waitForCommit(
  source: CommitSource,
  epoch: Epoch,
  { signal, timeoutMs }: WaitOptions,
): Promise<CommitRecord> {
  const what = `Waiting for a commit at or after epoch ${epoch}`;
  checkEpoch(what, epoch);
  checkTimeout(what, timeoutMs);
  signal?.throwIfAborted();
  const watch = new CommitWatch(source, epoch - 1n, signal);
  let isLate = false;
  const expire = () => {
    isLate = true;
    watch.close();
  };
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  try {
    const { value } = await watch.next();
    if (value !== undefined) {
      const { skipped: _skipped, ...commit } = value;
      return commit;
    }
  } finally {
    clearTimeout(timer);
    watch.close();
  }
  signal?.throwIfAborted();
  if (isLate) {
    const why = `there was none in ${timeoutMs} ms`;
    const remedy = "wait longer, or see whether the writer still runs";
    throw new DaosError("DER_TIMEDOUT", { what, why, remedy }, { epoch });
  }
  const remedy = "connect to the pool again";
  throw new DaosError("DER_NO_HDL", { what, why: "the pool was closed", remedy });
}
