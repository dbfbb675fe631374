/**
 * Options of the driver: parsing and checking the command line.
 *
 * @module
 */

import { Command, InvalidArgumentError } from "commander";
import { DaosError } from "daos-ts";
import { requireCells } from "./grid.js";

/** Largest number of checkpoints by default. */
const CHECKPOINTS_DEFAULT = 6;

/** What to run. */
export interface DriverOptions {
  /** Cells along each dimension. */
  readonly size: number;
  readonly steps: number;
  /** Steps between checkpoints. */
  readonly every: number;
  /** Ranks of the reference and the killed run. */
  readonly ranks: number;
  /** Ranks after the restart. */
  readonly restartRanks: number;
  /** The step in whose checkpoint a rank dies. */
  readonly killStep: number;
  /** Output directory. */
  readonly out: string;
  /** Directory of the pool; in the output directory by default. */
  readonly pool?: string;
}

interface Flags {
  readonly size: number;
  readonly steps: number;
  readonly every?: number;
  readonly ranks: number;
  readonly restartRanks?: number;
  readonly out: string;
  readonly pool?: string;
}

function positive(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number above 0.");
}

function makeCommand(): Command {
  return new Command("gray-scott")
    .description(
      "Checkpoints a 3-D reaction-diffusion simulation, kills it in the middle of a checkpoint, restarts it, and checks that nothing was lost or torn.",
    )
    .option("--size <cells>", "cells along each dimension", positive, 96)
    .option("--steps <n>", "steps to compute", positive, 900)
    .option("--every <n>", "steps between checkpoints (default: a sixth of the steps)", positive)
    .option("--ranks <n>", "ranks before the kill", positive, 4)
    .option("--restart-ranks <n>", "ranks after the restart (default: half as many)", positive)
    .option("--out <directory>", "where the results go", "out/gray-scott")
    .option("--pool <directory>", "where the pool is created (default: in the results)");
}

/**
 * The step whose checkpoint is not finished: the third from the end, so that the one before it is still
 * kept when the run has ended, but never the first.
 */
function killStepOf(steps: number, every: number): number {
  const count = Math.ceil(steps / every);
  return Math.min(steps, Math.max(2, count - 2) * every);
}

/**
 * Parses the command line; prints help and exits if asked to.
 *
 * @param argv As `process.argv`.
 * @throws {@link DaosError} `DER_INVAL` for numbers that do not fit together.
 */
export function parseOptions(argv: readonly string[]): DriverOptions {
  const flags = makeCommand().parse(argv).opts<Flags>();
  const { size, steps, ranks, out } = flags;
  const every = flags.every ?? Math.ceil(steps / CHECKPOINTS_DEFAULT);
  const restartRanks = flags.restartRanks ?? (ranks === 1 ? 2 : Math.ceil(ranks / 2));
  if (every >= steps) {
    throw new DaosError("DER_INVAL", {
      what: `Planning ${steps} steps with a checkpoint every ${every}`,
      why: "the run dies in its second checkpoint at the earliest, and there is only one",
      remedy: "give --every a number below --steps",
    });
  }
  for (const count of [ranks, restartRanks]) requireCells([size, size, size], count);
  const killStep = killStepOf(steps, every);
  const where = flags.pool === undefined ? { out } : { out, pool: flags.pool };
  return { size, steps, every, ranks, restartRanks, killStep, ...where };
}
