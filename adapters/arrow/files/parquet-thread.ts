/**
 * A thread that decodes one Parquet file, by way of the Arrow implementation in Rust as WebAssembly.
 *
 * That panics over some damaged files: past any handler, and with promises that are never settled. Here it ends this
 * thread only, and whoever started it is told.
 *
 *     starts   { path }                         answers  { schema: IPC stream, read }
 *     message  anything: the next batches       answers  { batches: IPC stream, read }, at the end { read }
 *
 * `read` is the bytes of the file that were read since the last answer.
 *
 * @module
 */

import fs from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { ParquetFile, type RecordBatch } from "parquet-wasm";
import { TEXT_BATCH_ROWS } from "../limits.js";

/** What the thread answers. */
export interface ParquetAnswer {
  /** An IPC stream that has only a schema. */
  readonly schema?: Uint8Array;
  /** An IPC stream of a batch. */
  readonly batches?: Uint8Array;
  /** Bytes of the file that were read since the last answer. */
  readonly read: number;
}

/** Bytes that were read and not told yet. */
let read = 0;

/** What is used of a `Blob`: ranges of a file, read when they are asked for. */
class FileRange {
  readonly #descriptor: number;
  readonly #start: number;
  readonly size: number;

  constructor(descriptor: number, [start, end]: readonly [number, number]) {
    this.#descriptor = descriptor;
    this.#start = start;
    this.size = Math.max(0, end - start);
  }

  slice(start = 0, end = this.size): FileRange {
    const range = [this.#start + start, this.#start + Math.min(end, this.size)] as const;
    return new FileRange(this.#descriptor, range);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const buffer = new ArrayBuffer(this.size);
    fs.readSync(this.#descriptor, new Uint8Array(buffer), 0, this.size, this.#start);
    read += this.size;
    return buffer;
  }
}

function answer(contents: Omit<ParquetAnswer, "read">): void {
  const told: ParquetAnswer = { ...contents, read };
  read = 0;
  const bytes = contents.schema ?? contents.batches;
  parentPort?.postMessage(told, bytes === undefined ? [] : [bytes.buffer as ArrayBuffer]);
}

const { path } = workerData as { path: string };
// Closed with the thread's end: its process has one of them at a time.
const descriptor = fs.openSync(path, "r");
const blob = new FileRange(descriptor, [0, fs.fstatSync(descriptor).size]);
const file = await ParquetFile.fromFile(blob as unknown as Blob);
answer({ schema: file.schema().intoIPCStream() });

const stream = await file.stream({ batchSize: TEXT_BATCH_ROWS, concurrency: 1 });
const batches = (stream as unknown as AsyncIterable<RecordBatch>)[Symbol.asyncIterator]();
parentPort?.on("message", async () => {
  const next = await batches.next();
  if (next.done !== true) {
    answer({ batches: next.value.intoIPCStream() });
    return;
  }
  answer({});
  fs.closeSync(descriptor);
  parentPort?.close();
});
