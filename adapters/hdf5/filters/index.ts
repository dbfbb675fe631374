/**
 * Filters: see `filter.ts`; those that come with this front end are in `built-in.ts`.
 *
 * @module
 */

import "./built-in.js";

export { type ChunkFilters, chunkFilters } from "./chunk-filters.js";
export {
  decodeChunk,
  encodeChunk,
  type Filter,
  type FilterContext,
  type FilteredChunk,
  type FilteredDataset,
  findFilter,
  localFilters,
  type Pipeline,
  registerFilter,
} from "./filter.js";
