/**
 * What a dataset is: type, extents, chunks, filters, fill value.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { Attributes } from "../attributes/attributes.js";
import { type Datatype, hasSlots, itemSizeOf } from "../datatype/datatype.js";
import { type DType, dtypeNameOf } from "../datatype/names.js";
import type { FilterDescription, VirtualMapping } from "../description.js";
import { product } from "../region.js";
import type { StoredDataset } from "../storage/stored-dataset.js";
import { decodeElements } from "../values/decode.js";
import type { ElementsOf } from "../values/elements.js";
import { describeFilters, type FilterFacts } from "./filter-facts.js";

/** What a dataset of an open file is, but for its elements. */
export class DatasetFacts<D extends DType = DType> {
  /** Name in the file, from its root: `/fields/u`. */
  readonly name: string;
  /** The dataset's attributes. */
  readonly attrs: Attributes;
  /** The dataset as the store has it: for import and export. @internal */
  readonly stored: StoredDataset;

  /** @internal */
  constructor(stored: StoredDataset) {
    this.name = stored.name;
    this.attrs = new Attributes(stored.session, stored.oid);
    this.stored = stored;
  }

  /** Element type, to the bit. */
  get type(): Datatype {
    return this.stored.description.type;
  }

  /** Element type: its name if it has one, else {@link type}. */
  get dtype(): D {
    return (dtypeNameOf(this.type) ?? this.type) as D;
  }

  /** Extent along each dimension, slowest first; empty for a single element, and for none. */
  get shape(): readonly number[] {
    return this.stored.extents;
  }

  /** Most that each extent may become; `null` is no limit. */
  get maxShape(): readonly (number | null)[] {
    const { space } = this.stored.description;
    return space.kind === "simple" ? space.maxShape : [];
  }

  /** Extents of a chunk; `undefined` if the dataset is not chunked. */
  get chunks(): readonly number[] | undefined {
    const { layout } = this.stored.description;
    return layout.kind === "chunked" ? layout.chunkShape : undefined;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return this.isNull ? 0 : product(this.shape);
  }

  /** Bytes of all elements. */
  get nbytes(): number {
    return this.size * itemSizeOf(this.type);
  }

  /** Whether it has no elements, only a type. */
  get isNull(): boolean {
    return this.stored.description.space.kind === "null";
  }

  /** Whether it has one element and no dimensions. */
  get isScalar(): boolean {
    return this.stored.description.space.kind === "scalar";
  }

  /** Whether its elements are those of other datasets. */
  get isVirtual(): boolean {
    return this.stored.description.layout.kind === "virtual";
  }

  /**
   * Where the elements of a virtual dataset are.
   *
   * @throws `DaosError` `DER_INVAL` if it is not virtual.
   */
  virtualSources(): readonly VirtualMapping[] {
    const { layout } = this.stored.description;
    if (layout.kind === "virtual") return layout.mappings;
    throw this.invalid("Listing sources of", "it is not virtual", "ask `isVirtual` first");
  }

  /** The filters, in the order in which they are applied when writing. */
  get filters(): readonly FilterDescription[] {
    return this.stored.description.filters;
  }

  get #filterFacts(): FilterFacts {
    return describeFilters(this.filters);
  }

  /** Compression: `"gzip"`, `"lzf"`, `"szip"`, `"lz4"`, `"zstd"`, the number of another filter, or none. */
  get compression(): string | number | undefined {
    return this.#filterFacts.compression;
  }

  /** What the compression was given: a level for `gzip`. */
  get compressionOptions(): unknown {
    return this.#filterFacts.compressionOptions;
  }

  /** Whether bytes are shuffled before they are compressed. */
  get shuffle(): boolean {
    return this.#filterFacts.shuffle;
  }

  /** Whether chunks have a checksum of HDF5's. */
  get fletcher32(): boolean {
    return this.#filterFacts.fletcher32;
  }

  /** Digits, or bits, that scale-offset keeps; `undefined` if that filter is not applied. */
  get scaleOffset(): number | undefined {
    return this.#filterFacts.scaleOffset;
  }

  /** The element that elements show that were never written; `undefined` if that is not defined. */
  fillValue(): ElementsOf<D> | undefined {
    const { fill } = this.stored.description;
    if (fill.value === null) return undefined;
    const raw = fill.value ?? { bytes: new Uint8Array(itemSizeOf(this.type)), heap: [] };
    const elements = { bytes: Uint8Array.from(raw.bytes), heap: raw.heap };
    return decodeElements(this.type, elements) as ElementsOf<D>;
  }

  /** Whether elements point to others: text of any length, sequences, regions. */
  get hasVariableLength(): boolean {
    return hasSlots(this.type);
  }

  /** An error of a call that does not fit the dataset. @internal */
  protected invalid(what: string, why: string, remedy: string): DaosError {
    const text = { what: `${what} dataset "${this.name}"`, why, remedy };
    return new DaosError("DER_INVAL", text, { name: this.name });
  }
}
