/**
 * Limits of the file system front end, unit last.
 *
 * @module
 */

/** Appended bytes that a file handle keeps until they are committed; then it commits them itself. */
export const APPEND_PENDING_SIZE_MAX = 16 * 2 ** 20;
/** Times that an append looks for the end of a file that others append to. */
export const APPEND_ATTEMPTS_MAX = 1000;
/** Times that a change of names or attributes is made again, because others changed what it read. */
export const CHANGE_ATTEMPTS_MAX = 1000;
/** Longest name of an extended attribute, in bytes. */
export const XATTR_NAME_SIZE_MAX = 255;
/** Largest value of an extended attribute, in bytes. */
export const XATTR_VALUE_SIZE_MAX = 64 * 1024;
/** Buffer of `read` where the caller gives none, in bytes. */
export const READ_SIZE_DEFAULT = 16 * 1024;
/** What a stream asks for at a time, in bytes. */
export const STREAM_CHUNK_SIZE_DEFAULT = 64 * 1024;
/** Longest name of a path's component, in bytes. */
export const NAME_SIZE_MAX = 255;
/** Longest path, and target of a symbolic link, in bytes. */
export const PATH_SIZE_MAX = 4096;
/** Symbolic links that are followed on the way of one path, as Linux does. */
export const LINKS_FOLLOWED_MAX = 40;
/** How long a relaxed mount may show an old version by default, in milliseconds. */
export const STALE_MS_DEFAULT = 1000;
/** Entries that an open directory reads at a time by default. */
export const DIRECTORY_BUFFER_COUNT_DEFAULT = 32;
/** Bytes that copying a file moves at a time. */
export const COPY_CHUNK_SIZE = 4 * 2 ** 20;
/** Names that `mkdtemp` tries before it gives up. */
export const TEMPORARY_NAME_ATTEMPTS_MAX = 100;
/** Changes that share a commit. */
export const CHANGES_TOGETHER_COUNT_MAX = 512;
/** Bytes that are kept until the commit they share. */
export const CHANGES_TOGETHER_SIZE_MAX = 16 * 2 ** 20;

/** Directories whose places one version remembers; beyond that it begins anew. */
export const DIRECTORIES_REMEMBERED_MAX = 1024;
