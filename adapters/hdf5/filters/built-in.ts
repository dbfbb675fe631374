/**
 * The filters that come with this front end, made known.
 *
 * @module
 */

import { bitshuffleFilter } from "./bitshuffle.js";
import { bloscFilter } from "./blosc.js";
import { deflateFilter } from "./deflate.js";
import { type Filter, registerFilter } from "./filter.js";
import { fletcher32Filter } from "./fletcher32.js";
import { lz4Filter } from "./lz4.js";
import { lzfFilter } from "./lzf.js";
import { nbitFilter } from "./nbit.js";
import { scaleOffsetFilter } from "./scale-offset.js";
import { shuffleFilter } from "./shuffle.js";
import { szipFilter } from "./szip.js";
import { zstdFilter } from "./zstd.js";

/** All of them. */
export const BUILT_IN: readonly Filter[] = [
  deflateFilter,
  shuffleFilter,
  fletcher32Filter,
  szipFilter,
  nbitFilter,
  scaleOffsetFilter,
  lzfFilter,
  bloscFilter,
  lz4Filter,
  bitshuffleFilter,
  zstdFilter,
];
for (const filter of BUILT_IN) registerFilter(filter);
