/**
 * Filters: what is done to a chunk between memory and store, and undone when it is read.
 *
 * Chunks are byte for byte as HDF5's own filters make and take them, so that they go into `.h5` files and
 * come out of them as they are.
 *
 * @module
 */

// Not by core/index.ts: threads load this module, and the store would take them 0.1 s.
import { DaosError } from "../../../core/errors.js";
import type { DatasetDescription, FilterDescription } from "../description.js";

/** What a filter's parameters may depend on. */
export interface FilteredDataset extends Pick<DatasetDescription, "type" | "fill"> {
  /** Extents of a chunk. */
  readonly chunkShape: readonly number[];
}

/** Elements of a chunk. */
export function elementCount(chunkShape: readonly number[]): number {
  return chunkShape.reduce((count, extent) => count * extent, 1);
}

/** What a filter knows of a chunk. */
export interface FilterContext {
  /** The filter's parameters in this dataset. */
  readonly parameters: readonly number[];
  /** Bytes of the chunk in memory, before any filter. */
  readonly chunkSize: number;
  /** Most bytes that undoing the filter may make: more than a chunk, as filters before it may add some. */
  readonly sizeMax: number;
}

/** A filter. */
export interface Filter {
  /** HDF5's number. */
  readonly id: number;
  /** Name as HDF5 or its registry has it. */
  readonly name: string;
  /**
   * The parameters that a new dataset has, of those that its creator gave: HDF5's callback `set_local`. Without
   * this, they stay as they are.
   *
   * @returns `undefined` if the filter cannot take elements of this type, or has other parameters.
   */
  localParameters?(
    given: readonly number[],
    dataset: FilteredDataset,
  ): readonly number[] | undefined;
  /**
   * Applies the filter.
   *
   * @param bytes Not to be changed, nor kept.
   * @returns `undefined` if the filter cannot take this chunk, or would not make it smaller.
   */
  encode(
    bytes: Uint8Array,
    context: FilterContext,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /**
   * Undoes it.
   *
   * @throws An error of any kind if the bytes are not what the filter makes.
   */
  decode(bytes: Uint8Array, context: FilterContext): Uint8Array | Promise<Uint8Array>;
}

const filters = new Map<number, Filter>();

function contextOf({ parameters }: FilterDescription, chunkSize: number): FilterContext {
  return { parameters, chunkSize, sizeMax: 2 * chunkSize + 65_536 };
}

/**
 * Makes a filter known to this process; one of the same number is replaced.
 *
 * @example
 * ```ts
 * registerFilter({
 *   id: 256, // numbers from 256 to 511 are for trying things
 *   name: "invert",
 *   encode: (bytes) => bytes.map((byte) => ~byte),
 *   decode: (bytes) => bytes.map((byte) => ~byte),
 * });
 * ```
 */
export function registerFilter(filter: Filter): void {
  filters.set(filter.id, filter);
}

/** The filter of a number, if this process knows it. */
export function findFilter(id: number): Filter | undefined {
  return filters.get(id);
}

function unknown({ id, name }: FilterDescription, dataset: string): DaosError {
  const text = {
    what: dataset === "" ? "Creating a dataset" : `Filtering chunks of dataset "${dataset}"`,
    why: `filter ${id}${name === "" ? "" : ` (${name})`} is not known`,
    remedy: "register it with registerFilter(), or copy stored chunks as they are",
  };
  return new DaosError("DER_NOSYS", text, { id });
}

/**
 * The filters of a new dataset with the parameters that HDF5 would give them: sizes, byte orders, fill values.
 *
 * @param filters As the creator of the dataset asks for them: parameters are those that HDF5's `H5Pset_filter`,
 *   or the function of the filter, takes.
 * @throws `DaosError` `DER_INVAL` if a filter that is not optional cannot take the elements; `DER_NOSYS` for
 *   one that is not optional and not known.
 */
export function localFilters(
  filters: readonly FilterDescription[],
  dataset: FilteredDataset,
): FilterDescription[] {
  return filters.map((description) => {
    const { id, isOptional, parameters } = description;
    const filter = findFilter(id);
    if (filter === undefined && !isOptional) throw unknown(description, "");
    if (filter === undefined) return description;
    const name = description.name === "" ? filter.name : description.name;
    if (filter.localParameters === undefined) return { ...description, name };
    const local = filter.localParameters(parameters, dataset);
    if (local !== undefined) return { ...description, name, parameters: local };
    if (isOptional) return { ...description, name };
    const text = {
      what: "Creating a dataset",
      why: `filter ${id} (${name}) takes no elements of type ${dataset.type.class} with [${parameters}]`,
      remedy: "leave the filter out, correct its parameters, or make it optional",
    };
    throw new DaosError("DER_INVAL", text, { id });
  });
}

/** A chunk as it is stored. */
export interface FilteredChunk {
  readonly bytes: Uint8Array;
  /** The filters that were left out, a bit each. */
  readonly filterMask: number;
}

/** What chunks of a dataset go through. */
export interface Pipeline {
  /** Name of the dataset, for errors. */
  readonly dataset: string;
  readonly filters: readonly FilterDescription[];
  /** Bytes of a chunk in memory. */
  readonly chunkSize: number;
}

/**
 * Applies a pipeline to a chunk.
 *
 * @returns The chunk as it is stored, and the filters that were left out, a bit each.
 * @throws `DaosError` `DER_NOSYS` for a filter that is not known, `DER_INVAL` if one that is not optional
 *   cannot be applied.
 */
export async function encodeChunk(
  chunk: Uint8Array,
  { dataset, filters: pipeline, chunkSize }: Pipeline,
): Promise<FilteredChunk> {
  let bytes = chunk;
  let filterMask = 0;
  for (const [index, description] of pipeline.entries()) {
    const { id, isOptional } = description;
    const filter = findFilter(id);
    if (filter === undefined && !isOptional) throw unknown(description, dataset);
    let encoded: Uint8Array | undefined;
    let cause: unknown;
    try {
      encoded = await filter?.encode(bytes, contextOf(description, chunkSize));
    } catch (error) {
      cause = error;
    }
    if (encoded !== undefined) bytes = encoded;
    else if (isOptional) filterMask |= 1 << index;
    else {
      const text = {
        what: `Writing a chunk of dataset "${dataset}"`,
        why: `filter ${id} (${filter?.name}) cannot take it${reasonOf(cause)}`,
        remedy: "make the filter optional, or leave it out",
      };
      throw new DaosError("DER_INVAL", text, { id }, cause);
    }
  }
  return { bytes, filterMask: filterMask >>> 0 };
}

const reasonOf = (cause: unknown): string =>
  cause === undefined ? "" : `: ${(cause as Error).message}`;

/**
 * Undoes a pipeline.
 *
 * @returns `chunkSize` bytes; the stored ones themselves if no filter was applied.
 * @throws `DaosError` `DER_NOSYS` for a filter that is not known, `DER_CSUM` if a checksum differs,
 *   `DER_DF_INVAL` for bytes that its filters cannot have made.
 */
export async function decodeChunk(
  stored: Uint8Array,
  { dataset, filters: pipeline, chunkSize }: Pipeline,
  filterMask = 0,
): Promise<Uint8Array> {
  let bytes = stored;
  for (let index = pipeline.length - 1; index >= 0; index--) {
    if ((filterMask & (1 << index)) !== 0) continue;
    const description = pipeline[index] as FilterDescription;
    const filter = findFilter(description.id);
    if (filter === undefined) throw unknown(description, dataset);
    try {
      bytes = await filter.decode(bytes, contextOf(description, chunkSize));
    } catch (error) {
      if (error instanceof DaosError) throw error;
      const why = `filter ${filter.id} (${filter.name}) failed: ${(error as Error).message}`;
      throw damagedChunk(dataset, why, error);
    }
  }
  if (bytes.length === chunkSize) return bytes;
  throw damagedChunk(dataset, `it has ${bytes.length} bytes, not ${chunkSize}`);
}

function damagedChunk(dataset: string, why: string, cause?: unknown): DaosError {
  const text = {
    what: `Reading a chunk of dataset "${dataset}"`,
    why,
    remedy: "the chunk is damaged: restore it from a copy",
  };
  return new DaosError("DER_DF_INVAL", text, { dataset }, cause);
}
