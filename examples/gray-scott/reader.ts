/**
 * The reader: a process without MPI that reads a checkpoint as Apache Arrow record batches, computes
 * statistics from them, and draws a slice.
 *
 *     node reader.js --pool /scratch/run.pool --container results --png slice.png
 *
 * Prints one JSON object (see {@link ReaderReport}).
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { type Container, Pool } from "daos-ts";
import { readArrayBatches } from "daos-ts/arrow";
import {
  CHECKPOINT_PATH,
  type CheckpointHeader,
  decodeHeader,
  fieldOffset,
  HEADER_SIZE,
} from "./checkpoint-format.js";
import { drawSlice } from "./picture.js";
import { Statistics, type Summary } from "./statistics.js";

/** What the reader prints. */
export interface ReaderReport {
  /** The epoch that was read, as a decimal number. */
  readonly epoch: string;
  readonly step: number;
  /** Record batches and their rows. */
  readonly batches: number;
  readonly rows: number;
  readonly u: Summary;
  readonly v: Summary;
}

interface ReaderOptions {
  readonly pool: string;
  readonly container: string;
  readonly epoch?: string;
  readonly png: string;
}

function parseOptions(): ReaderOptions {
  return new Command("reader")
    .description("statistics and a picture of a Gray-Scott checkpoint, through Apache Arrow")
    .requiredOption("--pool <directory>", "the pool")
    .requiredOption("--container <label>", "the container")
    .option("--epoch <number>", "the version to read (default: the newest)")
    .requiredOption("--png <file>", "where the picture goes")
    .parse()
    .opts<ReaderOptions>();
}

function readHeader(container: Container, epoch: bigint): CheckpointHeader {
  const header = { path: CHECKPOINT_PATH, shape: [HEADER_SIZE], type: "uint8", epoch } as const;
  const [batch] = readArrayBatches(container, header);
  return decodeHeader(batch?.getChild("value")?.toArray() ?? new Uint8Array(0));
}

function read(options: ReaderOptions): ReaderReport {
  using pool = Pool.connect(options.pool, { mode: "ro" });
  const container = pool.openContainer(options.container);
  using version = container.view(options.epoch === undefined ? undefined : BigInt(options.epoch));
  const { epoch } = version;
  const { shape, step } = readHeader(container, epoch);

  const [nz, ny, nx] = shape;
  const middle = new Float64Array(ny * nx);
  const middleStart = Math.floor(nz / 2) * ny * nx;
  const statistics = { u: new Statistics(), v: new Statistics() };
  let [batches, rows] = [0, 0];
  const fields = readArrayBatches(container, {
    path: CHECKPOINT_PATH,
    shape,
    epoch,
    columns: [
      { name: "u", type: "float64", offset: fieldOffset("u", shape) },
      { name: "v", type: "float64", offset: fieldOffset("v", shape) },
    ],
  });
  for (const batch of fields) {
    const u = batch.getChild("u")?.toArray() as Float64Array;
    const v = batch.getChild("v")?.toArray() as Float64Array;
    statistics.u.add(u);
    statistics.v.add(v);
    copyOverlap(v, rows, middle, middleStart);
    batches += 1;
    rows += batch.numRows;
  }

  const title = `Gray-Scott, V in the middle plane at step ${step}`;
  const slice = { height: ny, width: nx, values: middle };
  writeFileSync(options.png, drawSlice(slice, { Title: title }));
  const [u, v] = [statistics.u.summary(), statistics.v.summary()];
  return { epoch: String(epoch), step, batches, rows, u, v };
}

/** Copies what two ranges of rows have in common. */
function copyOverlap(
  source: Float64Array,
  sourceStart: number,
  target: Float64Array,
  targetStart: number,
): void {
  const start = Math.max(sourceStart, targetStart);
  const end = Math.min(sourceStart + source.length, targetStart + target.length);
  if (start >= end) return;
  target.set(source.subarray(start - sourceStart, end - sourceStart), start - targetStart);
}

process.stdout.write(`${JSON.stringify(read(parseOptions()))}\n`);
