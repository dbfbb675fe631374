/**
 * Limits of MPI files.
 *
 * @module
 */

/** Memory through which blocks of a buffer with gaps are gathered and scattered, in bytes. */
export const STAGING_SIZE = 2 ** 20;
/** Blocks of at least this size are written from, and read to, where they lie, in bytes. */
export const DIRECT_BLOCK_SIZE_MIN = 2 ** 16;
/** Memory in which small records are kept back, and fetched ahead, in bytes: what stays in a core's cache. */
export const RECORD_BUFFER_SIZE = 2 ** 18;
/** Larger records are moved where they lie, in bytes. */
export const RECORD_SIZE_MAX = 2 ** 14;
/** Fewer records are not worth fetching ahead. */
export const RECORDS_AHEAD_MIN = 3;
