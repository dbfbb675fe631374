/**
 * The chunks of a dataset that are stored apart: those that filters made, and those of datasets that can grow
 * in more than their first dimension.
 *
 *     dkey    `#` and the chunk's index along each dimension (u64, big-endian)
 *     akey    H5_CHUNK
 *     value   u32 filters that were left out, a bit each (big-endian), bytes as they are stored
 *
 * What is written in parts is kept in memory, filters undone, until the flush or until there is too much of it.
 *
 * @module
 */

import type { ObjectId } from "../../../core/index.js";
import { type ChunkFilters, chunkFilters, type Pipeline } from "../filters/index.js";
import type { ChunkPiece } from "../parallel/chunk-exchange.js";
import {
  type ChunkRuns,
  type CopySide,
  copyRuns,
  fillBytes,
  product,
  type Region,
  regionShape,
  splitAxis,
} from "../region.js";
import type { FlushPart, Session } from "../session.js";

const AKEY = Buffer.from("H5_CHUNK");
const HEAD_SIZE = 4;
const PREFIX = "#".charCodeAt(0);
/** Chunks that filters work on side by side. */
const PARALLEL_MAX = 8;
/** Bytes of chunks that are kept in memory, for each dataset. */
const CACHE_SIZE_MAX = 64 * 1024 * 1024;
const LISTED_AT_ONCE = 1000;

/** What chunks of a dataset are. */
export interface ChunkShape extends Pipeline {
  readonly chunkShape: readonly number[];
  /** Bytes of an element. */
  readonly itemSize: number;
  /** The element that was never written; zeros if undefined. */
  readonly fill: Uint8Array | undefined;
}

/** A chunk in memory. */
interface CachedChunk {
  readonly index: readonly number[];
  bytes: Uint8Array;
  isDirty: boolean;
  /** Whether it holds what another rank is to store: see `parallel/chunk-exchange.ts`. */
  isShared?: boolean;
}

/** A chunk that a region touches. */
interface TouchedChunk {
  readonly index: readonly number[];
  /** For each dimension, what of it. */
  readonly runs: readonly (readonly number[])[];
  /** Whether all of its elements that are in the dataset are touched. */
  readonly isWhole: boolean;
}

function chunkKey(index: readonly number[]): Buffer {
  const dkey = Buffer.alloc(1 + 8 * index.length);
  dkey.writeUInt8(PREFIX);
  for (const [dimension, at] of index.entries()) {
    dkey.writeBigUInt64BE(BigInt(at), 1 + 8 * dimension);
  }
  return dkey;
}

function indexOfKey(dkey: Uint8Array): number[] {
  const bytes = Buffer.from(dkey.buffer, dkey.byteOffset, dkey.byteLength);
  return Array.from({ length: (bytes.length - 1) / 8 }, (_, dimension) =>
    Number(bytes.readBigUInt64BE(1 + 8 * dimension)),
  );
}

/** The chunks that a region touches, in row-major order. */
function* touched(
  region: Region,
  { chunkShape, extents }: { chunkShape: readonly number[]; extents: readonly number[] },
): Generator<TouchedChunk> {
  const axes = region.map((axis, dimension) => splitAxis(axis, chunkShape[dimension] as number));
  if (axes.some((axis) => axis.length === 0)) return;
  const isWholeAxis = axes.map((axis, dimension) =>
    axis.map(({ chunk, runs }) => {
      const extent = chunkShape[dimension] as number;
      const inside = Math.min(extent, (extents[dimension] as number) - chunk * extent);
      let count = 0;
      for (let run = 2; run < runs.length; run += 3) count += runs[run] as number;
      return count === inside;
    }),
  );
  const chosen = axes.map(() => 0);
  for (;;) {
    const parts = axes.map((axis, dimension) => axis[chosen[dimension] as number] as ChunkRuns);
    yield {
      index: parts.map(({ chunk }) => chunk),
      runs: parts.map(({ runs }) => runs),
      isWhole: isWholeAxis.every((axis, dimension) => axis[chosen[dimension] as number]),
    };
    let dimension = axes.length - 1;
    for (; dimension >= 0; dimension--) {
      const next = (chosen[dimension] as number) + 1;
      if (next < (axes[dimension] as ChunkRuns[]).length) {
        chosen[dimension] = next;
        break;
      }
      chosen[dimension] = 0;
    }
    if (dimension < 0) return;
  }
}

function swapRuns(runs: readonly (readonly number[])[]): number[][] {
  return runs.map((list) => {
    const swapped = [...list];
    for (let at = 0; at < swapped.length; at += 3) {
      swapped[at] = list[at + 1] as number;
      swapped[at + 1] = list[at] as number;
    }
    return swapped;
  });
}

/** The chunks of one dataset. */
export class ChunkStore implements FlushPart {
  readonly #session: Session;
  readonly #oid: ObjectId;
  readonly #shape: ChunkShape;
  readonly #cache = new Map<string, CachedChunk>();
  #last: Promise<unknown> = Promise.resolve();
  /** What was written of chunks that other ranks may write to as well. */
  #pieces: ChunkPiece[] = [];
  /** Chunks that this rank wrote whole since the last flush: no other one writes to them. */
  readonly #whole = new Set<string>();

