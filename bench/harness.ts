/**
 * What all benchmarks share: rows, medians, alternating runs of ours and the peer, table and JSON.
 *
 * Ours and the peer run in turn, so that a machine whose speed drifts treats both alike; the first
 * round warms up and is dropped. The ratio is the median of the rounds' ratios: ours against the peer,
 * higher is better.
 *
 * @module
 */

/** One line of a result. */
export interface Row {
  readonly case: string;
  readonly ranks: number;
  /** "tmpfs" or "disk". */
  readonly fs: string;
  /** What ours is compared with. */
  readonly peer: string;
  /** Median figure of ours. */
  readonly value: number;
  readonly unit: string;
  /** Ours against the peer, higher is better. */
  readonly ratio: number;
  /** What the ratio should reach; null where no target is set. */
  readonly target: number | null;
}

/** A directory to measure in. */
export interface Place {
  /** "tmpfs" or "disk". */
  readonly fs: string;
  readonly directory: string;
}

/** How a suite is run. */
export interface Options {
  /** Measured rounds of each case, besides the first one. */
  readonly rounds: number;
  /** Jobs of so many ranks only; all if undefined. */
  readonly ranks?: number;
  /** Sizes that show that the benchmark runs, and nothing else; names are those of the true sizes. */
  readonly tiny: boolean;
}

/** Cases that share their preparation. */
export interface Part {
  /** Names of the cases. */
  readonly cases: readonly string[];
  /** Measures all of them. */
  readonly run: (place: Place, options: Options) => Row[];
}

/** A benchmark suite: `npm run bench -- <name>`. */
export type Suite = readonly Part[];

/** The parts that hold cases whose names contain a text. */
export function partsWith(suite: Suite, text: string): Part[] {
  return suite.filter(({ cases }) => cases.some((name) => name.includes(text)));
}

/** The middle one of some numbers; of an even count, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Seconds that a call takes. */
export function secondsOf(run: () => void): number {
  const start = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** What is compared; each function does the same amount of work and returns its rate per second. */
export interface Contest {
  readonly case: string;
  readonly peer: string;
  readonly unit: string;
  readonly target: number | null;
  readonly ours: () => number;
  readonly theirs: () => number;
}

/** Runs a contest, ours and the peer in turn. */
export function compare(place: Place, contest: Contest, rounds: number): Row {
  const own: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const theirs = contest.theirs();
    const ours = contest.ours();
    if (round === 0) continue;
    own.push(ours);
    ratios.push(ours / theirs);
  }
  const { case: name, peer, unit, target } = contest;
  const value = median(own);
  return { case: name, ranks: 1, fs: place.fs, peer, value, unit, ratio: median(ratios), target };
}

/** Median of what a call returns, in `rounds` rounds after one that warms up. */
export function medianOf(rounds: number, run: () => number): number {
  run();
  return median(Array.from({ length: rounds }, run));
}

/** A row for two figures that cannot be taken in turn: before and after something. */
export function rowOf(
  place: Place,
  contest: Omit<Contest, "ours" | "theirs">,
  figures: { readonly value: number; readonly ratio: number },
): Row {
  const { case: name, peer, unit, target } = contest;
  return { case: name, ranks: 1, fs: place.fs, peer, unit, target, ...figures };
}

/** A row for a figure that must stay below a limit: the ratio is the limit against it. */
export function limitRow(
  place: Place,
  { case: name, unit, value, limit }: { case: string; unit: string; value: number; limit: number },
): Row {
  const contest = { case: name, peer: `limit ${limit.toLocaleString("en")} ${unit}`, unit };
  return rowOf(place, { ...contest, target: 1 }, { value, ratio: limit / value });
}

/** The rows as a table for people. */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.case,
    String(row.ranks),
    row.fs,
    `${row.value >= 100 ? Math.round(row.value).toLocaleString("en") : row.value.toPrecision(3)} ${row.unit}`,
    `${row.ratio.toFixed(2)} x ${row.peer}`,
    row.target === null ? "" : `${row.ratio >= row.target ? "reaches" : "misses"} ${row.target}`,
  ]);
  const header = ["case", "ranks", "fs", "ours", "ratio", "target"];
  const widths = header.map((name, column) =>
    Math.max(name.length, ...cells.map((line) => (line[column] as string).length)),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, column) => text.padEnd(widths[column] as number))
      .join("  ")
      .trimEnd();
  return [line(header), ...cells.map(line)].join("\n");
}
