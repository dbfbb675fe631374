/**
 * Limits of what is read of an `.h5` file, unit last: a hostile file must not take more.
 *
 * What a file declares is also checked against the file itself: nothing is read, and no buffer made,
 * for bytes beyond its end.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of metadata that are read and kept at once. */
export const PAGE_SIZE = 64 * KIB;
/** Pages that are kept. */
export const PAGES_MAX = 128;
/** Largest single record of metadata, in bytes: a chunk of an object header, a block of a heap. */
export const METADATA_SIZE_MAX = 256 * MIB;
/** Deepest tree that is followed: B-trees, and indirect blocks of heaps. */
export const TREE_DEPTH_MAX = 64;
/** Blocks of heaps that are kept, in bytes. */
export const HEAP_CACHE_SIZE = 16 * MIB;
/** Decoded chunks of a dataset that are kept, in bytes; one is kept in any case. */
export const CHUNK_CACHE_SIZE = 16 * MIB;
/** Chunks that are decoded side by side, if so many fit {@link CHUNK_CACHE_SIZE}. */
export const CHUNKS_AT_ONCE_MAX = 8;
/** Largest chunk, filters undone, unless the caller allows more, in bytes. */
export const CHUNK_SIZE_MAX = 128 * MIB;
/** Most that items of several elements of variable length take in one read, in bytes. */
export const ITEMS_SIZE_MAX = 128 * MIB;
/** Most that one read of elements returns, or that the items of one element take, in bytes. */
export const READ_SIZE_MAX = 1024 * MIB;
/** Files that a virtual dataset or an external file list opens at once. */
export const OTHER_FILES_MAX = 64;
