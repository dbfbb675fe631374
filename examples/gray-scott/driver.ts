/**
 * The driver: the whole story, from an uninterrupted run to a picture.
 *
 *     1  reference      ranks compute all steps, with a checkpoint every k       container "reference"
 *     2  killed         the same again; a rank dies in the middle of a write     container "survivor"
 *     3  restarted      another number of ranks goes on from what is visible     container "survivor"
 *     4  comparison     of final and earlier fields, bit for bit
 *     5  reading        as Arrow record batches, in a process without MPI
 *
 * While ranks write, a watcher reads: whatever is visible must be a whole checkpoint.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Container, DaosError, type DaosErrorCode, ERROR_NUMBERS, type Pool } from "daos-ts";
import { CHECKPOINT_PATH } from "./checkpoint-format.js";
import type { SimulationEvent } from "./events.js";
import { type Finding, readVersion, type Version } from "./inspection.js";
import { findLauncher, type JobOutcome, type Launcher, runJob } from "./launcher.js";
import type { DriverOptions } from "./options.js";
import { readInAnotherProcess } from "./reader-process.js";
import {
  formatCsv,
  formatTable,
  megabytesPerSecond,
  type ReportedCheckpoint,
  type Result,
  totalsOf,
} from "./report.js";
import { Watcher } from "./watcher.js";
import { prepareWorkspace, type Workspace } from "./workspace.js";

/** Commits that a container keeps readable. */
const RETAIN_COMMITS = 4;
const SIMULATION = fileURLToPath(new URL("simulation.js", import.meta.url));
const PROGRESS_INTERVAL_MS = 3000;
/** Lines of a failed job's standard error that are shown. */
const ERROR_LINES_MAX = 20;

type FailedEvent = Extract<SimulationEvent, { event: "failed" }>;

/** A container, and where the checkpoint is in it. */
interface Target {
  readonly container: Container;
  readonly address: string;
}

/** One run of the simulation. */
interface RunOptions extends Target {
  readonly name: "reference" | "killed" | "restarted";
  readonly ranks: number;
  readonly args?: readonly string[];
}

/** Runs everything and remembers what held. */
export class Driver {
  readonly #options: DriverOptions;
  readonly #print: (line: string) => void;
  readonly #launcher: Launcher;
  readonly #workspace: Workspace;
  readonly #pool: Pool;
  readonly #checkpoints: ReportedCheckpoint[] = [];
  readonly #failures: string[] = [];
  /** What ranks told of their failures. */
  readonly #rankFailures: FailedEvent[] = [];
  /** What readers saw while the runs went on. */
  readonly #seen = new Map<RunOptions["name"], readonly Finding[]>();
  #bitwiseEqual = true;
  #partialVisible = false;

  /**
   * Checks that MPI is there, and creates the pool.
   *
   * @param print Receives lines for people.
   * @throws {@link DaosError} `DER_SETUP` without MPI; otherwise as `prepareWorkspace`.
   */
  constructor(options: DriverOptions, print: (line: string) => void) {
    this.#options = options;
    this.#print = print;
    this.#launcher = findLauncher();
    const { workspace, pool } = prepareWorkspace(options.out, options.pool);
    this.#workspace = workspace;
    this.#pool = pool;
  }

  /**
   * Runs all steps.
   *
   * @throws {@link DaosError} `DER_MISC` if a run ended as it should not.
   */
  async run(): Promise<Result> {
    try {
      this.#introduce();
      const reference = this.#createContainer("reference");
      const survivor = this.#createContainer("survivor");
      await this.#runReference(reference);
      const restartStep = await this.#runKilled(survivor);
      await this.#runRestarted(survivor, restartStep);
      this.#compare(reference, survivor, restartStep);
      this.#readAsArrow(survivor.container);
      return this.#finish();
    } finally {
      this.#pool.close();
    }
  }

