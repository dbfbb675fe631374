/**
 * A dataset: an n-dimensional array of elements of one type.
 *
 * @module
 */

import { constants } from "node:buffer";
import { DaosError } from "../../../core/index.js";
import { Attributes } from "../attributes/attributes.js";
import { type CompoundType, type Datatype, hasSlots, itemSizeOf } from "../datatype/datatype.js";
import {
  bytesOf,
  type DType,
  type DTypeName,
  datatypeOf,
  dtypeNameOf,
  dtypeOfArray,
  type NumberArray,
  newArray,
} from "../datatype/names.js";
import type { FilterDescription, StoredChunk, VirtualMapping } from "../description.js";
import { product } from "../region.js";
import {
  ELLIPSIS,
  type ResolvedSelection,
  resolveSelection,
  type Selection,
} from "../selection/selection.js";
import { toSpaceSelection } from "../selection/space-selection.js";
import { readPoints, writePoints } from "../storage/point-access.js";
import type { StoredDataset } from "../storage/stored-dataset.js";
import { broadcast } from "../values/broadcast.js";
import { decodeColumns, decodeElements, gatherMember, innerShapeOf } from "../values/decode.js";
import type { Elements, ElementsOf, NdArray, ScalarOf, Shaped } from "../values/elements.js";
import { encodeElements, scatterMember } from "../values/encode.js";
import { type Given, take } from "../values/infer.js";
import { arrayNameOf, isStoredAsIs, type NumberType } from "../values/numbers.js";
import { Reference, RegionReference } from "../values/references.js";
import { type ChunkInfo, chunkInfos, chunkSelections } from "./chunks.js";
import { type Dimension, dimensionsOf, isScale, makeScale } from "./dimensions.js";
import { describeFilters, type FilterFacts } from "./filter-facts.js";
import { AsBytes, AsFields, AsType } from "./views.js";

/** What `write` takes: elements, nested lists, one element for all, or elements with their shape. */
export type Writable<D extends DType> =
  | (ElementsOf<D> extends NumberArray ? NumberArray : ElementsOf<D>)
  | ScalarOf<D>
  | NdArray<D>
  | NestedList
  | Shaped;

/** Values in lists, as deep as there are dimensions. */
export type NestedList = readonly (
  | number
  | bigint
  | boolean
  | string
  | Reference
  | ArrayBufferView
  | undefined
  | NestedList
)[];

/** How elements are read or written. */
export interface AccessOptions {
  /** Members of a compound; all by default. */
  readonly fields?: readonly string[];
}

/** A dataset of an open file. */
export class Dataset<D extends DType = DType> {
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
    throw this.#invalid("Listing sources of", "it is not virtual", "ask `isVirtual` first");
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

  /** A reference to the dataset, which elements and attributes can hold. */
  get ref(): Reference {
    return new Reference(this.stored.reference());
  }

  /**
   * A reference to elements of the dataset.
   *
   * @throws `DaosError` `DER_INVAL` for a selection out of bounds.
   */
  regionRef(selection?: Selection): RegionReference {
    const resolved = this.#resolve(selection);
    return new RegionReference(this.stored.reference(), toSpaceSelection(resolved, this.shape));
  }

  /**
   * Makes the dataset a scale: coordinates of dimensions of other datasets.
   *
   * @throws `DaosError` `DER_INVAL` if it has scales itself, `DER_NO_PERM`.
   */
  async makeScale(name = ""): Promise<void> {
    await makeScale(this.#untyped, name);
  }

  /** Whether the dataset is a scale. */
  async isScale(): Promise<boolean> {
    return isScale(this.#untyped);
  }

  /** The dimensions: labels and scales. */
  get dims(): readonly Dimension[] {
    return dimensionsOf(this.#untyped);
  }

  /** The element that elements show that were never written; `undefined` if that is not defined. */
  fillValue(): ElementsOf<D> | undefined {
    const { fill } = this.stored.description;
    if (fill.value === null) return undefined;
    const raw = fill.value ?? { bytes: new Uint8Array(itemSizeOf(this.type)), heap: [] };
    const elements = { bytes: Uint8Array.from(raw.bytes), heap: raw.heap };
    return decodeElements(this.type, elements) as ElementsOf<D>;
  }

  /**
   * Narrows the element type.
   *
   * @example
   * ```ts
   * if (dataset.is("float64")) (await dataset.read()).data; // a Float64Array
   * ```
   */
  is<N extends DTypeName>(dtype: N): this is Dataset<N> {
    return (this.dtype as DType) === dtype;
  }

  /** The same, for what takes any dataset: TypeScript cannot see that one of an open type is one. */
  get #untyped(): Dataset {
    return this as unknown as Dataset;
  }

  #resolve(selection: Selection | undefined): ResolvedSelection {
    this.stored.refresh();
    if (this.isNull) return this.#resolveNull(selection);
    return resolveSelection(this.shape, selection);
  }

  /** Of no elements, only all can be selected. */
  #resolveNull(selection: Selection = []): ResolvedSelection {
    const isAll = Array.isArray(selection) && selection.every((part) => part === ELLIPSIS);
    if (isAll) return { region: [[]], shape: [0], count: 0 };
    throw this.#invalid("Selecting elements of", "it has none", "leave out the selection");
  }

