/**
 * The suite `mpi`: messages and reductions of two ranks against the same loops in C, with both libraries.
 *
 * Ours and the peer are jobs of their own, which run in turn. A library whose compiler wrapper is missing has no
 * rows.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { median, type Options, type Part, type Place, type Row, type Suite } from "./harness.js";

const RANK_COUNT = 2;
const TIMEOUT_MS = 120_000;
/** Half a round trip may take so much longer than in C. */
const LATENCY_OVERHEAD_MAX_US = 0.15;
const BANDWIDTH_RATIO = 0.95;
/** Messages of at least so many bytes are measured by their bandwidth. */
const BANDWIDTH_SIZE_MIN = 2 ** 20;
/** Data that a measurement moves at most, and operations that it makes. */
const MOVED_SIZE_MAX = 2 ** 30;
const OPERATION_COUNT_MAX = 100_000;
const TINY_COUNT = 10;

const PING_PONG_SIZES = [8, 1024, 65_536, 2 ** 20, 2 ** 22, 2 ** 24];
const ALLREDUCE_SIZES = [8, 8192, 2 ** 20];
const FAMILIES = ["openmpi", "mpich"];

type Kind = "pingpong" | "allreduce";

/** Starts two ranks; seconds per operation. */
function jobSeconds(family: string, command: readonly string[]): number {
  const launcher =
    family === "openmpi"
      ? ["mpirun.openmpi", "--allow-run-as-root", "--oversubscribe"]
      : ["mpiexec.mpich"];
  const [file, ...args] = [...launcher, "-n", String(RANK_COUNT), ...command] as [string];
  const { stdout, stderr, status } = spawnSync(file, args, {
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
    // The safe defaults of the bindings, for both.
    env: { ...process.env, OMPI_MCA_btl_vader_single_copy_mechanism: "none", UCX_MEM_EVENTS: "n" },
  });
  const line = stdout?.split("\n").find((text) => text.startsWith("{"));
  if (status === 0 && line !== undefined) return JSON.parse(line).seconds;
  throw new Error(`${file} failed (${status}): ${stderr}`);
}

/** Compiles the peer; undefined if the library is not there. */
function compiledPeer(family: string, directory: string): string | undefined {
  const source = fileURLToPath(new URL("../../bench/mpi-peer.c", import.meta.url));
  const output = path.join(directory, `mpi-peer-${family}`);
  const { status, error, stderr } = spawnSync(`mpicc.${family}`, ["-O2", "-o", output, source], {
    encoding: "utf8",
  });
  if (error) return undefined;
  if (status === 0) return output;
  throw new Error(`mpicc.${family} failed: ${stderr}`);
}

function nameOf(family: string, kind: Kind, size: number): string {
  return `mpi-${family}-${kind}-${size}`;
}

interface Measured {
  readonly ours: number;
  readonly peer: number;
}

function rowOfJob(name: string, kind: Kind, size: number, rounds: readonly Measured[]): Row {
  const ours = median(rounds.map((round) => round.ours));
  const ratio = median(rounds.map((round) => round.peer / round.ours));
  const base = { case: name, ranks: RANK_COUNT, fs: "none", peer: "C" };
  if (kind === "pingpong" && size >= BANDWIDTH_SIZE_MIN) {
    const value = size / ours / 2 ** 20;
    return { ...base, value, unit: "MiB/s", ratio, target: BANDWIDTH_RATIO };
  }
  const value = ours * 1e6;
  if (kind === "allreduce" || size > 8) return { ...base, value, unit: "us", ratio, target: null };
  // The target is a difference: the ratio that it means depends on the peer's own time.
  const peer = median(rounds.map((round) => round.peer)) * 1e6;
  const target = peer / (peer + LATENCY_OVERHEAD_MAX_US);
  return { ...base, value, unit: "us", ratio, target };
}

function measure(kind: Kind, size: number, place: Place, { rounds, tiny }: Options): Row[] {
  // Nothing is written: the place does not matter.
  if (place.fs !== "tmpfs") return [];
  const ranks = fileURLToPath(new URL("mpi-ranks.js", import.meta.url));
  const most = Math.min(OPERATION_COUNT_MAX, Math.ceil(MOVED_SIZE_MAX / size));
  const args = [kind, String(size), String(tiny ? TINY_COUNT : most)];
  return FAMILIES.flatMap((family) => {
    const peer = compiledPeer(family, place.directory);
    if (peer === undefined) return [];
    const measured = Array.from({ length: rounds }, () => ({
      peer: jobSeconds(family, [peer, ...args]),
      ours: jobSeconds(family, [process.execPath, ranks, ...args]),
    }));
    return [rowOfJob(nameOf(family, kind, size), kind, size, measured)];
  });
}

function partOf(kind: Kind, size: number): Part {
  return {
    cases: FAMILIES.map((family) => nameOf(family, kind, size)),
    run: (place, options) => measure(kind, size, place, options),
  };
}

/** The suite `mpi`. */
export const mpi: Suite = [
  ...PING_PONG_SIZES.map((size) => partOf("pingpong", size)),
  ...ALLREDUCE_SIZES.map((size) => partOf("allreduce", size)),
];
