/**
 * The elements of a dataset as they are stored.
 *
 *     linear   the object's array, row-major from byte 0: MPI-IO, Arrow and the file system open it
 *     chunks   a key for each chunk, filters applied
 *     none     a null dataspace, or a virtual dataset: see `virtual-dataset.ts`
 *
 * Of a linear dataset that can grow, the extents behind the first one are those of its limits, which
 * never change: growing moves nothing.
 *
 * @module
 */

import { DaosError, type Epoch, Pattern, wholeOf } from "../../../core/index.js";
import { type Datatype, hasSlots, itemSizeOf } from "../datatype/datatype.js";
import type {
  Box,
  DatasetDescription,
  Dataspace,
  RawElements,
  StoredChunk,
} from "../description.js";
import { openSibling, resolvePath, rootOf } from "../paths.js";
import {
  type ArrayShape,
  boxRegion,
  copyRuns,
  fillBytes,
  product,
  type Region,
  type RegionPart,
  regionParts,
  regionShape,
} from "../region.js";
import { ChunkStore } from "./chunk-store.js";
import { asType } from "./converted-source.js";
import type { Storage } from "./layout-format.js";
import type { DatasetHeader } from "./object-format.js";
import { readHeader, writeHeader } from "./objects.js";
import { loadSlots, storeSlots } from "./slots.js";
import { StoredObject } from "./stored-object.js";
import {
  growsWithSources,
  readVirtual,
  type VirtualFacts,
  type VirtualSource,
  virtualExtents,
  writeVirtual,
} from "./virtual-dataset.js";

/** Virtual datasets whose source is a virtual dataset, one behind the other. */
const NESTING_MAX = 16;

/** Extents of a dataspace; none of a scalar. */
export function extentsOf(space: Dataspace): readonly number[] {
  return space.kind === "simple" ? space.shape : [];
}

/** Where the elements of a new dataset are to be. */
export function storageFor({ layout, space, filters }: DatasetDescription): Storage {
  if (space.kind === "null" || layout.kind === "virtual") return "none";
  if (layout.kind !== "chunked" || space.kind === "scalar") return "linear";
  const isFixed = space.maxShape.every(
    (limit, dimension) => dimension === 0 || limit === space.shape[dimension],
  );
  return isFixed && filters.length === 0 ? "linear" : "chunks";
}

/** A dataset in the store. */
export class StoredDataset extends StoredObject {
  /** The header that was read last. */
  header: DatasetHeader;
  readonly #incarnation: Epoch;
  /** Virtual datasets on the way to this one. */
  #nesting = 0;

  constructor(place: Pick<StoredObject, "session" | "oid" | "name">, header: DatasetHeader) {
    const { session, oid, name } = place;
    super(session, oid, name);
    this.header = header;
    // Asked now: a write must be refused if the dataset is removed after this.
    this.#incarnation = session.canWrite ? session.container.incarnation(oid) : 0n;
  }

  get description(): DatasetDescription {
    const { description } = this.header;
    const { space } = description;
    if (space.kind !== "simple" || !this.#grows) return description;
    return { ...description, space: { ...space, shape: this.extents } };
  }

  /** Whether the extents are those of the sources. */
  get #grows(): boolean {
    const { layout } = this.header.description;
    return layout.kind === "virtual" && growsWithSources(layout.mappings);
  }

  /** What reads and writes a virtual dataset; `undefined` if it is none. */
  #virtual(): VirtualFacts | undefined {
    const { type, layout, space } = this.header.description;
    if (layout.kind !== "virtual") return undefined;
    const what = `Opening virtual dataset "${this.name}"`;
    if (hasSlots(type)) {
      const why = "its elements have variable length, which lie in their own dataset";
      throw new DaosError("DER_NOSYS", { what, why, remedy: "read its sources" });
    }
    if (this.#nesting > NESTING_MAX) {
      const why = `it is the source of ${NESTING_MAX} others, one of the other`;
      const remedy = "look for virtual datasets that lead to themselves";
      throw new DaosError("DER_INVAL", { what, why, remedy }, { name: this.name });
    }
    const opened = new Map<string, VirtualSource | undefined>();
    const open = (file: string, dataset: string) => {
      const key = `${file}\0${dataset}`;
      if (!opened.has(key)) opened.set(key, this.#openSource(file, dataset));
      return opened.get(key);
    };
    const { name, itemSize } = this;
    const { mappings } = layout;
    return { name, itemSize, mappings, shape: extentsOf(space), open };
  }

