/**
 * What a new dataset is, from what a program asks for.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { CommittedType } from "../committed-type.js";
import { type Datatype, hasSlots, itemSizeOf } from "../datatype/datatype.js";
import { type DType, datatypeOf } from "../datatype/names.js";
import type { DatasetDescription, Dataspace, FillDescription } from "../description.js";
import { RANK_MAX } from "../messages/dataspace-message.js";
import { product } from "../region.js";
import { encodeElements } from "../values/encode.js";
import { Empty, type Given, take } from "../values/infer.js";
import { guessChunks } from "./chunks.js";
import type { Writable } from "./dataset.js";
import { type FilterOptions, hasFilters, pipelineFor } from "./filter-options.js";

/** How a new dataset is stored. */
export interface StorageOptions extends FilterOptions {
  /**
   * Extents of a chunk; `true` has them guessed. By default chunks are made only if filters or limits need them.
   */
  readonly chunks?: readonly number[] | number | true | undefined;
  /** Most that each extent may become; `null` is no limit, `true` none for any. The shape itself by default. */
  readonly maxShape?: readonly (number | null)[] | number | true | undefined;
  /** The element that elements show that were never written; zeros by default. */
  readonly fillValue?: unknown;
  /** When files that are exported are filled. */
  readonly fillTime?: FillDescription["time"] | undefined;
  /** Whether attributes are listed in the order in which they were made. */
  readonly trackOrder?: boolean | undefined;
}

/** What a new dataset is. */
export interface DatasetOptions<D extends DType = DType> extends StorageOptions {
  /**
   * Extent along each dimension, slowest first; empty for a single element, `null` for none. Those of `data` by
   * default.
   */
  readonly shape?: readonly number[] | number | null | undefined;
  /** Element type; that of `data` by default, or a committed one. */
  readonly dtype?: D | CommittedType | undefined;
  /** First content, in row-major order; the fill value by default. */
  readonly data?: Writable<D> | Empty | undefined;
}

/** A new dataset: what it is, and its first elements. */
export interface NewDataset {
  readonly description: DatasetDescription;
  readonly given: Given | undefined;
}

function invalid(name: string, why: string, remedy: string, cause?: unknown): DaosError {
  const text = { what: `Creating dataset "${name}"`, why, remedy };
  return new DaosError("DER_INVAL", text, { name }, cause);
}

const FILL_TIMES: readonly FillDescription["time"][] = ["alloc", "never", "ifset"];

function isExtent(extent: unknown): extent is number {
  return Number.isSafeInteger(extent) && (extent as number) >= 0;
}

function checkShape(name: string, shape: readonly number[], itemSize: number): void {
  const isShape = shape.every(isExtent) && shape.length <= RANK_MAX;
  if (isShape && Number.isSafeInteger(product(shape) * itemSize)) return;
  const why = `[${shape.join(", ")}] is not a shape`;
  throw invalid(name, why, `give whole extents, of at most ${RANK_MAX} dimensions`);
}

function takeData(name: string, data: unknown, type: Datatype | undefined): Given {
  try {
    return take(data, type);
  } catch (error) {
    if (!(error instanceof DaosError)) throw error;
    throw invalid(name, error.message, "give elements of the dataset's type", error);
  }
}

function limitsOf(
  name: string,
  { maxShape }: StorageOptions,
  shape: readonly number[],
): readonly (number | null)[] | undefined {
  if (maxShape === undefined) return undefined;
  if (maxShape === true) return shape.map(() => null);
  const limits = typeof maxShape === "number" ? [maxShape] : maxShape;
  const isFit =
    limits.length === shape.length &&
    limits.every(
      (limit, index) => limit === null || (isExtent(limit) && limit >= (shape[index] ?? 0)),
    );
  if (isFit) return [...limits];
  const why = `[${limits}] are no limits of shape [${shape}]`;
  throw invalid(name, why, "give for each dimension at least its extent, or null");
}

function chunksOf(
  name: string,
  options: StorageOptions,
  {
    shape,
    limits,
    itemSize,
  }: {
    shape: readonly number[];
    limits: readonly (number | null)[] | undefined;
    itemSize: number;
  },
): readonly number[] | undefined {
  const { chunks } = options;
  if (chunks === undefined && limits === undefined && !hasFilters(options)) return undefined;
  if (chunks === undefined || chunks === true) return guessChunks(shape, itemSize);
  const chunkShape = typeof chunks === "number" ? [chunks] : chunks;
  const bounds = limits ?? shape;
  const isFit =
    chunkShape.length === shape.length &&
    chunkShape.every(
      (extent, index) => isExtent(extent) && extent > 0 && extent <= (bounds[index] ?? extent),
    );
  if (isFit) return [...chunkShape];
  const why = `[${chunkShape}] are no chunks of shape [${shape}]`;
  throw invalid(name, why, "give for each dimension at least 1, and at most its limit");
}

