/**
 * The elements of a dataset of an `.h5` file, box by box.
 *
 *     compact, contiguous, external   read where they are
 *     chunked                         chunks are found by their index, filters undone, the last ones kept
 *     virtual, or with a filter       by libhdf5 in a worker, see `wasm/`
 *     that is not known here
 *
 * @module
 */

import path from "node:path";
import { DaosError } from "../../../core/index.js";
import { hasReferences, hasSlots, itemSizeOf } from "../datatype/datatype.js";
import type { Box, DatasetDescription, RawElements, StoredChunk } from "../description.js";
import { type ChunkFilters, chunkFilters, findFilter } from "../filters/index.js";
import { fillBytes } from "../region.js";
import { chunksOf, copyBox, countOfShape, forEachRun, intersect, relativeTo } from "./box-copy.js";
import { type ChunkedData, type ChunkPlace, chunkPlaces, chunkSizeOf } from "./chunk-index.js";
import { ChunkTable } from "./chunk-table.js";
import type { ElementReader } from "./elements.js";
import { ExternalBytes } from "./external-bytes.js";
import { type H5Format, unsupported } from "./format.js";
import type { StoredLayout } from "./layout-message.js";
import {
  CHUNK_CACHE_SIZE,
  CHUNK_SIZE_MAX,
  CHUNKS_AT_ONCE_MAX,
  ITEMS_SIZE_MAX,
  READ_SIZE_MAX,
} from "./limits.js";
import { restoreByteOrder } from "./wasm/byte-order.js";
import type { LibraryReader } from "./wasm/library-reader.js";

/** What a dataset is read with. */
export interface DatasetOrigin {
  readonly format: H5Format;
  readonly elements: ElementReader;
  readonly library: LibraryReader;
  readonly description: DatasetDescription;
  readonly layout: StoredLayout;
  /** One element as the file has it, for those never written; `undefined` is zeros. */
  readonly fill: Uint8Array | undefined;
  /** Path by which the dataset was found. */
  readonly path: string;
  readonly what: string;
  /** Largest chunk that is decoded, in bytes. */
  readonly chunkSizeMax: number | undefined;
}

/** Reads one dataset. */
export class DatasetReader {
  readonly #origin: DatasetOrigin;
  readonly #shape: readonly number[];
  readonly #itemSize: number;
  #table: ChunkTable | undefined;
  /** Decoded chunks by their address, in the order of their last use. */
  readonly #decoded = new Map<number, Uint8Array>();
  #decodedSize = 0;

  constructor(origin: DatasetOrigin) {
    this.#origin = origin;
    const { space, type } = origin.description;
    this.#shape = space.kind === "simple" ? space.shape : [];
    this.#itemSize = itemSizeOf(type);
  }

  /** Bytes of the chunks or other storage. */
  storedSize(): number | undefined {
    const { layout, description } = this.#origin;
    const count = description.space.kind === "null" ? 0 : countOfShape(this.#shape);
    switch (layout.kind) {
      case "compact":
        return layout.bytes.length;
      case "contiguous":
        if (description.layout.kind === "external") return count * this.#itemSize;
        return layout.address === undefined ? 0 : count * this.#itemSize;
      case "chunked":
        return this.#chunkTable(layout).storedSize;
      case "virtual":
        return undefined;
    }
  }

  /** Elements of a box. See {@link SourceDataset.read}. */
  async read(box: Box, memory?: Uint8Array): Promise<RawElements> {
    const { description, elements, what } = this.#origin;
    const size = this.#checkBox(box);
    const bytes = this.#zeros(size, memory);
    if (size > 0) await this.#fill(bytes, box);
    // Of many elements, fewer can be read at once; one is read whatever it takes.
    const sizeMax = size > this.#itemSize ? ITEMS_SIZE_MAX : READ_SIZE_MAX;
    return elements.fetch(description.type, bytes, { what, sizeMax });
  }

  /** Memory for elements. Only the chunked layout leaves out what was never written. */
  #zeros(size: number, memory: Uint8Array | undefined): Uint8Array {
    if (memory === undefined || memory.length < size) return new Uint8Array(size);
    const bytes = memory.subarray(0, size);
    return this.#origin.layout.kind === "chunked" ? bytes.fill(0) : bytes;
  }