  /** Another dataset of the container; `undefined` if there is none. */
  #openSource(file: string, dataset: string): VirtualSource | undefined {
    const session = file === "." ? this.session : openSibling(this.session, file);
    const found = session && resolvePath(rootOf(session), dataset);
    const header = found && readHeader(found.session, found.oid, found.name);
    if (found === undefined || header?.kind !== "dataset") return undefined;
    const source = new StoredDataset(found, header);
    source.#nesting = this.#nesting + 1;
    const { type } = header.description;
    const own: VirtualSource = {
      type,
      extents: source.extents,
      read: (region, target) => source.readStored(region, target),
      write: (region, bytes) => source.writeStored(region, bytes),
    };
    return asType(own, this.header.description.type, this.name);
  }

  /** Bytes of an element. */
  get itemSize(): number {
    return itemSizeOf(this.header.description.type);
  }

  /** Extents, slowest first; none of a scalar. Of a virtual dataset without end, those that its sources give it. */
  get extents(): readonly number[] {
    const facts = this.#grows ? this.#virtual() : undefined;
    return facts ? virtualExtents(facts) : extentsOf(this.header.description.space);
  }

  /** Extents along which a linear dataset is stored. */
  get array(): ArrayShape {
    const { space } = this.header.description;
    const { itemSize } = this;
    if (space.kind !== "simple") return { extents: [], itemSize };
    const extents = space.shape.map((extent, dimension) =>
      dimension === 0 ? extent : (space.maxShape[dimension] as number),
    );
    return { extents, itemSize };
  }

  /** Bytes of a row: what one index of the first dimension has. */
  get #rowSize(): number {
    const { extents, itemSize } = this.array;
    return product(extents.slice(1)) * itemSize;
  }

  /** The element that was never written; `undefined` for zeros. */
  get fillElement(): Uint8Array | undefined {
    const bytes = this.header.description.fill.value?.bytes;
    if (bytes === undefined || bytes.every((byte) => byte === 0)) return undefined;
    return hasSlots(this.header.description.type) ? this.header.fillStored : bytes;
  }

  /** Reads the header again: another handle may have resized the dataset. */
  refresh(): DatasetHeader {
    const header = readHeader(this.session, this.oid, this.name);
    if (header?.kind === "dataset") {
      this.header = header;
      return header;
    }
    const what = `Opening dataset "${this.name}"`;
    const text = { what, why: "it was removed", remedy: "open the file again" };
    throw new DaosError("DER_NONEXIST", text, { name: this.name });
  }

  /** The chunks of a dataset that is stored in them. */
  get chunks(): ChunkStore {
    return this.session.part(this.oid, () => {
      const { layout, filters } = this.header.description;
      const chunkShape = layout.kind === "chunked" ? layout.chunkShape : [];
      const { itemSize, name } = this;
      const chunkSize = product(chunkShape) * itemSize;
      const shape = { dataset: name, filters, chunkSize, chunkShape, itemSize };
      return new ChunkStore(this.session, this.oid, { ...shape, fill: this.fillElement });
    });
  }

  /** Reads a region as it is stored, packed: slots hold addresses. */
  async readStored(region: Region, target: Uint8Array): Promise<void> {
    const { storage } = this.header;
    this.session.dataState(`Reading dataset "${this.name}"`);
    if (target.length === 0) return;
    if (storage === "none") {
      const facts = this.#virtual();
      if (facts === undefined) return;
      fillBytes(target, this.fillElement);
      await readVirtual(region, target, facts);
    } else if (storage === "chunks") await this.chunks.read(region, this.extents, target);
    else this.#readLinear(region, target);
  }

  #readLinear(region: Region, target: Uint8Array): void {
    const fill = this.fillElement;
    if (fill !== undefined) fillBytes(target, fill);
    const shape = regionShape(region);
    this.#inParts(region, shape, (part, at) => {
      const size = part.pattern.size;
      if (at !== undefined) {
        const bytes = target.subarray(at, at + size);
        this.session.read(this.oid, part.pattern, bytes, fill !== undefined);
        return;
      }
      const bytes = new Uint8Array(size);
      fillBytes(bytes, fill);
      this.session.read(this.oid, part.pattern, bytes, fill !== undefined);
      const runs = part.shape.map((count, dimension) => [
        0,
        part.start[dimension] as number,
        count,
      ]);
      copyRuns(
        { bytes, extents: part.shape },
        { bytes: target, extents: shape },
        runs,
        this.itemSize,
      );
    });
  }

  /** Calls `each` with the parts of a region, and where each begins if it lies in one piece in memory. */
  #inParts(
    region: Region,
    shape: readonly number[],
    each: (part: RegionPart, at: number | undefined) => void,
  ): void {
    // Parts along the first dimension follow one another; others lie between each other.
    const isInOrder = region.every((axis, dimension) => dimension === 0 || axis.length <= 1);
    const rowSize = product(shape.slice(1)) * this.itemSize;
    for (const part of regionParts(region, this.array)) {
      each(part, isInOrder ? (part.start[0] ?? 0) * rowSize : undefined);
    }
  }

  /** Writes a region as it is to be stored, packed. */
  async writeStored(region: Region, source: Uint8Array): Promise<void> {
    const { storage } = this.header;
    const what = `Writing dataset "${this.name}"`;
    this.session.changeData(what);
    if (source.length === 0) return;
    if (storage === "none") {
      const facts = this.#virtual();
      if (facts !== undefined) return writeVirtual(region, source, facts);
      const why = "it has no elements";
      throw new DaosError("DER_INVAL", { what, why, remedy: "make it of another shape" });
    }
    if (storage === "chunks") await this.chunks.write(region, this.extents, source);
    else this.#writeLinear(what, region, source);
  }

  #writeLinear(what: string, region: Region, source: Uint8Array): void {
    const shape = regionShape(region);
    this.#inParts(region, shape, (part, at) => {
      const size = part.pattern.size;
      let bytes: Uint8Array;
      if (at !== undefined) bytes = source.subarray(at, at + size);
      else {
        bytes = new Uint8Array(size);
        const runs = part.shape.map((count, dimension) => [
          part.start[dimension] as number,
          0,
          count,
        ]);
        copyRuns(
          { bytes: source, extents: shape },
          { bytes, extents: part.shape },
          runs,
          this.itemSize,
        );
      }
      this.#writePattern(what, part.pattern, bytes);
    });
  }

  #writePattern(what: string, pattern: Pattern, bytes: Uint8Array): void {
    this.session.write(what, (own) => {
      own.write(this.oid, wholeOf(pattern), bytes, this.#incarnation);
    });
  }

  /**
   * Reads a region; see {@link RawElements}.
   *
   * @param memory Used for the elements if it is large enough: new memory costs as much as reading.
   */
  async readRegion(region: Region, memory?: Uint8Array): Promise<RawElements> {
    const { type } = this.header.description;
    const size = product(regionShape(region)) * this.itemSize;
    const isReused = memory !== undefined && memory.length >= size;
    const bytes = isReused ? memory.subarray(0, size).fill(0) : new Uint8Array(size);
    await this.readStored(region, bytes);
    return this.unpack(type, bytes);
  }

  /** Elements with their items, from what is stored of them; `bytes` may be changed, and be theirs. */
  unpack(type: Datatype, bytes: Uint8Array): RawElements {
    return hasSlots(type) ? loadSlots(this.session, this.oid, type, bytes) : { bytes, heap: [] };
  }

  /** What is stored of elements; their items go to the heap. */
  pack(type: Datatype, elements: RawElements): Uint8Array {
    return hasSlots(type) ? storeSlots(this.session, this.oid, type, elements) : elements.bytes;
  }

  /** Writes a region. */
  async writeRegion(region: Region, elements: RawElements): Promise<void> {
    await this.writeStored(region, this.pack(this.header.description.type, elements));
  }

  /** Reads a box; of a scalar, the box of no dimensions. */
  read(box: Box, memory?: Uint8Array): Promise<RawElements> {
    return this.readRegion(boxRegion(box), memory);
  }

  /** Writes a box; the elements may be used again when the call returns. */
  write(box: Box, elements: RawElements): Promise<void> {
    return this.writeRegion(boxRegion(box), elements);
  }

  /**
   * Writes a chunk as another file has it stored.
   *
   * @throws `DaosError` `DER_INVAL` if the dataset is not chunked, or elements point elsewhere.
   */
  async writeStoredChunk({ start, filterMask, bytes }: StoredChunk): Promise<void> {
    const { layout, type } = this.header.description;
    const what = `Writing a stored chunk of dataset "${this.name}"`;
    if (layout.kind !== "chunked" || hasSlots(type)) {
      const why = layout.kind === "chunked" ? "its elements have other places here" : "it has none";
      throw new DaosError("DER_INVAL", { what, why, remedy: "write its elements" });
    }
    const { chunkShape } = layout;
    if (this.header.storage === "chunks") {
      this.chunks.store(this.#chunkIndex(start, chunkShape, what), bytes, filterMask);
      return;
    }
    const shape = chunkShape.map((extent, dimension) =>
      Math.min(extent, (this.extents[dimension] as number) - (start[dimension] as number)),
    );
    const inside = new Uint8Array(product(shape) * this.itemSize);
    const runs = shape.map((count) => [0, 0, count]);
    copyRuns(
      { bytes, extents: chunkShape },
      { bytes: inside, extents: shape },
      runs,
      this.itemSize,
    );
    await this.writeStored(boxRegion({ start, shape }), inside);
  }

  /**
   * A chunk as it is stored.
   *
   * @throws `DaosError` `DER_INVAL` if chunks are not stored apart, or none begins there; `DER_NONEXIST` if it was
   *   never written.
   */
  async readStoredChunk(start: readonly number[]): Promise<StoredChunk> {
    const { layout } = this.header.description;
    const what = `Reading a stored chunk of dataset "${this.name}"`;
    if (this.header.storage !== "chunks" || layout.kind !== "chunked") {
      const text = { what, why: "it has none that are stored apart", remedy: "read its elements" };
      throw new DaosError("DER_INVAL", text);
    }
    await this.chunks.flush();
    const chunk = this.chunks.stored(this.#chunkIndex(start, layout.chunkShape, what));
    if (chunk !== undefined) return { start: [...start], ...chunk };
    const text = { what, why: "it was never written", remedy: "read its elements: the fill value" };
    throw new DaosError("DER_NONEXIST", text);
  }

  #chunkIndex(start: readonly number[], chunkShape: readonly number[], what: string): number[] {
    const index = chunkShape.map((extent, dimension) => (start[dimension] ?? Number.NaN) / extent);
    const isFirst = index.every(
      (at, dimension) =>
        Number.isSafeInteger(at) &&
        (start[dimension] as number) < (this.extents[dimension] as number),
    );
    if (isFirst && start.length === chunkShape.length) return index;
    const why = `no chunk begins at [${start.join(", ")}]`;
    throw new DaosError("DER_INVAL", { what, why, remedy: "give the first index of a chunk" });
  }

  /** The chunks that are stored apart; `undefined` if none are. */
  storedChunks(): AsyncIterable<StoredChunk> | undefined {
    const { layout, type } = this.header.description;
    if (this.header.storage !== "chunks" || layout.kind !== "chunked" || hasSlots(type)) {
      return undefined;
    }
    const { chunks } = this;
    const { chunkShape } = layout;
    return (async function* () {
      await chunks.flush();
      for (const index of chunks.indices()) {
        const stored = chunks.stored(index);
        const start = index.map((at, dimension) => at * (chunkShape[dimension] as number));
        if (stored !== undefined) yield { start, ...stored };
      }
    })();
  }

  /** Gives a linear dataset its full size for other readers: its last element is written, if need be. */
  reserve(): void {
    if (this.header.storage !== "linear" || !this.session.leads) return;
    const { extents, itemSize } = this.array;
    const size = product(extents) * itemSize;
    if (size === 0) return;
    const last = Pattern.contiguous(size - itemSize, size);
    this.#writePattern("Creating a dataset", last, this.fillElement ?? new Uint8Array(itemSize));
  }

  /**
   * Changes the extents. What is cut off is forgotten: it shows the fill value when the dataset grows again.
   */
  async resize(shape: readonly number[]): Promise<void> {
    const header = this.refresh();
    const { space } = header.description;
    if (space.kind !== "simple") return;
    const before = space.shape;
    const isSmaller = before.some((extent, dimension) => (shape[dimension] as number) < extent);
    // What other ranks wrote must be there before it is cut off, and be cut off before they write more.
    const isShared = isSmaller && this.session.isParallel;
    if (isShared) await this.session.flush();
    const cut = isSmaller && this.session.leads;
    if (cut && header.storage === "chunks") await this.chunks.shrink(shape);
    if (cut && header.storage === "linear") this.#punchOutside(shape, before);
    const description = { ...header.description, space: { ...space, shape } };
    this.header = { ...header, description };
    writeHeader(this.session, this.oid, this.header);
    const grows = (shape[0] ?? 0) > (before[0] ?? 0);
    if (grows && header.storage === "linear" && product(shape) > 0) this.reserve();
    if (isShared) await this.session.flush();
  }

  #punchOutside(shape: readonly number[], before: readonly number[]): void {
    const punch = (region: Region) => {
      for (const { pattern } of regionParts(region, this.array)) {
        this.session.write("Resizing", (own) => {
          own.punchRange(this.oid, wholeOf(pattern), this.#incarnation);
        });
      }
    };
    for (const [dimension, extent] of shape.entries()) {
      const old = before[dimension] as number;
      if (extent >= old) continue;
      const start = before.map((_, other) => (other === dimension ? extent : 0));
      const cutShape = before.map((count, other) => (other === dimension ? old - extent : count));
      if (dimension > 0) punch(boxRegion({ start, shape: cutShape }));
      // Whole rows, with what lies behind extents that are cut too.
      else if (this.#rowSize > 0) {
        const [from, to] = [extent * this.#rowSize, old * this.#rowSize];
        this.session.write("Resizing", (own) => {
          const range = wholeOf(Pattern.contiguous(from, to));
          own.punchRange(this.oid, range, this.#incarnation);
        });
      }
    }
  }
}
