/**
 * How the runs of an array between two kept epochs become fewer: what aggregation puts in their place.
 *
 * No reader can tell the runs in `(k[i-1], k[i]]` apart, `k` being the epochs that are kept: each sees all
 * of them or none. What `k[i]` shows of them may therefore lie in merged runs on top of them, at the
 * newest epoch among those that are replaced:
 *
 *     runs      e3     ├ c ┤              merged     e3   ├ a ├ c ┤├ b ┤ d ┤
 *               e2           ├ b ┤
 *               e1  ├──── a ────┤├ d ┤
 *
 * 1. A merged run holds only what `k[i]` shows. So it may be put on top while the runs that it replaces
 *    are still there, and they may be removed one after the other once all that is seen of them lies in
 *    merged runs: at any moment of it, `k[i]` and later epochs show the same.
 * 2. Merged runs are bounded. A part goes into one of them; a run is finished with the last that has a
 *    part of it.
 * 3. Runs are put together by *clusters*, whose bounds do not overlap, and a group of clusters is
 *    rewritten only if that pays: what it saves of the index, plus 1/64 of the data that nothing shows
 *    any more, is at least a quarter of what is written. So rewriting is bounded by what it removes, and a
 *    second pass finds nothing to do. Patterns stay patterns, and none are made: what a run costs in the
 *    plan is what it costs when it is planned again.
 * 4. Of parts that are to be copied (fragmentation.ts) the bytes move too; else merged runs refer to the
 *    bytes where they lie.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { COMPACTION_STEP_SIZE, MERGED_RUN_WEIGHT_MAX } from "../limits.js";
import type { Epoch } from "./epoch.js";
import { type PlacedPart, partsInPlace, placeParts } from "./fragmentation.js";
import { PAUSE_COUNT, type Pausing } from "./pausing.js";
import { HOLE_SEGMENT, type Run } from "./piece.js";
import { runSize, type VisiblePart, visibleParts } from "./visible-parts.js";

/** A run that takes the place of others. */
export interface MergedRun {
  /** The newest epoch among the runs of its group. */
  readonly epoch: Epoch;
  /** In order of their starts, and disjoint. */
  readonly parts: readonly PlacedPart[];
  /** Indices of the runs that have parts in it. */
  readonly sources: readonly number[];
  /** Indices of the runs that can be removed when it is there. */
  readonly finished: readonly number[];
}

/** What is to be done with some runs. */
export interface MergePlan {
  /** Indices of the runs that no kept epoch sees. */
  readonly hidden: readonly number[];
  /** In the order in which they must be put. */
  readonly merged: readonly MergedRun[];
}

// Bytes in the index, roughly: what matters is that a run costs the same before and after.
const RUN_COST = 72;
const EXTENT_COST = 10;
const PIECE_COST = 10;
/** Bytes of data that are worth a byte of the index. */
const DATA_BYTES_PER_INDEX_BYTE = 64;
/** Parts that are looked at between two pauses, where nothing is made of them. */
const SCAN_COUNT = 8 * PAUSE_COUNT;
/** Gain, as a share of what is written, from which rewriting pays. */
const GAIN_SHARE_MIN = 1 / 4;

function costOf(run: Run): number {
  let weight = 0;
  for (const { pattern } of run.pieces) weight += 1 + pattern.levels.length;
  return RUN_COST + EXTENT_COST * run.extents.length + PIECE_COST * weight;
}

/** What a part adds to a merged run behind another one: nothing if they become one piece. */
function weightAfter(part: PlacedPart, previous: PlacedPart | undefined): number {
  if (part.range !== undefined) return 1 + part.range.pattern.levels.length;
  if (previous === undefined || previous.range !== undefined || previous.end !== part.start) {
    return 1;
  }
  if (part.isCopied !== previous.isCopied) return 1;
  if (part.isCopied) return 0;
  const goesOn =
    part.segment === previous.segment && part.position === previous.position + previous.size;
  return goesOn ? 0 : 1;
}

/** Neighbouring clusters that are rewritten together, or not at all. */
class Group {
  readonly parts: PlacedPart[] = [];
  weight = 0;

  *add(parts: readonly PlacedPart[]): Pausing<void> {
    for (const part of parts) {
      this.weight += weightAfter(part, this.parts.at(-1));
      this.parts.push(part);
      if (this.parts.length % PAUSE_COUNT === 0) yield;
    }
  }
}

