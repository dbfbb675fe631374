/**
 * The filters that come with this front end.
 *
 * @module
 */

import { bitshuffleFilter } from "./bitshuffle.js";
import { deflateFilter } from "./deflate.js";
import { registerFilter } from "./filter.js";
import { fletcher32Filter } from "./fletcher32.js";
import { lz4Filter } from "./lz4.js";
import { lzfFilter } from "./lzf.js";
import { nbitFilter } from "./nbit.js";
import { scaleOffsetFilter } from "./scale-offset.js";
import { shuffleFilter } from "./shuffle.js";
import { szipFilter } from "./szip.js";
import { zstdFilter } from "./zstd.js";

const FILTERS = [
  deflateFilter,
  shuffleFilter,
  fletcher32Filter,
  szipFilter,
  nbitFilter,
  scaleOffsetFilter,
  lzfFilter,
  lz4Filter,
  bitshuffleFilter,
  zstdFilter,
];
for (const filter of FILTERS) registerFilter(filter);

export {
  decodeChunk,
  encodeChunk,
  type Filter,
  type FilterContext,
  type FilteredDataset,
  findFilter,
  localFilters,
  type Pipeline,
  registerFilter,
} from "./filter.js";
