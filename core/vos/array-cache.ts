/**
 * The layers of the arrays that a process reads, kept from one epoch to the next.
 *
 * A view at a later epoch reads only the runs that were committed since: runs are keyed newest first,
 * so these are one short range of the index. Aggregation may have rewritten what is remembered; the
 * old layers still show the same at every epoch that is kept, for as long as their segments exist. When a
 * segment is gone, the reader forgets the array and reads all of its runs again.
 *
 * Invariants:
 *
 * 1. What is remembered at epoch E was read when no commit at or before E was to come.
 * 2. An epoch before the remembered one, or one at which the array began anew, reads its runs anew.
 *
 * @module
 */

import { readCounter } from "../index/counters.js";
import type { IndexReader } from "../index/index-store.js";
import { prefixEnd } from "../index/key-codec.js";
import { LAYERS_CACHED_MAX } from "../limits.js";
import type { CommittedExtent } from "../log/segment-reader.js";
import { type ArrayAddress, arrayUnder, BYTE_ARRAY_PATH, windowOfPath } from "./array-address.js";
import type { Epoch } from "./epoch.js";
import { LayerIndex } from "./layer-index.js";
import type { ObjectAddress } from "./names.js";
import { firstOffset, lastOffset } from "./pattern.js";
import { isHole, type Layer, type Piece, type Run } from "./piece.js";
import { decodeRun, parseRunKey, runKey, runPrefix } from "./run-format.js";

/** A layer with what verifies its bytes; `extent` is absent for a writer's uncommitted ones. */
export interface SourceLayer extends Layer {
  readonly extent: CommittedExtent | undefined;
}

/** What an epoch sees of an array. */
export interface ArrayLayers {
  readonly index: LayerIndex<SourceLayer>;
  /** One past the last byte that any layer wrote; if there are holes, it may be punched. */
  readonly end: number;
  /** Whether ranges of the array were punched. */
  readonly hasHoles: boolean;
}

interface Remembered extends ArrayLayers {
  readonly epoch: Epoch;
  readonly since: Epoch;
}

/** The layer of a piece. */
export function layerOf(piece: Piece, extent: CommittedExtent | undefined): SourceLayer {
  return { piece, extent, start: firstOffset(piece), end: lastOffset(piece) };
}

/** The runs of an array of epochs in `[since, epoch]`, newest first. */
export function listRuns(
  reader: IndexReader,
  array: ArrayAddress,
  { since, epoch }: { since: Epoch; epoch: Epoch },
): Run[] {
  const start = runKey(array, epoch, 0xffff_ffff);
  const runs: Run[] = [];
  reader.visit({ start, end: prefixEnd(runPrefix(array)) }, (key, value) => {
    const version = parseRunKey(key);
    if (version.epoch < since) return false;
    runs.push({ ...decodeRun(value), epoch: version.epoch, sequence: version.sequence });
    return true;
  });
  return runs;
}

/** The windows of the array under an akey that any run lies in, increasing. */
export function listWindows(
  reader: IndexReader,
  object: ObjectAddress,
  akey: Uint8Array,
): number[] {
  const { path } = arrayUnder(object, akey, 0);
  const parent = runPrefix({ ...object, path: path.subarray(0, -4) });
  const windows: number[] = [];
  let from: Uint8Array | undefined = parent;
  while (from !== undefined) {
    const entry = reader.seek(from, parent.length);
    if (entry === undefined) break;
    const window = windowOfPath(parseRunKey(entry.key).path);
    windows.push(window);
    from = prefixEnd(runPrefix(arrayUnder(object, akey, window)));
    if (!hasPrefix(from, parent)) break;
  }
  return windows;
}

function hasPrefix(key: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(key.subarray(0, prefix.length), prefix) === 0;
}

/** The layers of runs given newest first; the layers are oldest first. */
export function layersOf(runs: readonly Run[]): SourceLayer[] {
  const layers: SourceLayer[] = [];
  for (let at = runs.length - 1; at >= 0; at--) {
    const { pieces, extents } = runs[at] as Run;
    const extentOf = new Map(extents.map((extent) => [extent.segment, extent]));
    for (const piece of pieces) layers.push(layerOf(piece, extentOf.get(piece.segment)));
  }
  return layers;
}

/** What a process remembers of arrays; one per target. */
export class ArrayCache {
  readonly #openIndex: () => IndexReader;
  /** By container and object; the array that was loaded last comes last. */
  readonly #remembered = new Map<string, Remembered>();
  #layerCount = 0;

  /** @param openIndex Gives the index, or throws once it is closed. */
  constructor(openIndex: () => IndexReader) {
    this.#openIndex = openIndex;
  }

  /**
   * The layers of an array that a reader at `epoch` sees.
   *
   * @param since The array began then, or begins anew: what is older is hidden.
   */
  load(array: ArrayAddress, { epoch, since }: { epoch: Epoch; since: Epoch }): ArrayLayers {
    const reader = this.#openIndex();
    const name = nameOf(array);
    // Commits to come draw later epochs than this: whatever is at or before it is there.
    const last = readCounter(reader, "epoch");
    const until = epoch < last ? epoch : last;
    const known = this.#remembered.get(name);
    if (known === undefined || known.since !== since || known.epoch > until) {
      const loaded = { ...loadedOf(listRuns(reader, array, { since, epoch: until })), since };
      const remembered = { ...loaded, epoch: until };
      if (known === undefined || known.epoch <= until) this.#remember(name, remembered);
      return remembered;
    }
    if (known.epoch === until) return known;
    const runs = listRuns(reader, array, { since: known.epoch + 1n, epoch: until });
    const loaded = { ...loadedOf(runs, known), since, epoch: until };
    this.#remember(name, loaded);
    return loaded;
  }

  /** Forgets an array: its segments have moved. */
  forget(array: ArrayAddress): void {
    this.#forget(nameOf(array));
  }

  #forget(name: string): void {
    this.#layerCount -= costOf(this.#remembered.get(name));
    this.#remembered.delete(name);
  }

  #remember(name: string, loaded: Remembered): void {
    this.#forget(name);
    this.#remembered.set(name, loaded);
    this.#layerCount += costOf(loaded);
    for (const oldest of this.#remembered.keys()) {
      if (this.#layerCount <= LAYERS_CACHED_MAX) break;
      this.#forget(oldest);
    }
  }
}

function nameOf({ container, oid, path }: ArrayAddress): string {
  if (path === BYTE_ARRAY_PATH) return `${container}/${oid}`;
  return `${container}/${oid}/${Buffer.from(path).toString("latin1")}`;
}

/** The layers of runs, given newest first, on top of those that are known. */
function loadedOf(runs: readonly Run[], known?: ArrayLayers): ArrayLayers {
  const layers = layersOf(runs);
  let end = known?.end ?? 0;
  let hasHoles = known?.hasHoles ?? false;
  for (const { piece, end: layerEnd } of layers) {
    if (isHole(piece)) hasHoles = true;
    else end = Math.max(end, layerEnd);
  }
  const index = known === undefined ? LayerIndex.of(layers) : known.index.extended(layers);
  return { index, end, hasHoles };
}

/** Layers that an array counts for; one that has none costs memory too. */
function costOf(remembered: Remembered | undefined): number {
  return remembered === undefined ? 0 : remembered.index.count + 1;
}
