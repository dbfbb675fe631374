/**
 * Limits of the file system front end, unit last.
 *
 * @module
 */

/** Appended bytes that a file handle keeps until they are committed; then it commits them itself. */
export const APPEND_PENDING_SIZE_MAX = 16 * 2 ** 20;
/** Times that an append looks for the end of a file that others append to. */
export const APPEND_ATTEMPTS_MAX = 1000;
/** Longest name of an extended attribute, in bytes. */
export const XATTR_NAME_SIZE_MAX = 255;
/** Largest value of an extended attribute, in bytes. */
export const XATTR_VALUE_SIZE_MAX = 64 * 1024;
/** Buffer of `read` where the caller gives none, in bytes. */
export const READ_SIZE_DEFAULT = 16 * 1024;
/** What a stream asks for at a time, in bytes. */
export const STREAM_CHUNK_SIZE_DEFAULT = 64 * 1024;
