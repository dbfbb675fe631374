/**
 * Aggregation: removes what no reader can see any more, merges what is left, and frees the segments.
 *
 *     arrays     hidden runs are removed, others merged (merge-plan.ts); fragmented ranges are copied
 *     segments   what lives in segments that are mostly dead is copied (relocation.ts)
 *     values     hidden versions are removed (value-aggregation.ts)
 *
 * Versions that are kept: see retention.ts. A pass goes array by array and holds the runs of one at a time.
 *
 * Safe to kill at any moment: the horizon is raised first, and each step is one transaction after which
 * every kept epoch reads the same. Safe beside readers (pins), writers (runs newer than all kept epochs
 * are not touched) and other passes (what a transaction replaces must be as it was read).
 *
 * Between steps nothing of the index is held; what is held are the lease of the log that copies go to,
 * the segments that an array's copies come from, and the lock that keeps a second pass out.
 *
 * @module
 */

import type { Device } from "../device/device.js";
import { assert, isDaosError } from "../errors.js";
import { readComponent } from "../index/component.js";
import { nextCounter } from "../index/counters.js";
import type { IndexStore, IndexTransaction } from "../index/index-store.js";
import { inSteps } from "../index/steps.js";
import {
  AGGREGATION_ROUNDS_MAX,
  AGGREGATION_STEP_COUNT,
  AGGREGATION_STEP_SIZE,
  MERGED_RUN_SIZE_MAX,
} from "../limits.js";
import { type CommittedExtent, SegmentMoved } from "../log/segment-reader.js";
import { listSegments, type SegmentRecord } from "../log/segment-record.js";
import { lockAggregation } from "./aggregation-lock.js";
import { akeyOfPath } from "./array-address.js";
import { getContainer } from "./containers.js";
import { CopyLog, type CopyLogOptions, isMostlyDead } from "./copy-log.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";
import { countNewer, intervalsOf } from "./kept-epochs.js";
import { type MergedRun, planMerge } from "./merge-plan.js";
import { type ObjectAddress, objectPrefix } from "./names.js";
import { removeFreedMarks } from "./object-marks.js";
import { Pattern, wholeOf } from "./pattern.js";
import { HOLE_SEGMENT, isHole } from "./piece.js";
import type { PinTable } from "./pins.js";
import { relocateRuns } from "./relocation.js";
import { forgetCommits, keptEpochs, nextHorizon, raiseHorizon } from "./retention.js";
import { RunBuilder } from "./run-builder.js";
import { encodeRun, parseRunKey, type RunBody, runKeyUnder } from "./run-format.js";
import { nextArray, RunChanges, readRuns, type StoredRun } from "./run-list.js";
import { aggregateValues } from "./value-aggregation.js";
import {
  dkeyBound,
  epochSuffix,
  kindOf,
  objectPunch,
  objectState,
  seenVersion,
  VersionKind,
} from "./versions.js";

/** What a step of a pass, or a whole one, has done. */
export interface AggregationReport {
  /** Runs removed that no reader could see. */
  readonly runs: number;
  /** Runs that merged ones took the place of. */
  readonly merged: number;
  /** Versions of single values removed that no reader could see. */
  readonly values: number;
  /** Bytes of array data that nothing refers to any more. */
  readonly bytes: number;
  /** Bytes of array data copied, to free segments and to put scattered ranges together. */
  readonly copied: number;
  /** Whether nothing was done since another aggregation of the container was running. */
  readonly isBusy: boolean;
}

/** How a pass goes. */
export interface AggregationOptions {
  /** Time after which a step ends, at the next transaction, in milliseconds; 10 by default. */
  readonly stepMs?: number;
  /** Whether data may be copied; `true` by default. Without it, only the index is changed. */
  readonly compact?: boolean;
}

