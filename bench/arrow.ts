/**
 * The suite `arrow`: tables and arrays as record batches, against apache-arrow and plain files.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Job, Seconds } from "./arrow-job.js";
import { BATCH_ROWS, BATCH_SIZE } from "./arrow-table.js";
import {
  limitRow,
  median,
  type Options,
  type Part,
  type Place,
  type Row,
  rowOf,
  type Suite,
} from "./harness.js";

const TIMEOUT_MS = 600_000;
const MIB = 2 ** 20;
const WARM_UPS = 5;
const TINY = { batches: 2, side: 32 };
const FLOAT_SIZE = 8;
const FIRST_BATCH_MS_MAX = 5;

/** A case, and what it should reach. */
interface Case {
  readonly name: string;
  readonly job: Pick<Job, "kind" | "against"> & { readonly batches?: number };
  readonly peer: string;
  readonly unit: "MiB/s" | "ms";
  readonly target: number;
}

/** Batches of a table of 1 GiB. */
const GIB_BATCHES = 2 ** 30 / BATCH_SIZE;
const SIDE = 256;

const CASES: readonly Case[] = [
  {
    name: "arrow scan and sum of one column of 8, 1 GiB",
    job: { kind: "scan", against: "scan" },
    peer: "apache-arrow, file in memory",
    unit: "MiB/s",
    target: 1,
  },
  {
    name: "arrow append of 64 Ki-row batches",
    job: { kind: "append", against: "append", batches: GIB_BATCHES / 4 },
    peer: "apache-arrow to a file",
    unit: "MiB/s",
    target: 0.8,
  },
  {
    name: "arrow scan of 1 % of the batches, 1 GiB",
    job: { kind: "selective", against: "full scan" },
    peer: "full scan",
    unit: "ms",
    target: 20,
  },
  {
    name: "arrow first batch, 1 GiB",
    job: { kind: "first", against: "nothing" },
    peer: `limit ${FIRST_BATCH_MS_MAX} ms`,
    unit: "ms",
    target: 1,
  },
  {
    name: "arrow 256^3 float64 as batches, row-major",
    job: { kind: "checkpoint", against: "checkpoint" },
    peer: "fs.readSync",
    unit: "MiB/s",
    target: 0.6,
  },
];

function run(job: Job): Seconds {
  const program = fileURLToPath(new URL("arrow-job.js", import.meta.url));
  try {
    const { status, stdout, stderr, error } = spawnSync(
      process.execPath,
      [program, JSON.stringify(job)],
      { encoding: "utf8", timeout: TIMEOUT_MS, killSignal: "SIGKILL" },
    );
    if (status === 0) return JSON.parse(stdout) as Seconds;
    throw new Error(`the case ${job.kind} failed (${status}): ${error ?? stderr}`);
  } finally {
    fs.rmSync(job.directory, { recursive: true, force: true });
  }
}

/** MiB that a round carries: of a scan, those of the column that it reads. */
function workOf({ kind, batches, side }: Job): number {
  if (kind === "checkpoint") return (side ** 3 * FLOAT_SIZE) / MIB;
  return (batches * (kind === "append" ? BATCH_SIZE : BATCH_ROWS * FLOAT_SIZE)) / MIB;
}

function measure(of: Case, place: Place, { rounds, tiny }: Options): Row {
  const directory = path.join(place.directory, "job");
  const sizes = tiny ? TINY : { batches: of.job.batches ?? GIB_BATCHES, side: SIDE };
  const job: Job = { ...of.job, ...sizes, directory, rounds, warmUps: tiny ? 1 : WARM_UPS };
  const { ours, theirs } = run(job);
  const mine = median(ours);
  const { name, peer, unit, target } = of;
  if (of.job.kind === "first") {
    return limitRow(place, { case: name, unit, value: mine * 1000, limit: FIRST_BATCH_MS_MAX });
  }
  const ratio = median(ours.map((seconds, index) => (theirs[index] as number) / seconds));
  const value = unit === "ms" ? mine * 1000 : workOf(job) / mine;
  return rowOf(place, { case: name, peer, unit, target }, { value, ratio });
}

/** `npm run bench -- arrow` */
export const arrow: Suite = CASES.map(
  (of): Part => ({
    cases: [of.name],
    run: (place, options) => [measure(of, place, options)],
  }),
);
