/**
 * The chunks of a dataset, whichever of HDF5's six indexes lists them.
 *
 * @module
 */

import { oldTreeLeaves } from "./btree-v1.js";
import { treeRecords } from "./btree-v2.js";
import { type ArrayRequest, extensibleArrayEntries, fixedArrayEntries } from "./chunk-arrays.js";
import { Fields, type H5Format } from "./format.js";
import type { StoredLayout } from "./layout-message.js";

/** A chunk, and where it is. */
export interface ChunkPlace {
  /** Index of the chunk along each dimension: its first element divided by the extent of chunks. */
  readonly position: readonly number[];
  readonly address: number;
  /** Bytes that are stored. */
  readonly size: number;
  /** Bit `i` is set if filter `i` was not applied. */
  readonly filterMask: number;
}

/** What the index depends on. */
export interface ChunkedData {
  readonly format: H5Format;
  readonly what: string;
  readonly layout: Extract<StoredLayout, { kind: "chunked" }>;
  readonly shape: readonly number[];
  readonly maxShape: readonly (number | null)[];
  /** Bytes of an element in the file. */
  readonly elementSize: number;
  readonly isFiltered: boolean;
}

const product = (numbers: readonly number[]): number => numbers.reduce((all, one) => all * one, 1);

/** Bytes of a chunk, filters undone. */
export function chunkSizeOf({ layout, elementSize }: ChunkedData): number {
  return product(layout.chunkShape) * elementSize;
}

/** The chunks that exist, in the order of the index. Those beyond the shape are left out. */
export function* chunkPlaces(data: ChunkedData): Generator<ChunkPlace> {
  const { shape, layout } = data;
  const size = chunkSizeOf(data);
  if (!Number.isSafeInteger(size)) throw error(data, "a chunk is too large");
  for (const chunk of placesOf(data)) {
    const isInside = chunk.position.every(
      (at, dimension) =>
        at * (layout.chunkShape[dimension] as number) < (shape[dimension] as number),
    );
    if (!isInside) continue;
    if (!data.isFiltered && chunk.size !== size) {
      throw error(data, `a chunk of ${chunk.size} bytes should have ${size}`);
    }
    if (chunk.address + chunk.size > data.format.size) {
      throw error(data, "a chunk lies beyond the end of the file");
    }
    yield chunk;
  }
}

function error({ what, format }: ChunkedData, why: string) {
  return new Fields(new Uint8Array(0), what, format).malformed(why);
}

function* placesOf(data: ChunkedData): Generator<ChunkPlace> {
  const { index, address } = data.layout;
  if (address === undefined) return;
  const whole = { size: chunkSizeOf(data), filterMask: 0 };
  switch (index.kind) {
    case "oldTree":
      yield* oldTreePlaces(data, address);
      return;
    case "single": {
      const { size, mask } = index.filtered ?? { size: whole.size, mask: 0 };
      yield { position: data.shape.map(() => 0), address, size, filterMask: mask };
      return;
    }
    case "implicit": {
      const { position, count } = numbering(data);
      for (let number = 0; number < count; number++) {
        // All of them lie in the file, or it is damaged: no more are gone through than fit.
        const at = address + number * whole.size;
        if (at + whole.size > data.format.size) throw error(data, "a chunk lies beyond the end");
        yield { position: position(number), address: at, ...whole };
      }
      return;
    }
    case "tree":
      yield* treePlaces(data, address);
      return;
    default:
      yield* arrayPlaces(data, address, index.kind);
  }
}

function* oldTreePlaces(data: ChunkedData, address: number): Generator<ChunkPlace> {
  const { format, what, layout } = data;
  const { chunkShape } = layout;
  const keySize = 8 + 8 * (chunkShape.length + 1);
  for (const { key, child } of oldTreeLeaves(format, { address, type: 1, keySize }, what)) {
    const [size, filterMask] = [key.u32(), key.u32()];
    const position = chunkShape.map((extent) => {
      const start = key.length(8);
      if (start % extent !== 0) throw key.malformed("a chunk begins inside of another");
      return start / extent;
    });
    yield { position, address: child, size, filterMask };
  }
}

/** Bytes of the size of a filtered chunk in an index. */
function sizeWidthOf(data: ChunkedData): number {
  const { sizeWidth } = data.layout;
  if (sizeWidth !== undefined) return sizeWidth;
  // As HDF5 computes it: one byte more than the whole chunk needs, as filters may make it larger.
  const bits = Math.floor(Math.log2(chunkSizeOf(data)));
  return Math.min(8, 1 + Math.floor((bits + 8) / 8));
}

function* treePlaces(data: ChunkedData, address: number): Generator<ChunkPlace> {
  const { format, what, layout, isFiltered } = data;
  const whole = { size: chunkSizeOf(data), filterMask: 0 };
  for (const record of treeRecords(format, address, what)) {
    const at = record.presentAddress();
    const stored = isFiltered
      ? { size: record.length(sizeWidthOf(data)), filterMask: record.u32() }
      : whole;
    const position = layout.chunkShape.map(() => record.length(8));
    yield { position, address: at, ...stored };
  }
}

function* arrayPlaces(
  data: ChunkedData,
  address: number,
  kind: "fixed" | "extensible",
): Generator<ChunkPlace> {
  const { format, what, isFiltered } = data;
  const { position, count } = numbering(data);
  const request: ArrayRequest = { address, count, what };
  const entries =
    kind === "fixed" ? fixedArrayEntries(format, request) : extensibleArrayEntries(format, request);
  const whole = { size: chunkSizeOf(data), filterMask: 0 };
  for (const { number, fields } of entries) {
    if (number >= count) return;
    const at = fields.address();
    if (at === undefined) continue;
    const sizeWidth = fields.remaining - 4;
    if (isFiltered && sizeWidth < 1) throw fields.malformed("an entry of an array is too short");
    const stored = isFiltered
      ? { size: fields.length(Math.min(8, sizeWidth)), filterMask: fields.u32() }
      : whole;
    yield { position: position(number), address: at, ...stored };
  }
}

/**
 * How chunks are numbered: row-major in the largest shape, an unlimited dimension first, so that
 * numbers stay as it grows.
 */
function numbering(data: ChunkedData): {
  count: number;
  position: (number: number) => readonly number[];
} {
  const { layout, shape, maxShape } = data;
  const rank = shape.length;
  const unlimited = maxShape.indexOf(null);
  const order = Array.from({ length: rank }, (_, dimension) => dimension);
  if (unlimited > 0) order.unshift(...order.splice(unlimited, 1));
  const counts = order.map((dimension) => {
    const extent = maxShape[dimension] ?? (shape[dimension] as number);
    return Math.ceil(extent / (layout.chunkShape[dimension] as number));
  });
  const position = (number: number) => {
    const found = new Array<number>(rank).fill(0);
    let rest = number;
    for (let level = rank - 1; level >= 0; level--) {
      const count = counts[level] as number;
      // The first one has all that is left.
      found[order[level] as number] = level === 0 ? rest : rest % count;
      rest = Math.floor(rest / count);
    }
    return found;
  };
  return { count: product(counts), position };
}
