/**
 * The stored runs of arrays, as aggregation walks and replaces them.
 *
 *     key of a run   │ prefix: the array's │ epoch inverted │ sequence inverted │
 *
 * An array is known by the prefix of its runs' keys. What was read of it may be old by the time it is
 * changed: a run is removed only if it is still there, byte for byte. Runs do not change otherwise.
 *
 * @module
 */

import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeySpace, prefixEnd } from "../index/key-codec.js";
import { AGGREGATION_STEP_COUNT, AGGREGATION_STEP_SIZE } from "../limits.js";
import { changeLiveSize } from "../log/segment-record.js";
import { isHole, pieceSize, type Run } from "./piece.js";
import { decodeRun, parseRunKey, prefixOfRun, type RunBody } from "./run-format.js";

/** A run with what the index holds of it. */
export interface StoredRun extends Run {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The common beginning of the keys of all runs of a container. */
export function containerPrefix(container: number): Uint8Array {
  return new KeyBuilder(KeySpace.run).u32(container).done();
}

/** The next array of a container that has runs, as the prefix of their keys. */
export function nextArray(
  reader: IndexReader,
  container: number,
  after?: Uint8Array,
): Uint8Array | undefined {
  const all = containerPrefix(container);
  const start = after === undefined ? all : prefixEnd(after);
  let prefix: Uint8Array | undefined;
  reader.visit({ start, end: prefixEnd(all) }, (key) => {
    prefix = prefixOfRun(key);
    return false;
  });
  return prefix;
}

/** Some of the runs whose keys begin with `prefix`, in key order, from `start` on. */
function readBatch(
  reader: IndexReader,
  prefix: Uint8Array,
  start: Uint8Array,
): { runs: StoredRun[]; isLast: boolean } {
  const entries: { key: Uint8Array; value: Uint8Array }[] = [];
  let size = 0;
  let isLast = true;
  reader.visit({ start, end: prefixEnd(prefix) }, (key, value) => {
    entries.push({ key, value });
    size += value.length;
    isLast = entries.length < AGGREGATION_STEP_COUNT && size < AGGREGATION_STEP_SIZE;
    return isLast;
  });
  const runs = entries.map(({ key, value }) => {
    const { epoch, sequence } = parseRunKey(key);
    return { ...decodeRun(value), epoch, sequence, key, value };
  });
  return { runs, isLast };
}

/**
 * The runs of an array, or of all arrays of a container, in batches, in key order: of an array, the newest
 * comes first. Nothing of the index is held in between.
 */
export function* readRuns(reader: IndexReader, prefix: Uint8Array): Generator<StoredRun[]> {
  let start = prefix;
  for (;;) {
    const { runs, isLast } = readBatch(reader, prefix, start);
    yield runs;
    const last = runs.at(-1);
    if (isLast || last === undefined) return;
    start = Uint8Array.of(...last.key, 0);
  }
}

/** Changes of runs in one transaction, with the live sizes of the segments that they refer to. */
export class RunChanges {
  readonly #tx: IndexTransaction;
  /** What is added to each segment. Applied at the end: in between, a segment may seem to be free. */
  readonly #live = new Map<number, number>();

  constructor(tx: IndexTransaction) {
    this.#tx = tx;
  }

  /** Whether a run is there as it was read. */
  isUnchanged({ key, value }: StoredRun): boolean {
    const now = this.#tx.get(key);
    return now !== undefined && Buffer.compare(now, value) === 0;
  }

  /** Whether there is a run of this key. */
  has(key: Uint8Array): boolean {
    return this.#tx.get(key) !== undefined;
  }

  /** Stores a run. */
  put(key: Uint8Array, run: RunBody, value: Uint8Array): void {
    this.#tx.put(key, value);
    this.#count(run, 1);
  }

  /** Removes a run that {@link isUnchanged}. */
  remove(run: StoredRun): void {
    this.#tx.remove(run.key);
    this.#count(run, -1);
  }

  #count({ pieces }: RunBody, factor: 1 | -1): void {
    for (const piece of pieces) {
      if (isHole(piece)) continue;
      const change = (this.#live.get(piece.segment) ?? 0) + factor * pieceSize(piece);
      this.#live.set(piece.segment, change);
    }
  }

  /** Applies the live sizes. @returns Bytes that are referred to more often than before. */
  finish(): number {
    let sum = 0;
    for (const [segment, change] of this.#live) {
      if (change !== 0) changeLiveSize(this.#tx, segment, change);
      sum += change;
    }
    this.#live.clear();
    return sum;
  }
}