/** What a target remembers from pass to pass, so that a background pass finds little to do. */
export interface AggregationMemory {
  /** The kept epochs of the last whole pass, by container. */
  readonly kept: Map<number, string>;
  /** Live sizes of segments at the end of the last pass. */
  readonly liveSizes: Map<number, number>;
  /** Live sizes of the segments that a pass over a container could not empty, by container. */
  readonly tried: Map<number, ReadonlyMap<number, number>>;
}

/** The memory of a target that has made no pass yet. */
export function emptyMemory(): AggregationMemory {
  return { kept: new Map(), liveSizes: new Map(), tried: new Map() };
}

/** What a pass works on. */
export interface AggregationSource extends Omit<CopyLogOptions, "index"> {
  readonly index: IndexStore;
  readonly device: Device;
  readonly pins: PinTable;
  /** The pins file, which carries the locks of aggregation. */
  readonly pinsPath: string;
  /** Ends the leases of this process's own log, if it is idle and a segment of it is one of these. */
  readonly releaseLog: (isToEmpty: (id: number, record: SegmentRecord) => boolean) => void;
  readonly memory: AggregationMemory;
}

/** How one pass goes. */
export interface PassOptions extends Required<AggregationOptions> {
  /**
   * Whether to do only what pays in the background: nothing while the container's versions are the same
   * as after the last pass, and no emptying of segments that are still becoming emptier.
   */
  readonly isBackground: boolean;
}

/** Two passes at once, or a kill in between: what was planned is old. */
const STALE = Symbol("the runs have changed since they were read");

const NOTHING = { runs: 0, merged: 0, values: 0, bytes: 0, copied: 0, isBusy: false };

/** The sum of the steps of a pass. */
export function summedAggregation(steps: Iterable<AggregationReport>): AggregationReport {
  const total = { ...NOTHING };
  for (const step of steps) {
    total.runs += step.runs;
    total.merged += step.merged;
    total.values += step.values;
    total.bytes += step.bytes;
    total.copied += step.copied;
    total.isBusy ||= step.isBusy;
  }
  return total;
}

/** One pass over a container. */
export class Aggregation {
  readonly #source: AggregationSource;
  readonly #container: number;
  readonly #options: PassOptions;
  readonly #log: CopyLog;
  #kept: readonly Epoch[] = [];
  #mayCopy: boolean;
  /** Whether all was done that the pass was to do. */
  #isWhole = true;
  /** Whether arrays lie elsewhere or in fewer runs than before. */
  #isMoved = false;
  #done = { ...NOTHING };

  constructor(source: AggregationSource, container: number, options: PassOptions) {
    this.#source = source;
    this.#container = container;
    this.#options = options;
    this.#mayCopy = options.compact;
    this.#log = new CopyLog(source);
  }

  /** Runs the pass; yields what each step has done. */
  *steps(): Generator<AggregationReport, void, undefined> {
    const { device, pinsPath } = this.#source;
    const lock = lockAggregation(device, pinsPath, this.#container);
    if (lock === undefined) {
      yield { ...NOTHING, isBusy: true };
      return;
    }
    try {
      const stepNs = this.#options.stepMs * 1e6;
      let begun = device.now();
      for (const _ of this.#work()) {
        if (Number(device.now() - begun) < stepNs) continue;
        yield this.#step();
        begun = device.now();
      }
      yield this.#step();
    } finally {
      this.#log.close();
      lock.release();
    }
  }

  #step(): AggregationReport {
    const done = this.#done;
    this.#done = { ...NOTHING };
    return done;
  }

