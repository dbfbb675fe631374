/**
 * A dataset seen in another way: some members, another type, bytes instead of text.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import type { Datatype } from "../datatype/datatype.js";
import type { DType } from "../datatype/names.js";
import type { Selection } from "../selection/selection.js";
import { decodeElements, innerShapeOf } from "../values/decode.js";
import type { Columns, Elements, ElementsOf, NdArray, Shaped } from "../values/elements.js";
import { encodeElements } from "../values/encode.js";
import type { Dataset } from "./dataset.js";

/** Some members of a dataset of compounds. */
export class AsFields<N extends string | readonly string[]> {
  readonly #dataset: Dataset;
  readonly #names: N;

  /** @internal */
  constructor(dataset: Dataset, names: N) {
    this.#dataset = dataset;
    this.#names = names;
  }

  /**
   * Reads the members: columns of several, the elements of a single one.
   *
   * @throws `DaosError` as {@link Dataset.read}.
   */
  async read(selection?: Selection): Promise<Shaped<N extends string ? Elements : Columns>> {
    const names: string | readonly string[] = this.#names;
    const read =
      typeof names === "string"
        ? await this.#dataset.readMember(names, selection)
        : await this.#dataset.read(selection, { fields: names });
    return read as Shaped<N extends string ? Elements : Columns>;
  }
}

/** A dataset whose elements are converted when they are read. */
export class AsType<T extends DType> {
  /** Element type. */
  readonly dtype: T;
  readonly #dataset: Dataset;
  readonly #type: Datatype;

  /** @internal */
  constructor(dataset: Dataset, dtype: T, type: Datatype) {
    this.dtype = dtype;
    this.#dataset = dataset;
    this.#type = type;
  }

  /**
   * Reads the selected elements, converted as HDF5 does: to the nearest that fits, fractions cut off.
   *
   * @throws `DaosError` as {@link Dataset.read}; `DER_INVAL` if there is no conversion.
   */
  async read(selection?: Selection): Promise<NdArray<T>> {
    const { data, shape } = await this.#dataset.read(selection);
    const raw = encodeElements(this.#type, data);
    const own = { bytes: Uint8Array.from(raw.bytes), heap: raw.heap };
    const outer = shape.slice(0, shape.length - innerShapeOf(this.#dataset.type).length);
    return {
      data: decodeElements(this.#type, own) as ElementsOf<T>,
      shape: [...outer, ...innerShapeOf(this.#type)],
    };
  }
}

/** A dataset of text, as bytes. */
export class AsBytes {
  readonly #dataset: Dataset;

  /** @internal */
  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  /**
   * Reads the selected elements: the bytes of each, without padding.
   *
   * @throws `DaosError` as {@link Dataset.read}; `DER_INVAL` if the elements are no text.
   */
  async read(selection?: Selection): Promise<Shaped<Uint8Array[]>> {
    const { type, name } = this.#dataset;
    if (type.class !== "string" && type.class !== "vlenString") {
      const what = `Reading dataset "${name}" as bytes`;
      const why = `its elements are of class ${type.class}`;
      throw new DaosError("DER_INVAL", { what, why, remedy: "read them as they are" });
    }
    const { elements, shape } = await this.#dataset.readRaw(selection);
    const text = (bytes: Uint8Array) => Uint8Array.from(bytes);
    const data = decodeElements(type, elements, { text });
    return { data: data as unknown as Uint8Array[], shape };
  }
}
