/**
 * The suite `dfs`: files per second that are created, asked about, read and removed, against
 * `fs.promises` in the same directory: mdtest's shapes, each process in a directory of its own.
 *
 * One call at a time, as mdtest does, and many at once, as `Promise.all` does: ours share commits then, and
 * the peer's are spread over its threads. The files of 3,901 bytes are those of IO500's mdtest-hard. In a `power` pool a file is on the device
 * when its creation returns; the peer calls fsync for that. tmpfs has no device.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type Job, PHASES, type Phase } from "./dfs-job.js";
import { median, type Options, type Part, type Place, type Row, type Suite } from "./harness.js";

const TIMEOUT_MS = 300_000;
const SIZES = [0, 3901];
const PROCESS_COUNTS = [1, 4];
const FILE_COUNT = 4000;
/** The peer makes some hundred durable files a second. */
const DURABLE_FILE_COUNT = 400;
const TINY_COUNT = 8;
/** Calls under way at a time where there are several. */
const IN_FLIGHT_COUNT = 64;

/** What is measured together. */
type Shape = Pick<Job, "isDurable" | "processes" | "size" | "inFlight">;

function nameOf({ isDurable, size, inFlight }: Shape, phase: Phase): string {
  const calls = inFlight === 1 ? "" : `-${inFlight}-at-once`;
  return `dfs-${isDurable ? "power" : "process"}-${phase}-${size}${calls}`;
}

function targetOf({ isDurable, processes }: Shape, phase: Phase): number | null {
  if (phase === "unlink") return null;
  if (phase !== "create") return 0.5;
  if (isDurable) return 3;
  return processes === 1 ? 1 : 0.5;
}

/** Files per second of each phase. */
function ratesOf(job: Job): Record<Phase, number> {
  fs.mkdirSync(job.directory);
  try {
    const program = fileURLToPath(new URL("dfs-job.js", import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, [program, JSON.stringify(job)], {
      encoding: "utf8",
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    if (status !== 0) throw new Error(`the files of ${job.api} failed (${status}): ${stderr}`);
    const seconds = JSON.parse(stdout) as Record<Phase, number>;
    const count = job.files * job.processes;
    const rates = PHASES.map((phase) => [phase, count / seconds[phase]]);
    return Object.fromEntries(rates) as Record<Phase, number>;
  } finally {
    fs.rmSync(job.directory, { recursive: true, force: true });
  }
}

function measure(shape: Shape, place: Place, { rounds, tiny }: Options): Row[] {
  const all = shape.isDurable ? DURABLE_FILE_COUNT : FILE_COUNT;
  const files = tiny ? TINY_COUNT : all / shape.processes;
  const job = { ...shape, files, directory: path.join(place.directory, "job") };
  const warmup = tiny ? 0 : 1;
  const measured = Array.from({ length: rounds + warmup }, () => ({
    theirs: ratesOf({ ...job, api: "fs" }),
    ours: ratesOf({ ...job, api: "dfs" }),
  })).slice(warmup);
  return PHASES.map((phase) => ({
    case: nameOf(shape, phase),
    ranks: shape.processes,
    fs: place.fs,
    peer: shape.isDurable ? "fs.promises, fsync" : "fs.promises",
    value: median(measured.map(({ ours }) => ours[phase])),
    unit: "files/s",
    ratio: median(measured.map(({ ours, theirs }) => ours[phase] / theirs[phase])),
    target: targetOf(shape, phase),
  }));
}

function partOf(shape: Shape): Part {
  return {
    cases: PHASES.map((phase) => nameOf(shape, phase)),
    run: (place, options) =>
      shape.isDurable && place.fs === "tmpfs" ? [] : measure(shape, place, options),
  };
}

const shapes = [false, true].flatMap((isDurable) =>
  SIZES.flatMap((size) =>
    PROCESS_COUNTS.flatMap((processes) =>
      [1, IN_FLIGHT_COUNT].map((inFlight) => ({ isDurable, size, processes, inFlight })),
    ),
  ),
);

/** The suite. */
export const dfs: Suite = shapes.map(partOf);
