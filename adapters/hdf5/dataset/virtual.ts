/**
 * Virtual datasets: elements that are in other datasets, of this file or of others in the container.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { type DType, datatypeOf } from "../datatype/names.js";
import type { DatasetDescription, VirtualMapping } from "../description.js";
import {
  type ResolvedSelection,
  resolveSelection,
  type Selection,
} from "../selection/selection.js";
import { toSpaceSelection } from "../selection/space-selection.js";
import { encodeElements } from "../values/encode.js";
import { take } from "../values/infer.js";

/** Elements of a source. */
export class VirtualSource {
  /** File name: beside the file of the virtual dataset, or from the container's root; `.` for that file itself. */
  readonly file: string;
  /** Path of the dataset in that file. */
  readonly dataset: string;
  /** Extents of the dataset. */
  readonly shape: readonly number[];
  readonly #selection: Selection | undefined;

  /**
   * @param file As {@link file}; may hold `%b`, the number of a block.
   * @param dataset As {@link dataset}; may not exist yet.
   */
  constructor(file: string, dataset: string, shape: readonly number[], selection?: Selection) {
    this.file = file;
    this.dataset = dataset;
    this.shape = [...shape];
    this.#selection = selection;
  }

  /** Extents of what is selected. */
  get selectedShape(): readonly number[] {
    return this.resolve().shape;
  }

  /**
   * Some elements of the source.
   *
   * @throws `DaosError` `DER_INVAL` for a source of which some were selected already.
   */
  select(selection: Selection): VirtualSource {
    if (this.#selection !== undefined) {
      const text = {
        what: `Selecting elements of "${this.dataset}" of "${this.file}"`,
        why: "some of them were selected already",
        remedy: "select all at once",
      };
      throw new DaosError("DER_INVAL", text);
    }
    return new VirtualSource(this.file, this.dataset, this.shape, selection);
  }

  /** The selected elements. @internal */
  resolve(): ResolvedSelection {
    return resolveSelection(this.shape, this.#selection);
  }
}

/** What a virtual dataset is made of. */
export class VirtualLayout {
  /** Extents. */
  readonly shape: readonly number[];
  /** Most that each may become; `null` is no limit. */
  readonly maxShape: readonly (number | null)[];
  /** Element type. */
  readonly dtype: DType;
  readonly #mappings: VirtualMapping[] = [];

  constructor({
    shape,
    dtype,
    maxShape = shape,
  }: {
    readonly shape: readonly number[];
    readonly dtype: DType;
    readonly maxShape?: readonly (number | null)[];
  }) {
    this.shape = [...shape];
    this.maxShape = [...maxShape];
    this.dtype = dtype;
  }

  /** Where elements come from, in the order in which it was said. */
  get mappings(): readonly VirtualMapping[] {
    return this.#mappings;
  }

  /**
   * Says where selected elements come from.
   *
   * @throws `DaosError` `DER_INVAL` for a selection out of bounds, or as many elements as the source does not have.
   */
  set(selection: Selection, source: VirtualSource): void {
    const target = resolveSelection(this.shape, selection);
    const from = source.resolve();
    if (target.count !== from.count) {
      const text = {
        what: `Mapping "${source.dataset}" of "${source.file}"`,
        why: `it gives ${from.count} elements for ${target.count}`,
        remedy: "select as many elements on both sides",
      };
      throw new DaosError("DER_INVAL", text);
    }
    this.map({
      file: source.file,
      dataset: source.dataset,
      source: toSpaceSelection(from, source.shape),
      target: toSpaceSelection(target, this.shape),
    });
  }

  /** Says it in HDF5's own terms: hyperslabs may be unlimited, and names hold `%b`. */
  map(mapping: VirtualMapping): void {
    this.#mappings.push(mapping);
  }
}

/** What a virtual dataset shows where it has no source. */
export interface VirtualOptions {
  /** One element; zeros by default. */
  readonly fillValue?: unknown;
}

/** The description of a virtual dataset. */
export function describeVirtual(
  name: string,
  layout: VirtualLayout,
  { fillValue }: VirtualOptions,
): DatasetDescription {
  const { shape, maxShape, mappings } = layout;
  const type = datatypeOf(layout.dtype);
  if (shape.length === 0 || shape.length !== maxShape.length) {
    const why = `[${shape}] with limits [${maxShape}] is no shape of a virtual dataset`;
    const remedy = "give at least one dimension, and a limit for each";
    throw new DaosError("DER_INVAL", { what: `Creating dataset "${name}"`, why, remedy });
  }
  const value =
    fillValue === undefined ? undefined : encodeElements(type, take(fillValue, type).elements);
  return {
    type,
    committedType: undefined,
    space: { kind: "simple", shape, maxShape },
    layout: { kind: "virtual", mappings: [...mappings] },
    filters: [],
    fill: { allocation: "default", time: "ifset", value },
  };
}
