/**
 * Filters of the chunks that one call reads or writes: of many in threads, of few where they are.
 *
 * @module
 */

import { BUILT_IN } from "./built-in.js";
import {
  decodeChunk,
  encodeChunk,
  type FilteredChunk,
  findFilter,
  type Pipeline,
} from "./filter.js";
import { decodeInThread, encodeInThread } from "./filter-threads.js";

/** Bytes of chunks from which on threads are worth it: less is done before they have started. */
const THREADED_SIZE_MIN = 8 * 1024 * 1024;
/** Chunks that are smaller cost more to send than to filter. */
const CHUNK_SIZE_MIN = 16 * 1024;

/** Filters chunks, which may be done in another order than they are given. */
export interface ChunkFilters {
  /**
   * See {@link encodeChunk}.
   *
   * @param isOwn Whether the chunk's memory may be given away: it is empty then.
   */
  encode(chunk: Uint8Array, isOwn: boolean): Promise<FilteredChunk>;
  /** See {@link decodeChunk}, and {@link encode}. */
  decode(stored: Uint8Array, filterMask: number, isOwn: boolean): Promise<Uint8Array>;
}

/** Threads know no other filters. */
const isBuiltIn = (id: number): boolean => {
  const filter = findFilter(id);
  return filter !== undefined && BUILT_IN.includes(filter);
};

/**
 * The filters for a call.
 *
 * @param size Bytes of all chunks that it is about, in memory.
 */
export function chunkFilters(pipeline: Pipeline, size: number): ChunkFilters {
  const { filters, chunkSize } = pipeline;
  const isThreaded =
    size >= THREADED_SIZE_MIN &&
    size >= 2 * chunkSize &&
    chunkSize >= CHUNK_SIZE_MIN &&
    filters.length > 0 &&
    filters.every(({ id }) => isBuiltIn(id));
  if (isThreaded) {
    return {
      encode: (chunk, isOwn) => encodeInThread(chunk, pipeline, isOwn),
      decode: (stored, filterMask, isOwn) =>
        decodeInThread(stored, pipeline, { filterMask, isOwn }),
    };
  }
  return {
    encode: (chunk) => encodeChunk(chunk, pipeline),
    decode: (stored, filterMask) => decodeChunk(stored, pipeline, filterMask),
  };
}
