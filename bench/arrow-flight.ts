/**
 * The suite `arrow-flight`: batches of 1 MiB from a table to pyarrow, and from pyarrow into a table, against the same
 * bytes through `node:http2` to another process of Node.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Job } from "./arrow-flight-job.js";
import { compare, type Options, type Part, type Place, type Row, type Suite } from "./harness.js";

const TIMEOUT_MS = 300_000;
const BATCHES = 512;
const TINY_BATCHES = 4;
const TARGETS = { get: 0.8, put: 0.6 } as const;
const NAMES = {
  get: "Flight DoGet, 1 MiB batches, loopback",
  put: "Flight DoPut, 1 MiB batches, loopback",
} as const;

/** Python with pyarrow: that of the interoperability suites. */
const PYTHON = fileURLToPath(new URL("../../.venv-interop/bin/python", import.meta.url));

/** MiB per second of one run. */
function rateOf(job: Job): number {
  try {
    const program = fileURLToPath(new URL("arrow-flight-job.js", import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, [program, JSON.stringify(job)], {
      encoding: "utf8",
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    if (status !== 0) throw new Error(`the run of ${job.api} failed (${status}): ${stderr}`);
    return job.batches / Number(stdout);
  } finally {
    fs.rmSync(job.directory, { recursive: true, force: true });
  }
}

function measure(direction: Job["direction"], place: Place, { rounds, tiny }: Options): Row[] {
  if (!fs.existsSync(PYTHON)) {
    throw new Error("pyarrow is missing: run `npm test` once, which makes .venv-interop");
  }
  const batches = tiny ? TINY_BATCHES : BATCHES;
  const directory = path.join(place.directory, "job");
  const job = { direction, directory, batches, python: PYTHON };
  const contest = {
    case: NAMES[direction],
    peer: "node:http2",
    unit: "MiB/s",
    target: TARGETS[direction],
    ours: () => rateOf({ ...job, api: "flight" }),
    theirs: () => rateOf({ ...job, api: "http2" }),
  };
  return [compare(place, contest, rounds)];
}

const part = (direction: Job["direction"]): Part => ({
  cases: [NAMES[direction]],
  run: (place, options) => measure(direction, place, options),
});

/** `npm run bench -- arrow-flight` */
export const arrowFlight: Suite = [part("get"), part("put")];
