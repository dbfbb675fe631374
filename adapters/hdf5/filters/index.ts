/**
 * The filters that come with this front end.
 *
 * @module
 */

import { deflateFilter } from "./deflate.js";
import { registerFilter } from "./filter.js";
import { fletcher32Filter } from "./fletcher32.js";
import { lzfFilter } from "./lzf.js";
import { shuffleFilter } from "./shuffle.js";

for (const filter of [deflateFilter, shuffleFilter, fletcher32Filter, lzfFilter]) {
  registerFilter(filter);
}

export {
  configureFilter,
  decodeChunk,
  encodeChunk,
  type Filter,
  type FilterContext,
  type FilteredDataset,
  findFilter,
  type Pipeline,
  registerFilter,
} from "./filter.js";
