/**
 * Reads Parquet files, in a thread each; see parquet-thread.ts.
 *
 * @module
 */

import fs from "node:fs";
import { Worker } from "node:worker_threads";
import { malformed } from "../errors.js";
import { readIpc } from "../ipc/decoder.js";
import type { BatchStream } from "../ipc/types.js";
import type { Advance } from "./local-bytes.js";
import type { ParquetAnswer } from "./parquet-thread.js";

/** A file that a thread decodes. */
class ParquetReader {
  readonly #what: string;
  readonly #advance: Advance;
  readonly #worker: Worker;
  #waiting: { resolve(answer: ParquetAnswer): void; reject(error: unknown): void } | undefined;

  constructor(path: string, what: string, advance: Advance) {
    this.#what = what;
    this.#advance = advance;
    const script = new URL("./parquet-thread.js", import.meta.url);
    // What it prints of a panic is told as an error.
    this.#worker = new Worker(script, { workerData: { path }, execArgv: [], stderr: true });
    this.#worker.on("message", (answer: ParquetAnswer) => this.#waiting?.resolve(answer));
    this.#worker.on("error", (error) => this.#waiting?.reject(this.#failure(error)));
    this.#worker.on("exit", () => this.#waiting?.reject(this.#failure(undefined)));
  }

  /** A failure of the thread as a `DaosError`; those of the system stay as they are. */
  #failure(error: unknown): unknown {
    if ((error as NodeJS.ErrnoException | undefined)?.syscall !== undefined) return error;
    const { name, message } = (error ?? { name: "RuntimeError", message: "" }) as Error;
    const isPanic = name === "RuntimeError" || error === undefined;
    const why = isPanic ? "its decoder gave up" : (message ?? String(error)).split("\n")[0];
    return malformed(this.#what, why as string);
  }

  /** What the thread says next; with `asks`, to being asked for batches. */
  async answer(asks: boolean): Promise<ParquetAnswer> {
    // The thread must not keep the process alive while nobody waits: a stream need not be read to its end.
    this.#worker.ref();
    try {
      const answer = await new Promise<ParquetAnswer>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        if (asks) this.#worker.postMessage(undefined);
      });
      this.#advance(answer.read);
      return answer;
    } finally {
      this.#waiting = undefined;
      this.#worker.unref();
    }
  }

  async *batches() {
    for (;;) {
      const { batches } = await this.answer(true);
      if (batches === undefined) return;
      yield* await readIpc([batches], this.#what);
    }
  }

  async end(): Promise<void> {
    this.#waiting = undefined;
    await this.#worker.terminate();
  }
}

/**
 * Reads a Parquet file.
 *
 * @throws `DaosError` `DER_INVAL` if it is none, or damaged; `DER_NOSYS` for types that are not read here; the error of
 *   the system call if there is no such file.
 */
export async function openParquet(path: string, advance: Advance): Promise<BatchStream> {
  const what = `Reading ${path}`;
  // Said here: the error of another thread would lack its stack.
  fs.accessSync(path, fs.constants.R_OK);
  const reader = new ParquetReader(path, what, advance);
  try {
    const { schema: bytes } = await reader.answer(false);
    const { schema } = await readIpc([bytes as Uint8Array], what);
    const batches = (async function* () {
      try {
        yield* reader.batches();
      } finally {
        await reader.end();
      }
    })();
    return { schema, [Symbol.asyncIterator]: () => batches };
  } catch (error) {
    await reader.end();
    throw error;
  }
}
