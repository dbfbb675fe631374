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
import { ARRAY_CACHED_COST, LAYERS_CACHED_MAX } from "../limits.js";
import type { CommittedExtent } from "../log/segment-reader.js";
import { metrics } from "../metrics/process-metrics.js";
import { type ArrayAddress, arrayUnder, BYTE_ARRAY_PATH, windowOfPath } from "./array-address.js";
import type { Epoch } from "./epoch.js";
import { LayerIndex } from "./layer-index.js";
import { latin1, type ObjectAddress } from "./names.js";
import { firstOffset, lastOffset } from "./pattern.js";
import { isHole, type Layer, type Piece, type Run } from "./piece.js";
import { RecentMap } from "./recent-map.js";
import { decodeRun, parseRunKey, type RunBody, runKey, runPrefix } from "./run-format.js";

/** A layer with what verifies its bytes; `extent` is absent for a writer's uncommitted ones. */
export interface SourceLayer extends Layer {
  readonly extent: CommittedExtent | undefined;
  /** Of the piece, here so that a read touches one object of each layer. */
  readonly segment: number;
  /** What leads from a packed byte of the piece to its position in the segment. */
  readonly shift: number;
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
  /** Counter of the container's layout, read before the runs were. */
  readonly layout: bigint;
}

/** The layer of a piece. */
export function layerOf(piece: Piece, extent: CommittedExtent | undefined): SourceLayer {
  const { segment, position, from } = piece;
  const [start, end] = [firstOffset(piece), lastOffset(piece)];
  return { piece, extent, start, end, segment, shift: position - from };
}

/** Layers that were read, oldest first, and what they say of the array. */
type LoadedLayers = Omit<ArrayLayers, "index"> & { readonly layers: SourceLayer[] };

/** The layers of the runs of an array of epochs in `[since, epoch]`. */
function loadLayers(
  reader: IndexReader,
  array: ArrayAddress,
  { since, epoch }: { since: Epoch; epoch: Epoch },
): LoadedLayers {
  const start = runKey(array, epoch, 0xffff_ffff);
  const layers: SourceLayer[] = [];
  let end = 0;
  let hasHoles = false;
  // Runs come newest first. Nothing of a run outlives its visit but what its layers hold: an array may
  // have very many.
  reader.visit({ start, end: prefixEnd(runPrefix(array)) }, (key, value) => {
    if (parseRunKey(key).epoch < since) return false;
    const first = layers.length;
    addLayers(decodeRun(value), layers);
    for (let at = first; at < layers.length; at++) {
      const layer = layers[at] as SourceLayer;
      if (isHole(layer.piece)) hasHoles = true;
      else if (layer.end > end) end = layer.end;
    }
    // A run's pieces come oldest first, and the list is reversed as a whole.
    reverseFrom(layers, first);
    return true;
  });
  return { layers: layers.reverse(), end, hasHoles };
}

/** Reverses the end of a list, from an index on. */
function reverseFrom<T>(list: T[], first: number): void {
  for (let low = first, high = list.length - 1; low < high; low++, high--) {
    const kept = list[low] as T;
    list[low] = list[high] as T;
    list[high] = kept;
  }
}

/** Adds the layers of a run, oldest first. */
function addLayers({ pieces, extents }: RunBody, layers: SourceLayer[]): void {
  const [only] = extents;
  if (extents.length === 1) {
    for (const piece of pieces) layers.push(layerOf(piece, only));
    return;
  }
  const extentOf = new Map(extents.map((extent) => [extent.segment, extent]));
  for (const piece of pieces) layers.push(layerOf(piece, extentOf.get(piece.segment)));
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
  for (let at = runs.length - 1; at >= 0; at--) addLayers(runs[at] as Run, layers);
  return layers;
}

/** Where readers of arrays get their layers from. */
export interface LayerSource {
  /** The layers of an array that a reader at `epoch` sees; what is older than `since` is hidden. */
  load(array: ArrayAddress, version: { epoch: Epoch; since: Epoch }): ArrayLayers;
  /** The segments of an array have moved. */
  forget(array: ArrayAddress): void;
}