  constructor(session: Session, oid: ObjectId, shape: ChunkShape) {
    this.#session = session;
    this.#oid = oid;
    this.#shape = shape;
  }

  /** Lets steps that change chunks follow one another: a part of a chunk is read before it is written. */
  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(step, step);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** A chunk as it is stored. */
  stored(index: readonly number[]): { bytes: Uint8Array; filterMask: number } | undefined {
    const { view, own } = this.#session.dataState("Reading chunks");
    const value = view.getValue(this.#oid, chunkKey(index), AKEY, own);
    if (value === undefined) return undefined;
    const head = Buffer.from(value.buffer, value.byteOffset, HEAD_SIZE).readUInt32BE();
    return { filterMask: head, bytes: value.subarray(HEAD_SIZE) };
  }

  /** Bytes of a chunk as it is stored; 0 if it is not. */
  storedSize(index: readonly number[]): number {
    const { view, own } = this.#session.dataState("Reading chunks");
    const size = view.valueSize(this.#oid, chunkKey(index), AKEY, own);
    return size === undefined ? 0 : size - HEAD_SIZE;
  }

  /** Stores a chunk as it is. */
  store(index: readonly number[], bytes: Uint8Array, filterMask: number): void {
    const head = Buffer.alloc(HEAD_SIZE);
    head.writeUInt32BE(filterMask);
    this.#cache.delete(index.join());
    this.#session.write("Writing chunks", (own) => {
      const value = [head, bytes];
      own.update(this.#oid, chunkKey(index), [{ akey: AKEY, value }]);
    });
  }

  /** The chunks that are stored, in row-major order. */
  *indices(): Generator<readonly number[]> {
    const { view, own } = this.#session.dataState("Listing chunks");
    let anchor: Parameters<typeof view.listDkeys>[1] = { limit: LISTED_AT_ONCE };
    for (;;) {
      const part = view.listDkeys(this.#oid, anchor, own);
      for (const dkey of part.keys) if (dkey[0] === PREFIX) yield indexOfKey(dkey);
      if (part.anchor === undefined) return;
      anchor = { limit: LISTED_AT_ONCE, anchor: part.anchor };
    }
  }

  /** A chunk in memory, filters undone; not to be changed. */
  async #load(index: readonly number[], filters: ChunkFilters): Promise<CachedChunk> {
    const key = index.join();
    const cached = this.#cache.get(key);
    if (cached !== undefined) {
      // What was used last goes last.
      this.#cache.delete(key);
      this.#cache.set(key, cached);
      return cached;
    }
    const stored = this.stored(index);
    let bytes: Uint8Array;
    if (stored === undefined) {
      bytes = new Uint8Array(this.#shape.chunkSize);
      fillBytes(bytes, this.#shape.fill);
    } else bytes = await filters.decode(stored.bytes, stored.filterMask, false);
    const chunk = { index, bytes, isDirty: false };
    this.#cache.set(key, chunk);
    return chunk;
  }

  /** Writes what is dirty and drops what was not used for long, until the rest fits. */
  async #evict(sizeMax: number): Promise<void> {
    const { chunkSize } = this.#shape;
    const countMax = Math.floor(sizeMax / Math.max(1, chunkSize));
    while (this.#cache.size > countMax) {
      const own = [...this.#cache.values()].filter(({ isShared }) => isShared !== true);
      const oldest = own.slice(0, PARALLEL_MAX);
      if (oldest.length === 0) return;
      await this.#saveDirty(oldest);
      for (const { index } of oldest) this.#cache.delete(index.join());
    }
  }

  async #saveDirty(chunks: readonly CachedChunk[]): Promise<void> {
    const dirty = chunks.filter(({ isDirty }) => isDirty);
    const filters = chunkFilters(this.#shape, this.#cache.size * this.#shape.chunkSize);
    const save = async ({ index, bytes }: CachedChunk) => {
      const encoded = await filters.encode(bytes, false);
      this.store(index, encoded.bytes, encoded.filterMask);
    };
    for (let first = 0; first < dirty.length; first += PARALLEL_MAX) {
      await Promise.all(dirty.slice(first, first + PARALLEL_MAX).map(save));
    }
  }

  /** Reads a region into `target`, packed. */
  read(region: Region, extents: readonly number[], target: Uint8Array): Promise<void> {
    const { chunkShape, itemSize } = this.#shape;
    const packed = { bytes: target, extents: regionShape(region) };
    const filters = chunkFilters(this.#shape, target.length);
    return this.#inTurn(async () => {
      const queue = touched(region, { chunkShape, extents });
      const work = async () => {
        for (const { index, runs } of queue) {
          const chunk = await this.#load(index, filters);
          copyRuns({ bytes: chunk.bytes, extents: chunkShape }, packed, runs, itemSize);
        }
      };
      await Promise.all(Array.from({ length: PARALLEL_MAX }, work));
      await this.#evict(CACHE_SIZE_MAX);
    });
  }

  /** Writes a region from `source`, packed. */
  write(region: Region, extents: readonly number[], source: Uint8Array): Promise<void> {
    const { chunkShape, chunkSize, itemSize, fill } = this.#shape;
    const packed = { bytes: source, extents: regionShape(region) };
    const filters = chunkFilters(this.#shape, source.length);
    return this.#inTurn(async () => {
      const queue = touched(region, { chunkShape, extents });
      const work = async () => {
        for (const { index, runs, isWhole } of queue) {
          if (!isWhole) {
            const chunk = await this.#load(index, filters);
            if (!chunk.isDirty) chunk.bytes = Uint8Array.from(chunk.bytes);
            copyRuns(packed, { bytes: chunk.bytes, extents: chunkShape }, swapRuns(runs), itemSize);
            if (!this.#session.isParallel || this.#whole.has(index.join())) chunk.isDirty = true;
            else {
              this.#pieces.push(this.#pieceOf(packed, index, runs));
              chunk.isShared = true;
            }
            continue;
          }
          this.#whole.add(index.join());
          const bytes = new Uint8Array(chunkSize);
          if (fill !== undefined) fillBytes(bytes, fill);
          copyRuns(packed, { bytes, extents: chunkShape }, swapRuns(runs), itemSize);
          const encoded = await filters.encode(bytes, true);
          this.store(index, encoded.bytes, encoded.filterMask);
        }
      };
      await Promise.all(Array.from({ length: PARALLEL_MAX }, work));
      await this.#evict(CACHE_SIZE_MAX);
    });
  }

  /** The elements of a chunk that a region has, packed. */
  #pieceOf(
    packed: CopySide,
    index: readonly number[],
    runs: readonly (readonly number[])[],
  ): ChunkPiece {
    const { itemSize } = this.#shape;
    const own: number[][] = [];
    const chunk: number[][] = [];
    const shape = runs.map((list) => {
      const [toPiece, toChunk]: [number[], number[]] = [[], []];
      let at = 0;
      for (let run = 0; run < list.length; run += 3) {
        const [inChunk, inRegion, length] = list.slice(run, run + 3) as [number, number, number];
        toPiece.push(inRegion, at, length);
        toChunk.push(at, inChunk, length);
        at += length;
      }
      own.push(toPiece);
      chunk.push(toChunk);
      return at;
    });
    const bytes = new Uint8Array(product(shape) * itemSize);
    copyRuns(packed, { bytes, extents: shape }, own, itemSize);
    return { oid: this.#oid, index, runs: chunk, shape, bytes };
  }

  /** What other ranks are to store; chunks in memory that hold it are forgotten. */
  takePieces(): ChunkPiece[] {
    for (const [key, { isShared }] of this.#cache) if (isShared === true) this.#cache.delete(key);
    return this.#pieces.splice(0);
  }

  /** Puts a piece that a rank wrote into its chunk. */
  applyPiece({ index, runs, shape, bytes }: ChunkPiece): Promise<void> {
    const { chunkShape, itemSize } = this.#shape;
    const filters = chunkFilters(this.#shape, bytes.length);
    return this.#inTurn(async () => {
      const chunk = await this.#load(index, filters);
      if (!chunk.isDirty) chunk.bytes = Uint8Array.from(chunk.bytes);
      const piece = { bytes, extents: shape };
      copyRuns(piece, { bytes: chunk.bytes, extents: chunkShape }, runs, itemSize);
      chunk.isDirty = true;
      await this.#evict(CACHE_SIZE_MAX);
    });
  }

  /** Removes what lies outside of new extents: whole chunks, and parts of those on the edge. */
  shrink(extents: readonly number[]): Promise<void> {
    const { chunkShape, itemSize, fill } = this.#shape;
    const filters = chunkFilters(this.#shape, 0);
    return this.#inTurn(async () => {
      await this.#saveDirty([...this.#cache.values()]);
      for (const index of [...this.indices()]) {
        const inside = index.map((at, dimension) => {
          const extent = chunkShape[dimension] as number;
          return Math.min(extent, (extents[dimension] as number) - at * extent);
        });
        if (inside.some((count) => count <= 0)) {
          this.#cache.delete(index.join());
          this.#session.changeData("Resizing").own.punchDkey(this.#oid, chunkKey(index));
        } else if (inside.some((count, dimension) => count < (chunkShape[dimension] as number))) {
          const chunk = await this.#load(index, filters);
          const bytes = new Uint8Array(chunk.bytes.length);
          fillBytes(bytes, fill);
          const runs = inside.map((count) => [0, 0, count]);
          const from = { bytes: chunk.bytes, extents: chunkShape };
          copyRuns(from, { bytes, extents: chunkShape }, runs, itemSize);
          chunk.bytes = bytes;
          chunk.isDirty = true;
        }
      }
    });
  }

  /** Stores what was kept back. */
  flush(): Promise<void> {
    return this.#inTurn(() => this.#saveDirty([...this.#cache.values()]));
  }

  reset(): void {
    this.#cache.clear();
    this.#pieces = [];
    this.#whole.clear();
  }
}
