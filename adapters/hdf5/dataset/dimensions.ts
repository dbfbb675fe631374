/**
 * Dimension scales: labels of dimensions, and datasets that give their coordinates, as HDF5's high-level library
 * keeps them in attributes.
 *
 *     on a scale       CLASS "DIMENSION_SCALE", NAME, REFERENCE_LIST: dataset and dimension of each use
 *     on a dataset     DIMENSION_LIST: for each dimension references to its scales; DIMENSION_LABELS
 *
 * Source: the HDF5 Dimension Scale Specification.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import {
  compoundType,
  referenceType,
  sequenceType,
  stringType,
  vlenStringType,
} from "../datatype/constructors.js";
import { oidOfReference, readHeader } from "../storage/objects.js";
import { StoredDataset } from "../storage/stored-dataset.js";
import type { Columns } from "../values/elements.js";
import type { Reference } from "../values/references.js";
import { Dataset } from "./dataset.js";

const CLASS = "DIMENSION_SCALE";
const DIMENSION_LIST = "DIMENSION_LIST";
const DIMENSION_LABELS = "DIMENSION_LABELS";
const REFERENCE_LIST = "REFERENCE_LIST";
const LABEL_TYPE = vlenStringType({ charset: "ascii" });
/** A use of a scale, with the places that C gives its members. */
const USE_TYPE = compoundType(
  { dataset: referenceType(), dimension: "int32" },
  { offsets: [0, 8], size: 16 },
);

/** A use of a scale. */
interface Use {
  readonly dataset: Reference;
  readonly dimension: number;
}

function invalid(what: string, why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what, why, remedy });
}

async function usesOf(scale: Dataset): Promise<Use[]> {
  const content = await scale.attrs.read(REFERENCE_LIST);
  if (content === undefined) return [];
  const { dataset, dimension } = content.data as Columns;
  const references = dataset as readonly (Reference | undefined)[];
  return references.flatMap((reference, index) =>
    reference === undefined
      ? []
      : [{ dataset: reference, dimension: Number((dimension as Int32Array)[index]) }],
  );
}

async function putUses(scale: Dataset, uses: readonly Use[]): Promise<void> {
  if (uses.length === 0) {
    await scale.attrs.delete(REFERENCE_LIST);
    return;
  }
  const data = {
    dataset: uses.map(({ dataset }) => dataset),
    dimension: Int32Array.from(uses, ({ dimension }) => dimension),
  };
  await scale.attrs.create(REFERENCE_LIST, data, { dtype: USE_TYPE, shape: [uses.length] });
}

/** Whether a dataset is a scale. */
export async function isScale(dataset: Dataset): Promise<boolean> {
  return (await dataset.attrs.get("CLASS")) === CLASS;
}

/** The name of a scale; `""` if it has none. */
export async function scaleName(dataset: Dataset): Promise<string> {
  const name = await dataset.attrs.get("NAME");
  return typeof name === "string" ? name : "";
}

function fixedText(text: string) {
  return stringType({ length: Buffer.byteLength(text) + 1, charset: "ascii", padding: "nullterm" });
}

/**
 * Makes a dataset a scale.
 *
 * @throws `DaosError` `DER_INVAL` if it has scales itself, `DER_NO_PERM`.
 */
export async function makeScale(dataset: Dataset, name?: string): Promise<void> {
  const what = `Making dataset "${dataset.name}" a scale`;
  if (await dataset.attrs.has(DIMENSION_LIST)) {
    throw invalid(what, "it has scales itself", "use another dataset");
  }
  await dataset.attrs.create("CLASS", CLASS, { dtype: fixedText(CLASS) });
  if (name !== undefined) await dataset.attrs.create("NAME", name, { dtype: fixedText(name) });
}

/** A dimension of a dataset. */
export class Dimension {
  readonly #dataset: Dataset;
  readonly #index: number;

  /** @internal */
  constructor(dataset: Dataset, index: number) {
    this.#dataset = dataset;
    this.#index = index;
  }