/** Layers as the index has them: of what is read once. */
export class StoredLayers implements LayerSource {
  readonly #openIndex: () => IndexReader;

  /** @param openIndex Gives the index, or throws once it is closed. */
  constructor(openIndex: () => IndexReader) {
    this.#openIndex = openIndex;
  }

  /** See {@link LayerSource}. */
  load(array: ArrayAddress, version: { epoch: Epoch; since: Epoch }): ArrayLayers {
    const { layers, ...facts } = loadLayers(this.#openIndex(), array, version);
    return { ...facts, index: LayerIndex.of(layers) };
  }

  /** Nothing is remembered. */
  forget(): void {}
}

/** An index that tells when its state is another one. */
export interface CountedIndex extends IndexReader {
  /** While it is the same and not 0, so is all that can be read. */
  readonly stateNumber: number;
}

/** What a process remembers of arrays; one per target. */
export class ArrayCache implements LayerSource {
  readonly #openIndex: () => CountedIndex;
  /** Counters as one state of the index has them. */
  readonly #counters = { state: 0, last: 0n, layouts: new Map<number, bigint>() };
  /** By container and object; the array that was loaded last comes last. */
  readonly #remembered = new RecentMap<string, Remembered>(LAYERS_CACHED_MAX);

  /** @param openIndex Gives the index, or throws once it is closed. */
  constructor(openIndex: () => CountedIndex) {
    this.#openIndex = openIndex;
  }

  /** The newest epoch that was drawn, and how often segments of a container have moved. */
  #versionNow(index: CountedIndex, container: number): { last: Epoch; layout: bigint } {
    const counters = this.#counters;
    // Taken first: what is committed after it is read again next time.
    const state = index.stateNumber;
    if (state === 0 || state !== counters.state) {
      counters.state = state;
      // Commits to come draw later epochs than this: whatever is at or before it is there.
      counters.last = readCounter(index, "epoch");
      counters.layouts.clear();
    }
    let layout = counters.layouts.get(container);
    if (layout === undefined) {
      layout = readCounter(index, `layout/${container}`);
      counters.layouts.set(container, layout);
    }
    return { last: counters.last, layout };
  }

  /**
   * The layers of an array that a reader at `epoch` sees.
   *
   * @param since The array began then, or begins anew: what is older is hidden.
   */
  load(array: ArrayAddress, { epoch, since }: { epoch: Epoch; since: Epoch }): ArrayLayers {
    const reader = this.#openIndex();
    const name = nameOf(array);
    const { last, layout } = this.#versionNow(reader, array.container);
    const until = epoch < last ? epoch : last;
    const known = this.#remembered.get(name);
    const goesOn = known?.since === since && known.layout === layout && known.epoch <= until;
    if (!goesOn) {
      metrics.cacheMisses.add(1);
      const { layers, ...facts } = loadLayers(reader, array, { since, epoch: until });
      const loaded = { ...facts, index: LayerIndex.of(layers), epoch: until, since, layout };
      if (known === undefined || known.epoch <= until) this.#remember(name, loaded);
      return loaded;
    }
    if (known.epoch === until) {
      metrics.cacheHits.add(1);
      return known;
    }
    metrics.cacheExtensions.add(1);
    const added = loadLayers(reader, array, { since: known.epoch + 1n, epoch: until });
    const loaded = {
      index: known.index.extended(added.layers),
      end: Math.max(known.end, added.end),
      hasHoles: known.hasHoles || added.hasHoles,
      epoch: until,
      since,
      layout,
    };
    this.#remember(name, loaded);
    return loaded;
  }

  /** Forgets an array: its segments have moved. */
  forget(array: ArrayAddress): void {
    this.#remembered.delete(nameOf(array));
  }

  #remember(name: string, loaded: Remembered): void {
    this.#remembered.set(name, loaded, loaded.index.count + ARRAY_CACHED_COST);
  }
}

function nameOf({ container, oid, path }: ArrayAddress): string {
  if (path === BYTE_ARRAY_PATH) return `${container}/${oid}`;
  return `${container}/${oid}/${latin1(path)}`;
}