  /** The whole pass; yields wherever a step may end. */
  *#work(): Generator<void, void, undefined> {
    const container = this.#container;
    const { pins, memory, device } = this.#source;
    // Left by somebody who was killed when it destroyed a snapshot.
    for (const _ of removeFreedMarks(this.#source.index, container)) yield;
    if (!this.#isUnchanged()) {
      const horizon = raiseHorizon(this.#source.index, container, () => device.now());
      yield* forgetCommits(this.#source.index, container, horizon);
      // Pins are read after the horizon is visible: a reader that pinned before it is seen here, one
      // that pins later is refused below the horizon.
      this.#kept = keptEpochs(this.#source.index, container, { horizon, pins });
      let array = nextArray(this.#source.index, container);
      while (array !== undefined) {
        yield* this.#aggregateArray(array);
        this.#log.release();
        yield;
        array = nextArray(this.#source.index, container, array);
      }
      const kept = { kept: this.#kept, horizon };
      for (const values of aggregateValues(this.#source.index, container, kept)) {
        this.#done.values += values;
        yield;
      }
      if (this.#isWhole) memory.kept.set(container, String(this.#kept));
    }
    if (this.#mayCopy) yield* this.#emptySegments();
    if (this.#isMoved) {
      const count = (tx: IndexTransaction) => void nextCounter(tx, `layout/${container}`);
      this.#source.index.transact("Counting a layout", count, "reclaim");
    }
    memory.liveSizes.clear();
    for (const { id, record } of listSegments(this.#source.index)) {
      memory.liveSizes.set(id, record.liveSize);
    }
  }

  /** Whether a background pass has nothing to do: readers can see what they could after the last one. */
  #isUnchanged(): boolean {
    if (!this.#options.isBackground) return false;
    const { index, pins, memory, device } = this.#source;
    const known = memory.kept.get(this.#container);
    const record = getContainer(index, this.#container);
    if (known === undefined || record === undefined) return false;
    // Time passes, or the retention was changed.
    if (nextHorizon(index, record, () => device.now()) !== undefined) return false;
    return String(keptEpochs(index, this.#container, { horizon: record.horizon, pins })) === known;
  }

  *#aggregateArray(prefix: Uint8Array): Generator<void, void, undefined> {
    for (let round = 0; round < AGGREGATION_ROUNDS_MAX; round++) {
      const runs: StoredRun[] = [];
      for (const batch of readRuns(this.#source.index, prefix)) {
        for (const run of batch) runs.push(run);
        yield;
      }
      try {
        const isChanged = yield* this.#aggregateRuns(prefix, runs);
        if (!isChanged) return;
      } catch (error) {
        this.#log.rollback();
        // Another pass changes the array: it does what is to be done.
        this.#isWhole = false;
        if (error === STALE || error instanceof SegmentMoved) return;
        const isFull = isDaosError(error, "DER_NOSPACE") && this.#mayCopy;
        if (!isFull) throw error;
        // Freeing needs no space but the index's: go on without copies.
        this.#mayCopy = false;
      }
    }
  }

  /** Aggregates all runs of an array. @returns Whether anything was changed. */
  *#aggregateRuns(
    prefix: Uint8Array,
    runs: readonly StoredRun[],
  ): Generator<void, boolean, undefined> {
    let isChanged = false;
    const sinceAt = this.#beginningsOf(runs);
    for (const { sees, versions } of intervalsOf(runs, this.#kept)) {
      const since = sinceAt(sees);
      const seen = since === 0n ? versions : versions.slice(0, countNewer(versions, since - 1n));
      const plan = yield* planMerge(seen, { compact: this.#mayCopy });
      const hidden = [
        ...versions.slice(seen.length),
        ...plan.hidden.map((index) => seen[index] as StoredRun),
      ];
      isChanged ||= hidden.length > 0 || plan.merged.length > 0;
      yield;
      yield* this.#remove(hidden, "runs");
      const sequences = new Map<Epoch, number>();
      for (const merged of plan.merged) {
        const { epoch } = merged;
        const sequence = (sequences.get(epoch) ?? newestSequence(versions, epoch)) + 1;
        sequences.set(epoch, sequence);
        yield* this.#merge(seen, merged, runKeyUnder(prefix, epoch, sequence));
      }
    }
    return isChanged;
  }

  /** When the array began that an epoch sees: what is older is hidden from it. */
  #beginningsOf([first]: readonly StoredRun[]): (epoch: Epoch) => Epoch {
    if (first === undefined) return () => 0n;
    const { index } = this.#source;
    const { oid, path } = parseRunKey(first.key);
    const object = { container: this.#container, oid };
    const akey = akeyOfPath(objectPrefix(object), path);
    if (akey !== undefined) return (epoch) => arrayBeginning(index, object, akey, epoch);
    const punchedAt = (epoch: Epoch) => objectPunch(index, object, epoch);
    // Most objects were never punched: one look says so for all epochs.
    return punchedAt(this.#kept.at(-1) ?? 0n) === 0n ? () => 0n : punchedAt;
  }

  /** Removes runs in short transactions, and counts those that were still there. */
  *#remove(
    runs: readonly StoredRun[],
    counted: "runs" | "merged",
  ): Generator<void, void, undefined> {
    const remove = (tx: IndexTransaction, batch: readonly StoredRun[]) => {
      const changes = new RunChanges(tx);
      let count = 0;
      for (const run of batch) {
        if (!changes.isUnchanged(run)) continue;
        changes.remove(run);
        count += 1;
      }
      return { count, bytes: -changes.finish() };
    };
    for (let at = 0; at < runs.length; ) {
      const items = removalBatch(runs, at);
      at += items.length;
      const options = { what: "Removing runs of an array", items, countMax: items.length };
      for (const { count, bytes } of inSteps(this.#source.index, options, remove)) {
        this.#done[counted] += count;
        this.#done.bytes += bytes;
        yield;
      }
    }
  }

  /** Puts a merged run and removes the runs that are finished with it. */
  *#merge(
    runs: readonly StoredRun[],
    merged: MergedRun,
    key: Uint8Array,
  ): Generator<void, void, undefined> {
    const sources = merged.sources.map((index) => runs[index] as StoredRun);
    const extents = longestExtents(sources.flatMap((source) => source.extents));
    const { builder, copied } = this.#build(merged, extents);
    const spans = copied === 0 ? [] : this.#log.flush();
    const run = bodyOf(builder, longestExtents([...extents.values(), ...spans]));
    const value = encodeRun(run);
    assert(value.length <= MERGED_RUN_SIZE_MAX, "a merged run is bounded");
    const finished = merged.finished.map((index) => runs[index] as StoredRun);
    const batch = removalBatch(finished, 0);
    let bytes = 0;
    this.#log.commit("Merging runs of an array", spans, (tx) => {
      const changes = new RunChanges(tx);
      const isStale = changes.has(key) || !sources.every((source) => changes.isUnchanged(source));
      if (isStale) throw STALE;
      changes.put(key, run, value);
      for (const source of batch) changes.remove(source);
      bytes = -changes.finish();
    });
    this.#done.bytes += bytes;
    this.#isMoved = true;
    this.#done.copied += copied;
    this.#done.merged += batch.length;
    yield;
    yield* this.#remove(finished.slice(batch.length), "merged");
  }

  /** Builds the pieces of a merged run, copying what is to be copied. */
  #build(
    { parts }: MergedRun,
    extents: ReadonlyMap<number, CommittedExtent>,
  ): { builder: RunBuilder; copied: number } {
    const builder = new RunBuilder({ formsSeries: false });
    let copied = 0;
    for (const part of parts) {
      const { segment, position, size, start, end } = part;
      const range = part.range ?? wholeOf(Pattern.contiguous(start, end));
      if (segment === HOLE_SEGMENT) {
        builder.punch(range);
        continue;
      }
      builder.begin(range);
      const extent = extents.get(segment) as CommittedExtent;
      if (part.isCopied && this.#log.copy(part, extent, builder)) copied += size;
      else builder.place(segment, position, size);
    }
    return { builder, copied };
  }

  /** Copies what lives in segments that are mostly dead. */
  *#emptySegments(): Generator<void, void, undefined> {
    const container = this.#container;
    const { index, memory } = this.#source;
    this.#source.releaseLog((id, record) => this.#isToEmpty(id, record));
    const segments = this.#segmentsToEmpty();
    if (segments.size === 0) return;
    try {
      for (const copied of relocateRuns({ index, log: this.#log, container }, segments)) {
        this.#isMoved ||= copied > 0;
        this.#done.copied += copied;
        yield;
      }
    } catch (error) {
      this.#log.rollback();
      if (!isDaosError(error, "DER_NOSPACE")) throw error;
      this.#mayCopy = false;
    }
    // What is still there is damaged, or belongs to other containers.
    const known = memory.tried.get(container);
    const left = new Map<number, number>();
    for (const { id, record } of listSegments(index)) {
      if (segments.has(id) || known?.has(id)) left.set(id, record.liveSize);
    }
    memory.tried.set(container, left);
  }

  /** Live sizes of the segments that are worth emptying, by id. */
  #segmentsToEmpty(): Map<number, number> {
    const segments = new Map<number, number>();
    for (const { id, record } of listSegments(this.#source.index)) {
      const { state, liveSize } = record;
      const mayEmpty = state === "sealed" && liveSize > 0;
      if (mayEmpty && this.#isToEmpty(id, record)) segments.set(id, liveSize);
    }
    return segments;
  }

  #isToEmpty(id: number, record: SegmentRecord): boolean {
    if (!isMostlyDead(record)) return false;
    if (!this.#options.isBackground) return true;
    const { liveSizes, tried } = this.#source.memory;
    const isCold = liveSizes.get(id) === record.liveSize;
    return isCold && tried.get(this.#container)?.get(id) !== record.liveSize;
  }
}

/** When the array, or long value, under an akey began that an epoch sees; else later than all epochs. */
function arrayBeginning(
  index: IndexStore,
  object: ObjectAddress,
  akey: Uint8Array,
  epoch: Epoch,
): Epoch {
  const suffix = epochSuffix(epoch);
  const state = objectState(index, object, suffix);
  const dkey = akey.subarray(0, readComponent(akey, state.prefix.length).end);
  const seen = seenVersion(index, akey, suffix, dkeyBound(index, state, dkey, suffix));
  if (seen === undefined) return EPOCH_HEAD;
  const kind = kindOf(seen.record);
  // The bytes of a long value lie where those of an array would, at the epoch of its version.
  return kind === VersionKind.array || kind === VersionKind.long ? seen.epoch : EPOCH_HEAD;
}

/** The first of some runs from an index on that one transaction removes. */
function removalBatch(runs: readonly StoredRun[], first: number): StoredRun[] {
  let size = 0;
  let end = first;
  while (end < runs.length && end - first < AGGREGATION_STEP_COUNT) {
    size += (runs[end] as StoredRun).value.length;
    if (size > AGGREGATION_STEP_SIZE && end > first) break;
    end += 1;
  }
  return runs.slice(first, end);
}

/** The highest sequence of an epoch among runs given newest first, one of which has it. */
function newestSequence(runs: readonly StoredRun[], epoch: Epoch): number {
  return (runs[countNewer(runs, epoch)] as StoredRun).sequence;
}

/**
 * Of several extents of a segment, the one that ends last: it verifies what the others do. Blocks that are
 * full by then have their entry in the checksum table, and the checksum of a longer prefix of the last
 * block covers the shorter ones. Committed bytes below any of the ends never change.
 */
function longestExtents(extents: Iterable<CommittedExtent>): Map<number, CommittedExtent> {
  const longest = new Map<number, CommittedExtent>();
  for (const { segment, end, tailCrc } of extents) {
    const known = longest.get(segment);
    if (known === undefined || known.end < end) longest.set(segment, { segment, end, tailCrc });
  }
  return longest;
}

/** The body of a run, with the extents that its pieces need. */
function bodyOf(builder: RunBuilder, extents: ReadonlyMap<number, CommittedExtent>): RunBody {
  const { pieces, start, end } = builder;
  const used = new Set(pieces.filter((piece) => !isHole(piece)).map(({ segment }) => segment));
  const needed = [...used].map((segment) => extents.get(segment) as CommittedExtent);
  return { start, end, extents: needed, pieces };
}
