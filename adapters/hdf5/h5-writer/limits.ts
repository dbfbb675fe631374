/**
 * Limits of the writer of `.h5` files, unit last.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Elements that are copied at once, in bytes. */
export const BOX_SIZE_MAX = 16 * MIB;
/** Bytes after which other work of the process gets its turn. */
export const TURN_SIZE = 16 * MIB;
/** Items of elements of variable length that are wanted in memory at once, in bytes. */
export const ITEMS_SIZE_MAX = 16 * MIB;
/** Elements of variable length that are read at first; then as many as have that many bytes. */
export const ITEMS_COUNT_FIRST = 1024;
/** Largest body of a message of an object header, in bytes. */
export const MESSAGE_SIZE_MAX = 65_528;
/** Links of a group, and attributes of an object, that stay in its header; as HDF5 does by default. */
export const COMPACT_COUNT_MAX = 8;
/** Largest object that lies in a block of a fractal heap, in bytes; as HDF5 does for links and attributes. */
export const MANAGED_SIZE_MAX = 4 * KIB;
/** A collection of the global heap, in bytes. Readers read collections as a whole. */
export const COLLECTION_SIZE = 64 * KIB;
/** Most items of a collection: they are numbered from 1, in 16 bits. */
export const COLLECTION_COUNT_MAX = 65_535;
