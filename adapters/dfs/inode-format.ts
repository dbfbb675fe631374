/**
 * The inode of a name: a single value under the directory's object.
 *
 * A directory is an object; an entry is a dkey (the name), its inode the akey `DFS_INODE`. Version 1:
 *
 *     u8 version, u8 kind (0 file, 1 directory), u16 zero, u32 mode, u64 creation time (ns since 1970),
 *     16 bytes object id (big-endian)
 *
 * @module
 */

import { DaosError, type ObjectId } from "../../core/index.js";

/** The akey of inodes. */
export const INODE_AKEY = Buffer.from("DFS_INODE");

const INODE_VERSION = 1;
const INODE_SIZE = 32;
/** Durable: DO NOT CHANGE THESE VALUES. */
const KINDS = ["file", "directory"] as const;

/** What a name is. */
export type InodeKind = (typeof KINDS)[number];

/** What a name stands for. */
export interface Inode {
  /** File or directory. */
  readonly kind: InodeKind;
  /** Permission bits. */
  readonly mode: number;
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly created: bigint;
  /** The file's array, or the directory's entries. */
  readonly oid: ObjectId;
}

/** Encodes an inode. */
export function encodeInode({ kind, mode, created, oid }: Inode): Uint8Array {
  const bytes = Buffer.alloc(INODE_SIZE);
  bytes.writeUInt8(INODE_VERSION, 0);
  bytes.writeUInt8(KINDS.indexOf(kind), 1);
  bytes.writeUInt32BE(mode, 4);
  bytes.writeBigUInt64BE(created, 8);
  bytes.writeBigUInt64BE(oid >> 64n, 16);
  bytes.writeBigUInt64BE(oid & 0xffff_ffff_ffff_ffffn, 24);
  return bytes;
}

/**
 * Decodes an inode.
 *
 * @throws `DaosError` `DER_DF_INVAL` if it is damaged.
 */
export function decodeInode(value: Uint8Array, name: string): Inode {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const kind = KINDS[bytes[1] ?? KINDS.length];
  if (bytes.length !== INODE_SIZE || bytes[0] !== INODE_VERSION || kind === undefined) {
    throw new DaosError("DER_DF_INVAL", {
      what: `Reading the inode of ${name}`,
      why: "it is damaged, or another release wrote it",
      remedy: "use the release that wrote the pool, or restore the pool from a copy",
    });
  }
  const oid = (bytes.readBigUInt64BE(16) << 64n) | bytes.readBigUInt64BE(24);
  return { kind, mode: bytes.readUInt32BE(4), created: bytes.readBigUInt64BE(8), oid };
}