  #introduce(): void {
    const { notes } = this.#pool.query();
    this.#print(`Pool ${this.#workspace.pool}, durability "${this.#pool.durability}"`);
    for (const note of notes) this.#print(`  ${note}`);
  }

  #createContainer(label: string): Target {
    const container = this.#pool.createContainer(label, { retainCommits: RETAIN_COMMITS });
    const address = `daos://${this.#workspace.pool}/${label}/${CHECKPOINT_PATH}`;
    return { container, address };
  }

  async #runReference(to: Target): Promise<void> {
    const { size, steps, every, ranks } = this.#options;
    this.#print(
      `\n[1/5] Reference: ${steps} steps of ${size} x ${size} x ${size} cells on ${ranks} ranks, a checkpoint every ${every}`,
    );
    const outcome = await this.#simulate({ ...to, name: "reference", ranks });
    this.#requireSuccess(outcome, "reference");
  }

  /** @returns The step of the newest checkpoint that was visible after the kill. */
  async #runKilled(to: Target): Promise<number> {
    const { ranks, killStep } = this.#options;
    const victim = ranks - 1;
    this.#print(
      `\n[2/5] Again, but rank ${victim} gets SIGKILL in the middle of the checkpoint of step ${killStep}`,
    );
    const args = ["--kill-at-step", `${killStep}`, "--kill-rank", `${victim}`];
    let isDying = false;
    const outcome = await this.#simulate({ ...to, name: "killed", ranks, args }, (event) => {
      if (event.event !== "dying") return;
      isDying = true;
      this.#print(
        `      rank ${event.rank} dies: ${event.bytes} bytes written, of U and half of V; nothing committed`,
      );
    });
    if (!isDying || outcome.status === 0) {
      throw this.#unexpectedEnd("killed", "no rank was killed", outcome);
    }
    const newest = readVersion(to.address);
    const step = newest?.header.step ?? 0;
    this.#print(
      `      mpirun ended the job (${describe(outcome)}); visible is the checkpoint of step ${step}`,
    );
    const expected = this.#checkpoints.filter(({ run }) => run === "killed").at(-1)?.step;
    this.#check(step === expected, `the newest visible checkpoint is of step ${step}`);
    return step;
  }

  async #runRestarted(to: Target, restartStep: number): Promise<void> {
    const { restartRanks: ranks } = this.#options;
    this.#print(`\n[3/5] Restart from step ${restartStep} on ${ranks} ranks`);
    this.#pool.recover();
    const outcome = await this.#simulate({ ...to, name: "restarted", ranks, args: ["--restart"] });
    this.#requireSuccess(outcome, "restarted");
  }

  async #simulate(
    run: RunOptions,
    onEvent: (event: SimulationEvent) => void = () => {},
  ): Promise<JobOutcome> {
    const { size, steps, every } = this.#options;
    const fixed = ["--address", run.address, "--size", `${size}`];
    const args = [...fixed, "--steps", `${steps}`, "--every", `${every}`, ...(run.args ?? [])];
    const tell = this.#progressOf(run.name);
    const watcher = new Watcher(run.container, run.address);
    watcher.start();
    try {
      return await runJob(this.#launcher, {
        ranks: run.ranks,
        program: SIMULATION,
        args,
        onEvent: (event) => {
          tell(event);
          onEvent(event);
        },
      });
    } finally {
      watcher.stop();
      this.#seen.set(run.name, watcher.findings);
      this.#judge(run.name, watcher);
    }
  }

  /** What readers saw during a run. */
  #judge(run: string, { defects, lookCount }: Watcher): void {
    if (defects.length > 0) this.#partialVisible = true;
    for (const defect of defects) this.#check(false, `${run}: ${defect}`);
    const verdict = defects.length > 0 ? "NOT ALL" : "all";
    this.#print(
      `      ${lookCount} reads meanwhile and afterwards: ${verdict} of whole checkpoints`,
    );
  }

  /** Prints a run's progress and records its checkpoints. */
  #progressOf(run: string): (event: SimulationEvent) => void {
    const started = performance.now();
    let printed = started;
    const line = (step: number, text: string) => {
      printed = performance.now();
      const seconds = ((printed - started) / 1000).toFixed(1).padStart(6);
      const { steps } = this.#options;
      this.#print(`${seconds} s  step ${`${step}`.padStart(`${steps}`.length)}/${steps}  ${text}`);
    };
    return (event) => {
      if (event.event === "failed") this.#rankFailures.push(event);
      if (event.event === "job") {
        const { processes, nodes, source } = event;
        line(
          0,
          `${processes} processes on ${nodes} ${nodes === 1 ? "node" : "nodes"}, known through ${source}`,
        );
      }
      if (event.event === "start") line(event.step, `grid of ${event.ranks.join(" x ")} ranks`);
      if (event.event === "progress" && performance.now() - printed > PROGRESS_INTERVAL_MS) {
        line(event.step, "");
      }
      if (event.event !== "checkpoint") return;
      const { step, bytes, seconds } = event;
      const epoch = BigInt(event.epoch);
      this.#checkpoints.push({ run, step, epoch, bytes, seconds });
      const rate = megabytesPerSecond(bytes, seconds).toFixed(0);
      line(step, `checkpoint: ${(bytes / 1e6).toFixed(1)} MB at ${rate} MB/s, epoch ${epoch}`);
    };
  }

  #compare(reference: Target, survivor: Target, restartStep: number): void {
    this.#print("\n[4/5] Comparing both runs, bit for bit");
    const last = this.#options.steps;
    this.#compareStep(last, "final", reference.address, survivor.address);
    this.#compareStep(restartStep, "earlier", reference.address, survivor.address);
    this.#compareSeen();
  }

  #compareStep(step: number, kind: string, referenceAddress: string, address: string): void {
    const epochOf = (runs: readonly string[]) =>
      this.#checkpoints.find((it) => it.step === step && runs.includes(it.run))?.epoch;
    const expected = readStep(referenceAddress, epochOf(["reference"]));
    const found = readStep(address, epochOf(["killed", "restarted"]));
    const isRight = expected?.header.step === step && found?.header.step === step;
    const isEqual = isRight && Buffer.compare(expected.bytes, found.bytes) === 0;
    if (!isEqual) this.#bitwiseEqual = false;
    const verdict = isEqual ? "equal" : "DIFFERENT";
    this.#print(`      ${kind} fields, step ${step}, epoch ${found?.epoch}: ${verdict}`);
    this.#check(isEqual, `the fields of step ${step} differ from the reference`);
  }

  /** Compares every version that readers saw, also those that are gone by now. */
  #compareSeen(): void {
    const expected = new Map(this.#seen.get("reference")?.map((it) => [it.step, it.digest]));
    const seen = [...(this.#seen.get("killed") ?? []), ...(this.#seen.get("restarted") ?? [])];
    const versions = new Map(seen.map((it) => [it.epoch, it]));
    const comparable = [...versions.values()].filter(({ step }) => expected.has(step));
    const different = comparable.filter(({ step, digest }) => expected.get(step) !== digest);
    for (const { step, epoch } of different) {
      this.#partialVisible = true;
      this.#check(false, `epoch ${epoch} shows other fields than step ${step} of the reference`);
    }
    const equal = comparable.length - different.length;
    this.#print(`      ${equal} of ${comparable.length} versions that readers saw: equal`);
  }

  #readAsArrow(container: Container): void {
    this.#print(
      "\n[5/5] Reading the final fields as Arrow record batches, in a process without MPI",
    );
    const report = readInAnotherProcess({
      pool: this.#workspace.pool,
      container: container.label,
      png: this.#workspace.picture,
    });
    this.#check(report.step === this.#options.steps, `the reader saw step ${report.step}`);
    this.#check(report.rows === this.#options.size ** 3, `the reader saw ${report.rows} rows`);
    this.#print(`      ${report.batches} batches, ${report.rows} rows, epoch ${report.epoch}`);
    for (const name of ["u", "v"] as const) {
      const { min, max, mean, std } = report[name];
      const numbers = Object.entries({ min, max, mean, std });
      const text = numbers.map(([key, value]) => `${key} ${value.toFixed(6)}`).join("  ");
      this.#print(`      ${name}  ${text}`);
    }
    this.#print(`      picture: ${this.#workspace.picture}`);
  }

  #finish(): Result {
    writeFileSync(this.#workspace.table, formatCsv(this.#checkpoints));
    this.#print(`\n${formatTable(this.#checkpoints)}\n`);
    for (const failure of this.#failures) this.#print(`FAILED: ${failure}`);
    const { ranks, restartRanks } = this.#options;
    const { bytes, rate } = totalsOf(this.#checkpoints);
    return {
      ok: this.#failures.length === 0 && this.#bitwiseEqual && !this.#partialVisible,
      job: "gray-scott",
      bitwiseEqual: this.#bitwiseEqual,
      partialVisible: this.#partialVisible,
      ranks: [ranks, ranks, restartRanks],
      checkpoints: this.#checkpoints.length,
      bytes,
      writeMBps: Math.round(rate * 10) / 10,
      png: this.#workspace.picture,
    };
  }

  #check(holds: boolean, failure: string): void {
    if (!holds) this.#failures.push(failure);
  }

  #requireSuccess(outcome: JobOutcome, run: string): void {
    if (outcome.status === 0) return;
    throw this.#unexpectedEnd(run, `mpirun ended with ${describe(outcome)}`, outcome);
  }

  /** The error of a run that ended as it should not: what a rank said of it, if one did. */
  #unexpectedEnd(run: string, ending: string, { errorText }: JobOutcome): DaosError {
    const what = `The ${run} run of the simulation`;
    const told = this.#rankFailures[0];
    if (told !== undefined) {
      const code = told.code in ERROR_NUMBERS ? (told.code as DaosErrorCode) : "DER_MISC";
      const why = `a rank met ${told.code}: ${told.message.replace(/\.$/, "")}`;
      return new DaosError(code, { what, why, remedy: "do what it says, and run it again" });
    }
    const said = errorText.trim().split("\n").slice(0, ERROR_LINES_MAX).join("\n");
    const remedy = said === "" ? "run it again" : `see what it said:\n${said}`;
    return new DaosError("DER_MISC", { what, why: ending, remedy });
  }
}

function readStep(address: string, epoch: bigint | undefined): Version | undefined {
  return epoch === undefined ? undefined : readVersion(address, epoch);
}

function describe({ status, signal, wasSilent }: JobOutcome): string {
  if (wasSilent) return "killed, since it said nothing any more";
  return status === undefined ? `signal ${signal}` : `status ${status}`;
}
