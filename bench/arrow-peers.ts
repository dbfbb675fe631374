/**
 * What the suite `arrow` measures its cases against.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import {
  type RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  RecordBatchStreamWriter,
} from "apache-arrow";
import type { Contender, Job } from "./arrow-job.js";
import { BATCH_ROWS, batchesOf, expectedSum, sumOf } from "./arrow-table.js";
import { elapsed, fail, touch } from "./arrow-work.js";

/** apache-arrow over a file that is in memory already. */
async function scan({ batches }: Job): Promise<Contender> {
  const bytes = RecordBatchFileWriter.writeAll(batchesOf(batches)).toUint8Array(true);
  const run = () => {
    return elapsed(async () => {
      let sum = 0;
      for (const batch of RecordBatchReader.from(bytes)) sum += sumOf(batch.getChild("v3"));
      if (sum !== expectedSum(batches)) fail(`the sum of the column is ${sum}`);
    });
  };
  return { run, end: () => undefined };
}

/** Writes over a file what apache-arrow makes of batches, as it makes it. */
async function writeStream(target: number, batches: Iterable<RecordBatch>): Promise<number> {
  const writer = RecordBatchStreamWriter.writeAll(batches);
  let position = 0;
  for await (const chunk of writer) {
    position += fs.writeSync(target, chunk, 0, chunk.length, position);
  }
  return position;
}

async function append({ directory, batches }: Job): Promise<Contender> {
  const target = fs.openSync(path.join(directory, "stream.arrows"), "w+");
  const all = [...batchesOf(batches)];
  const run = () => {
    return elapsed(async () => {
      const size = await writeStream(target, all);
      if (size < batches * BATCH_ROWS) fail(`${size} bytes were written`);
    });
  };
  return { run, end: () => fs.closeSync(target) };
}

/** Reads a file into memory that is kept. */
async function checkpoint({ directory, side }: Job): Promise<Contender> {
  const values = Float64Array.from({ length: side ** 3 }, (_, index) => index);
  const expected = touch(values);
  const source = fs.openSync(path.join(directory, "elements"), "w+");
  fs.writeSync(source, values);
  const run = () => {
    return elapsed(async () => {
      const size = fs.readSync(source, values, 0, values.byteLength, 0);
      if (size !== values.byteLength || touch(values) !== expected) fail("other bytes were read");
    });
  };
  return { run, end: () => fs.closeSync(source) };
}

/** Peers, by case. */
export const peers = { scan, append, checkpoint };
