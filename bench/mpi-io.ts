/**
 * The suite `mpi-io`: shared files of 1, 2 and 4 ranks against the MPI-IO of Open MPI (OMPIO and ROMIO, independent
 * and collective calls), and against a plain file for each process, which is the limit.
 *
 * A job measures ours and its peers in turn; OMPIO and ROMIO need a job each. Time is from open to close. Each phase
 * has two rows: against the best of the libraries, of any kind, and against the file for each process.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { median, type Options, type Part, type Place, type Row, type Suite } from "./harness.js";
import { CASES, type Case, type Phase } from "./mpi-io-cases.js";
import type { Job, Seconds, Way } from "./mpi-io-ranks.js";

const RANK_COUNTS = [1, 2, 4];
/** The ranks that targets are for. */
const TARGET_RANKS = 4;
const TIMEOUT_MS = 1_800_000;
const COMPONENTS = ["ompio", "romio321"];
const WARM_UPS = 4;
const TINY_UNITS = 8;
const TINY_SIDE = 8;
const LIMIT_PEER = "file per process";

/** The case's bytes, or as few as show that it runs. */
function totalOf({ shape, unit, total }: Case, { tiny }: Options): number {
  if (!tiny) return total;
  return shape === "blocks" ? TINY_SIDE ** 3 * 8 : TINY_UNITS * unit;
}

function nameOf(of: Case, phase: Phase): string {
  return `mpi-io ${of.name}: ${phase}`;
}

/** Runs a job with one of Open MPI's parts for MPI-IO. */
function secondsOf(job: Job, ranks: number, component: string): Seconds {
  fs.mkdirSync(job.directory);
  try {
    const program = fileURLToPath(new URL("mpi-io-ranks.js", import.meta.url));
    const launcher = ["--allow-run-as-root", "--oversubscribe", "--mca", "io", component];
    const args = [...launcher, "-n", String(ranks), process.execPath, program, JSON.stringify(job)];
    const { status, stdout, stderr, error } = spawnSync("mpirun.openmpi", args, {
      encoding: "utf8",
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    if (status !== 0) {
      throw new Error(`${job.case} failed with ${component} (${status}): ${error ?? stderr}`);
    }
    return JSON.parse(stdout) as Seconds;
  } finally {
    fs.rmSync(job.directory, { recursive: true, force: true });
  }
}

/** Ours against a peer of the same job: the median of the rounds' ratios. */
function ratioOf(seconds: Seconds, peer: Way, phase: Phase): number {
  const theirs = seconds[peer]?.[phase];
  const ours = seconds.ours?.[phase] as number[];
  if (theirs === undefined) return Number.POSITIVE_INFINITY;
  return median(theirs.map((time, i) => time / (ours[i] as number)));
}

function rowsOf(of: Case, place: Place, ranks: number, options: Options): Row[] {
  const total = totalOf(of, options);
  const directory = path.join(place.directory, "mpi-io");
  const peers: Way[] =
    of.calls === "each, collective" ? ["collective"] : ["independent", "collective"];
  const jobOf = (ways: readonly Way[]) => ({
    ...{
      case: of.name,
      total,
      ways,
      rounds: options.rounds,
      warmUps: options.tiny ? 1 : WARM_UPS,
      directory,
    },
  });
  const measured = COMPONENTS.map((component, i) => {
    const ways: Way[] = ["ours", ...peers, ...(i === 0 ? (["limit"] as const) : [])];
    return { component, seconds: secondsOf(jobOf(ways), ranks, component) };
  });
  return (Object.keys(of.phases) as Phase[]).flatMap((phase) => {
    const times = measured.flatMap(({ seconds }) => seconds.ours?.[phase] ?? []);
    const value = total / median(times) / 2 ** 20;
    const target = ranks === TARGET_RANKS ? of.phases[phase] : undefined;
    const base = { case: nameOf(of, phase), ranks, fs: place.fs, value, unit: "MiB/s" };
    const contests = measured.flatMap(({ component, seconds }) =>
      peers.map((peer) => ({
        peer: `${component}, ${peer}`,
        ratio: ratioOf(seconds, peer, phase),
      })),
    );
    const best = contests.reduce((a, b) => (b.ratio < a.ratio ? b : a));
    const row = { ...base, ...best, target: target?.native ?? null };
    const limit = ratioOf((measured[0] as { seconds: Seconds }).seconds, "limit", phase);
    if (!Number.isFinite(limit)) return [row];
    return [row, { ...base, peer: LIMIT_PEER, ratio: limit, target: target?.limit ?? null }];
  });
}

function hasOpenMpi(): boolean {
  return spawnSync("mpirun.openmpi", ["--version"], { stdio: "ignore" }).error === undefined;
}

function partOf(of: Case, ranks: number): Part {
  return {
    cases: (Object.keys(of.phases) as Phase[]).map((phase) => nameOf(of, phase)),
    run: (place, options) => {
      const isMeant = options.ranks === undefined || options.ranks === ranks;
      // Memory is no device.
      const isDevice = place.fs !== "tmpfs" || of.isDurable !== true;
      return isMeant && isDevice && hasOpenMpi() ? rowsOf(of, place, ranks, options) : [];
    },
  };
}

/** The suite `mpi-io`. */
export const mpiIo: Suite = CASES.flatMap((of) => RANK_COUNTS.map((ranks) => partOf(of, ranks)));
