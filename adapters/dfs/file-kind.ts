/**
 * What a name is: its kind, as `node:fs` asks for it and as bits of its mode.
 *
 * @module
 */

import { constants } from "node:fs";
import type { Inode, InodeKind } from "./inode-format.js";

/** Bytes that are best read at a time. */
export const BLOCK_SIZE = 4096;
/** Bytes of the unit that sizes on a device are told in. */
export const SECTOR_SIZE = 512;
const KIND_BITS = {
  file: constants.S_IFREG,
  directory: constants.S_IFDIR,
  symlink: constants.S_IFLNK,
} as const;

/** Permission bits, and those that tell the kind. */
export function modeOf({ mode, kind }: Inode): number {
  return (mode & 0o7777) | KIND_BITS[kind];
}

/** What a name is, asked as in `node:fs`. */
export class FileKind {
  readonly #kind: InodeKind;

  constructor(kind: InodeKind) {
    this.#kind = kind;
  }

  /** Whether it is a file. */
  isFile(): boolean {
    return this.#kind === "file";
  }

  /** Whether it is a directory. */
  isDirectory(): boolean {
    return this.#kind === "directory";
  }

  /** Whether it is a symbolic link. */
  isSymbolicLink(): boolean {
    return this.#kind === "symlink";
  }

  /** Whether it is a pipe: never. */
  isFIFO(): boolean {
    return false;
  }

  /** Whether it is a socket: never. */
  isSocket(): boolean {
    return false;
  }

  /** Whether it is a block device: never. */
  isBlockDevice(): boolean {
    return false;
  }

  /** Whether it is a character device: never. */
  isCharacterDevice(): boolean {
    return false;
  }
}
