/**
 * A dataset: an n-dimensional array of elements of one type.
 *
 * @module
 */

import { constants } from "node:buffer";
import { DaosError } from "../../../core/index.js";
import { type CompoundType, type Datatype, itemSizeOf } from "../datatype/datatype.js";
import {
  bytesOf,
  type DType,
  type DTypeName,
  datatypeOf,
  type NumberArray,
  newArray,
} from "../datatype/names.js";
import type { StoredChunk } from "../description.js";
import { product } from "../region.js";
import {
  ELLIPSIS,
  type ResolvedSelection,
  resolveSelection,
  type Selection,
} from "../selection/selection.js";
import { toSpaceSelection } from "../selection/space-selection.js";
import { readPoints, writePoints } from "../storage/point-access.js";
import { broadcast } from "../values/broadcast.js";
import { decodeColumns, decodeElements, gatherMember, innerShapeOf } from "../values/decode.js";
import type { Elements, ElementsOf, NdArray, ScalarOf, Shaped } from "../values/elements.js";
import { encodeElements, scatterMember } from "../values/encode.js";
import { type Given, take } from "../values/infer.js";
import { arrayNameOf, isStoredAsIs, type NumberType } from "../values/numbers.js";
import { Reference, RegionReference } from "../values/references.js";
import { type ChunkInfo, chunkInfos, chunkSelections } from "./chunks.js";
import { DatasetFacts } from "./dataset-facts.js";
import { type Dimension, dimensionsOf, isScale, makeScale } from "./dimensions.js";
import { directPlace, pickNumbers, placeNumbers } from "./direct.js";
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
export class Dataset<D extends DType = DType> extends DatasetFacts<D> {
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
    throw this.invalid("Selecting elements of", "it has none", "leave out the selection");
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
   * @param target A typed array, or one with its shape; of another type than the dataset's, numbers are converted.
   * @param selection As for {@link read}.
   * @param targetSelection Where they go in the target; everywhere by default.
   * @throws `DaosError` as {@link read}; `DER_INVAL` if as many elements are not selected on both sides, or they are
   *   no numbers.
   *
   * @example
   * ```ts
   * const halo = { data: new Float64Array(12 * 12), shape: [12, 12] };
   * await u.readInto(halo, [slice(0, 10), slice(0, 10)], [slice(1, 11), slice(1, 11)]);
   * ```
   */
  async readInto(
    target: NumberArray | Shaped<NumberArray>,
    selection?: Selection,
    targetSelection?: Selection,
  ): Promise<void> {
    const resolved = this.#resolve(selection);
    const place = directPlace(this.name, target, targetSelection, resolved.count);
    const { type } = this;
    const isSame = isStoredAsIs(type) && place.name === arrayNameOf(type as NumberType);
    if (isSame && place.selection === undefined && resolved.offsets === undefined) {
      await this.stored.readStored(resolved.region, place.array.bytes);
      return;
    }
    const { data } = await this.read(selection);
    placeNumbers(this.name, data, place);
  }

  /**
   * Writes selected elements of an array in memory.
   *
   * @param source A typed array with its shape.
   * @param sourceSelection What of it; everything by default.
   * @param selection Where it goes in the dataset, as for {@link read}.
   * @throws `DaosError` as {@link write}; `DER_INVAL` if as many elements are not selected on both sides.
   */
  async writeFrom(
    source: Shaped<NumberArray>,
    sourceSelection?: Selection,
    selection?: Selection,
  ): Promise<void> {
    const { count } = this.#resolve(selection);
    const place = directPlace(this.name, source, sourceSelection ?? [], count);
    await this.write(pickNumbers(place) as Writable<D>, selection);
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
      throw this.invalid(what, `its elements are of class ${type.class}`, "leave out the fields");
    }
    const names = type.members.map(({ name }) => name);
    const other = fields.find((field) => !names.includes(field));
    if (other === undefined && fields.length > 0) return type;
    const why = other === undefined ? "no field is named" : `it has no member "${other}"`;
    throw this.invalid(what, why, `choose from ${names.join(", ")}`);
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
      throw this.invalid("Writing", error.message, "give elements of the dataset's type");
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
      throw this.invalid("Resizing", "it is not chunked", "create it with `maxShape` or `chunks`");
    }
    if (
      shape.length !== this.ndim ||
      !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)
    ) {
      throw this.invalid(
        "Resizing",
        `[${shape}] is no shape of ${this.ndim} dimensions`,
        "correct it",
      );
    }
    const most = shape.findIndex((extent, dimension) => extent > (maxShape[dimension] ?? Infinity));
    if (most >= 0) {
      const why = `extent ${shape[most]} of dimension ${most} is above ${maxShape[most]}`;
      throw this.invalid("Resizing", why, "create it with a larger `maxShape`");
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
    throw this.invalid("Resizing", why, "name an axis that it has, or give all extents");
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
      throw this.invalid("Iterating chunks of", "it is not chunked", "read slices of it");
    }
    const resolved = this.#resolve(selection);
    const region = resolved.region;
    if (
      region === undefined ||
      region.some((axis) => axis.length > 1 || (axis[0]?.count ?? 1) > 1)
    ) {
      throw this.invalid("Iterating chunks of", "the selection is no box", "give slices of step 1");
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
