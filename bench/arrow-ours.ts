/**
 * What the suite `arrow` measures of ours.
 *
 * @module
 */

import path from "node:path";
import { type Container, Pool, processMetrics } from "daos-ts";
import { batchStream, readArrayBatches, type ScanOptions, Table } from "daos-ts/arrow";
import { Dfs } from "daos-ts/dfs";
import type { Contender, Job } from "./arrow-job.js";
import { BATCH_ROWS, batchesOf, COLUMNS, expectedSum, sumOf } from "./arrow-table.js";
import { elapsed, fail, PAGE_SIZE, touch } from "./arrow-work.js";

const FLOAT_SIZE = Float64Array.BYTES_PER_ELEMENT;

/** Bytes that this process asked for in reads of arrays. */
function readBytes(): number {
  const family = processMetrics.snapshot().find(({ name }) => name === "daos_read_bytes_total");
  const sample = family?.samples[0];
  if (sample !== undefined && "value" in sample) return sample.value;
  return fail("there is no counter of the bytes read");
}

/** Makes the pool, its container and, for what reads, the table. */
async function prepared({ directory, batches }: Job, withTable: boolean) {
  const pool = Pool.create({ path: path.join(directory, "pool"), durability: "process" });
  const container = pool.createContainer("c", { retainCommits: 1 });
  if (withTable) {
    const stored = batchesOf(batches);
    const first = stored.next().value ?? fail("there are no batches");
    const all = (function* () {
      yield first;
      yield* stored;
    })();
    (await Table.createFrom(container, "table", batchStream(first.schema, all))).close();
  }
  return { pool, container };
}

/** Reads a column of the newest version; returns the sum. */
async function scanSum(container: Container, options: ScanOptions): Promise<number> {
  using table = await Table.open(container, "table");
  let sum = 0;
  for await (const batch of table.scan(options)) sum += sumOf(batch.getChildAt(0));
  return sum;
}

async function scan(job: Job): Promise<Contender> {
  const { pool, container } = await prepared(job, true);
  const columns = ["v3"];
  const run = async () => {
    const before = readBytes();
    const seconds = await elapsed(async () => {
      const sum = await scanSum(container, { columns });
      if (sum !== expectedSum(job.batches)) fail(`the sum of the column is ${sum}`);
    });
    // Besides the column: a message for each batch, and the schema.
    const most = job.batches * (BATCH_ROWS * FLOAT_SIZE + PAGE_SIZE) + PAGE_SIZE;
    const read = readBytes() - before;
    if (read > most) fail(`${read} bytes were read for one column, more than ${most}`);
    return seconds;
  };
  return { run, end: () => pool.close() };
}

/** The batches of one percent of the keys; of a small table, the first one. */
async function selective(job: Job): Promise<Contender> {
  const { pool, container } = await prepared(job, true);
  const count = Math.max(1, Math.floor(job.batches / 100));
  const where = { op: "<", column: "key", value: count * BATCH_ROWS } as const;
  const run = () => {
    return elapsed(async () => {
      const sum = await scanSum(container, { columns: ["v3"], where });
      if (sum !== expectedSum(count)) fail(`the sum of the selected rows is ${sum}`);
    });
  };
  return { run, end: () => pool.close() };
}

async function first(job: Job): Promise<Contender> {
  const { pool, container } = await prepared(job, true);
  const run = () => {
    return elapsed(async () => {
      using table = await Table.open(container, "table");
      for await (const batch of table.scan()) {
        if (batch.numCols !== COLUMNS || batch.getChildAt(0)?.get(1) !== 1) fail("another batch");
        break;
      }
    });
  };
  return { run, end: () => pool.close() };
}

/** Appends to a table that is emptied before, outside of the time; aggregation frees its space for the next round. */
async function append(job: Job): Promise<Contender> {
  const { pool, container } = await prepared(job, false);
  const batches = [...batchesOf(job.batches)];
  const { schema } = batches[0] ?? fail("there are no batches");
  const run = async () => {
    using table = await Table.create(container, "table", schema);
    const seconds = await elapsed(() => table.append(batches));
    if (table.numRows !== job.batches * BATCH_ROWS) fail(`the table has ${table.numRows} rows`);
    table.close();
    await Table.remove(container, "table");
    container.aggregate();
    return seconds;
  };
  return { run, end: () => pool.close() };
}

/** Batches of an array file; of each page of them, one element is looked at. */
async function checkpoint(job: Job): Promise<Contender> {
  const { pool, container } = await prepared(job, false);
  const dfs = Dfs.mount(container);
  const values = Float64Array.from({ length: job.side ** 3 }, (_, index) => index);
  await dfs.writeFile("u", new Uint8Array(values.buffer));
  const shape = [job.side, job.side, job.side];
  const run = () => {
    return elapsed(async () => {
      let sum = 0;
      for (const batch of readArrayBatches(container, { path: "u", shape, type: "float64" })) {
        for (const { values } of batch.getChildAt(0)?.data ?? []) sum += touch(values);
      }
      if (sum !== touch(values)) fail(`the sum of the elements is ${sum}`);
    });
  };
  return { run, end: () => pool.close() };
}

/** Ours, by case. */
export const ours = { scan, selective, first, append, checkpoint };
