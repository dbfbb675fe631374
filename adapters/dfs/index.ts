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

export { BigIntStats } from "./bigint-stats.js";
export {
  type CheckOptions,
  checkFileSystem,
  type EntryFault,
  type FileSystemFault,
  type FileSystemReport,
  LOST_AND_FOUND,
  type NameFault,
  type ObjectFault,
  type SecondNameFault,
} from "./check.js";
export type { CopyOptions } from "./copy.js";
export { Dfs, type FileLike, type ReadFileOptions, type WriteFileOptions } from "./dfs.js";
export { DfsAttributes, type StatOptions } from "./dfs-attributes.js";
export { DfsNames, type MkdirOptions, type NameOptions } from "./dfs-names.js";
export {
  type DirectoryEntry,
  inodeAt,
  listDirectory,
  type NamespaceChange,
  type NamespaceState,
  type NewInodeOptions,
  newInode,
  type Place,
  putInode,
  ROOT_OID,
} from "./directory.js";
export { Dir, type OpendirOptions, type ReaddirOptions } from "./directory-reader.js";
export { ArgumentTypeError, DfsError, isDfsError } from "./errors.js";
export type {
  FileData,
  FileDataOptions,
  ReadResult,
  ReadVectorResult,
  WriteResult,
  WriteVectorResult,
} from "./file-data.js";
export { FileHandle } from "./file-handle.js";
export { FileKind } from "./file-kind.js";
export {
  type HandleReadStreamOptions,
  type HandleWriteStreamOptions,
  ReadStream,
  WriteStream,
} from "./file-streams.js";
export type { Inode, InodeKind } from "./inode-format.js";
export { type InodeTimes, inodeTimes, withTimes } from "./inode-times.js";
export { NAME_SIZE_MAX, PATH_SIZE_MAX } from "./limits.js";
export { isDaosAddress, type Location, parseLocation } from "./location.js";
export type { Consistency, MountOptions } from "./mount.js";
export type { RmOptions } from "./name-changes.js";
export { create, lookup, type NewName, notFound, remove, replace, splitPath } from "./namespace.js";
export type { OpenFlags } from "./open-flags.js";
export { type KeyedValue, listValues } from "./own-values.js";
export type { PathLike } from "./path-argument.js";
export type { FileReadStreamOptions, FileWriteStreamOptions } from "./path-streams.js";
export { type FoundPlace, findPlace } from "./place.js";
export type { BigIntStatFs, SpaceNumbers, StatFs } from "./statfs.js";
export { Dirent, type NameEncoding, Stats } from "./stats.js";
export type { TimeLike } from "./time-like.js";
export type { Position, ReadOptions, TransferOptions } from "./transfer-arguments.js";
export { type FileChange, PathWatch, type WatchPathOptions } from "./watch.js";
export {
  copyXattrs,
  readXattrs,
  replaceXattrs,
  XATTR_CREATE,
  XATTR_REPLACE,
  type XattrFlags,
} from "./xattr.js";
