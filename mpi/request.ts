/**
 * Request: a message on its way.
 *
 * Waiting blocks the thread (`wait`), asks once (`test`), or polls from the event loop (`promise`).
 * Each completes the request at most once; afterwards its status is kept, and asking again is free.
 *
 * @module
 */

import type { Status } from "./status.js";

/** Turns of the event loop on which a promise asks again at once, before it starts to sleep. */
const EAGER_POLL_COUNT_MAX = 64;
/** Longest sleep between two polls of a promise, in milliseconds. */
const POLL_INTERVAL_MS_MAX = 16;

/** A nonblocking operation. Keeps its buffer alive until the operation has completed. */
export abstract class Request {
  #status: Status | undefined;
  #failure: unknown;
  #done = false;

  /** Waits in the library; the event loop stands still. */
  protected abstract waitForCompletion(): Status;
  /** Asks the library once; undefined if the operation is still going on. */
  protected abstract testForCompletion(): Status | undefined;

  /**
   * Blocks until the operation has completed.
   *
   * @returns Of a receive: source, tag and length of the message.
   * @throws {@link MpiError} If the operation failed, such as `MPI_ERR_TRUNCATE`; the request has then
   *   ended and throws the same error again.
   */
  wait(): Status {
    return this.#finish(() => this.waitForCompletion()) as Status;
  }

  /**
   * Asks whether the operation has completed; never blocks.
   *
   * @returns Its status, or undefined if it is still going on.
   * @throws {@link MpiError} If the operation failed.
   */
  test(): Status | undefined {
    return this.#finish(() => this.testForCompletion());
  }

  /**
   * Completes from the event loop, which stays free: polls on the next turns of the loop, then with
   * sleeps that double from 1 ms to 16 ms, so that waiting costs next to no processor time.
   *
   * @throws {@link MpiError} If the operation failed.
   */
  async promise(): Promise<Status> {
    let sleepMs = 1;
    for (let polls = 0; ; polls += 1) {
      const status = this.test();
      if (status !== undefined) return status;
      if (polls < EAGER_POLL_COUNT_MAX) {
        await new Promise((resolve) => setImmediate(resolve));
      } else {
        const interval = sleepMs;
        await new Promise((resolve) => setTimeout(resolve, interval));
        sleepMs = Math.min(sleepMs * 2, POLL_INTERVAL_MS_MAX);
      }
    }
  }

  /**
   * Blocks until all operations have completed, also if some fail.
   *
   * @returns Their statuses, in order.
   * @throws {@link MpiError} The first failure, after all have completed.
   */
  static waitAll(requests: readonly Request[]): Status[] {
    const statuses: Status[] = [];
    const failures: unknown[] = [];
    for (const request of requests) {
      try {
        statuses.push(request.wait());
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return statuses;
  }

  #finish(complete: () => Status | undefined): Status | undefined {
    if (this.#done) {
      if (this.#failure !== undefined) throw this.#failure;
      return this.#status;
    }
    try {
      this.#status = complete();
    } catch (error) {
      this.#failure = error;
      this.#done = true;
      throw error;
    }
    this.#done = this.#status !== undefined;
    return this.#status;
  }
}
