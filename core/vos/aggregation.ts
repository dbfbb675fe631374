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

import { readComponent } from "../index/component.js";
import type { IndexReader, IndexStore, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeySpace, prefixEnd } from "../index/key-codec.js";
import { inSteps } from "../index/steps.js";
import { AGGREGATION_BLOCKS_MAX, AGGREGATION_STEP_COUNT } from "../limits.js";
import { changeLiveSize } from "../log/segment-record.js";
import { type ArrayAddress, akeyOfPath } from "./array-address.js";
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
import { objectPrefix } from "./names.js";
import { latin1 } from "./own-changes.js";
import { isHole, type Piece, pieceSize, type Run } from "./piece.js";
import type { PinTable } from "./pins.js";
import { type FragmentSink, resolve } from "./resolve.js";
import { decodeRun, parseRunKey, runKey } from "./run-format.js";
import { listSnapshots } from "./snapshots.js";
import { aggregateValues } from "./value-aggregation.js";
import { dkeyPunchPrefix, listPunches, listVersions } from "./versions.js";

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
    if (punches.some((punch) => punch > run.epoch && punch <= sees)) return true;
    const newer = overlapping(runs, bounds, index, sees);
    // Most runs end here: what is beside them, or covers a part of their bounds, does not hide them.
    if (!boundsCover(newer, run)) return false;
    const layers = LayerIndex.of(layersOf(newer));
    return run.pieces.every((piece) => pieceCovered(piece, layers));
  });
}

function removeRun(tx: IndexTransaction, array: ArrayAddress, run: Run): number {
  const key = runKey(array, run.epoch, run.sequence);
  const value = tx.get(key);
  // Another aggregation may have been quicker.
  if (value === undefined) return 0;
  tx.remove(key);
  let bytes = 0;
  for (const piece of decodeRun(value).pieces) {
    if (isHole(piece)) continue;
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
function runsByArray(
  index: IndexReader,
  container: number,
): { array: ArrayAddress; runs: StoredRun[] }[] {
  const prefix = new KeyBuilder(KeySpace.run).u32(container).done();
  const arrays = new Map<string, { array: ArrayAddress; runs: StoredRun[] }>();
  index.visit({ start: prefix, end: prefixEnd(prefix) }, (key, value) => {
    const { oid, path, epoch, sequence } = parseRunKey(key);
    const name = latin1(key.subarray(0, key.length - 12));
    let found = arrays.get(name);
    if (found === undefined) {
      found = { array: { container, oid, path }, runs: [] };
      arrays.set(name, found);
    }
    found.runs.push({ epoch, sequence, value });
    return true;
  });
  return [...arrays.values()];
}

/**
 * When an array began anew: what was written before each of these epochs is hidden from then on.
 *
 * @returns `undefined` if its akey has no versions: nothing is seen then.
 */
function beginnings(index: IndexReader, array: ArrayAddress): Epoch[] | undefined {
  const object = objectPrefix(array);
  const ofObject = listPunches(index, objectPrefix(array, KeySpace.object));
  const akey = akeyOfPath(object, array.path);
  if (akey === undefined) return ofObject;
  const dkey = akey.subarray(0, readComponent(akey, object.length).end);
  const ofAkey = listVersions(index, akey);
  if (ofAkey.length === 0) return undefined;
  return [...ofObject, ...listPunches(index, dkeyPunchPrefix(dkey)), ...ofAkey];
}

function aggregateArrays(
  index: IndexStore,
  container: number,
  kept: readonly Epoch[],
): { runs: number; bytes: number } {
  const total = { runs: 0, bytes: 0 };
  for (const { array, runs: stored } of runsByArray(index, container)) {
    const punched = beginnings(index, array);
    // A lone run that was not punched is seen: most arrays end here, undecoded.
    if (stored.length === 1 && punched?.length === 0) continue;
    const runs = stored.map((run) => ({ ...decodeRun(run.value), ...run }));
    const last = kept.at(-1) ?? 0n;
    const hidden =
      punched === undefined
        ? runs.filter(({ epoch }) => epoch <= last)
        : hiddenRuns(runs, kept, punched);
    for (let start = 0; start < hidden.length; start += AGGREGATION_STEP_COUNT) {
      index.transact("Aggregating an array", (tx) => {
        for (const run of hidden.slice(start, start + AGGREGATION_STEP_COUNT)) {
          total.bytes += removeRun(tx, array, run);
          total.runs += 1;
        }
      });
    }
  }
  return total;
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
  let values = 0;
  for (const removed of aggregateValues(index, container, { kept, horizon })) values += removed;
  return { ...arrays, values };
}
