/**
 * Filters as h5py names them.
 *
 * @module
 */

import type { FilterDescription } from "../description.js";

/** Numbers of HDF5's filters, and of those registered with it. */
export const FILTER_ID = {
  gzip: 1,
  shuffle: 2,
  fletcher32: 3,
  szip: 4,
  nbit: 5,
  scaleOffset: 6,
  lzf: 32000,
  lz4: 32004,
  bitshuffle: 32008,
  zstd: 32015,
} as const;

/** Compressions that have a name. */
export type CompressionName = "gzip" | "lzf" | "szip" | "lz4" | "zstd" | "bitshuffle";

const COMPRESSIONS: readonly CompressionName[] = [
  "gzip",
  "lzf",
  "szip",
  "lz4",
  "zstd",
  "bitshuffle",
];
/** Filters that do not compress. */
const OTHERS: readonly number[] = [
  FILTER_ID.shuffle,
  FILTER_ID.fletcher32,
  FILTER_ID.scaleOffset,
  FILTER_ID.nbit,
];
/** Parameter of szip: entropy coding. */
const SZIP_EC = 4;

/** What the filters of a dataset do. */
export interface FilterFacts {
  readonly compression: CompressionName | number | undefined;
  readonly compressionOptions: unknown;
  readonly shuffle: boolean;
  readonly fletcher32: boolean;
  readonly scaleOffset: number | undefined;
}

function optionsOf({ id, parameters }: FilterDescription): unknown {
  if (id === FILTER_ID.gzip) return parameters[0];
  if (id === FILTER_ID.lzf) return undefined;
  if (id === FILTER_ID.szip) {
    return [((parameters[0] ?? 0) & SZIP_EC) === 0 ? "nn" : "ec", parameters[1]];
  }
  return parameters.length === 0 ? undefined : parameters;
}

/** What a pipeline does. */
export function describeFilters(filters: readonly FilterDescription[]): FilterFacts {
  const compressor = filters.find(({ id }) => !OTHERS.includes(id));
  const name = COMPRESSIONS.find((candidate) => FILTER_ID[candidate] === compressor?.id);
  const scale = filters.find(({ id }) => id === FILTER_ID.scaleOffset);
  return {
    compression: name ?? compressor?.id,
    compressionOptions: compressor && optionsOf(compressor),
    shuffle: filters.some(({ id }) => id === FILTER_ID.shuffle),
    fletcher32: filters.some(({ id }) => id === FILTER_ID.fletcher32),
    scaleOffset: scale?.parameters[1],
  };
}
