/**
 * What is known of a file, in bigints, after `BigIntStats` of `node:fs`.
 *
 * @module
 */

import { constants } from "node:fs";
import { type ContainerView, type ObjectId, timeOfEpoch } from "../../core/index.js";
import type { Inode } from "./inode-format.js";

const BLOCK_SIZE = 4096n;
const SECTOR_SIZE = 512n;
const KIND_BITS = {
  file: constants.S_IFREG,
  directory: constants.S_IFDIR,
  symlink: constants.S_IFLNK,
} as const;

/** A file as of one version, with exact numbers. Times that end in `Ns` are nanoseconds since 1970-01-01 UTC. */
export interface BigIntStats {
  /** Number of the container's file system: always 0. */
  readonly dev: bigint;
  /** The object that holds the bytes, which is 128 bits long. */
  readonly ino: ObjectId;
  /** Permission bits, and those that tell the kind. */
  readonly mode: bigint;
  /** Names of the file: always 1. */
  readonly nlink: bigint;
  /** User id of the owner. */
  readonly uid: bigint;
  /** Group id. */
  readonly gid: bigint;
  /** Always 0: no file is a device. */
  readonly rdev: bigint;
  /** Bytes up to the last one written. */
  readonly size: bigint;
  /** Bytes that are best read at a time. */
  readonly blksize: bigint;
  /** Units of 512 bytes that the size comes to; holes count. */
  readonly blocks: bigint;
  /** Access time. */
  readonly atimeNs: bigint;
  /** Modification time: of the newest write, or as it was set after it. */
  readonly mtimeNs: bigint;
  /** When attributes or bytes were changed. */
  readonly ctimeNs: bigint;
  /** When it was created. */
  readonly birthtimeNs: bigint;
  /** Access time in milliseconds. */
  readonly atimeMs: bigint;
  /** Modification time in milliseconds. */
  readonly mtimeMs: bigint;
  /** Time of the last change in milliseconds. */
  readonly ctimeMs: bigint;
  /** When it was created, in milliseconds. */
  readonly birthtimeMs: bigint;
  /** Access time. */
  readonly atime: Date;
  /** Modification time. */
  readonly mtime: Date;
  /** Time of the last change. */
  readonly ctime: Date;
  /** When it was created. */
  readonly birthtime: Date;
  /** Whether it is a file. */
  isFile(): boolean;
  /** Whether it is a directory. */
  isDirectory(): boolean;
  /** Whether it is a symbolic link. */
  isSymbolicLink(): boolean;
}

function moment<Name extends string>(name: Name, at: bigint) {
  const milliseconds = at / 1_000_000n;
  return {
    [`${name}Ns`]: at,
    [`${name}Ms`]: milliseconds,
    [name]: new Date(Number(milliseconds)),
  } as Record<`${Name}Ns` | `${Name}Ms`, bigint> & Record<Name, Date>;
}

/**
 * When a file was modified and changed. What was set after the last write counts, even if it lies in the
 * past: the order of commits decides, for clocks may say that two of them were at one time.
 */
export function inodeTimes(
  inode: Inode,
  view: ContainerView,
): { readonly modified: bigint; readonly changed: bigint } {
  const { modified, changed } = inode;
  const newest = inode.kind === "symlink" ? undefined : view.newestChange(inode.oid);
  if (newest === undefined) return { modified, changed };
  const written = timeOfEpoch(newest);
  const isWrittenLast = newest > inode.modifiedEpoch;
  if (!isWrittenLast) return { modified, changed };
  return { modified: written, changed: changed > written ? changed : written };
}

/**
 * An inode whose times are set in a transaction.
 *
 * @param view The version that the transaction reads. A write that is committed meanwhile repeats the
 *   transaction: so all writes after that version are writes after the times.
 */
export function withTimes(
  inode: Inode,
  view: ContainerView,
  times: { readonly accessed: bigint; readonly modified: bigint },
): Inode {
  if (inode.kind !== "symlink") view.newestChange(inode.oid);
  return { ...inode, ...times, modifiedEpoch: view.epoch };
}

/** What is known of a file. @param file Its size in bytes, and the version that is shown. */
export function bigIntStats(
  inode: Inode,
  { size, view }: { size: number; view: ContainerView },
): BigIntStats {
  const { modified, changed } = inodeTimes(inode, view);
  const count = BigInt(size);
  return {
    dev: 0n,
    ino: inode.oid,
    mode: BigInt((inode.mode & 0o7777) | KIND_BITS[inode.kind]),
    nlink: 1n,
    uid: BigInt(inode.uid),
    gid: BigInt(inode.gid),
    rdev: 0n,
    size: count,
    blksize: BLOCK_SIZE,
    blocks: (count + SECTOR_SIZE - 1n) / SECTOR_SIZE,
    ...moment("atime", inode.accessed),
    ...moment("mtime", modified),
    ...moment("ctime", changed),
    ...moment("birthtime", inode.created),
    isFile: () => inode.kind === "file",
    isDirectory: () => inode.kind === "directory",
    isSymbolicLink: () => inode.kind === "symlink",
  };
}
