/**
 * Our part of the suite `hdf5`: one process, or the ranks of a job. Prints one JSON line: seconds of each round, by
 * phase.
 *
 *     node hdf5-job.js '<job as JSON>'
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import { type Container, Pool } from "daos-ts";
import {
  type Dataset,
  File,
  importH5,
  openH5File,
  slice,
  storeSource,
  writeH5,
} from "daos-ts/hdf5";
import { SoloCommunicator, world } from "daos-ts/mpi-io";
import { dimsCreate } from "node-mpi-bindings";

/** What is to be measured. */
export interface Job {
  readonly kind: "blocks" | "points" | "creates" | "files";
  readonly directory: string;
  readonly rounds: number;
  readonly warmUps: number;
  readonly isParallel: boolean;
  /** For peers: whether calls are collective. */
  readonly isCollective: boolean;
  /** Extent of the cube, of float64. */
  readonly side: number;
  /** Extent of its chunks. */
  readonly chunk: number | null;
  readonly gzip: boolean;
  /** How many points are read, or datasets created. */
  readonly count: number;
  /** Elements of the dataset that points are read of. */
  readonly length: number;
}

/** Seconds of each round, by phase. */
export type Seconds = Readonly<Record<string, number[]>>;

const job = JSON.parse(process.argv[2] as string) as Job;
const comm = job.isParallel ? world() : new SoloCommunicator();
const { rank, size } = comm;
const poolPath = path.join(job.directory, "pool");
const CONTAINER = "c";
const DIMENSIONS = 3;

async function timed(run: (container: Container) => Promise<void>): Promise<number> {
  comm.barrier();
  const start = process.hrtime.bigint();
  await connected(run);
  comm.barrier();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** Does something with the container: the pool is connected for it, as by a program that does nothing else. */
async function connected(run: (container: Container) => Promise<void>): Promise<void> {
  const pool = Pool.connect(poolPath);
  try {
    await run(pool.openContainer(CONTAINER));
  } finally {
    pool.close();
  }
}

/** Removes the file and frees its space, so that each round finds the same. */
async function clear(name = "a.h5"): Promise<void> {
  comm.barrier();
  if (rank === 0) {
    await connected(async (container) => {
      const file = await File.open(container, name, "w");
      await file.close();
      container.aggregate();
    });
  }
  comm.barrier();
}

/** First and one past last index of this rank's block, along each dimension. */
function box(): [number, number][] {
  const grid = dimsCreate(size, new Array<number>(DIMENSIONS).fill(0));
  const [, y, z] = grid as [number, number, number];
  const at = [Math.floor(rank / (y * z)), Math.floor(rank / z) % y, rank % z];
  return at.map((place, dimension) => {
    const parts = grid[dimension] as number;
    return [Math.floor((job.side * place) / parts), Math.floor((job.side * (place + 1)) / parts)];
  });
}

async function blocks(): Promise<Seconds> {
  const { side, chunk, gzip } = job;
  const selection = box().map(([first, last]) => slice(first, last));
  const count = box().reduce((product, [first, last]) => product * (last - first), 1);
  const data = Float64Array.from({ length: count }, (_, index) => (index * (rank + 1)) % 1000);
  const shape = [side, side, side];
  const chunks = chunk === null ? {} : { chunks: [chunk, chunk, chunk] };
  const options = gzip
    ? { ...chunks, compression: "gzip" as const, compressionOptions: 4 }
    : chunks;
  const target = new Float64Array(count);
  const result = { write: [] as number[], read: [] as number[] };
  for (let round = 0; round < job.warmUps + job.rounds; round++) {
    await clear();
    result.write.push(
      await timed(async (container) => {
        await using file = await File.open(container, "a.h5", "w", { comm });
        const dataset = await file.createDataset("d", { shape, dtype: "float64", ...options });
        await dataset.write(data, selection);
      }),
    );
    result.read.push(
      await timed(async (container) => {
        await using file = await File.open(container, "a.h5", "r", { comm });
        const dataset = (await file.get("d")) as Dataset<"float64">;
        await dataset.readInto(target, selection);
      }),
    );
    if (target.at(-1) !== data.at(-1)) throw new Error("what was read is not what was written");
  }
  return result;
}

async function points(): Promise<Seconds> {
  const { length, count } = job;
  await connected(async (container) => {
    await using file = await File.open(container, "a.h5", "w");
    await file.createDataset("d", { data: Float64Array.from({ length }, (_, index) => index) });
  });
  const places = Array.from({ length: count }, (_, index) => (index * 7_919 + 13) % length);
  const read: number[] = [];
  for (let round = 0; round < job.warmUps + job.rounds; round++) {
    read.push(
      await timed(async (container) => {
        await using file = await File.open(container, "a.h5");
        const dataset = (await file.get("d")) as Dataset<"float64">;
        for (const place of places) {
          const { data } = await dataset.read([place]);
          if (data[0] !== place) throw new Error("what was read is not what was written");
        }
      }),
    );
  }
  return { read };
}

async function creates(): Promise<Seconds> {
  const create: number[] = [];
  for (let round = 0; round < job.warmUps + job.rounds; round++) {
    await clear();
    create.push(
      await timed(async (container) => {
        await using file = await File.open(container, "a.h5", "w");
        for (let index = 0; index < job.count; index++) {
          await file.createDataset(`d${index}`, { data: new Float64Array(10).fill(index) });
        }
      }),
    );
  }
  return { create };
}

/** Export of a cube to an `.h5` file, and import of that. */
async function files(): Promise<Seconds> {
  const { side, chunk } = job;
  const target = path.join(job.directory, "a.h5");
  const chunks = chunk === null ? {} : { chunks: [chunk, chunk, chunk] };
  await connected(async (container) => {
    await using file = await File.open(container, "a.h5", "w");
    const shape = [side, side, side];
    const dataset = await file.createDataset("d", { shape, dtype: "float64", ...chunks });
    const plane = Float64Array.from({ length: side * side }, (_, index) => index % 1000);
    for (let index = 0; index < side; index++) await dataset.write(plane, [index]);
  });
  const result = { export: [] as number[], import: [] as number[] };
  for (let round = 0; round < job.warmUps + job.rounds; round++) {
    fs.rmSync(target, { force: true });
    await clear("b.h5");
    result.export.push(
      await timed(async (container) => {
        await using file = await File.open(container, "a.h5");
        await writeH5(storeSource(file), target);
      }),
    );
    result.import.push(
      await timed(async (container) => {
        const source = await openH5File(target);
        await importH5(source, container, "b.h5", { replace: true });
        await source.close();
      }),
    );
  }
  fs.rmSync(target);
  return result;
}

if (rank === 0) {
  const pool = Pool.create({ path: poolPath, durability: "process" });
  pool.createContainer(CONTAINER, { retainCommits: 1 });
  pool.close();
}
comm.barrier();
const outcome = await { blocks, points, creates, files }[job.kind]();
if (rank === 0) {
  const measured = Object.entries(outcome).map(([phase, times]) => [
    phase,
    times.slice(job.warmUps),
  ]);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(measured))}\n`);
}
