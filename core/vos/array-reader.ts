/**
 * Reads one array at one epoch, with a writer's own uncommitted writes on top if it is theirs.
 *
 * The runs that the epoch sees are read from the index once; reads then walk them in memory. They
 * cannot change under a pinned epoch; when a segment was recycled under an unpinned one, the runs are
 * read again.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import type { IndexReader } from "../index/index-store.js";
import { prefixEnd } from "../index/key-codec.js";
import { RESOLVE_BATCH_COUNT, RESOLVE_RETRIES_MAX } from "../limits.js";
import type { LogWriter } from "../log/log-writer.js";
import { type CommittedExtent, type SegmentCache, SegmentMoved } from "../log/segment-reader.js";
import { namedDamage } from "./damage.js";
import type { Epoch } from "./epoch.js";
import { formatOid, oidBytes } from "./object-id.js";
import { type ObjectAddress, punchEpoch } from "./objects.js";
import { checkBufferSize, firstOffset, lastOffset, type PatternRange } from "./pattern.js";
import type { Piece, Run } from "./piece.js";
import { type FragmentSink, type Layer, resolve } from "./resolve.js";
import { decodeRun, parseRunKey, runKey, runPrefix } from "./run-format.js";

/** A layer with what verifies its bytes; `extent` is absent for a writer's uncommitted ones. */
interface SourceLayer extends Layer {
  readonly extent: CommittedExtent | undefined;
}

/** Where an array's bytes come from. */
export interface ArraySource {
  readonly index: IndexReader;
  readonly segments: SegmentCache;
}

/** A writer's uncommitted pieces of the array, in program order. */
export interface Overlay {
  readonly writer: LogWriter;
  readonly pieces: readonly Piece[];
}

function layerOf(piece: Piece, extent: CommittedExtent | undefined): SourceLayer {
  return { piece, extent, start: firstOffset(piece), end: lastOffset(piece) };
}

/** The runs of an array that a reader at `epoch` may see, newest first. */
export function listRuns(reader: IndexReader, object: ObjectAddress, epoch: Epoch): Run[] {
  const address = { container: object.container, oid: oidBytes(object.oid) };
  const punched = punchEpoch(reader, object, epoch);
  const start = runKey(address, epoch, 0xffff_ffff);
  const runs: Run[] = [];
  reader.visit({ start, end: prefixEnd(runPrefix(address)) }, (key, value) => {
    const version = parseRunKey(key);
    if (version.epoch <= punched) return false;
    runs.push({ ...decodeRun(value), epoch: version.epoch, sequence: version.sequence });
    return true;
  });
  return runs;
}

/** Layers of runs, newest first. */
export function layersOf(runs: readonly Run[]): SourceLayer[] {
  const layers: SourceLayer[] = [];
  for (const { pieces, extents } of runs) {
    const extentOf = new Map(extents.map((extent) => [extent.segment, extent]));
    for (const piece of pieces.toReversed()) {
      layers.push(layerOf(piece, extentOf.get(piece.segment)));
    }
  }
  return layers;
}

/** The batch of fragments that is being copied. Reads do not nest, so one serves the process. */
const batch = {
  targets: new Float64Array(RESOLVE_BATCH_COUNT),
  positions: new Float64Array(RESOLVE_BATCH_COUNT),
  sizes: new Float64Array(RESOLVE_BATCH_COUNT),
};

/** Copies fragments to the caller's buffer, in batches per segment. */
class FragmentCopier implements FragmentSink {
  readonly #source: ArraySource;
  readonly #target: Uint8Array;
  readonly #writer: LogWriter | undefined;
  #segment = -1;
  #count = 0;

  constructor(source: ArraySource, target: Uint8Array, writer: LogWriter | undefined) {
    this.#source = source;
    this.#target = target;
    this.#writer = writer;
  }

  fragment(layer: Layer, target: number, packed: number, size: number): void {
    const { piece, extent } = layer as SourceLayer;
    const position = piece.position + (packed - piece.from);
    if (extent === undefined) {
      const own = this.#writer?.read(piece.segment, position, this.#part(target, size));
      if (own !== true) throw new SegmentMoved();
      return;
    }
    if (piece.segment !== this.#segment || this.#count === RESOLVE_BATCH_COUNT) {
      this.flush();
      this.#segment = piece.segment;
    }
    this.#source.segments.get(piece.segment).verify(position, position + size, extent);
    batch.targets[this.#count] = target;
    batch.positions[this.#count] = position;
    batch.sizes[this.#count] = size;
    this.#count += 1;
  }

  hole(target: number, size: number): void {
    this.#target.fill(0, target, target + size);
  }

  #part(target: number, size: number): Uint8Array {
    return this.#target.subarray(target, target + size);
  }

  flush(): void {
    if (this.#count === 0) return;
    const reader = this.#source.segments.get(this.#segment);
    reader.copy(this.#target, batch, this.#count);
    this.#count = 0;
  }
}

/** One array at one epoch. */
export class ArrayReader {
  readonly object: ObjectAddress;
  readonly epoch: Epoch;
  readonly #source: ArraySource;
  #committed: SourceLayer[] | undefined;
  #committedSize = 0;

  constructor(source: ArraySource, object: ObjectAddress, epoch: Epoch) {
    this.#source = source;
    this.object = object;
    this.epoch = epoch;
  }

  #layers(): SourceLayer[] {
    if (this.#committed === undefined) {
      const runs = listRuns(this.#source.index, this.object, this.epoch);
      this.#committed = layersOf(runs);
      this.#committedSize = runs.reduce((size, { end }) => Math.max(size, end), 0);
    }
    return this.#committed;
  }

  /** One past the last byte written, at this epoch and in the overlay, in bytes. */
  size(overlay?: Overlay): number {
    this.#layers();
    let size = this.#committedSize;
    for (const piece of overlay?.pieces ?? []) size = Math.max(size, lastOffset(piece));
    return size;
  }

  /**
   * Reads a range into `target`, packed; bytes never written become 0.
   *
   * @param target At least `to - from` bytes.
   * @throws {@link DaosError} `DER_CSUM` if stored bytes are damaged, and which, `DER_EPOCH_GONE` if the data of
   *   this epoch was recycled. `target` is undefined then.
   */
  read(range: PatternRange, target: Uint8Array, overlay?: Overlay): void {
    if (target.length < range.to - range.from) {
      checkBufferSize("Reading an array", target.length, range);
    }
    const own = (overlay?.pieces ?? []).map((piece) => layerOf(piece, undefined)).reverse();
    for (let attempt = 0; attempt < RESOLVE_RETRIES_MAX; attempt++) {
      try {
        const copier = new FragmentCopier(this.#source, target, overlay?.writer);
        const committed = this.#layers();
        resolve(range, own.length === 0 ? committed : [...own, ...committed], copier);
        copier.flush();
        return;
      } catch (error) {
        if (!(error instanceof SegmentMoved)) throw namedDamage(error, this, range);
        this.#committed = undefined;
      }
    }
    throw new DaosError(
      "DER_EPOCH_GONE",
      {
        what: `Reading object ${formatOid(this.object.oid)} at epoch ${this.epoch}`,
        why: "the segments that held its data are gone",
        remedy: "read a later epoch; if this is the newest, check the pool's files",
      },
      { epoch: this.epoch },
    );
  }

  /** Visits where the bytes of a range lie, without reading them. */
  visit(range: PatternRange, sink: FragmentSink): void {
    resolve(range, this.#layers(), sink);
  }
}
