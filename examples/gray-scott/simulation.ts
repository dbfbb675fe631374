/**
 * The simulation: the program of each rank, started by mpirun; alone, it is one rank.
 *
 *     mpirun -n 4 node simulation.js --address daos:///scratch/run.pool/results/fields \
 *         --size 96 --steps 900 --every 150
 *
 * Prints one JSON object per line (see events.ts).
 *
 * @module
 */

import { Command, InvalidArgumentError } from "commander";
import { isDaosError } from "daos-ts";
import { MpiError, world } from "node-mpi-bindings";
import { Checkpointer } from "./checkpoint.js";
import { emit } from "./events.js";
import { Grid } from "./grid.js";
import { HaloExchange } from "./halo.js";
import { fillInitialState } from "./initial-state.js";
import { advance, createFields, type Fields } from "./kernel.js";
import { PARAMETERS } from "./parameters.js";
import { callRoll } from "./roll.js";

const PROGRESS_INTERVAL_MS = 500;
/** How long a dying rank lets its last words and the other ranks' writes get ahead of it. */
const DYING_MS = 200;

/** What the command line says. */
interface SimulationOptions {
  readonly address: string;
  readonly size: number;
  readonly steps: number;
  readonly every: number;
  readonly restart?: boolean;
  readonly killAtStep?: number;
  readonly killRank: number;
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
}

function parseOptions(): SimulationOptions {
  return new Command("simulation")
    .description("3-D Gray-Scott reaction-diffusion; run it under mpirun")
    .requiredOption(
      "--address <address>",
      "file of the checkpoints, daos://<pool>/<container>/<path>",
    )
    .requiredOption("--size <cells>", "cells along each dimension", wholeNumber)
    .requiredOption("--steps <n>", "last step", wholeNumber)
    .requiredOption("--every <n>", "steps between checkpoints", wholeNumber)
    .option("--restart", "begin with the newest checkpoint")
    .option("--kill-at-step <n>", "die in the middle of this step's checkpoint", wholeNumber)
    .option("--kill-rank <n>", "the rank that dies", wholeNumber, 0)
    .parse()
    .opts<SimulationOptions>();
}

/** One rank of the simulation. */
class Simulation {
  readonly #options: SimulationOptions;
  readonly #grid: Grid;
  readonly #halo: HaloExchange;
  readonly #checkpointer: Checkpointer;
  #now: Fields;
  #next: Fields;
  #step = 0;

  /** Collective. */
  constructor(options: SimulationOptions) {
    this.#options = options;
    const { size } = options;
    this.#grid = new Grid(world(), [size, size, size]);
    this.#halo = new HaloExchange(this.#grid);
    this.#checkpointer = new Checkpointer(this.#grid, PARAMETERS, options.address);
    this.#now = createFields(this.#grid);
    this.#next = createFields(this.#grid);
  }

  /** Computes all steps. Collective. */
  run(): void {
    const started = performance.now();
    if (this.#options.restart) this.#step = this.#checkpointer.restore(this.#now);
    else fillInitialState(this.#grid, this.#now);
    this.#tell(() => emit({ event: "start", ranks: this.#grid.comm.dims, step: this.#step }));

    let reported = started;
    while (this.#step < this.#options.steps) {
      this.#advance();
      if (this.#isCheckpointDue()) this.#checkpoint();
      if (performance.now() - reported < PROGRESS_INTERVAL_MS) continue;
      reported = performance.now();
      this.#tell(() => emit({ event: "progress", step: this.#step }));
    }
    this.#checkpointer.close();
    const seconds = (performance.now() - started) / 1000;
    this.#tell(() => emit({ event: "done", step: this.#step, seconds }));
  }

  #advance(): void {
    this.#halo.exchange(this.#now);
    advance(this.#grid, PARAMETERS, this.#now, this.#next);
    [this.#now, this.#next] = [this.#next, this.#now];
    this.#step += 1;
  }

  #isCheckpointDue(): boolean {
    return this.#step % this.#options.every === 0 || this.#step === this.#options.steps;
  }

  #checkpoint(): void {
    const { killAtStep, killRank } = this.#options;
    if (this.#step === killAtStep && this.#grid.comm.rank === killRank) this.#die();
    const { step, epoch, bytes, seconds } = this.#checkpointer.write(this.#step, this.#now);
    this.#tell(() => emit({ event: "checkpoint", step, epoch: String(epoch), bytes, seconds }));
  }

  /** Dies as by a power cut or the out-of-memory killer: half of a checkpoint written, none committed. */
  #die(): never {
    const bytes = this.#checkpointer.writePart(this.#step, this.#now);
    emit({ event: "dying", rank: this.#grid.comm.rank, step: this.#step, bytes });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, DYING_MS);
    for (;;) process.kill(process.pid, "SIGKILL");
  }

  #tell(report: () => void): void {
    if (this.#grid.comm.rank === 0) report();
  }
}

/** Tells of an expected failure and ends the job; rethrows a bug. */
function fail(error: unknown): never {
  if (!isDaosError(error) && !(error instanceof MpiError)) throw error;
  // Files say the error class of MPI, and beside it the code of the store.
  const { daosCode } = error as { daosCode?: string };
  emit({ event: "failed", code: daosCode ?? error.code, message: error.message });
  process.exit(1);
}

emit({ event: "process", pid: process.pid });
try {
  const { rank, source, nodes, pids } = callRoll();
  if (rank === 0) emit({ event: "job", source, nodes: nodes.length, processes: pids.length });
  new Simulation(parseOptions()).run();
} catch (error) {
  fail(error);
}
