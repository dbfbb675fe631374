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
import { decodeRun, parseRunKey, runKey, runPrefix } from "./run-format.js";

/** A layer with what verifies its bytes; `extent` is absent for a writer's uncommitted ones. */
export interface SourceLayer extends Layer {
  readonly extent: CommittedExtent | undefined;
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
  /** Counter of the container's layout, read before the runs were. */
  readonly layout: bigint;
}

/** The layer of a piece. */
export function layerOf(piece: Piece, extent: CommittedExtent | undefined): SourceLayer {
  return { piece, extent, start: firstOffset(piece), end: lastOffset(piece) };
}

/** The runs of an array of epochs in `(after, epoch]`, newest first. */
export function listRuns(
  reader: IndexReader,
  object: ObjectAddress,
  { after, epoch }: { after: Epoch; epoch: Epoch },
): Run[] {
  const address = { container: object.container, oid: oidBytes(object.oid) };
  const start = runKey(address, epoch, 0xffff_ffff);
  const runs: Run[] = [];
  reader.visit({ start, end: prefixEnd(runPrefix(address)) }, (key, value) => {
    const version = parseRunKey(key);
    if (version.epoch <= after) return false;
    runs.push({ ...decodeRun(value), epoch: version.epoch, sequence: version.sequence });
    return true;
  });
  return runs;
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

  /** The layers of an array that a reader at `epoch` sees. */
  load(object: ObjectAddress, epoch: Epoch): ArrayLayers {
    const reader = this.#openIndex();
    const name = `${object.container}/${object.oid}`;
    // Commits to come draw later epochs than this: whatever is at or before it is there.
    const last = readCounter(reader, "epoch");
    const until = epoch < last ? epoch : last;
    const punched = punchEpoch(reader, object, until);
    const layout = readCounter(reader, `layout/${object.container}`);
    const known = this.#remembered.get(name);
    const goesOn = known?.punched === punched && known.layout === layout && known.epoch <= until;
    if (!goesOn) {
      const runs = listRuns(reader, object, { after: punched, epoch: until });
      const index = LayerIndex.of(layersOf(runs));
      const loaded = { index, size: sizeOf(runs), epoch: until, punched, layout };
      if (known === undefined || known.epoch <= until) this.#remember(name, loaded);
      return loaded;
    }
    if (known.epoch === until) return known;
    const runs = listRuns(reader, object, { after: known.epoch, epoch: until });
    const index = known.index.extended(layersOf(runs));
    const size = Math.max(known.size, sizeOf(runs));
    const loaded = { index, size, epoch: until, punched, layout };
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

function sizeOf(runs: readonly Run[]): number {
  return runs.reduce((size, { end }) => Math.max(size, end), 0);
}

/** Layers that an array counts for; one that has none costs memory too. */
function costOf(remembered: Remembered | undefined): number {
  return remembered === undefined ? 0 : remembered.index.count + 1;
}
