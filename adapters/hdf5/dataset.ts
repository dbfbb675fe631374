/**
 * A dataset: an n-dimensional array of one element type.
 *
 * Its object holds the elements and nothing else, little-endian, in row-major order from byte 0, so
 * that MPI-IO, Arrow and the file system open it as it is.
 *
 * @module
 */

import { constants } from "node:buffer";
import { DaosError } from "../../core/index.js";
import { Attributes } from "./attributes.js";
import {
  bytesOf,
  type DType,
  dtypeOf,
  itemSizeOf,
  newArray,
  type ScalarOf,
  type TypedArrayOf,
} from "./dtype.js";
import { type ResolvedSelection, resolveSelection, type Selection } from "./selection.js";
import type { StoredDataset } from "./storage/stored-dataset.js";

/** Elements in memory, in row-major order. */
export interface NdArray<D extends DType = DType> {
  /** The elements. */
  readonly data: TypedArrayOf<D>;
  /** Extent along each dimension, slowest first. */
  readonly shape: readonly number[];
}

/** A dataset of an open file. */
export class Dataset<D extends DType = DType> {
  /** Name in the file, from its root: `/fields/u`. */
  readonly name: string;
  /** Element type. */
  readonly dtype: D;
  /** Extent along each dimension, slowest first; empty for a single element. */
  readonly shape: readonly number[];
  /** The dataset's attributes. */
  readonly attrs: Attributes;
  /** The dataset as the store has it: for import and export. @internal */
  readonly stored: StoredDataset;

  /** @internal */
  constructor(stored: StoredDataset, dtype: D) {
    this.name = stored.name;
    this.dtype = dtype;
    this.shape = stored.extents;
    this.attrs = new Attributes(stored.session, stored.oid);
    this.stored = stored;
  }

  /** Number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((product, extent) => product * extent, 1);
  }

  /** Bytes of all elements. */
  get nbytes(): number {
    return this.size * itemSizeOf(this.dtype);
  }

  /**
   * Narrows the element type.
   *
   * @example
   * ```ts
   * if (dataset.is("float64")) (await dataset.read()).data; // a Float64Array
   * ```
   */
  is<T extends DType>(dtype: T): this is Dataset<T> {
    return (this.dtype as DType) === dtype;
  }

  #resolve(selection: Selection | undefined): ResolvedSelection {
    return resolveSelection(this.shape, selection);
  }

  #invalid(what: string, why: string, remedy: string): DaosError {
    const text = { what: `${what} dataset "${this.name}"`, why, remedy };
    return new DaosError("DER_INVAL", text, { name: this.name });
  }

  /**
   * Reads the selected elements; those never written are 0.
   *
   * @param selection Per dimension an index, which drops it, a slice, or `null` for all; everything by
   *   default.
   * @returns New memory, owned by the caller.
   * @throws `DaosError` `DER_INVAL` for a selection out of bounds, `DER_REC2BIG` if it is larger
   *   than one array can be, `DER_CSUM` if stored bytes are damaged, `DER_NO_HDL`.
   *
   * @example
   * ```ts
   * const plane = await dataset.read([3]); // of shape [ny, nx]
   * const coarse = await dataset.read([null, slice(0, 100, 10), slice(-5, null)]);
   * ```
   */
  async read(selection?: Selection): Promise<NdArray<D>> {
    const { region, shape, count } = this.#resolve(selection);
    if (count * itemSizeOf(this.dtype) > constants.MAX_LENGTH) {
      const text = {
        what: `Reading dataset "${this.name}"`,
        why: `${count} elements are more than one array can hold`,
        remedy: "select less at a time",
      };
      throw new DaosError("DER_REC2BIG", text, { count });
    }
    const data = newArray(this.dtype, count);
    await this.stored.readStored(region, bytesOf(data));
    return { data, shape };
  }

  /**
   * Writes the selected elements. Others see them after the file's `flush`.
   *
   * @param data As many elements as are selected, in row-major order, in an array of exactly the
   *   dataset's type; or one element for all of them. It may be changed when the call returns.
   * @param selection As for {@link read}.
   * @throws `DaosError` `DER_INVAL` for a selection out of bounds, or data of another type or
   *   length; `DER_NO_PERM` if the file was opened for reading, `DER_NO_HDL`. `DER_NOSPACE` or
   *   `DER_IO`: all changes since the last flush are dropped.
   */
  async write(data: TypedArrayOf<D> | ScalarOf<D>, selection?: Selection): Promise<void> {
    const { region, count } = this.#resolve(selection);
    this.stored.session.change(`Writing dataset "${this.name}"`);
    const elements = ArrayBuffer.isView(data) ? data : this.#filled(data as ScalarOf<D>, count);
    const dtype = dtypeOf(elements);
    if (dtype !== this.dtype) {
      const why = `its elements are ${this.dtype}, the data are ${dtype ?? "of no known type"}`;
      throw this.#invalid("Writing", why, "convert the data first; nothing is converted silently");
    }
    if (elements.length !== count) {
      const why = `${elements.length} elements were given for ${count}`;
      throw this.#invalid("Writing", why, "give as many elements as are selected");
    }
    await this.stored.writeStored(region, bytesOf(elements));
  }

  #filled(value: ScalarOf<D>, count: number): TypedArrayOf<D> {
    const isWide = this.dtype === "int64" || this.dtype === "uint64";
    if (typeof value !== (isWide ? "bigint" : "number")) {
      const why = `${String(value)} is no element of type ${this.dtype}`;
      throw this.#invalid(
        "Writing",
        why,
        `give a ${isWide ? "bigint" : "number"} or a typed array`,
      );
    }
    const elements = newArray(this.dtype, count);
    // The check above makes the pair match; TypeScript cannot follow it through the union of arrays.
    (elements as Float64Array).fill(value as number);
    return elements;
  }
}
