/**
 * Request: an operation that goes on after its call has returned.
 *
 * Waiting blocks the thread (`wait`), asks once (`test`), or polls from the event loop (`promise`).
 * Each completes the request at most once; afterwards its status is kept, and asking again is free.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import { emptyStatus, type Status } from "./status.js";

/** Turns of the event loop on which a promise asks again at once, before it starts to sleep. */
const EAGER_POLL_COUNT_MAX = 64;
/** Longest sleep between two polls of a promise, in milliseconds. */
const POLL_INTERVAL_MS_MAX = 16;

/** A request that has completed, among others. */
export interface Completed {
  /** Which of the requests. */
  readonly index: number;
  /** What it received. */
  readonly status: Status;
}

/** A nonblocking operation. Keeps its buffer alive until the operation has completed. */
export abstract class Request {
  #status: Status | undefined;
  #failure: unknown;
  #done = false;
  #told: ((error: unknown) => void) | undefined;

  /** Waits in the library; the event loop stands still. */
  protected abstract waitForCompletion(): Status;
  /** Asks the library once; undefined if the operation is still going on. */
  protected abstract testForCompletion(): Status | undefined;
  /** Asks the library to cancel the operation. */
  protected abstract cancelOperation(): void;

  /** The operation begins: there is nothing known of it. */
  protected begin(): void {
    this.#status = undefined;
    this.#failure = undefined;
    this.#done = false;
  }

  /** No operation is going on; waiting returns this status. */
  protected rest(status: Status): void {
    this.#status = status;
    this.#done = true;
  }

  /** Says who is told when an operation has failed, before that is thrown. @internal */
  onFailure(told: (error: unknown) => void): void {
    this.#told = told;
  }

  /** Whether the operation is known to have ended: by wait, test or promise. */
  get isComplete(): boolean {
    return this.#done;
  }

  /**
   * Blocks until the operation has completed.
   *
   * @returns Of a receive: source, tag and length of the message.
   * @throws {@link MpiError} If the operation failed, such as `MPI_ERR_TRUNCATE`; the request has then
   *   ended and throws the same error again.
   * @mpi MPI_Wait
   */
  wait(): Status {
    return this.#finish(() => this.waitForCompletion()) as Status;
  }

  /**
   * Asks whether the operation has completed; never blocks.
   *
   * @returns Its status, or undefined if it is still going on.
   * @throws {@link MpiError} If the operation failed.
   * @mpi MPI_Test
   */
  test(): Status | undefined {
    return this.#finish(() => this.testForCompletion());
  }

  /**
   * Asks for the operation to be given up, if that is still possible. It has to be waited for all the same;
   * its status then says whether it was cancelled.
   *
   * @throws {@link MpiError} If the library cannot cancel it: in most cases, receives can be and sends cannot.
   * @mpi MPI_Cancel
   */
  cancel(): void {
    if (!this.#done) this.cancelOperation();
  }

  /**
   * Completes from the event loop, which stays free: polls on the next turns of the loop, then with
   * sleeps that double from 1 ms to 16 ms, so that waiting costs next to no processor time.
   *
   * @param options `signal`: ends the wait, not the operation.
   * @throws {@link MpiError} If the operation failed.
   */
  async promise({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Status> {
    let sleepMs = 1;
    for (let polls = 0; ; polls += 1) {
      signal?.throwIfAborted();
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
   * @mpi MPI_Waitall
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

  /**
   * Asks whether all operations have completed; never blocks.
   *
   * @returns Their statuses, in order; undefined if one is still going on.
   * @throws {@link MpiError} The first failure, once all have completed.
   * @mpi MPI_Testall
   */
  static testAll(requests: readonly Request[]): Status[] | undefined {
    for (const request of requests) {
      try {
        if (request.test() === undefined) return undefined;
      } catch {
        // Told below, when all have completed.
      }
    }
    return Request.waitAll(requests);
  }

  /**
   * Asks for one that has completed; never blocks. Requests that were known to be complete do not count.
   *
   * @returns Undefined if none has.
   * @throws {@link MpiError} If that operation failed.
   * @mpi MPI_Testany
   */
  static testAny(requests: readonly Request[]): Completed | undefined {
    for (const [index, request] of requests.entries()) {
      if (request.isComplete) continue;
      const status = request.test();
      if (status !== undefined) return { index, status };
    }
    return undefined;
  }

  /**
   * Blocks until one has completed. Requests that were known to be complete do not count.
   *
   * @returns Undefined if none was going on.
   * @throws {@link MpiError} If that operation failed.
   * @mpi MPI_Waitany
   */
  static waitAny(requests: readonly Request[]): Completed | undefined {
    const active = requests.filter((request) => !request.isComplete);
    const [first] = active;
    if (first === undefined) return undefined;
    const place = first.waitForAny(active);
    const request = active[place] as Request;
    return { index: requests.indexOf(request), status: request.wait() };
  }

  /** Blocks until one has completed, and returns all that have then. @mpi MPI_Waitsome */
  static waitSome(requests: readonly Request[]): Completed[] {
    const first = Request.waitAny(requests);
    return first === undefined ? [] : [first, ...Request.testSome(requests)];
  }

  /** All that have completed and were not known to be; never blocks. @mpi MPI_Testsome */
  static testSome(requests: readonly Request[]): Completed[] {
    const found: Completed[] = [];
    for (let next = Request.testAny(requests); next; next = Request.testAny(requests)) {
      found.push(next);
    }
    return found;
  }

  /**
   * Waits until one of several requests, which all go on, can be completed without waiting; its index.
   */
  protected waitForAny(requests: readonly Request[]): number {
    for (;;) {
      for (const [index, request] of requests.entries()) {
        try {
          if (request.test() !== undefined) return index;
        } catch {
          return index;
        }
      }
    }
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
      this.#told?.(error);
      throw error;
    }
    this.#done = this.#status !== undefined;
    return this.#status;
  }
}

/**
 * An operation that is prepared once and started many times, with the same buffer. Between two starts it is
 * complete.
 */
export abstract class PersistentRequest extends Request {
  #isFreed = false;

  constructor() {
    super();
    this.rest(emptyStatus());
  }

  protected abstract startOperation(): void;
  protected abstract freeOperation(): void;

  /**
   * Starts the operation.
   *
   * @throws {@link MpiError} `MPI_ERR_REQUEST` if it is still going on, or was freed.
   * @mpi MPI_Start
   */
  start(): void {
    this.#requireIdle("MPI_Start");
    this.startOperation();
    this.begin();
  }

  /** Starts several. @mpi MPI_Startall */
  static startAll(requests: readonly PersistentRequest[]): void {
    for (const request of requests) request.#requireIdle("MPI_Startall");
    for (const request of requests) request.start();
  }

  /**
   * Gives the request back; it cannot be started again.
   *
   * @throws {@link MpiError} `MPI_ERR_REQUEST` while it is going on.
   * @mpi MPI_Request_free
   */
  free(): void {
    this.#requireIdle("MPI_Request_free");
    this.#isFreed = true;
    this.freeOperation();
  }

  #requireIdle(call: string): void {
    const why = this.#isFreed
      ? "the request has been freed"
      : this.isComplete
        ? undefined
        : "the operation is still going on";
    if (why === undefined) return;
    throw new MpiError({
      code: "MPI_ERR_REQUEST",
      call,
      why,
      remedy: "Wait for it, then start it",
    });
  }
}
