/**
 * What is known of a file, in bigints, after `BigIntStats` of `node:fs`.
 *
 * @module
 */

import type { ContainerView, ObjectId } from "../../core/index.js";
import { BLOCK_SIZE, FileKind, modeOf, SECTOR_SIZE } from "./file-kind.js";
import type { Inode } from "./inode-format.js";
import { inodeTimes } from "./inode-times.js";

/** Of exact numbers. */
const EXACT_SECTOR_SIZE = BigInt(SECTOR_SIZE);

/** A file as of one version, with exact numbers. Times that end in `Ns` are nanoseconds since 1970-01-01 UTC. */
export class BigIntStats extends FileKind {
  /** Number of the container's file system: always 0. */
  readonly dev = 0n;
  /** The object that holds the bytes, which is 128 bits long. */
  readonly ino: ObjectId;
  /** Permission bits, and those that tell the kind. */
  readonly mode: bigint;
  /** Names of the file: always 1. */
  readonly nlink = 1n;
  /** User id of the owner. */
  readonly uid: bigint;
  /** Group id. */
  readonly gid: bigint;
  /** Always 0: no file is a device. */
  readonly rdev = 0n;
  /** Bytes up to the last one written; of a link, those of its target; 0 for a directory. */
  readonly size: bigint;
  /** Bytes that are best read at a time. */
  readonly blksize = BigInt(BLOCK_SIZE);
  /** Units of 512 bytes that the size comes to; holes count. */
  readonly blocks: bigint;
  /** Access time, as it was set: reading does not change it. */
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

  /** @param file Its size in bytes, and the version that is shown. */
  constructor(inode: Inode, { size, view }: { size: number; view: ContainerView }) {
    super(inode.kind);
    const { modified, changed } = inodeTimes(inode, view);
    this.ino = inode.oid;
    this.mode = BigInt(modeOf(inode));
    this.uid = BigInt(inode.uid);
    this.gid = BigInt(inode.gid);
    this.size = BigInt(size);
    this.blocks = (this.size + EXACT_SECTOR_SIZE - 1n) / EXACT_SECTOR_SIZE;
    this.atimeNs = inode.accessed;
    this.mtimeNs = modified;
    this.ctimeNs = changed;
    this.birthtimeNs = inode.created;
    this.atimeMs = milliseconds(inode.accessed);
    this.mtimeMs = milliseconds(modified);
    this.ctimeMs = milliseconds(changed);
    this.birthtimeMs = milliseconds(inode.created);
    this.atime = new Date(Number(this.atimeMs));
    this.mtime = new Date(Number(this.mtimeMs));
    this.ctime = new Date(Number(this.ctimeMs));
    this.birthtime = new Date(Number(this.birthtimeMs));
  }
}

function milliseconds(nanoseconds: bigint): bigint {
  return nanoseconds / 1_000_000n;
}

/** The size of what an inode stands for, in bytes. */
export function sizeOfInode(inode: Inode, view: ContainerView): number {
  if (inode.kind === "file") return view.arraySize(inode.oid);
  return inode.target.length;
}
