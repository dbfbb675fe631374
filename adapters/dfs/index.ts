/**
 * File system front end: a container with paths, directories and files.
 *
 * `Dfs` is for programs, after `node:fs/promises`; the functions of the namespace are for the other
 * front ends, which find their files by them inside transactions of their own.
 *
 * @example
 * ```ts
 * import { Pool } from "daos-ts";
 * import { Dfs } from "daos-ts/dfs";
 *
 * using pool = Pool.connect("/scratch/run.pool");
 * const dfs = Dfs.mount(pool.openContainer("results"));
 * await dfs.mkdir("notes", { recursive: true });
 * await dfs.writeFile("notes/today.txt", "It ran.");
 * await dfs.readFile("notes/today.txt", "utf8"); // "It ran."
 * ```
 *
 * @module
 */

export type { BigIntStats } from "./bigint-stats.js";
export { Dfs, type OpenFlags } from "./dfs.js";
export { DfsError, isDfsError } from "./errors.js";
export type {
  FileData,
  FileDataOptions,
  ReadResult,
  ReadVectorResult,
  WriteResult,
  WriteVectorResult,
} from "./file-data.js";
export { FileHandle } from "./file-handle.js";
export {
  type HandleReadStreamOptions,
  type HandleWriteStreamOptions,
  ReadStream,
  WriteStream,
} from "./file-streams.js";
export type { Inode, InodeKind } from "./inode-format.js";
export { isDaosAddress, type Location, parseLocation } from "./location.js";
export {
  create,
  type DirectoryEntry,
  listDirectory,
  lookup,
  NAME_SIZE_MAX,
  type NamespaceState,
  notFound,
  PATH_SIZE_MAX,
  ROOT_OID,
  remove,
  replace,
  splitPath,
} from "./namespace.js";
export { type KeyedValue, listValues } from "./own-values.js";
export type { FileReadStreamOptions, FileWriteStreamOptions } from "./path-streams.js";
export type { Place } from "./place.js";
export { Dirent, Stats } from "./stats.js";
export type { TimeLike } from "./time-like.js";
export type { Position, ReadOptions, TransferOptions } from "./transfer-arguments.js";
export { type FileChange, PathWatch, type WatchPathOptions } from "./watch.js";
export { copyXattrs, XATTR_CREATE, XATTR_REPLACE, type XattrFlags } from "./xattr.js";