  /** Name of the dimension; `""` if it has none. */
  async label(): Promise<string> {
    const labels = await this.#dataset.attrs.get(DIMENSION_LABELS);
    return (labels as readonly string[] | undefined)?.[this.#index] ?? "";
  }

  /** Names the dimension. @throws `DaosError` `DER_NO_PERM`. */
  async setLabel(label: string): Promise<void> {
    const { attrs, ndim } = this.#dataset;
    const known = (await attrs.get(DIMENSION_LABELS)) as readonly string[] | undefined;
    const labels = known === undefined ? new Array<string>(ndim).fill("") : [...known];
    labels[this.#index] = label;
    await attrs.create(DIMENSION_LABELS, labels, { dtype: LABEL_TYPE, shape: [ndim] });
  }

  async #lists(): Promise<Reference[][]> {
    const known = await this.#dataset.attrs.get(DIMENSION_LIST);
    if (known === undefined) return Array.from({ length: this.#dataset.ndim }, () => []);
    return (known as (Reference | undefined)[][]).map((list) =>
      list.filter((reference) => reference !== undefined),
    );
  }

  async #putLists(lists: readonly (readonly Reference[])[]): Promise<void> {
    const { attrs, ndim } = this.#dataset;
    if (lists.every((list) => list.length === 0)) {
      await attrs.delete(DIMENSION_LIST);
      return;
    }
    const dtype = sequenceType(referenceType());
    await attrs.create(DIMENSION_LIST, { data: lists, shape: [ndim] }, { dtype });
  }

  /** The scales of the dimension, in the order in which they were attached. */
  async scales(): Promise<Dataset[]> {
    const references = (await this.#lists())[this.#index] ?? [];
    const { session } = this.#dataset.stored;
    return references.flatMap((reference) => {
      const oid = oidOfReference(session, reference.object);
      const header = oid === undefined ? undefined : readHeader(session, oid, "a scale");
      if (oid === undefined || header?.kind !== "dataset") return [];
      const name = `#${reference.object}`;
      return [new Dataset(new StoredDataset({ session, oid, name }, header))];
    });
  }

  /** Number of scales. */
  async size(): Promise<number> {
    return (await this.#lists())[this.#index]?.length ?? 0;
  }

  /** Names of the scales. */
  async keys(): Promise<string[]> {
    return Promise.all((await this.scales()).map(scaleName));
  }

  /** A scale by its place or name, if there is one. */
  async get(which: number | string): Promise<Dataset | undefined> {
    const scales = await this.scales();
    if (typeof which === "number") return scales[which];
    for (const scale of scales) if ((await scaleName(scale)) === which) return scale;
    return undefined;
  }

  #use(): Use {
    return { dataset: this.#dataset.ref, dimension: this.#index };
  }

  #requireOther(scale: Dataset, what: string): void {
    if (scale.stored.oid !== this.#dataset.stored.oid) return;
    throw invalid(what, "it is the dataset itself", "use another dataset as scale");
  }

  /**
   * Gives the dimension a scale; a dataset that is none yet becomes one.
   *
   * @throws `DaosError` `DER_INVAL` if the dataset is a scale itself, or `scale` has scales; `DER_NO_PERM`.
   */
  async attachScale(scale: Dataset): Promise<void> {
    const what = `Attaching scale "${scale.name}" to dataset "${this.#dataset.name}"`;
    this.#requireOther(scale, what);
    if (await isScale(this.#dataset)) throw invalid(what, "that is a scale itself", "use another");
    if (!(await isScale(scale))) await makeScale(scale);
    const lists = await this.#lists();
    const list = lists[this.#index] as Reference[];
    const { ref } = scale;
    if (list.some(({ object }) => object === ref.object)) return;
    list.push(ref);
    await this.#putLists(lists);
    await putUses(scale, [...(await usesOf(scale)), this.#use()]);
  }

  /**
   * Takes a scale away.
   *
   * @throws `DaosError` `DER_NONEXIST` if the dimension does not have it, `DER_NO_PERM`.
   */
  async detachScale(scale: Dataset): Promise<void> {
    const what = `Detaching scale "${scale.name}" from dataset "${this.#dataset.name}"`;
    this.#dataset.stored.session.change(what);
    const lists = await this.#lists();
    const list = lists[this.#index] as Reference[];
    const { ref } = scale;
    const at = list.findIndex(({ object }) => object === ref.object);
    if (at === -1) {
      const text = { what, why: "it is not attached", remedy: "name one of its scales" };
      throw new DaosError("DER_NONEXIST", text);
    }
    list.splice(at, 1);
    await this.#putLists(lists);
    const place = this.#use();
    const isPlace = (use: Use) =>
      use.dataset.object === place.dataset.object && use.dimension === place.dimension;
    await putUses(
      scale,
      (await usesOf(scale)).filter((use) => !isPlace(use)),
    );
  }
}

/** The dimensions of a dataset. */
export function dimensionsOf(dataset: Dataset): Dimension[] {
  return dataset.shape.map((_, index) => new Dimension(dataset, index));
}