  #invalid(what: string, why: string, remedy: string): DaosError {
    const text = { what: `${what} dataset "${this.name}"`, why, remedy };
    return new DaosError("DER_INVAL", text, { name: this.name });
  }

  #checkSize(count: number): void {
    if (count * itemSizeOf(this.type) <= constants.MAX_LENGTH) return;
    const text = {
      what: `Reading dataset "${this.name}"`,
      why: `${count} elements are more than one array can hold`,
      remedy: "select less at a time",
    };
    throw new DaosError("DER_REC2BIG", text, { count });
  }

  /** Selected elements as they are stored. */
  async #readBytes({ region, offsets, count }: ResolvedSelection): Promise<Uint8Array> {
    this.#checkSize(count);
    if (offsets !== undefined) return readPoints(this.stored, offsets);
    const bytes = new Uint8Array(count * this.stored.itemSize);
    await this.stored.readStored(region, bytes);
    return bytes;
  }

  async #writeBytes({ region, offsets }: ResolvedSelection, bytes: Uint8Array): Promise<void> {
    if (offsets !== undefined) await writePoints(this.stored, offsets, bytes);
    else await this.stored.writeStored(region, bytes);
  }

  /**
   * Reads the selected elements; those never written show the fill value.
   *
   * @param selection Per dimension an index, which drops it, a slice, a list, a mask, blocks, or `null` for all;
   *   or a mask of all elements, or points. Everything by default.
   * @param options `fields`: members of a compound to read.
   * @returns New memory, owned by the caller. Of a null dataspace, no elements of shape `[0]`.
   * @throws `DaosError` `DER_INVAL` for a selection out of bounds, `DER_REC2BIG` if it is larger
   *   than one array can be, `DER_CSUM` if stored bytes are damaged, `DER_NO_HDL`.
   *
   * @example
   * ```ts
   * const plane = await dataset.read([3]); // of shape [ny, nx]
   * const coarse = await dataset.read([null, slice(0, 100, 10), slice(-5, null)]);
   * const some = await dataset.read(points([[0, 0, 0], [1, 2, 3]])); // of shape [2]
   * ```
   */
  async read(selection?: Selection, options: AccessOptions = {}): Promise<NdArray<D>> {
    const resolved = this.#resolve(selection);
    const { type } = this;
    const shape = [...resolved.shape, ...innerShapeOf(type)];
    if (isStoredAsIs(type) && resolved.offsets === undefined && options.fields === undefined) {
      // Read where the program gets it.
      this.#checkSize(resolved.count);
      const data = newArray(arrayNameOf(type as NumberType), resolved.count);
      await this.stored.readStored(resolved.region, bytesOf(data));
      return { data: data as ElementsOf<D>, shape };
    }
    const bytes = await this.#readBytes(resolved);
    if (options.fields === undefined) {
      const data = decodeElements(type, this.stored.unpack(type, bytes)) as ElementsOf<D>;
      return { data, shape };
    }
    const compound = this.#fieldsOf(options.fields, "Reading");
    const elements = this.stored.unpack(type, bytes);
    const data = decodeColumns(compound, elements, { only: options.fields });
    return { data: data as ElementsOf<D>, shape };
  }

  /**
   * Reads the selected elements into memory that is there: new memory costs as much as reading.
   *
   * @param target A typed array of the dataset's own type, with a place for each selected element.
   * @param selection As for {@link read}, by dimensions.
   * @throws `DaosError` as {@link read}; `DER_INVAL` for another array, or a dataset that no typed array holds as
   *   it is stored.
   */
  async readInto(target: NumberArray, selection?: Selection): Promise<void> {
    const resolved = this.#resolve(selection);
    const { type } = this;
    const isFit =
      isStoredAsIs(type) &&
      dtypeOfArray(target) === arrayNameOf(type as NumberType) &&
      target.length === resolved.count;
    if (!isFit) {
      const why = `the target is no array of ${resolved.count} elements as they are stored`;
      throw this.#invalid("Reading", why, "give a typed array of its type, or use read()");
    }
    if (resolved.offsets === undefined) {
      await this.stored.readStored(resolved.region, bytesOf(target));
    } else bytesOf(target).set(await readPoints(this.stored, resolved.offsets));
  }

  /** Selected elements with what they point to, as they are stored. @internal */
  async readRaw(selection?: Selection) {
    const resolved = this.#resolve(selection);
    const elements = this.stored.unpack(this.type, await this.#readBytes(resolved));
    return { elements, shape: resolved.shape };
  }

  #fieldsOf(fields: readonly string[], what: string): CompoundType {
    const { type } = this;
    if (type.class !== "compound") {
      throw this.#invalid(what, `its elements are of class ${type.class}`, "leave out the fields");
    }
    const names = type.members.map(({ name }) => name);
    const other = fields.find((field) => !names.includes(field));
    if (other === undefined && fields.length > 0) return type;
    const why = other === undefined ? "no field is named" : `it has no member "${other}"`;
    throw this.#invalid(what, why, `choose from ${names.join(", ")}`);
  }

  /**
   * Writes the selected elements. Others see them after the file's `flush`.
   *
   * @param data As many elements as are selected, in row-major order; fewer with a shape that can be spread over
   *   the selection, as in NumPy; or one element for all of them. Other numbers are converted as HDF5
   *   does: to the nearest that fits, fractions cut off. It may be changed when the call returns.
   * @param selection As for {@link read}.
   * @param options `fields`: members of a compound to write; the others stay.
   * @throws `DaosError` `DER_INVAL` for a selection out of bounds, or data of another kind or shape;
   *   `DER_NO_PERM` if the file was opened for reading, `DER_NO_HDL`. `DER_NOSPACE` or
   *   `DER_IO`: all changes since the last flush are dropped.
   */
  async write(
    data: Writable<D>,
    selection?: Selection,
    options: AccessOptions = {},
  ): Promise<void> {
    this.stored.session.change(`Writing dataset "${this.name}"`);
    const resolved = this.#resolve(selection);
    if (options.fields !== undefined) {
      await this.#writeFields(data, resolved, options.fields);
      return;
    }
    const { type, stored } = this;
    const given = this.#take(data, type);
    if (given.shape.includes(0) && resolved.count === 0) return;
    const bytes = stored.pack(type, encodeElements(type, given.elements));
    await this.#writeBytes(resolved, this.#spread(bytes, given, resolved, stored.itemSize));
  }

  #take(data: unknown, type: Datatype): Given {
    try {
      return take(data, type);
    } catch (error) {
      if (!(error instanceof DaosError)) throw error;
      throw this.#invalid("Writing", error.message, "give elements of the dataset's type");
    }
  }

  #spread(
    bytes: Uint8Array,
    { shape, hasShape }: Given,
    { shape: to, count }: ResolvedSelection,
    itemSize: number,
  ): Uint8Array {
    // A plain list has no shape of its own: as many elements as are selected fit any.
    if (!hasShape && product(shape) === count) return bytes;
    return broadcast(bytes, { from: shape, to, itemSize });
  }

  async #writeFields(
    data: unknown,
    resolved: ResolvedSelection,
    fields: readonly string[],
  ): Promise<void> {
    const compound = this.#fieldsOf(fields, "Writing");
    const bytes = await this.#readBytes(resolved);
    for (const field of fields) {
      const member = compound.members.find(({ name }) => name === field);
      if (member === undefined) continue;
      const column =
        fields.length === 1 && !hasColumn(data, field)
          ? data
          : (data as Record<string, unknown>)[field];
      const given = this.#take(column, member.type);
      const size = itemSizeOf(member.type);
      const packed = this.stored.pack(member.type, encodeElements(member.type, given.elements));
      const spread = this.#spread(packed, given, resolved, size);
      scatterMember(spread, bytes, { stride: compound.size, offset: member.offset, size });
    }
    await this.#writeBytes(resolved, bytes);
  }

  /** One member of the selected elements, without the others. @internal */
  async readMember(field: string, selection?: Selection): Promise<NdArray> {
    const resolved = this.#resolve(selection);
    const { members, size: stride } = this.#fieldsOf([field], "Reading");
    const member = members.find(({ name }) => name === field) as CompoundType["members"][number];
    const place = { stride, offset: member.offset, size: itemSizeOf(member.type) };
    const packed = gatherMember(await this.#readBytes(resolved), place);
    const data = decodeElements(member.type, this.stored.unpack(member.type, packed)) as Elements;
    return { data, shape: [...resolved.shape, ...innerShapeOf(member.type)] };
  }

  /** Some members of a compound; of one name, its elements themselves. */
  fields(names: string): AsFields<string>;
  fields(names: readonly string[]): AsFields<readonly string[]>;
  fields(names: string | readonly string[]): AsFields<string | readonly string[]> {
    this.#fieldsOf(typeof names === "string" ? [names] : names, "Reading");
    return new AsFields(this.#untyped, names);
  }

  /**
   * The dataset with its elements converted.
   *
   * @example
   * ```ts
   * const { data } = await counts.asType("float64").read([slice(10)]);
   * ```
   */
  asType<T extends DType>(dtype: T): AsType<T> {
    return new AsType(this.#untyped, dtype, datatypeOf(dtype));
  }

  /** The dataset with its text as bytes: for text that is no UTF-8. */
  asBytes(): AsBytes {
    return new AsBytes(this.#untyped);
  }

  /**
   * Changes the extents. What is cut off is forgotten: it shows the fill value when the dataset grows again.
   *
   * @param size All extents, or one of them with its `axis`.
   * @throws `DaosError` `DER_INVAL` if the dataset is not chunked, or for more than {@link maxShape};
   *   `DER_NO_PERM`, `DER_NO_HDL`.
   */
  async resize(size: readonly number[] | number, axis?: number): Promise<void> {
    this.stored.session.change(`Resizing dataset "${this.name}"`);
    this.stored.refresh();
    const shape = this.#newShape(size, axis);
    const { maxShape } = this;
    if (this.chunks === undefined) {
      throw this.#invalid("Resizing", "it is not chunked", "create it with `maxShape` or `chunks`");
    }
    if (
      shape.length !== this.ndim ||
      !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)
    ) {
      throw this.#invalid(
        "Resizing",
        `[${shape}] is no shape of ${this.ndim} dimensions`,
        "correct it",
      );
    }
    const most = shape.findIndex((extent, dimension) => extent > (maxShape[dimension] ?? Infinity));
    if (most >= 0) {
      const why = `extent ${shape[most]} of dimension ${most} is above ${maxShape[most]}`;
      throw this.#invalid("Resizing", why, "create it with a larger `maxShape`");
    }
    await this.stored.resize(shape);
  }

  #newShape(size: readonly number[] | number, axis: number | undefined): readonly number[] {
    if (typeof size !== "number") return size;
    if (axis !== undefined && axis >= 0 && axis < this.ndim) {
      return this.shape.map((extent, dimension) => (dimension === axis ? size : extent));
    }
    if (axis === undefined && this.ndim === 1) return [size];
    const why = axis === undefined ? "it has several dimensions" : `it has no dimension ${axis}`;
    throw this.#invalid("Resizing", why, "name an axis that it has, or give all extents");
  }

  /** Reads again what the dataset is: another handle of the file may have resized it. */
  refresh(): void {
    this.stored.refresh();
  }

  /**
   * Selections of the chunks, in row-major order, cut to what is selected: for reading piece by piece.
   *
   * @param selection Slices of step 1; everything by default.
   * @throws `DaosError` `DER_INVAL` if the dataset is not chunked, or for another selection.
   */
  *iterChunks(selection?: Selection): Generator<Selection> {
    const { chunks } = this;
    if (chunks === undefined) {
      throw this.#invalid("Iterating chunks of", "it is not chunked", "read slices of it");
    }
    const resolved = this.#resolve(selection);
    const region = resolved.region;
    if (
      region === undefined ||
      region.some((axis) => axis.length > 1 || (axis[0]?.count ?? 1) > 1)
    ) {
      throw this.#invalid(
        "Iterating chunks of",
        "the selection is no box",
        "give slices of step 1",
      );
    }
    yield* chunkSelections(region, chunks);
  }

  /** The chunks that are stored, with their sizes; `undefined` if none are stored apart. */
  async chunkInfos(): Promise<ChunkInfo[] | undefined> {
    return chunkInfos(this.stored);
  }

  /**
   * A chunk as it is stored, filters applied.
   *
   * @param start Index of its first element.
   * @throws `DaosError` `DER_INVAL` if the dataset has no chunks that are stored apart, `DER_NONEXIST` if the
   *   chunk was never written.
   */
  async readDirectChunk(start: readonly number[]): Promise<StoredChunk> {
    return this.stored.readStoredChunk(start);
  }

  /**
   * Writes a chunk as it is to be stored, filters applied.
   *
   * @param start Index of its first element.
   * @param filterMask Bit `i` is set if filter `i` was not applied.
   * @throws `DaosError` `DER_INVAL` if the dataset is not chunked, or no chunk begins there.
   */
  async writeDirectChunk(
    start: readonly number[],
    bytes: Uint8Array,
    filterMask = 0,
  ): Promise<void> {
    this.stored.session.change(`Writing a chunk of dataset "${this.name}"`);
    await this.stored.writeStoredChunk({ start, bytes, filterMask });
  }

  /** Whether elements point to others: text of any length, sequences, regions. */
  get hasVariableLength(): boolean {
    return hasSlots(this.type);
  }
}

function hasColumn(data: unknown, field: string): boolean {
  return (
    typeof data === "object" &&
    data !== null &&
    !ArrayBuffer.isView(data) &&
    !Array.isArray(data) &&
    Object.hasOwn(data, field)
  );
}
