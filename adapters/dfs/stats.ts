/**
 * What is known of a file or directory, in the shapes of `node:fs`.
 *
 * @module
 */

import type { ContainerView, ObjectId } from "../../core/index.js";
import { BLOCK_SIZE, FileKind, modeOf, SECTOR_SIZE } from "./file-kind.js";
import type { Inode } from "./inode-format.js";
import { inodeTimes } from "./inode-times.js";

const NS_PER_MS = 1e6;

/** A file or directory, as of one version; see {@link BigIntStats}, which has the same in exact numbers. */
export class Stats extends FileKind {
  /** Number of the container's file system: always 0. */
  readonly dev = 0;
  /** The low 53 bits of the object id, which no other object of the container has as long as ids are drawn. */
  readonly ino: number;
  /** Permission bits, and those that tell the kind. */
  readonly mode: number;
  /** Names of the file: always 1. */
  readonly nlink = 1;
  /** User id of the owner: of the process that created it. */
  readonly uid: number;
  /** Group id of the owner. */
  readonly gid: number;
  /** Always 0: no file is a device. */
  readonly rdev = 0;
  /** Bytes up to the last one written; of a link, those of its target; 0 for a directory. */
  readonly size: number;
  /** Bytes that are best read at a time. */
  readonly blksize: number;
  /** Units of 512 bytes that the size comes to; holes count. */
  readonly blocks: number;
  /** Access time in milliseconds since 1970-01-01 UTC, as it was set: reading does not change it. */
  readonly atimeMs: number;
  /** Modification time in milliseconds: of the newest write, or as it was set after it. */
  readonly mtimeMs: number;
  /** When attributes or bytes were changed, in milliseconds. */
  readonly ctimeMs: number;
  /** When it was created, in milliseconds. */
  readonly birthtimeMs: number;
  /** The object that holds the file's bytes, or the directory's entries. */
  readonly oid: ObjectId;

  /** @param file Its size in bytes, and the version that is shown. */
  constructor(inode: Inode, file: { size: number; view: ContainerView }) {
    super(inode.kind);
    const { modified, changed } = inodeTimes(inode, file.view);
    this.oid = inode.oid;
    this.ino = Number(BigInt.asUintN(53, inode.oid));
    this.mode = modeOf(inode);
    this.uid = inode.uid;
    this.gid = inode.gid;
    this.size = file.size;
    this.blksize = BLOCK_SIZE;
    this.blocks = Math.ceil(file.size / SECTOR_SIZE);
    this.atimeMs = Number(inode.accessed) / NS_PER_MS;
    this.mtimeMs = Number(modified) / NS_PER_MS;
    this.ctimeMs = Number(changed) / NS_PER_MS;
    this.birthtimeMs = Number(inode.created) / NS_PER_MS;
  }

  /** Access time. Dates are made when they are asked for: most callers ask for other facts. */
  get atime(): Date {
    return dateOf(this.atimeMs);
  }

  /** Modification time. */
  get mtime(): Date {
    return dateOf(this.mtimeMs);
  }

  /** Time of the last change. */
  get ctime(): Date {
    return dateOf(this.ctimeMs);
  }

  /** When it was created. */
  get birthtime(): Date {
    return dateOf(this.birthtimeMs);
  }
}

/** The nearest date, as `node:fs` has it: a number is up to 128 ns off. */
function dateOf(milliseconds: number): Date {
  return new Date(Math.round(milliseconds));
}

/** How names are given: as text, in an encoding, or as bytes. */
export type NameEncoding = BufferEncoding | "buffer" | null | undefined;

/** A name in an encoding; the bytes themselves with `buffer`. */
export function encodedName(name: string, encoding: NameEncoding): string | Buffer {
  if (encoding === "buffer") return Buffer.from(name);
  if (!encoding || /^utf-?8$/i.test(encoding)) return name;
  return Buffer.from(name).toString(encoding);
}

/** An entry of a directory. */
export class Dirent<Name extends string | Buffer = string> extends FileKind {
  /** Name in the directory. */
  readonly name: Name;
  /** Path of the directory, as it was given; of one below it, with its names behind. */
  readonly parentPath: string;

  constructor({ name, inode }: { name: Name; inode: Inode }, parentPath: string) {
    super(inode.kind);
    this.name = name;
    this.parentPath = parentPath;
  }

  /** The same as {@link parentPath}, as older releases of node call it. */
  get path(): string {
    return this.parentPath;
  }
}
