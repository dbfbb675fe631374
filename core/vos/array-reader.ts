/**
 * Reads one array at one epoch, with a writer's own uncommitted writes on top if it is theirs.
 *
 * The layers that the epoch sees come from the target's cache (array-cache.ts) once; reads then search
 * them in memory. They cannot change under a pinned epoch; when a segment was recycled under an unpinned
 * one, the runs are read again.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { READ_WHOLE_SIZE_MIN, RESOLVE_BATCH_COUNT, RESOLVE_RETRIES_MAX } from "../limits.js";
import type { LogWriter } from "../log/log-writer.js";
import { type SegmentCache, SegmentMoved, type SegmentReader } from "../log/segment-reader.js";
import type { ArrayAddress, ArrayKeys } from "./array-address.js";
import { type ArrayLayers, type LayerSource, layerOf, type SourceLayer } from "./array-cache.js";
import { namedDamage } from "./damage.js";
import type { Epoch } from "./epoch.js";
import { LayerIndex } from "./layer-index.js";
import type { ObjectAddress } from "./names.js";
import { formatOid } from "./object-id.js";
import { checkBufferSize, lastOffset, Pattern, type PatternRange, wholeOf } from "./pattern.js";
import { isHole, type Piece } from "./piece.js";
import { type FragmentSink, resolve } from "./resolve.js";

/** Where an array's bytes come from. */
export interface ArraySource {
  readonly arrays: LayerSource;
  readonly segments: SegmentCache;
  /** The keys that an array lies under, to name it in errors. */
  keysOf(array: ArrayAddress): ArrayKeys | undefined;
}

/** A writer's uncommitted pieces of the array, in program order. */
export interface Overlay {
  readonly writer: LogWriter;
  readonly pieces: readonly Piece[];
  /** Whether the writer punched the array first: what is committed is hidden. */
  readonly hides: boolean;
}

/** The batch of fragments that is being copied. Reads do not nest, so one serves the process. */
const batch = {
  targets: new Float64Array(RESOLVE_BATCH_COUNT),
  positions: new Float64Array(RESOLVE_BATCH_COUNT),
  sizes: new Float64Array(RESOLVE_BATCH_COUNT),
};

/** Copies fragments to the caller's buffer, in batches per segment. */
export class FragmentCopier implements FragmentSink<SourceLayer> {
  readonly #source: ArraySource;
  readonly #target: Uint8Array;
  readonly #writer: LogWriter | undefined;
  readonly #keepsHoles: boolean;
  /** Where the fragments of the batch lie. */
  #reader: SegmentReader | undefined;
  #count = 0;
  /** Bytes that were never written. */
  missing = 0;

  constructor(
    source: ArraySource,
    target: Uint8Array,
    { writer, keepsHoles }: { writer: LogWriter | undefined; keepsHoles: boolean },
  ) {
    this.#source = source;
    this.#keepsHoles = keepsHoles;
    this.#target = target;
    this.#writer = writer;
  }