/** Cuts the parts of a group where a merged run must end. */
function* chunksOf(parts: readonly PlacedPart[]): Pausing<PlacedPart[][]> {
  const chunks: PlacedPart[][] = [];
  let chunk: PlacedPart[] = [];
  let weight = 0;
  let copied = 0;
  for (const part of parts) {
    const added = weightAfter(part, chunk.at(-1));
    const addedCopy = part.isCopied ? part.size : 0;
    const isFull =
      weight + added > MERGED_RUN_WEIGHT_MAX || copied + addedCopy > COMPACTION_STEP_SIZE;
    if (isFull && chunk.length > 0) {
      chunks.push(chunk);
      chunk = [];
      weight = 0;
      copied = 0;
      yield;
    }
    weight += weightAfter(part, chunk.at(-1));
    copied += addedCopy;
    chunk.push(part);
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}

/** What writing a chunk costs. */
function costOfChunk(parts: readonly PlacedPart[]): number {
  const segments = new Set(parts.map(({ segment, isCopied }) => (isCopied ? -1 : segment)));
  let weight = 0;
  for (const [index, part] of parts.entries()) weight += weightAfter(part, parts[index - 1]);
  return RUN_COST + EXTENT_COST * segments.size + PIECE_COST * weight;
}

/** What the runs of a group cost, and the bytes that none of its parts shows. */
function* replaced(runs: readonly Run[], parts: readonly PlacedPart[], used: ReadonlySet<number>) {
  let cost = 0;
  let freed = 0;
  let epoch: Epoch = 0n;
  let left = PAUSE_COUNT;
  for (const index of used) {
    const run = runs[index] as Run;
    cost += costOf(run);
    freed += runSize(run);
    if (run.epoch > epoch) epoch = run.epoch;
    if (--left > 0) continue;
    left = PAUSE_COUNT;
    yield;
  }
  for (const { size, segment } of parts) if (segment !== HOLE_SEGMENT) freed -= size;
  return { cost, freed, epoch };
}

/** The merged runs of a group, or none if it does not pay. */
function* mergeGroup(runs: readonly Run[], { parts }: Group): Pausing<MergedRun[]> {
  const used = new Set(parts.map(({ run }) => run));
  const chunks = yield* chunksOf(parts);
  const before = yield* replaced(runs, parts, used);
  let after = 0;
  for (const chunk of chunks) {
    after += costOfChunk(chunk);
    if (chunks.length > 1) yield;
  }
  const gain = before.cost - after + before.freed / DATA_BYTES_PER_INDEX_BYTE;
  const isForced = parts.some(({ isCopied }) => isCopied);
  if (!isForced && gain < after * GAIN_SHARE_MIN) return [];
  const lastChunk = new Map<number, number>();
  for (const [at, chunk] of chunks.entries()) {
    for (const { run } of chunk) lastChunk.set(run, at);
    if (chunks.length > 1) yield;
  }
  const merged: MergedRun[] = [];
  for (const [at, chunk] of chunks.entries()) {
    const sources = [...new Set(chunk.map(({ run }) => run))];
    const finished = sources.filter((run) => lastChunk.get(run) === at);
    merged.push({ epoch: before.epoch, parts: chunk, sources, finished });
    if (chunks.length > 1) yield;
  }
  return merged;
}

/** Indices of the runs that have no part. */
function* hiddenRuns(
  runCount: number,
  parts: readonly VisiblePart[],
  inexact: ReadonlySet<number>,
): Pausing<number[]> {
  const isSeen = new Uint8Array(runCount);
  for (let at = 0; at < parts.length; at++) {
    isSeen[(parts[at] as VisiblePart).run] = 1;
    if (at % SCAN_COUNT === SCAN_COUNT - 1) yield;
  }
  const hidden: number[] = [];
  for (let run = 0; run < runCount; run++) {
    if (isSeen[run] === 0 && !inexact.has(run)) hidden.push(run);
  }
  return hidden;
}

/** Where the last part of each run ends. */
function* lastEnds(runCount: number, parts: readonly PlacedPart[]): Pausing<Float64Array> {
  const ends = new Float64Array(runCount);
  for (let at = 0; at < parts.length; at++) {
    const { run, end } = parts[at] as PlacedPart;
    ends[run] = Math.max(ends[run] as number, end);
    if (at % SCAN_COUNT === SCAN_COUNT - 1) yield;
  }
  return ends;
}

/** The groups of parts in order of their starts; `undefined` is a pause. */
function* groupsOf(ends: Float64Array, parts: readonly PlacedPart[]): Generator<Group | undefined> {
  let group = new Group();
  let first = 0;
  let reach = 0;
  for (let at = 0; at <= parts.length; at++) {
    if (at % PAUSE_COUNT === PAUSE_COUNT - 1) yield undefined;
    const part = parts[at];
    const goesOn = part !== undefined && (at === first || part.start < reach);
    if (!goesOn) {
      const cluster = new Group();
      for (const _ of cluster.add(parts.slice(first, at))) yield undefined;
      const isFull = group.weight + cluster.weight > MERGED_RUN_WEIGHT_MAX;
      if (isFull && group.parts.length > 0) {
        yield group;
        group = new Group();
      }
      for (const _ of group.add(cluster.parts)) yield undefined;
      first = at;
      reach = 0;
    }
    if (part !== undefined) reach = Math.max(reach, ends[part.run] as number);
  }
  if (group.parts.length > 0) yield group;
}

/**
 * Plans what becomes of the runs between two neighbouring kept epochs; yields now and then, so that a
 * long list can be planned in steps.
 *
 * Cost: O(n log n) for n contiguous pieces; see {@link visibleParts} for patterns.
 *
 * @param runs All of an array's runs there that no punch hides, newest first.
 * @param options `compact`: whether parts may be copied.
 */
export function* planMerge(
  runs: readonly Run[],
  options: { compact: boolean },
): Pausing<MergePlan> {
  if (runs.length === 1 && (runs[0] as Run).pieces.length === 1) return { hidden: [], merged: [] };
  const { parts, inexact } = yield* visibleParts(runs);
  yield;
  const hidden = yield* hiddenRuns(runs.length, parts, inexact);
  const placed = yield* options.compact ? placeParts(parts) : partsInPlace(parts);
  yield;
  const merged: MergedRun[] = [];
  const ends = yield* lastEnds(runs.length, placed);
  for (const group of groupsOf(ends, placed)) {
    const planned = group === undefined ? [] : yield* mergeGroup(runs, group);
    for (const run of planned) merged.push(run);
    yield;
  }
  return { hidden, merged };
}
