/**
 * The ranks of the suite `mpi-io`: writes and reads one case again and again, by one way after the other. Rank 0
 * prints a JSON line: seconds of each round, by way and phase.
 *
 *     mpi-io-ranks.js <JSON of a Job>
 *
 * Every file is made anew: the one of the round before is removed, and its space made free, outside of the time.
 *
 * @module
 */

import { strict as assert } from "node:assert";
import fs from "node:fs";
import path from "node:path";
import { Pool } from "daos-ts";
import { Datatype, File, Mode, Op, world } from "daos-ts/mpi-io";
import { type Access, accessOf, CASES, type Case, type Phase, slabOf } from "./mpi-io-cases.js";

/** Ways to move the same bytes: ours, the library's own two, and a plain file for each process. */
export type Way = "ours" | "independent" | "collective" | "limit";

/** What a job measures. */
export interface Job {
  readonly case: string;
  /** Bytes of all ranks. */
  readonly total: number;
  readonly ways: readonly Way[];
  readonly rounds: number;
  /** Rounds before those, which are not measured: caches fill, segments are made, code is compiled. */
  readonly warmUps: number;
  /** An empty directory. */
  readonly directory: string;
}

/** Seconds of each measured round. */
export type Seconds = Partial<Record<Way, Partial<Record<Phase, number[]>>>>;

const CONTAINER = "c";
const job = JSON.parse(process.argv[2] as string) as Job;
const of = CASES.find(({ name }) => name === job.case) as Case;
const comm = world();
const { rank, size: ranks } = comm;
const poolPath = path.join(job.directory, "pool");
const address = `daos://${poolPath}/${CONTAINER}/file`;
const plain = path.join(job.directory, "file");
const ownFile = `${plain}.${rank}`;

const own = accessOf(of, job.total, rank, ranks);
const data = new Uint8Array(own.size);
const back = new Uint8Array(own.size);
new Uint32Array(data.buffer).forEach((_, i, words) => {
  words[i] = Math.imul(i + 1, 2_654_435_761) ^ rank;
});

/** Seconds until all ranks are done. */
function timed(run: () => void): number {
  comm.barrier();
  const start = process.hrtime.bigint();
  run();
  comm.barrier();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function onRankZero(run: () => void): void {
  if (rank === 0) run();
  comm.barrier();
}

/** Calls `move` for each record. */
function each({ size, record, placeOf }: Access, move: (place: number, at: number) => void): void {
  for (let i = 0; i * record < size; i += 1) move(placeOf(i), i * record);
}

/** Moves a rank's bytes by MPI-IO. */
function moveByFile(way: Way, access: Access, target: Uint8Array, isWrite: boolean): void {
  const amode = isWrite ? Mode.CREATE | Mode.WRONLY : Mode.RDONLY;
  const file = File.open(comm, way === "ours" ? address : plain, amode);
  const isCollective =
    way === "collective" ||
    (way === "ours" && (of.calls === "one" || of.calls === "each, collective"));
  const { view, record } = access;
  if (view) file.setView(view.displacement, Datatype.BYTE, view.filetype);
  each(access, (place, at) => {
    const part = target.subarray(at, at + record);
    if (isWrite && isCollective) file.writeAtAll(place, part);
    else if (isWrite) file.writeAt(place, part);
    else if (isCollective) file.readAtAll(place, part);
    else file.readAt(place, part);
  });
  if (isWrite && of.isDurable) file.sync();
  file.close();
}

/** Moves a rank's bytes to or from a file of its own. */
function moveAlone(access: Access, target: Uint8Array, isWrite: boolean): void {
  const fd = fs.openSync(ownFile, isWrite ? "w" : "r");
  each(access, (_place, at) => {
    const length = Math.min(access.record, access.size - at);
    const moved = isWrite
      ? fs.writeSync(fd, target, at, length, at)
      : fs.readSync(fd, target, at, length, at);
    assert.equal(moved, length);
  });
  if (isWrite && of.isDurable) fs.fsyncSync(fd);
  fs.closeSync(fd);
}

function move(way: Way, access: Access, target: Uint8Array, isWrite: boolean): void {
  if (way === "limit") moveAlone(access, target, isWrite);
  else moveByFile(way, access, target, isWrite);
}

/** Removes what the round before has written. */
function clear(way: Way, compact: boolean): void {
  if (way === "limit") fs.rmSync(ownFile, { force: true });
  comm.barrier();
  onRankZero(() => {
    if (way !== "ours") {
      fs.rmSync(plain, { force: true });
      return;
    }
    const pool = Pool.connect(poolPath);
    try {
      const container = pool.openContainer(CONTAINER);
      if (!compact) File.delete(address);
      container.aggregate();
    } finally {
      pool.close();
    }
  });
}

/** The sum of all words of all ranks, by which bytes are known wherever they lie. */
function sumOf(bytes: Uint8Array): number {
  const words = new Int32Array(bytes.buffer);
  let sum = 0;
  for (let i = 0; i < words.length; i += 1) sum = (sum + (words[i] as number)) | 0;
  const total = new Float64Array(1);
  comm.allreduce(Float64Array.of(sum >>> 0), total, Op.SUM);
  return (total[0] as number) % 2 ** 32;
}

const expected = sumOf(data);

/** One way's phases, in order. */
function round(way: Way, isFirst: boolean): Map<Phase, number> {
  const phases = Object.keys(of.phases) as Phase[];
  const seconds = new Map<Phase, number>();
  if (!isFirst) clear(way, false);
  for (const phase of phases) {
    const isOther = phase.startsWith("read other");
    if (isOther && way === "limit") continue;
    if (phase === "write") {
      seconds.set(
        phase,
        timed(() => move(way, own, data, true)),
      );
      continue;
    }
    if (phase.endsWith("aggregated") && way === "ours") clear(way, true);
    const access = isOther ? slabOf(own.size, rank) : own;
    seconds.set(
      phase,
      timed(() => move(way, access, back, false)),
    );
    assert.equal(sumOf(back), expected, `bytes of ${way}, ${phase}`);
    back.fill(0);
  }
  return seconds;
}

onRankZero(() => {
  const pool = Pool.create({ path: poolPath, durability: of.isDurable ? "power" : "process" });
  pool.createContainer(CONTAINER, { retainCommits: 1 });
  pool.close();
});
const all: Seconds = {};
for (let i = 0; i < job.warmUps + job.rounds; i += 1) {
  for (const way of job.ways) {
    const seconds = round(way, i === 0);
    if (i < job.warmUps) continue;
    all[way] ??= {};
    for (const [phase, time] of seconds) {
      all[way][phase] ??= [];
      all[way][phase].push(time);
    }
  }
}
if (rank === 0) console.log(JSON.stringify(all));
