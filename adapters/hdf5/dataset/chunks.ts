/**
 * Chunks of a dataset, as a program sees them.
 *
 * @module
 */

import { product, type Region } from "../region.js";
import { type DimensionSelection, type Selection, slice } from "../selection/selection.js";
import type { StoredDataset } from "../storage/stored-dataset.js";

/** A chunk that is stored. */
export interface ChunkInfo {
  /** Index of its first element, along each dimension. */
  readonly start: readonly number[];
  /** Bytes that it takes, filters applied. */
  readonly size: number;
}

/** The chunks that are stored apart, in row-major order; `undefined` if none are. */
export async function chunkInfos(dataset: StoredDataset): Promise<ChunkInfo[] | undefined> {
  const { layout } = dataset.description;
  if (dataset.header.storage !== "chunks" || layout.kind !== "chunked") return undefined;
  const { chunks } = dataset;
  await chunks.flush();
  return [...chunks.indices()].map((index) => ({
    start: index.map((at, dimension) => at * (layout.chunkShape[dimension] as number)),
    size: chunks.storedSize(index),
  }));
}

/** Slices of a box by the borders of chunks, in row-major order. */
export function* chunkSelections(box: Region, chunkShape: readonly number[]): Generator<Selection> {
  const axes = box.map((axis, dimension) => {
    const extent = chunkShape[dimension] as number;
    const slices: DimensionSelection[] = [];
    for (const { start, block } of axis) {
      for (let at = start; at < start + block; ) {
        const next = Math.min(start + block, (Math.floor(at / extent) + 1) * extent);
        slices.push(slice(at, next));
        at = next;
      }
    }
    return slices;
  });
  const counts = axes.map(({ length }) => length);
  for (let place = 0; place < product(counts); place++) {
    const chosen: DimensionSelection[] = [];
    let rest = place;
    for (let dimension = axes.length - 1; dimension >= 0; dimension--) {
      const slices = axes[dimension] as DimensionSelection[];
      chosen.unshift(slices[rest % slices.length] as DimensionSelection);
      rest = Math.floor(rest / slices.length);
    }
    yield chosen;
  }
}

const KIB = 1024;
/** Bytes of chunks that are guessed: of a dataset of 1 MiB, least, and most. */
const GUESS = { base: 16 * KIB, least: 8 * KIB, most: KIB * KIB };
/** Extent that is guessed for a dimension without one yet. */
const GUESSED_EXTENT = 1024;

/**
 * Extents of chunks for a shape, as h5py guesses them: dimensions are halved in turn until a chunk has about as
 * many bytes as suits the dataset.
 */
export function guessChunks(shape: readonly number[], itemSize: number): number[] {
  const chunk = shape.map((extent) => extent || GUESSED_EXTENT);
  const total = product(chunk) * itemSize;
  const wanted = GUESS.base * 2 ** Math.log10(total / (KIB * KIB));
  const target = Math.min(Math.max(wanted, GUESS.least), GUESS.most);
  for (let dimension = 0; product(chunk) > 1; dimension = (dimension + 1) % chunk.length) {
    const size = product(chunk) * itemSize;
    const isNear = size < target || Math.abs(size - target) / target < 0.5;
    if (isNear && size < GUESS.most) break;
    chunk[dimension] = Math.ceil((chunk[dimension] as number) / 2);
  }
  return chunk;
}
