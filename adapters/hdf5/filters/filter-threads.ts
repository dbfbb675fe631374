/**
 * Threads that filter chunks side by side. They start when there is much to do, are shared by all files of
 * the process, and end when there was nothing to do for a while. They do not keep the process alive but while
 * somebody waits for a chunk.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import { types } from "node:util";
import { Worker } from "node:worker_threads";
import { DaosError } from "../../../core/errors.js";
import type { FilteredChunk, Pipeline } from "./filter.js";
import type { FilterAnswer, FilterRequest } from "./thread-messages.js";

const THREADS_MAX = 8;
/** Chunks that a thread has at once: while it works on one, the next one is there. */
const REQUESTS_MAX = 2;
/** How long threads without work stay, in milliseconds. */
const IDLE_MS_MAX = 5000;

/** Chunks that a thread is at. */
interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

interface Waiting {
  readonly dataset: string;
  readonly resolve: (chunk: FilteredChunk) => void;
  readonly reject: (error: DaosError) => void;
}

type Work = Omit<FilterRequest, "number">;

/** Threads that start as they are needed. */
class FilterThreads {
  readonly #threads: Thread[] = [];
  readonly #queue: { readonly work: Work; readonly waiting: Waiting }[] = [];
  #number = 0;
  #idle: NodeJS.Timeout | undefined;

  /** Filters a chunk; its memory is gone then. */
  run(work: Work): Promise<FilteredChunk> {
    clearTimeout(this.#idle);
    return new Promise((resolve, reject) => {
      const { dataset } = work.pipeline;
      this.#queue.push({ work, waiting: { dataset, resolve, reject } });
      this.#dispatch();
    });
  }

  #dispatch(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const thread = this.#freeThread();
      if (thread === undefined) return;
      this.#queue.shift();
      const number = this.#number++;
      thread.waiting.set(number, next.waiting);
      thread.worker.ref();
      const { bytes } = next.work;
      thread.worker.postMessage({ ...next.work, number }, [bytes.buffer as ArrayBuffer]);
    }
  }

  /** One with the least to do, or a new one. */
  #freeThread(): Thread | undefined {
    let free: Thread | undefined;
    for (const thread of this.#threads) {
      if (thread.waiting.size < (free?.waiting.size ?? REQUESTS_MAX)) free = thread;
    }
    const countMax = Math.min(availableParallelism(), THREADS_MAX);
    if (free?.waiting.size === 0 || this.#threads.length >= countMax) return free;
    return this.#start();
  }

  #start(): Thread {
    const worker = new Worker(new URL("./filter-thread.js", import.meta.url), { execArgv: [] });
    const thread: Thread = { worker, waiting: new Map() };
    worker.on("message", (answer: FilterAnswer) => this.#answer(thread, answer));
    worker.on("error", (error: Error) => this.#fail(thread, error.message));
    worker.on("exit", () => this.#fail(thread, "it ended"));
    worker.unref();
    this.#threads.push(thread);
    return thread;
  }

  #answer(thread: Thread, answer: FilterAnswer): void {
    const waiting = thread.waiting.get(answer.number);
    thread.waiting.delete(answer.number);
    if (thread.waiting.size === 0) thread.worker.unref();
    if ("bytes" in answer) waiting?.resolve(answer);
    else waiting?.reject(new DaosError(answer.code, answer.text, answer.facts));
    this.#dispatch();
    if (this.#threads.every(({ waiting: { size } }) => size === 0)) this.#waitIdle();
  }

  #waitIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      for (const { worker } of this.#threads.splice(0)) void worker.terminate();
    }, IDLE_MS_MAX);
    this.#idle.unref();
  }

  #fail(thread: Thread, why: string): void {
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
    const waiting = [...thread.waiting.values()];
    thread.waiting.clear();
    for (const { dataset, reject } of waiting) {
      const text = {
        what: `Filtering a chunk of dataset "${dataset}"`,
        why: `the thread that did it failed: ${why}`,
        remedy: "allow the process more memory and threads, or use smaller chunks",
      };
      reject(new DaosError("DER_MISC", text));
    }
    this.#dispatch();
  }
}

const threads = new FilterThreads();

/** The bytes in memory that can be sent; a copy, unless the caller gives them away. */
function sendable(bytes: Uint8Array, isOwn: boolean): Uint8Array {
  const { buffer } = bytes;
  const isWhole = types.isArrayBuffer(buffer) && bytes.byteLength === buffer.byteLength;
  // `slice` of a Buffer would be a view.
  return isOwn && isWhole ? bytes : Uint8Array.prototype.slice.call(bytes);
}

/** Applies a pipeline in a thread. @param isOwn Whether the chunk's memory may be given away. */
export function encodeInThread(
  chunk: Uint8Array,
  pipeline: Pipeline,
  isOwn: boolean,
): Promise<FilteredChunk> {
  const { dataset, filters, chunkSize } = pipeline;
  return threads.run({
    isEncoding: true,
    pipeline: { dataset, filters, chunkSize },
    bytes: sendable(chunk, isOwn),
    filterMask: 0,
  });
}

/** Undoes a pipeline in a thread. @param isOwn Whether the memory may be given away. */
export async function decodeInThread(
  stored: Uint8Array,
  pipeline: Pipeline,
  { filterMask, isOwn }: { readonly filterMask: number; readonly isOwn: boolean },
): Promise<Uint8Array> {
  const { dataset, filters, chunkSize } = pipeline;
  const { bytes } = await threads.run({
    isEncoding: false,
    pipeline: { dataset, filters, chunkSize },
    bytes: sendable(stored, isOwn),
    filterMask,
  });
  return bytes;
}
