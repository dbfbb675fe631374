/**
 * Limits of MPI files.
 *
 * @module
 */

/** Memory through which blocks of a buffer with gaps are gathered and scattered, in bytes. */
export const STAGING_SIZE = 2 ** 20;
/** Blocks of at least this size are written from, and read to, where they lie, in bytes. */
export const DIRECT_BLOCK_SIZE_MIN = 2 ** 16;
