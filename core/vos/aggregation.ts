/**
 * Aggregation: removes what no reader can see any more, and frees the segments that held it.
 *
 * Versions that are kept: the container's newest `retainCommits` commits, its named snapshots, and every
 * epoch that a reader pins. A run is removed if, at each kept version that could see it, newer runs cover all of
 * it: it is enough to look at the oldest such version. An old run under a punch that every kept
 * version sees goes as well, and so do hidden versions of single values.
 *
 * Safe to kill at any moment: the horizon is raised first, and each step is one transaction that only
 * removes what is already invisible. Safe beside readers (pins) and writers (a run is never changed).
 *
 * @module
 */

import type { IndexReader, IndexStore, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";
import { inSteps } from "../index/steps.js";
import { AGGREGATION_BLOCKS_MAX, AGGREGATION_STEP_COUNT } from "../limits.js";
import { changeLiveSize } from "../log/segment-record.js";
import { layersOf, type SourceLayer } from "./array-cache.js";
import {
  type CommitRecord,
  getContainer,
  listCommits,
  putContainer,
  removeCommit,
} from "./containers.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";
import { LayerIndex } from "./layer-index.js";
import { type ObjectId, oidBytes, oidOfBytes } from "./object-id.js";
import { listPunches } from "./objects.js";
import { type Piece, pieceSize, type Run } from "./piece.js";
import type { PinTable } from "./pins.js";
import { type FragmentSink, resolve } from "./resolve.js";
import { decodeRun, parseRunKey, runKey } from "./run-format.js";
import { listSnapshots } from "./snapshots.js";
import { trimValueHistory } from "./values.js";

/** What a pass removed. */
export interface AggregationReport {
  /** Runs that no reader could see. */
  readonly runs: number;
  /** Versions of single values that no reader could see. */
  readonly values: number;
  /** Bytes of array data that nothing refers to any more. */
  readonly bytes: number;
}

/**
 * Epochs that a reader may use now or later, oldest first. HEAD is not among them but the newest
 * commit is: runs of commits that come while a pass runs are newer than all of these, and stay.
 */
function keptEpochs(
  index: IndexReader,
  container: number,
  options: { horizon: Epoch; pins: PinTable },
): Epoch[] {
  // Snapshots before pins: see snapshots.ts. Commits before and after them: one at or before a pin
  // that were missing would seem hidden by what the pin sees; one that another pass forgets
  // meanwhile may have been pinned meanwhile too.
  const readable = () => listCommits(index, container, { epoch: EPOCH_HEAD });
  const named = [...readable(), ...listSnapshots(index, container)];
  const pinned = options.pins.epochsOf(container);
  const later = [...named, ...readable()].map(({ epoch }) => epoch);
  const epochs = new Set([options.horizon, ...pinned, ...later]);
  return [...epochs].sort((a, b) => (a < b ? -1 : 1));
}

/**
 * Raises the horizon to the oldest retained commit and forgets the commits before it, in steps: each
 * forgets some of the oldest and raises the horizon to the next one.
 */
function raiseHorizon(index: IndexStore, container: number): Epoch {
  const record = getContainer(index, container);
  if (record === undefined) return 0n;
  const commits = listCommits(index, container, { epoch: EPOCH_HEAD }).reverse();
  const excess = Math.max(0, commits.length - record.retainCommits);
  const items = commits.slice(0, excess).map((commit, at) => {
    return { commit, next: (commits[at + 1] as CommitRecord).epoch };
  });
  const what = "Raising a container's horizon";
  const options = { what, items, countMax: AGGREGATION_STEP_COUNT };
  let { horizon } = record;
  for (const reached of inSteps(index, options, (tx, step) => {
    const current = getContainer(tx, container);
    const { next } = step.at(-1) as (typeof items)[number];
    if (current === undefined) return next;
    for (const { commit } of step) removeCommit(tx, container, commit);
    if (current.horizon >= next) return current.horizon;
    putContainer(tx, { ...current, horizon: next });
    return next;
  })) {
    horizon = reached;
  }
  return horizon;
}

const BLOCK_LIMIT = Symbol("more blocks than one step compares");

class HoleFinder implements FragmentSink {
  found = false;
  #blocks = 0;

  fragment(): void {
    this.#blocks += 1;
    if (this.#blocks > AGGREGATION_BLOCKS_MAX) throw BLOCK_LIMIT;
  }

  hole(): void {
    this.found = true;
  }
}

function pieceCovered(piece: Piece, index: LayerIndex<SourceLayer>): boolean {
  const finder = new HoleFinder();
  try {
    resolve(piece, index, finder);
  } catch (limit) {
    if (limit === BLOCK_LIMIT) return false;
    throw limit;
  }
  return !finder.found;
}

/** The bounds of runs, in arrays that a long list is scanned through quickly. */
interface Bounds {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}

/** The runs newer than `runs[index]`, up to an epoch, whose bounds overlap its bounds. */
function overlapping(
  runs: readonly Run[],
  { starts, ends }: Bounds,
  index: number,
  sees: Epoch,
): Run[] {
  const start = starts[index] as number;
  const end = ends[index] as number;
  const found: Run[] = [];
  for (let at = 0; at < index; at++) {
    const apart = (starts[at] as number) >= end || (ends[at] as number) <= start;
    if (apart) continue;
    const other = runs[at] as Run;
    if (other.epoch <= sees) found.push(other);
  }
  return found;
}

/** Whether the bounds of some runs leave no gap in those of another. */
function boundsCover(runs: readonly Run[], { start, end }: Run): boolean {
  let covered = start;
  for (const run of [...runs].sort((a, b) => a.start - b.start)) {
    if (run.start > covered) return false;
    covered = Math.max(covered, run.end);
  }
  return covered >= end;
}

/** The runs of one array that no kept epoch sees. `runs` are all of them, newest first. */
export function hiddenRuns(
  runs: readonly Run[],
  kept: readonly Epoch[],
  punches: readonly Epoch[],
): Run[] {
  const bounds = {
    starts: Float64Array.from(runs, ({ start }) => start),
    ends: Float64Array.from(runs, ({ end }) => end),
  };
  return runs.filter((run, index) => {
    const sees = kept.find((epoch) => epoch >= run.epoch);
    if (sees === undefined) return false;
    if (punches.some((punch) => punch >= run.epoch && punch <= sees)) return true;
    const newer = overlapping(runs, bounds, index, sees);
    // Most runs end here: what is beside them, or covers a part of their bounds, does not hide them.
    if (!boundsCover(newer, run)) return false;
    const layers = LayerIndex.of(layersOf(newer));
    return run.pieces.every((piece) => pieceCovered(piece, layers));
  });
}

function removeRun(tx: IndexTransaction, container: number, oid: ObjectId, run: Run): number {
  const key = runKey({ container, oid: oidBytes(oid) }, run.epoch, run.sequence);
  const value = tx.get(key);
  // Another aggregation may have been quicker.
  if (value === undefined) return 0;
  tx.remove(key);
  let bytes = 0;
  for (const piece of decodeRun(value).pieces) {
    changeLiveSize(tx, piece.segment, -pieceSize(piece));
    bytes += pieceSize(piece);
  }
  return bytes;
}

/** A run as the index holds it, decoded only if it may be hidden. */
interface StoredRun {
  readonly epoch: Epoch;
  readonly sequence: number;
  readonly value: Uint8Array;
}

/** The runs of each array of a container, of all incarnations, newest first. */
function runsByArray(index: IndexReader, container: number): Map<ObjectId, StoredRun[]> {
  const prefix = new KeyBuilder(KeySpace.run).u32(container).done();
  const arrays = new Map<ObjectId, StoredRun[]>();
  index.visit({ start: prefix, end: prefixEnd(prefix) }, (key, value) => {
    const { oid: bytes, epoch, sequence } = parseRunKey(key);
    const oid = oidOfBytes(bytes);
    const runs = arrays.get(oid);
    if (runs === undefined) arrays.set(oid, [{ epoch, sequence, value }]);
    else runs.push({ epoch, sequence, value });
    return true;
  });
  return arrays;
}

function aggregateArrays(
  index: IndexStore,
  container: number,
  kept: readonly Epoch[],
): { runs: number; bytes: number } {
  const punches = listPunches(index, container);
  const total = { runs: 0, bytes: 0 };
  for (const [oid, stored] of runsByArray(index, container)) {
    const punched = punches.filter((punch) => punch.oid === oid).map(({ epoch }) => epoch);
    // A lone run that was not punched is seen: most arrays end here, undecoded.
    if (stored.length === 1 && punched.length === 0) continue;
    const decoded = stored.map((run) => ({ ...decodeRun(run.value), ...run }));
    const hidden = hiddenRuns(decoded, kept, punched);
    const options = {
      what: "Aggregating an array",
      items: hidden,
      countMax: AGGREGATION_STEP_COUNT,
    };
    const remove = (tx: IndexTransaction, step: readonly Run[]) => ({
      runs: step.length,
      bytes: step.reduce((sum, run) => sum + removeRun(tx, container, oid, run), 0),
    });
    for (const { runs, bytes } of inSteps(index, options, remove)) {
      total.runs += runs;
      total.bytes += bytes;
    }
  }
  return total;
}

function aggregateValues(index: IndexStore, container: number, kept: readonly Epoch[]): number {
  const prefix = new KeyBuilder(KeySpace.valueHistory).u32(container).done();
  const addresses = new Map<string, { oid: ObjectId; dkey: Uint8Array; akey: Uint8Array }>();
  index.visit({ start: prefix, end: prefixEnd(prefix) }, (key) => {
    const fields = new KeyReader(key.subarray(20));
    const address = {
      oid: oidOfBytes(key.subarray(5, 21)),
      dkey: fields.component(),
      akey: fields.component(),
    };
    addresses.set(Buffer.from(key.subarray(5, key.length - 8)).toString("latin1"), address);
    return true;
  });
  const items = [...addresses.values()];
  const options = { what: "Aggregating single values", items, countMax: AGGREGATION_STEP_COUNT };
  const trim = (tx: IndexTransaction, step: readonly (typeof items)[number][]) =>
    step.reduce((sum, address) => sum + trimValueHistory(tx, { container, ...address }, kept), 0);
  let removed = 0;
  for (const count of inSteps(index, options, trim)) removed += count;
  return removed;
}

/**
 * Runs one pass over a container.
 *
 * @returns What was removed. Segments that became free can be leased again at once.
 */
export function aggregate(index: IndexStore, pins: PinTable, container: number): AggregationReport {
  const horizon = raiseHorizon(index, container);
  // Pins are read after the horizon is visible: a reader that pinned before it is seen here, one
  // that pins later is refused below the horizon.
  const kept = keptEpochs(index, container, { horizon, pins });
  const arrays = aggregateArrays(index, container, kept);
  const values = aggregateValues(index, container, kept);
  return { ...arrays, values };
}