  fragment(layer: SourceLayer, target: number, packed: number, size: number): void {
    const { segment, extent } = layer;
    const position = packed + layer.shift;
    if (extent === undefined) {
      const own = this.#writer?.read(segment, position, this.#part(target, size));
      if (own !== true) throw new SegmentMoved();
      return;
    }
    if (size >= READ_WHOLE_SIZE_MIN) {
      this.#source.segments.get(segment).read(this.#part(target, size), position, extent);
      return;
    }
    let reader = this.#reader;
    if (reader?.id !== segment) {
      this.flush();
      reader = this.#source.segments.get(segment);
      this.#reader = reader;
    } else if (this.#count === RESOLVE_BATCH_COUNT) {
      this.flush();
    }
    reader.verify(position, position + size, extent);
    batch.targets[this.#count] = target;
    batch.positions[this.#count] = position;
    batch.sizes[this.#count] = size;
    this.#count += 1;
  }

  hole(target: number, size: number): void {
    this.missing += size;
    if (!this.#keepsHoles) this.#target.fill(0, target, target + size);
  }

  #part(target: number, size: number): Uint8Array {
    return this.#target.subarray(target, target + size);
  }

  flush(): void {
    if (this.#count === 0) return;
    this.#reader?.copy(this.#target, batch, this.#count);
    this.#count = 0;
  }
}

/** Bytes of an array that lie in one piece, or that were never written. */
export interface MappedFragment {
  /** Position in what was asked for, in bytes. */
  readonly start: number;
  /** In bytes. */
  readonly size: number;
  /** Where they lie in the map of their segment; `undefined` for bytes that were never written. */
  readonly bytes: Uint8Array | undefined;
}

/** A fragment, before it is verified and mapped. */
interface FoundFragment {
  readonly start: number;
  size: number;
  readonly position: number;
  readonly layer: SourceLayer | undefined;
}

/** Collects fragments in the order of their targets; what adjoins in array and segment is one. */
function joinFragments(found: FoundFragment[]): FoundFragment[] {
  found.sort((a, b) => a.start - b.start);
  const joined: FoundFragment[] = [];
  for (const fragment of found) {
    const last = joined.at(-1);
    const adjoins =
      last !== undefined &&
      last.layer?.segment === fragment.layer?.segment &&
      last.layer?.extent?.end === fragment.layer?.extent?.end &&
      (last.layer === undefined || last.position + last.size === fragment.position);
    if (adjoins) last.size += fragment.size;
    else joined.push({ ...fragment });
  }
  return joined;
}

const NO_LAYERS = LayerIndex.of<SourceLayer>([]);
const NOTHING_WRITTEN = { end: 0, hasHoles: false };
/** Bytes that are looked at first for the end of an array with punched ranges. */
const LAST_WRITTEN_STEP = 64 * 1024;

/** The layers of an array with a transaction's own writes on top. */
interface OwnLayers {
  readonly committed: LayerIndex<SourceLayer>;
  readonly pieces: readonly Piece[];
  readonly count: number;
  readonly index: LayerIndex<SourceLayer>;
}

/** One array at one epoch. */
export class ArrayReader {
  readonly array: ArrayAddress;
  readonly epoch: Epoch;
  readonly #since: Epoch;
  readonly #source: ArraySource;
  #committed: ArrayLayers | undefined;
  #own: OwnLayers | undefined;

  /** @param since The array began then: what is older is hidden. */
  constructor(
    source: ArraySource,
    array: ArrayAddress,
    { epoch, since }: { epoch: Epoch; since: Epoch },
  ) {
    this.#source = source;
    this.array = array;
    this.epoch = epoch;
    this.#since = since;
  }

  /** The keys that the array lies under; `undefined` for a byte array. */
  get keys(): ArrayKeys | undefined {
    return this.#source.keysOf(this.array);
  }

  /** The object that the array is of. */
  get object(): ObjectAddress {
    return this.array;
  }

  #layers(): ArrayLayers {
    const version = { epoch: this.epoch, since: this.#since };
    this.#committed ??= this.#source.arrays.load(this.array, version);
    return this.#committed;
  }

  /** The committed layers below those of a transaction, which only ever gains pieces. */
  #layersUnder(overlay: Overlay | undefined): LayerIndex<SourceLayer> {
    if (overlay === undefined) return this.#layers().index;
    const { pieces, hides } = overlay;
    const committed = hides ? NO_LAYERS : this.#layers().index;
    const known = this.#own;
    const goesOn = known?.committed === committed && known.pieces === pieces;
    if (goesOn && known.count === pieces.length) return known.index;
    const added = pieces.slice(goesOn ? known.count : 0);
    const index = (goesOn ? known.index : committed).extended(
      added.map((piece) => layerOf(piece, undefined)),
    );
    this.#own = { committed, pieces, count: pieces.length, index };
    return index;
  }

  /**
   * One past the last byte written and not punched, at this epoch and in the overlay, in bytes.
   */
  size(overlay?: Overlay): number {
    const { end, hasHoles } = overlay?.hides ? NOTHING_WRITTEN : this.#layers();
    let last = end;
    let punched = hasHoles;
    for (const piece of overlay?.pieces ?? []) {
      if (isHole(piece)) punched = true;
      else last = Math.max(last, lastOffset(piece));
    }
    return punched ? this.#lastWritten(last, overlay) : last;
  }

  /** The end of the last byte before `end` that is not a hole: looks back in steps that grow. */
  #lastWritten(end: number, overlay: Overlay | undefined): number {
    const index = this.#layersUnder(overlay);
    let last = 0;
    let stop = end;
    for (let step = LAST_WRITTEN_STEP; stop > 0 && last === 0; step *= 4) {
      const start = Math.max(0, stop - step);
      resolve(wholeOf(Pattern.contiguous(start, stop)), index, {
        fragment: (_layer, target, _packed, size) => {
          last = Math.max(last, start + target + size);
        },
        hole: () => {},
      });
      stop = start;
    }
    return last;
  }

  /**
   * Reads a range into `target`, packed; bytes never written become 0.
   *
   * @param target At least `to - from` bytes.
   * @param keepsHoles Bytes never written leave `target` as it is.
   * @returns Bytes of the range that were never written.
   * @throws {@link DaosError} `DER_CSUM` if stored bytes are damaged, and which, `DER_EPOCH_GONE` if the data of
   *   this epoch was recycled. `target` is undefined then.
   */
  read(range: PatternRange, target: Uint8Array, overlay?: Overlay, keepsHoles = false): number {
    if (target.length < range.to - range.from) {
      checkBufferSize("Reading an array", target.length, range);
    }
    for (let attempt = 0; attempt < RESOLVE_RETRIES_MAX; attempt++) {
      try {
        return this.#copy(range, target, overlay, keepsHoles);
      } catch (error) {
        this.#forgetMoved(error, range);
      }
    }
    throw this.#gone();
  }

  /** Reads a range once. */
  #copy(
    range: PatternRange,
    target: Uint8Array,
    overlay: Overlay | undefined,
    keepsHoles: boolean,
  ): number {
    const copier = new FragmentCopier(this.#source, target, {
      writer: overlay?.writer,
      keepsHoles,
    });
    resolve(range, this.#layersUnder(overlay), copier);
    copier.flush();
    return copier.missing;
  }

  /**
   * The committed bytes of a range where they lie, in order and without gaps: nothing is copied.
   *
   * @throws {@link DaosError} As {@link read}.
   */
  mapped(range: PatternRange): MappedFragment[] {
    for (let attempt = 0; attempt < RESOLVE_RETRIES_MAX; attempt++) {
      try {
        return this.#map(range);
      } catch (error) {
        this.#forgetMoved(error, range);
      }
    }
    throw this.#gone();
  }

  /** Maps a range once. */
  #map(range: PatternRange): MappedFragment[] {
    const found: FoundFragment[] = [];
    resolve(range, this.#layersUnder(undefined), {
      fragment: (layer, start, packed, size) => {
        found.push({ start, size, position: packed + layer.shift, layer });
      },
      hole: (start, size) => found.push({ start, size, position: 0, layer: undefined }),
    });
    return joinFragments(found).map(({ start, size, position, layer }) => {
      if (layer?.extent === undefined) return { start, size, bytes: undefined };
      const reader = this.#source.segments.get(layer.segment);
      return { start, size, bytes: reader.memory(position, position + size, layer.extent) };
    });
  }

  /** Lets the layers be loaded again if segments moved under a read; throws what else made it fail. */
  #forgetMoved(error: unknown, range: PatternRange): void {
    if (!(error instanceof SegmentMoved)) throw namedDamage(error, this, range);
    this.#committed = undefined;
    this.#source.arrays.forget(this.array);
  }

  #gone(): DaosError {
    return new DaosError(
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
  visit(range: PatternRange, sink: FragmentSink, overlay?: Overlay): void {
    resolve(range, this.#layersUnder(overlay), sink);
  }
}