/** A dataset without dimensions has neither chunks nor filters nor limits. */
function checkPlain(name: string, options: StorageOptions): void {
  const { chunks, maxShape } = options;
  const isLimited = maxShape !== undefined && !(Array.isArray(maxShape) && maxShape.length === 0);
  if (!hasFilters(options) && chunks === undefined && !isLimited) return;
  if (options.compressionOptions === undefined || hasFilters(options) || isLimited) {
    throw invalid(name, "it has no dimensions, but chunks, filters or limits", "leave them out");
  }
}

function fillOf(
  name: string,
  type: Datatype,
  { fillValue, fillTime }: StorageOptions,
  isChunked: boolean,
) {
  if (fillTime !== undefined && !FILL_TIMES.includes(fillTime)) {
    const why = `${String(fillTime)} is no time at which files are filled`;
    throw invalid(name, why, `choose one of ${FILL_TIMES.join(", ")}`);
  }
  // Elements of variable length cannot be left as they are.
  const isFilled = isChunked || (hasSlots(type) && type.class !== "reference");
  const time = fillTime ?? (isFilled ? "alloc" : "ifset");
  const fill: FillDescription = { allocation: "default", time, value: undefined };
  if (fillValue === undefined) return fill;
  if (fillValue === null) return { ...fill, value: null };
  const given = takeData(name, fillValue, type);
  const { bytes, heap } = encodeElements(type, given.elements);
  if (bytes.length !== itemSizeOf(type)) {
    throw invalid(name, "the fill value is not one element", "give one element of its type");
  }
  return { ...fill, value: { bytes: Uint8Array.from(bytes), heap } };
}

/** The shape: that which is asked for, or that of the data. */
function shapeOf(
  name: string,
  { shape, data }: DatasetOptions,
  given: Given | undefined,
): readonly number[] | null {
  if (data instanceof Empty || shape === null) return null;
  const wanted = typeof shape === "number" ? [shape] : shape;
  if (wanted === undefined) return given?.shape ?? null;
  if (given === undefined || product(given.shape) === product(wanted)) return [...wanted];
  const count = product(given.shape);
  const why = `${count} elements were given for ${product(wanted)}`;
  throw invalid(name, why, "give as many as the shape has");
}

/**
 * What a new dataset is.
 *
 * @throws `DaosError` `DER_INVAL` for options that do not fit each other, `DER_NOSYS` for a filter that is not
 *   known.
 */
export function planDataset(name: string, options: DatasetOptions): NewDataset {
  const { dtype, data } = options;
  const committed = dtype instanceof CommittedType ? dtype : undefined;
  const asked = dtype instanceof CommittedType ? dtype.type : dtype && datatypeOf(dtype);
  const isEmpty = data instanceof Empty;
  const given = data === undefined || isEmpty ? undefined : takeData(name, data, asked);
  const type = asked ?? given?.type ?? (isEmpty ? datatypeOf(data.dtype) : undefined);
  if (type === undefined) {
    throw invalid(name, "it has neither a type nor data", "give `dtype` or `data`");
  }
  const shape = shapeOf(name, options, given);
  const common = { type, committedType: committed?.stored.id };
  if (shape === null || shape.length === 0) {
    checkPlain(name, options);
    const space: Dataspace = { kind: shape === null ? "null" : "scalar" };
    const fill = fillOf(name, type, options, false);
    const layout = { kind: "contiguous" } as const;
    return { description: { ...common, space, layout, filters: [], fill }, given };
  }
  const itemSize = itemSizeOf(type);
  checkShape(name, shape, itemSize);
  const limits = limitsOf(name, options, shape);
  const chunkShape = chunksOf(name, options, { shape, limits, itemSize });
  const fill = fillOf(name, type, options, chunkShape !== undefined);
  const filters =
    chunkShape === undefined ? [] : pipelineFor(options, { name, type, fill, chunkShape });
  const space = { kind: "simple", shape, maxShape: limits ?? shape } as const;
  const layout: DatasetDescription["layout"] =
    chunkShape === undefined ? { kind: "contiguous" } : { kind: "chunked", chunkShape };
  return { description: { ...common, space, layout, filters, fill }, given };
}
