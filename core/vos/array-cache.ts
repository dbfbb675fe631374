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
 * 2. An epoch before the remembered one, or one that sees another punch, reads its runs anew.
 *
 * @module
 */

import { readCounter } from "../index/counters.js";
import type { IndexReader } from "../index/index-store.js";
import { prefixEnd } from "../index/key-codec.js";
import { LAYERS_CACHED_MAX } from "../limits.js";
import type { CommittedExtent } from "../log/segment-reader.js";
import type { Epoch } from "./epoch.js";
import { LayerIndex } from "./layer-index.js";
import { oidBytes } from "./object-id.js";
import { type ObjectAddress, punchEpoch } from "./objects.js";
import { firstOffset, lastOffset } from "./pattern.js";
import type { Layer, Piece, Run } from "./piece.js";
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
  /** One past the last byte written. */
  readonly size: number;
}

interface Remembered extends ArrayLayers {
  readonly epoch: Epoch;
  readonly punched: Epoch;
}

/** The layer of a piece. */
export function layerOf(piece: Piece, extent: CommittedExtent | undefined): SourceLayer {
  const { segment, position, from } = piece;
  const [start, end] = [firstOffset(piece), lastOffset(piece)];
  return { piece, extent, start, end, segment, shift: position - from };
}

/** The layers of the runs of an array of epochs in `(after, epoch]`, oldest first. */
function loadLayers(
  reader: IndexReader,
  object: ObjectAddress,
  { after, epoch }: { after: Epoch; epoch: Epoch },
): { layers: SourceLayer[]; size: number } {
  const address = { container: object.container, oid: oidBytes(object.oid) };
  const start = runKey(address, epoch, 0xffff_ffff);
  const layers: SourceLayer[] = [];
  let size = 0;
  // Runs come newest first. Nothing of a run outlives its visit but what its layers hold: an array may
  // have very many.
  reader.visit({ start, end: prefixEnd(runPrefix(address)) }, (key, value) => {
    if (parseRunKey(key).epoch <= after) return false;
    const run = decodeRun(value);
    size = Math.max(size, run.end);
    const first = layers.length;
    addLayers(run, layers);
    // A run's pieces come oldest first, and the list is reversed as a whole.
    reverseFrom(layers, first);
    return true;
  });
  return { layers: layers.reverse(), size };
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

/** The layers of runs given newest first; the layers are oldest first. */
export function layersOf(runs: readonly Run[]): SourceLayer[] {
  const layers: SourceLayer[] = [];
  for (let at = runs.length - 1; at >= 0; at--) addLayers(runs[at] as Run, layers);
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

  /** The layers of an array that a reader at `epoch` sees. */
  load(object: ObjectAddress, epoch: Epoch): ArrayLayers {
    const reader = this.#openIndex();
    const name = `${object.container}/${object.oid}`;
    // Commits to come draw later epochs than this: whatever is at or before it is there.
    const last = readCounter(reader, "epoch");
    const until = epoch < last ? epoch : last;
    const punched = punchEpoch(reader, object, until);
    const known = this.#remembered.get(name);
    if (known === undefined || known.punched !== punched || known.epoch > until) {
      const { layers, size } = loadLayers(reader, object, { after: punched, epoch: until });
      const loaded = { index: LayerIndex.of(layers), size, epoch: until, punched };
      if (known === undefined || known.epoch <= until) this.#remember(name, loaded);
      return loaded;
    }
    if (known.epoch === until) return known;
    const added = loadLayers(reader, object, { after: known.epoch, epoch: until });
    const index = known.index.extended(added.layers);
    const size = Math.max(known.size, added.size);
    const loaded = { index, size, epoch: until, punched };
    this.#remember(name, loaded);
    return loaded;
  }

  /** Forgets an array: its segments have moved. */
  forget({ container, oid }: ObjectAddress): void {
    this.#forget(`${container}/${oid}`);
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

/** Layers that an array counts for; one that has none costs memory too. */
function costOf(remembered: Remembered | undefined): number {
  return remembered === undefined ? 0 : remembered.index.count + 1;
}
