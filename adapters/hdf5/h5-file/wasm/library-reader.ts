/**
 * libhdf5 in a thread of its own, for what this reader does not do itself: virtual datasets, and filters
 * that are not known here.
 *
 * The thread starts with the first request, and serves one file. Where libhdf5 aborts, the thread ends,
 * the requests that wait fail, and the next one starts another thread.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import { DaosError } from "../../../../core/index.js";
import type { Box } from "../../description.js";
import type { ReadAnswer, ReadRequest } from "./messages.js";

/** Longest that one request may take, in milliseconds: damaged chunks can keep libhdf5 busy without end. */
const REQUEST_MS_MAX = 120_000;
/** Messages of libhdf5 that an error repeats: the last ones are the cause. */
const CAUSES_MAX = 3;

/** What is read. */
export interface LibraryRequest {
  /** Path of the dataset in the file. */
  readonly path: string;
  readonly box: Box;
  /** Bytes of its elements. */
  readonly size: number;
  readonly what: string;
}

interface Waiting {
  readonly what: string;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: DaosError) => void;
  readonly late: NodeJS.Timeout;
}

/** Reads elements of one file by libhdf5. */
export class LibraryReader {
  readonly #file: string;
  #worker: Worker | undefined;
  #number = 0;
  readonly #waiting = new Map<number, Waiting>();

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Reads a box; numbers are little-endian, whatever their type says.
   *
   * @throws `DaosError` with libhdf5's reason: `DER_NOSYS` for a filter that it lacks, else `DER_DF_INVAL`.
   */
  read({ path, box, size, what }: LibraryRequest): Promise<Uint8Array> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const number = this.#number++;
    const request: ReadRequest = { number, path, ...box, size };
    const { promise, resolve, reject } = withResolvers<Uint8Array>();
    const late = setTimeout(() => {
      this.#fail(worker, `libhdf5 was not done within ${REQUEST_MS_MAX / 1000} s`);
      void worker.terminate();
    }, REQUEST_MS_MAX);
    this.#waiting.set(number, { what, resolve, reject, late });
    worker.ref();
    worker.postMessage(request);
    return promise;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: this.#file,
      stdout: true,
      stderr: true,
    });
    // What the thread prints is of no use to anybody: reasons come with the errors.
    worker.stderr.resume();
    worker.stdout.resume();
    worker.on("message", (answer: ReadAnswer) => this.#answer(worker, answer));
    worker.on("error", (error: Error) => this.#fail(worker, error.message));
    worker.on("exit", () => this.#fail(worker, "libhdf5 ended"));
    worker.unref();
    return worker;
  }

  #answer(worker: Worker, answer: ReadAnswer): void {
    const waiting = this.#waiting.get(answer.number);
    this.#waiting.delete(answer.number);
    clearTimeout(waiting?.late);
    // The thread must not keep the process alive while nobody waits.
    if (this.#waiting.size === 0) worker.unref();
    if ("bytes" in answer) waiting?.resolve(answer.bytes);
    else waiting?.reject(this.#error(waiting.what, answer.why));
  }

  #fail(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { what, reject, late } of waiting) {
      clearTimeout(late);
      reject(this.#error(what, why));
    }
  }

  #error(what: string, why: string): DaosError {
    // Of a stack of messages, those of calls without the places in libhdf5's code.
    const causes = [...why.matchAll(/in H5\w+\(\): (.+)$/gm)]
      .map((match) => match[1] ?? "")
      .filter((cause) => !cause.includes("plugin"));
    const text = {
      what: `Reading ${what}`,
      why: causes.length === 0 ? why : `libhdf5: ${causes.slice(-CAUSES_MAX).join(": ")}`,
      remedy: "the file is damaged, lacks another file, or has a filter that libhdf5 lacks",
    };
    const isUnknown = causes.some((cause) => /is not (registered|available)/.test(cause));
    return new DaosError(isUnknown ? "DER_NOSYS" : "DER_DF_INVAL", text, { file: this.#file });
  }

  /** Ends the thread. Later calls do nothing. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#fail(worker, "the file was closed");
    await worker.terminate();
  }
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: DaosError) => void = () => undefined;
  const promise = new Promise<T>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
