/**
 * Writes the chunks of a dataset: as they are stored in the source, or cut from its elements and filtered.
 *
 * @module
 */

import { hasReferences, hasSlots } from "../datatype/datatype.js";
import type { Box, FilterDescription, SourceDataset, StoredChunk } from "../description.js";
import { encodeChunk, findFilter } from "../filters/index.js";
import { chunksOf, copyBox, countOfShape, intersect, relativeTo } from "../h5-file/box-copy.js";
import { fillBytes } from "../region.js";
import { chunkedBoxes } from "./boxes.js";
import { ChunkTree } from "./chunk-tree.js";
import type { ElementSource } from "./element-source.js";
import type { WriteContext } from "./write-context.js";

/** What chunks are written with. */
export interface ChunksPlace {
  readonly context: WriteContext;
  readonly dataset: SourceDataset;
  readonly elements: ElementSource;
  readonly chunkShape: readonly number[];
}

/** Writes the chunks, and returns their index. */
export async function writeChunks(place: ChunksPlace): Promise<ChunkTree> {
  const { dataset, elements, chunkShape } = place;
  const tree = new ChunkTree({ shape: elements.shape, chunkShape }, elements.itemSize);
  // References and slots mean something else in the new file.
  const isPlain = !hasSlots(elements.type) && !hasReferences(elements.type);
  const stored = isPlain ? dataset.storedChunks(place.context.memory) : undefined;
  if (stored === undefined) await cutChunks(place, tree);
  else await copyChunks(place, tree, stored);
  return tree;
}

async function copyChunks(
  { context, elements }: ChunksPlace,
  tree: ChunkTree,
  chunks: AsyncIterable<StoredChunk>,
): Promise<void> {
  for await (const { start, filterMask, bytes } of chunks) {
    const isInside = start.every((at, dimension) => at < (elements.shape[dimension] as number));
    if (!isInside) continue;
    tree.add(start, { address: context.target.append(bytes), size: bytes.length, filterMask });
    await context.advance(bytes.length);
  }
}

/** Filters that this process can apply; chunks say which of the others were left out. */
function usableFilters({ context, dataset, elements }: ChunksPlace): FilterDescription[] {
  const { filters } = dataset.description;
  for (const { id, name } of filters) {
    if (findFilter(id) !== undefined) continue;
    const filter = name === "" ? `filter ${id}` : `filter ${id} (${name})`;
    const why = `${filter} is not known here: its chunks are stored without it`;
    context.counts.note(elements.path, "DER_NOSYS", why);
  }
  return filters.map((filter) => ({ ...filter, isOptional: true }));
}

/** One element of the fill value if chunks that hold nothing else need not be written. */
function fillElement({ dataset, elements }: ChunksPlace): Uint8Array | undefined {
  const { value, time, allocation } = dataset.description.fill;
  if (value === null || time === "never" || allocation === "early") return undefined;
  if (value === undefined) return new Uint8Array(elements.itemSize);
  return hasSlots(elements.type) || hasReferences(elements.type) ? undefined : value.bytes;
}

async function cutChunks(place: ChunksPlace, tree: ChunkTree): Promise<void> {
  const { context, dataset, elements, chunkShape } = place;
  const { itemSize, shape, path } = elements;
  const chunkSize = countOfShape(chunkShape) * itemSize;
  const pipeline = { dataset: path, filters: usableFilters(place), chunkSize };
  const fill = fillElement(place);
  const { value } = dataset.description.fill;
  const empty = new Uint8Array(chunkSize);
  if (value && fill !== undefined) fillBytes(empty, value.bytes);
  const chunk = new Uint8Array(chunkSize);
  for (const box of chunkedBoxes(shape, chunkShape, elements.countMax)) {
    const bytes = await elements.read(box);
    for (const position of chunksOf(box, chunkShape)) {
      const start = position.map((at, dimension) => at * (chunkShape[dimension] as number));
      const chunkBox: Box = { start, shape: chunkShape };
      const inside = intersect(chunkBox, box) as Box;
      if (countOfShape(inside.shape) * itemSize < chunkSize) chunk.set(empty);
      copyBox(
        { bytes, shape: box.shape, box: relativeTo(inside, box) },
        { bytes: chunk, shape: chunkShape, box: relativeTo(inside, chunkBox) },
        itemSize,
      );
      if (fill !== undefined && Buffer.compare(chunk, empty) === 0) continue;
      const encoded = await encodeChunk(chunk, pipeline);
      const address = context.target.append(encoded.bytes);
      const { filterMask } = encoded;
      tree.add(start, { address, size: encoded.bytes.length, filterMask });
    }
    await context.advance(bytes.length);
  }
}
