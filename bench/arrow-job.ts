/**
 * One case of the suite `arrow`: ours and its peer in a process each, both prepared and warm, which are measured in turn.
 *
 *     node arrow-job.js <JSON of a Job>
 *
 * Prints the seconds of each round as JSON: `{ "ours": [...], "theirs": [...] }`.
 *
 * @module
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ours } from "./arrow-ours.js";
import { peers } from "./arrow-peers.js";

/** Something that is measured. */
export interface Contender {
  /** Does the work once; returns its seconds. */
  run(): Promise<number>;
  end(): void;
}

/** What is run. */
export interface Job {
  readonly kind: keyof typeof ours;
  /** What it is measured against: its peer, another case of ours, or nothing. */
  readonly against: keyof typeof peers | "full scan" | "nothing";
  /** An empty directory. */
  readonly directory: string;
  readonly batches: number;
  /** Extent of the cube, of float64. */
  readonly side: number;
  readonly rounds: number;
  readonly warmUps: number;
}

/** Seconds of each round. */
export interface Seconds {
  readonly ours: number[];
  /** Empty where there is nothing to measure against. */
  readonly theirs: number[];
}

const ROLE = "BENCH_ARROW_ROLE";

/** Answers each message with the seconds of a round. */
async function serve(job: Job, role: string): Promise<void> {
  const { kind, against } = job;
  const other = against === "full scan" || against === "nothing" ? ours.scan : peers[against];
  const directory = path.join(job.directory, role);
  fs.mkdirSync(directory, { recursive: true });
  const contender = await (role === "ours" ? ours[kind] : other)({ ...job, directory });
  process.on("message", async () => process.send?.(await contender.run()));
  process.on("disconnect", () => contender.end());
  process.send?.("ready");
}

async function round(child: ChildProcess): Promise<number> {
  const gone = once(child, "exit").then(([status]) => {
    throw new Error(`a side of the benchmark ended with status ${status}`);
  });
  gone.catch(() => undefined);
  child.send("run");
  const [seconds] = await Promise.race([once(child, "message"), gone]);
  return seconds as number;
}

/** Starts a side; returns when it is ready to be measured. */
async function started(job: Job, role: string): Promise<ChildProcess> {
  const program = fileURLToPath(import.meta.url);
  const env = { ...process.env, [ROLE]: role };
  const child = fork(program, [JSON.stringify(job)], { env });
  await Promise.race([once(child, "message"), once(child, "exit")]);
  if (child.connected) return child;
  throw new Error(`a side of the benchmark could not start (${role})`);
}

async function contest(job: Job): Promise<Seconds> {
  const own = await started(job, "ours");
  const other = job.against === "nothing" ? undefined : await started(job, "theirs");
  const seconds: Seconds = { ours: [], theirs: [] };
  for (let count = 0; count < job.warmUps + job.rounds; count++) {
    if (other !== undefined) seconds.theirs.push(await round(other));
    seconds.ours.push(await round(own));
  }
  for (const side of [own, other]) {
    if (side === undefined) continue;
    const ended = once(side, "exit");
    side.disconnect();
    await ended;
  }
  return { ours: seconds.ours.slice(job.warmUps), theirs: seconds.theirs.slice(job.warmUps) };
}

const [text] = process.argv.slice(2);
if (text !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  const job = JSON.parse(text) as Job;
  const role = process.env[ROLE];
  if (role !== undefined) await serve(job, role);
  else console.log(JSON.stringify(await contest(job)));
}
