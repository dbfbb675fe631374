/**
 * The suite `hdf5`: our HDF5-like files against h5py, serial (1 process), and parallel with mpi4py (4 ranks: OMPIO
 * and ROMIO, independent and collective; the best of them counts). Import and export are held against a rate.
 *
 * Time is from open to close. Ours and each peer are a job each, in turn.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { median, type Options, type Part, type Place, type Row, type Suite } from "./harness.js";
import type { Job, Seconds } from "./hdf5-job.js";

/** Debian's Python, which has h5py for both. */
const PYTHON = "/usr/bin/python3";
const TIMEOUT_MS = 1_800_000;
const WARM_UPS = 4;
const RANKS = 4;
const FLOAT_SIZE = 8;
const TINY = { side: 8, chunk: 4, count: 5, length: 100 };
/** Bytes that import and export should carry in a second. */
const RATE = 500e6;

/** A case, and what its phases should reach. */
interface Case {
  readonly name: string;
  readonly ranks: number;
  readonly job: Partial<Job> & Pick<Job, "kind">;
  readonly targets: Readonly<Record<string, number>>;
  /** What a phase does: bytes, or operations. */
  readonly unit: "MiB/s" | "/s";
}

const CASES: readonly Case[] = [
  {
    name: "256^3 float64 in blocks, contiguous",
    ranks: RANKS,
    job: { kind: "blocks", side: 256 },
    targets: { write: 2.5, read: 1 },
    unit: "MiB/s",
  },
  {
    name: "256^3 float64 in blocks, chunked 64^3",
    ranks: RANKS,
    job: { kind: "blocks", side: 256, chunk: 64 },
    targets: { write: 3, read: 1.5 },
    unit: "MiB/s",
  },
  {
    name: "256^3 float64 in blocks, chunked 64^3, gzip 4",
    ranks: RANKS,
    job: { kind: "blocks", side: 256, chunk: 64, gzip: true },
    targets: { write: 2 },
    unit: "MiB/s",
  },
  {
    name: "256 MiB contiguous",
    ranks: 1,
    // 322^3 float64 are 255 MiB.
    job: { kind: "blocks", side: 322 },
    targets: { write: 1, read: 1 },
    unit: "MiB/s",
  },
  {
    name: "points of 8 MiB, at random",
    ranks: 1,
    job: { kind: "points", count: 20_000, length: 2 ** 20 },
    targets: { read: 0.5 },
    unit: "/s",
  },
  {
    name: "datasets of 80 bytes",
    ranks: 1,
    job: { kind: "creates", count: 2000 },
    targets: { create: 1 },
    unit: "/s",
  },
  {
    name: "1 GiB .h5, contiguous",
    ranks: 1,
    job: { kind: "files", side: 512 },
    targets: { export: 1, import: 1 },
    unit: "MiB/s",
  },
  {
    name: "1 GiB .h5, chunked 64^3",
    ranks: 1,
    job: { kind: "files", side: 512, chunk: 64 },
    targets: { export: 1, import: 1 },
    unit: "MiB/s",
  },
];

const DEFAULTS = { isCollective: false, side: 0, chunk: null, gzip: false, count: 0, length: 0 };

function jobOf(of: Case, directory: string, { rounds, tiny }: Options): Job {
  const { chunk } = of.job;
  const job = { ...DEFAULTS, ...of.job, directory, isParallel: of.ranks > 1, rounds };
  const warmUps = tiny ? 0 : WARM_UPS;
  return tiny
    ? { ...job, ...TINY, chunk: chunk === undefined ? null : TINY.chunk, warmUps }
    : { ...job, warmUps };
}

function run(
  command: readonly string[],
  job: Job,
  { ranks, component }: { ranks: number; component?: string },
): Seconds {
  const io = component === undefined ? [] : ["--mca", "io", component];
  const launcher = ["mpirun.openmpi", "--allow-run-as-root", "--oversubscribe", ...io];
  const launched = ranks > 1 ? [...launcher, "-n", String(ranks)] : [];
  const [program, ...args] = [...launched, ...command, JSON.stringify(job)];
  fs.mkdirSync(job.directory, { recursive: true });
  try {
    const { status, stdout, stderr, error } = spawnSync(program as string, args, {
      encoding: "utf8",
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    if (status === 0) return JSON.parse(stdout) as Seconds;
    throw new Error(`${command.at(-1)} failed (${status}): ${error ?? stderr}`);
  } finally {
    fs.rmSync(job.directory, { recursive: true, force: true });
  }
}

function workOf(of: Case, job: Job): number {
  if (of.unit === "/s") return job.count;
  return (job.side ** 3 * FLOAT_SIZE) / 2 ** 20;
}

/** The peers of a case: what they are called, and how they are started. */
function peersOf(of: Case): { name: string; component?: string; isCollective: boolean }[] {
  if (of.ranks === 1) return [{ name: "h5py", isCollective: false }];
  return ["ompio", "romio321"].flatMap((component) => {
    const kinds = [
      { name: `h5py, ${component}, collective`, component, isCollective: true },
      { name: `h5py, ${component}, independent`, component, isCollective: false },
    ];
    // HDF5 writes filtered chunks collectively only.
    return of.job.gzip === true ? kinds.slice(0, 1) : kinds;
  });
}

function rowsOf(of: Case, place: Place, options: Options): Row[] {
  const job = jobOf(of, path.join(place.directory, "hdf5"), options);
  const own = fileURLToPath(new URL("hdf5-job.js", import.meta.url));
  const ours = run([process.execPath, own], job, of);
  const isHeldAgainstRate = of.job.kind === "files";
  const script = fileURLToPath(new URL("../../bench/hdf5-peer.py", import.meta.url));
  const theirs = isHeldAgainstRate
    ? []
    : peersOf(of).map(({ name, component, isCollective }) => {
        const peerJob = { ...job, isCollective };
        const placed = component === undefined ? { ranks: 1 } : { ranks: of.ranks, component };
        return { name, seconds: run([PYTHON, script], peerJob, placed) };
      });
  const work = workOf(of, job);
  return Object.entries(of.targets).map(([phase, target]) => {
    const mine = median(ours[phase] as number[]);
    const contests = theirs.map(({ name, seconds }) => {
      return { peer: name, ratio: median(seconds[phase] as number[]) / mine };
    });
    const rate = { peer: "500 MB/s", ratio: (work * 2 ** 20) / mine / RATE };
    const best = contests.reduce((a, b) => (b.ratio < a.ratio ? b : a), contests[0] ?? rate);
    const name = `${nameOf(of, phase)}`;
    return {
      case: name,
      ranks: of.ranks,
      fs: place.fs,
      value: work / mine,
      unit: of.unit,
      ...best,
      target,
    };
  });
}

function nameOf(of: Case, phase: string): string {
  return `hdf5 ${of.name}: ${phase}`;
}

function hasPeers(): boolean {
  const check = "import h5py, mpi4py";
  return spawnSync(PYTHON, ["-c", check], { stdio: "ignore" }).status === 0;
}

/** The suite `hdf5`. */
export const hdf5: Suite = CASES.map(
  (of): Part => ({
    cases: Object.keys(of.targets).map((phase) => nameOf(of, phase)),
    run: (place, options) => {
      const isMeant = options.ranks === undefined || options.ranks === of.ranks;
      return isMeant && hasPeers() ? rowsOf(of, place, options) : [];
    },
  }),
);