  #checkBox({ start, shape }: Box): number {
    const { what, description } = this.#origin;
    const fits =
      start.length === this.#shape.length &&
      shape.length === this.#shape.length &&
      this.#shape.every((extent, dimension) => {
        const [at, count] = [start[dimension] as number, shape[dimension] as number];
        return at >= 0 && count >= 0 && at + count <= extent;
      });
    if (!fits || (description.space.kind === "null" && start.length > 0)) {
      const why = `[${start}] with extents [${shape}] is not inside of [${this.#shape}]`;
      throw new DaosError("DER_INVAL", {
        what: `Reading ${what}`,
        why,
        remedy: "correct the box",
      });
    }
    const count = description.space.kind === "null" ? 0 : countOfShape(shape);
    const size = count * this.#itemSize;
    if (size <= READ_SIZE_MAX) return size;
    const remedy = "read smaller boxes, one after the other";
    const why = `${size} bytes are more than ${READ_SIZE_MAX}`;
    throw new DaosError("DER_REC2BIG", { what: `Reading ${what}`, why, remedy });
  }

  async #fill(target: Uint8Array, box: Box): Promise<void> {
    const { layout, description, format, what } = this.#origin;
    switch (layout.kind) {
      case "compact": {
        if (layout.bytes.length < countOfShape(this.#shape) * this.#itemSize) {
          throw unsupported(what, "its compact elements are fewer than its shape says");
        }
        this.#runs(box, target, (part, at) =>
          part.set(layout.bytes.subarray(at, at + part.length)),
        );
        return;
      }
      case "contiguous": {
        const stored = description.layout;
        if (stored.kind === "external") {
          const files = new ExternalBytes(stored.files, path.dirname(format.bytes.path));
          this.#runs(box, target, (part, at) => files.readInto(part, at, what));
          return;
        }
        const { address } = layout;
        if (address === undefined) fillBytes(target, this.#origin.fill);
        else this.#runs(box, target, (part, at) => format.readInto(part, address + at, what));
        return;
      }
      case "chunked":
        await this.#fillChunked(target, box, layout);
        return;
      case "virtual":
        target.set(await this.#readByLibrary(box, target.length));
    }
  }

  #runs(box: Box, target: Uint8Array, read: (part: Uint8Array, at: number) => void): void {
    forEachRun(box, this.#shape, this.#itemSize, (at, boxAt, size) => {
      read(target.subarray(boxAt, boxAt + size), at);
    });
  }

  /** Through libhdf5, which knows all that this reader does not. */
  async #readByLibrary(box: Box, size: number): Promise<Uint8Array> {
    const { description, library, path: name, what } = this.#origin;
    const { type } = description;
    if (hasSlots(type) || hasReferences(type)) {
      throw unsupported(what, `elements of class ${type.class} behind filters or mappings`);
    }
    const bytes = await library.read({ path: name, box, size, what });
    restoreByteOrder(type, bytes);
    return bytes;
  }

  #chunked(layout: Extract<StoredLayout, { kind: "chunked" }>): ChunkedData {
    const { format, what, description } = this.#origin;
    const { space, filters } = description;
    return {
      ...{ format, what, layout, shape: this.#shape, elementSize: this.#itemSize },
      maxShape: space.kind === "simple" ? space.maxShape : [],
      isFiltered: filters.length > 0,
    };
  }

  #chunkTable(layout: Extract<StoredLayout, { kind: "chunked" }>): ChunkTable {
    const places = chunkPlaces(this.#chunked(layout));
    this.#table ??= new ChunkTable(this.#shape.length, places);
    return this.#table;
  }

  async #fillChunked(
    target: Uint8Array,
    box: Box,
    layout: Extract<StoredLayout, { kind: "chunked" }>,
  ): Promise<void> {
    const { description, fill } = this.#origin;
    const table = this.#chunkTable(layout);
    if (!description.filters.every(({ id }) => findFilter(id) !== undefined)) {
      target.set(await this.#readByLibrary(box, target.length));
      return;
    }
    const { chunkShape } = layout;
    if (table.count === 0 || fill !== undefined) fillBytes(target, fill);
    if (table.count === 0) return;
    const chunkSize = chunkSizeOf(this.#chunked(layout));
    const pipeline = { dataset: this.#origin.path, filters: description.filters, chunkSize };
    const filters = chunkFilters(pipeline, target.length);
    const positions = chunksOf(box, chunkShape);
    const work = async () => {
      for (const position of positions) {
        const place = table.find(position);
        if (place === undefined) continue;
        const start = position.map((at, dimension) => at * (chunkShape[dimension] as number));
        const chunkBox = { start, shape: chunkShape };
        const common = intersect(chunkBox, box);
        if (common === undefined) continue;
        const bytes = await this.#decode(place, layout, filters);
        copyBox(
          { bytes, shape: chunkShape, box: relativeTo(common, chunkBox) },
          { bytes: target, shape: box.shape, box: relativeTo(common, box) },
          this.#itemSize,
        );
      }
    };
    const fits = Math.floor(CHUNK_CACHE_SIZE / Math.max(1, chunkSize));
    const count = Math.max(1, Math.min(CHUNKS_AT_ONCE_MAX, fits));
    await Promise.all(Array.from({ length: count }, work));
  }

  /** The filters that a chunk was not given. */
  #maskOf(place: ChunkPlace, layout: Extract<StoredLayout, { kind: "chunked" }>): number {
    if (!layout.leavesPartialUnfiltered) return place.filterMask;
    const isPartial = place.position.some((at, dimension) => {
      const extent = layout.chunkShape[dimension] as number;
      return (at + 1) * extent > (this.#shape[dimension] as number);
    });
    return isPartial ? 0xffff_ffff : place.filterMask;
  }

  async #decode(
    place: ChunkPlace,
    layout: Extract<StoredLayout, { kind: "chunked" }>,
    filters: ChunkFilters,
  ): Promise<Uint8Array> {
    const known = this.#decoded.get(place.address);
    if (known !== undefined) {
      this.#decoded.delete(place.address);
      this.#decoded.set(place.address, known);
      return known;
    }
    this.#requireSize(Math.max(chunkSizeOf(this.#chunked(layout)), place.size));
    const stored = this.#stored(place);
    const bytes = await filters.decode(stored, this.#maskOf(place, layout), true);
    this.#keep(place.address, bytes);
    return bytes;
  }

  #keep(address: number, bytes: Uint8Array): void {
    this.#decoded.set(address, bytes);
    this.#decodedSize += bytes.length;
    for (const [oldest, one] of this.#decoded) {
      if (this.#decodedSize <= CHUNK_CACHE_SIZE || oldest === address) break;
      this.#decoded.delete(oldest);
      this.#decodedSize -= one.length;
    }
  }

  #requireSize(size: number): void {
    const { what, chunkSizeMax = CHUNK_SIZE_MAX } = this.#origin;
    if (size <= chunkSizeMax) return;
    const why = `it has chunks of ${size} bytes, more than ${chunkSizeMax}`;
    const remedy = "allow more memory (--max-memory), or rewrite the file with smaller chunks";
    throw new DaosError("DER_REC2BIG", { what: `Reading ${what}`, why, remedy }, { size });
  }

  #stored({ address, size }: ChunkPlace, memory?: Uint8Array): Uint8Array {
    const isEnough = memory !== undefined && memory.length >= size;
    const bytes = isEnough ? memory.subarray(0, size) : new Uint8Array(size);
    this.#origin.format.readInto(bytes, address, this.#origin.what);
    return bytes;
  }

  /** The chunks as they are stored. See {@link SourceDataset.storedChunks}. */
  storedChunks(memory?: Uint8Array): AsyncIterable<StoredChunk> | undefined {
    const { layout } = this.#origin;
    // Slots of chunks point into this file.
    if (layout.kind !== "chunked" || hasSlots(this.#origin.description.type)) return undefined;
    if (hasReferences(this.#origin.description.type)) return undefined;
    return this.#eachStored(layout, memory);
  }

  async *#eachStored(
    layout: Extract<StoredLayout, { kind: "chunked" }>,
    memory: Uint8Array | undefined,
  ): AsyncGenerator<StoredChunk> {
    for (const place of this.#chunkTable(layout)) {
      this.#requireSize(place.size);
      const start = place.position.map((at, dimension) => {
        return at * (layout.chunkShape[dimension] as number);
      });
      const { length } = this.#origin.description.filters;
      const mask = this.#maskOf(place, layout) & (length === 32 ? 0xffff_ffff : 2 ** length - 1);
      yield { start, filterMask: mask >>> 0, bytes: this.#stored(place, memory) };
    }
  }
}
