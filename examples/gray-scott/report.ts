/**
 * Reports: the table of checkpoints, and the result as one JSON line.
 *
 * @module
 */

import { type Epoch, timeOfEpoch } from "daos-ts";
import type { WrittenCheckpoint } from "./checkpoint.js";

/** A committed checkpoint, and the run that wrote it. */
export interface ReportedCheckpoint extends WrittenCheckpoint {
  readonly run: string;
}

/** The last line of the output. */
export interface Result {
  /** Whether all of it held. */
  readonly ok: boolean;
  readonly job: "gray-scott";
  /** Whether final and earlier fields of the restarted run equal the reference's bit for bit. */
  readonly bitwiseEqual: boolean;
  /** Whether anything but whole checkpoints was ever visible. */
  readonly partialVisible: boolean;
  /** Ranks of the reference, the killed and the restarted run. */
  readonly ranks: readonly [number, number, number];
  /** Checkpoints committed, over all runs. */
  readonly checkpoints: number;
  /** Bytes of these. */
  readonly bytes: number;
  /** Their mean rate, in 10^6 bytes per second. */
  readonly writeMBps: number;
  /** Path of the picture. */
  readonly png: string;
}

/** Rate in 10^6 bytes per second. */
export function megabytesPerSecond(bytes: number, seconds: number): number {
  return seconds > 0 ? bytes / 1e6 / seconds : 0;
}

/** Bytes, seconds and rate of all checkpoints together. */
export function totalsOf(checkpoints: readonly WrittenCheckpoint[]): {
  bytes: number;
  seconds: number;
  rate: number;
} {
  const bytes = checkpoints.reduce((sum, it) => sum + it.bytes, 0);
  const seconds = checkpoints.reduce((sum, it) => sum + it.seconds, 0);
  return { bytes, seconds, rate: megabytesPerSecond(bytes, seconds) };
}

/** UTC time of day of a commit, to the millisecond. */
function timeOfDay(epoch: Epoch): string {
  return new Date(Number(timeOfEpoch(epoch) / 1_000_000n)).toISOString().slice(11, 23);
}

const COLUMNS = ["run", "epoch", "committed (UTC)", "step", "bytes", "seconds", "MB/s"];

function cellsOf({ run, epoch, step, bytes, seconds }: ReportedCheckpoint): string[] {
  const rate = megabytesPerSecond(bytes, seconds).toFixed(1);
  return [run, `${epoch}`, timeOfDay(epoch), `${step}`, `${bytes}`, seconds.toFixed(4), rate];
}

/** The table of checkpoints, for people. */
export function formatTable(checkpoints: readonly ReportedCheckpoint[]): string {
  const { bytes, seconds, rate } = totalsOf(checkpoints);
  const total = ["total", "", "", "", `${bytes}`, seconds.toFixed(4), rate.toFixed(1)];
  const rows = [COLUMNS, ...checkpoints.map(cellsOf), total];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => (row[i] as string).length)));
  const lines = rows.map((row) => {
    const padded = row.map((cell, i) => {
      const width = widths[i] as number;
      return i === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return padded.join("  ");
  });
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  lines.splice(1, 0, rule);
  lines.splice(-1, 0, rule);
  return lines.join("\n");
}

/** The table of checkpoints, for programs. */
export function formatCsv(checkpoints: readonly ReportedCheckpoint[]): string {
  const header = "run,epoch,committed_utc,step,bytes,seconds,mb_per_s";
  return `${[header, ...checkpoints.map((it) => cellsOf(it).join(","))].join("\n")}\n`;
}
