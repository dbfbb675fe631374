/**
 * What is known of a file or directory, in the shapes of `node:fs`.
 *
 * @module
 */

import type { ObjectId } from "../../core/index.js";
import type { Inode } from "./inode-format.js";
import type { DirectoryEntry } from "./namespace.js";

const NS_PER_MS = 1_000_000n;

/** A file or directory, as of one version. */
export class Stats {
  /** Bytes up to the last one written; 0 for a directory. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** User id of the owner: of the process that created it. */
  readonly uid: number;
  /** Group id of the owner. */
  readonly gid: number;
  /** When it was created. */
  readonly birthtime: Date;
  /** The object that holds the file's bytes, or the directory's entries. */
  readonly oid: ObjectId;
  readonly #inode: Inode;

  constructor(inode: Inode, size: number) {
    this.#inode = inode;
    this.size = size;
    this.mode = inode.mode;
    this.uid = inode.uid;
    this.gid = inode.gid;
    this.birthtime = new Date(Number(inode.created / NS_PER_MS));
    this.oid = inode.oid;
  }

  /** Whether it is a file. */
  isFile(): boolean {
    return this.#inode.kind === "file";
  }

  /** Whether it is a directory. */
  isDirectory(): boolean {
    return this.#inode.kind === "directory";
  }
}

/** An entry of a directory. */
export class Dirent {
  /** Name in the directory. */
  readonly name: string;
  /** Path of the directory, as it was given. */
  readonly parentPath: string;
  readonly #inode: Inode;

  constructor({ name, inode }: DirectoryEntry, parentPath: string) {
    this.name = name;
    this.parentPath = parentPath;
    this.#inode = inode;
  }

  /** Whether it is a file. */
  isFile(): boolean {
    return this.#inode.kind === "file";
  }

  /** Whether it is a directory. */
  isDirectory(): boolean {
    return this.#inode.kind === "directory";
  }
}
