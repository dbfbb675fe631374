/**
 * One run of the suite `dfs`: processes that create, stat, read and remove files, as mdtest's ranks do.
 *
 *     node dfs-job.js <JSON of a Job>
 *
 * Starts the processes, lets them begin each phase together, and prints the seconds that each phase took,
 * from the first beginning to the last end.
 *
 * @module
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Pool } from "daos-ts";
import { Dfs } from "daos-ts/dfs";

/** The phases, in order. */
export const PHASES = ["create", "stat", "read", "unlink"] as const;

/** One of the phases. */
export type Phase = (typeof PHASES)[number];

/** What is run. */
export interface Job {
  /** Whose files. */
  readonly api: "dfs" | "fs";
  /** Whether each file is on the device when its creation returns. */
  readonly isDurable: boolean;
  /** An empty directory. */
  readonly directory: string;
  readonly processes: number;
  /** Files of each process. */
  readonly files: number;
  /** Bytes of a file. */
  readonly size: number;
  /** Calls that each process has under way at a time. */
  readonly inFlight: number;
}

const RANK = "BENCH_DFS_RANK";
const CONTAINER = "files";
/** Files that a process makes and removes before it is measured: until then code is interpreted that later is not. */
const WARM_UP_COUNT = 1000;

/** What both have of a file system. */
interface Files {
  create(path: string): Promise<void>;
  stat(path: string): Promise<unknown>;
  read(path: string): Promise<unknown>;
  unlink(path: string): Promise<void>;
}

function plainFiles({ isDurable }: Job, data: Buffer): Files {
  const { promises } = fs;
  const createDurably = async (name: string) => {
    const file = await promises.open(name, "w");
    await file.write(data);
    await file.sync();
    await file.close();
  };
  return {
    create: isDurable ? createDurably : (name) => promises.writeFile(name, data),
    stat: (name) => promises.stat(name),
    read: (name) => promises.readFile(name),
    unlink: (name) => promises.unlink(name),
  };
}

function storedFiles({ directory }: Job, data: Buffer): Files {
  const container = Pool.connect(path.join(directory, "pool")).openContainer(CONTAINER);
  const dfs = Dfs.mount(container);
  return {
    create: (name) => dfs.writeFile(name, data),
    stat: (name) => dfs.stat(name),
    read: (name) => dfs.readFile(name),
    unlink: (name) => dfs.unlink(name),
  };
}

/** Calls a function for each name, so many at a time. */
async function forEach(
  names: readonly string[],
  inFlight: number,
  body: (name: string) => Promise<unknown>,
): Promise<void> {
  const left = names.values();
  const work = async () => {
    for (const name of left) await body(name);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}

/** A process of the job: does a phase when it is told to. */
async function runRank(job: Job, rank: number): Promise<void> {
  const data = Buffer.alloc(job.size, 7);
  const files = job.api === "fs" ? plainFiles(job, data) : storedFiles(job, data);
  const base = job.api === "fs" ? path.join(job.directory, "files") : "/";
  const names = Array.from({ length: job.files }, (_, at) =>
    path.join(base, `rank-${rank}`, `file.${rank}.${at}`),
  );
  process.on("message", async (phase: Phase) => {
    await forEach(names, job.inFlight, files[phase]);
    process.send?.("done");
    if (phase === PHASES.at(-1)) process.disconnect();
  });
  const warmUp = Array.from({ length: Math.min(WARM_UP_COUNT, job.files) }, (_, at) =>
    path.join(base, `rank-${rank}`, `warm.${at}`),
  );
  for (const phase of PHASES) await forEach(warmUp, job.inFlight, files[phase]);
  process.send?.("ready");
}

async function prepare({ api, isDurable, directory, processes }: Job): Promise<void> {
  const ranks = Array.from({ length: processes }, (_, rank) => `rank-${rank}`);
  if (api === "fs") {
    for (const rank of ranks)
      fs.mkdirSync(path.join(directory, "files", rank), { recursive: true });
    return;
  }
  const durability = isDurable ? "power" : "process";
  using pool = Pool.create({ path: path.join(directory, "pool"), durability });
  const dfs = Dfs.mount(pool.createContainer(CONTAINER));
  for (const rank of ranks) await dfs.mkdir(rank);
}

async function answers(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      const ended = once(child, "exit").then(([status]) => {
        throw new Error(`a process of the job ended with ${status}`);
      });
      await Promise.race([once(child, "message"), ended]);
      // Its end is expected from here on.
      ended.catch(() => undefined);
    }),
  );
}

async function runJob(job: Job): Promise<Record<Phase, number>> {
  await prepare(job);
  const children = Array.from({ length: job.processes }, (_, rank) =>
    fork(fileURLToPath(import.meta.url), [JSON.stringify(job)], {
      env: { ...process.env, [RANK]: String(rank) },
    }),
  );
  await answers(children);
  const seconds = { create: 0, stat: 0, read: 0, unlink: 0 };
  for (const phase of PHASES) {
    const all = answers(children);
    const start = process.hrtime.bigint();
    for (const child of children) child.send(phase);
    await all;
    seconds[phase] = Number(process.hrtime.bigint() - start) / 1e9;
  }
  return seconds;
}

const [, main, text] = process.argv;
if (main === fileURLToPath(import.meta.url) && text !== undefined) {
  const job = JSON.parse(text) as Job;
  const rank = process.env[RANK];
  if (rank === undefined) process.stdout.write(`${JSON.stringify(await runJob(job))}\n`);
  else await runRank(job, Number(rank));
}
