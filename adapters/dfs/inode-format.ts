/**
 * The inode of a name: a single value under the directory's object.
 *
 * A directory is an object; an entry is a dkey (the name), its inode the akey `DFS_INODE`. Big-endian:
 *
 *     version 1   u8 1, u8 kind (0 file, 1 directory), u16 zero, u32 mode, u64 creation time,
 *                 16 bytes object id
 *     version 2   u8 2, u8 kind (also 2 symbolic link), u16 zero, u32 mode, u64 creation time,
 *                 16 bytes object id, u32 uid, u32 gid, u64 access, modification, change time,
 *                 target of a symbolic link
 *
 * Times are nanoseconds since 1970-01-01 UTC. Version 1 is read, version 2 is written.
 *
 * @module
 */

import { DaosError, type ObjectId } from "../../core/index.js";

/** The akey of inodes. */
export const INODE_AKEY = Buffer.from("DFS_INODE");

const VERSION_1_SIZE = 32;
const VERSION_2 = 2;
const VERSION_2_SIZE = 64;
/** Durable: DO NOT CHANGE THESE VALUES. */
const KINDS = ["file", "directory", "symlink"] as const;
const LOW_HALF = 0xffff_ffff_ffff_ffffn;

/** What a name is. */
export type InodeKind = (typeof KINDS)[number];

/** What a name stands for. Times are nanoseconds since 1970-01-01 UTC. */
export interface Inode {
  /** File, directory or symbolic link. */
  readonly kind: InodeKind;
  /** Permission bits. */
  readonly mode: number;
  /** When it was created. */
  readonly created: bigint;
  /** The file's array, or the directory's entries; of a symbolic link its extended attributes. */
  readonly oid: ObjectId;
  /** User id of the owner. */
  readonly uid: number;
  /** Group id. */
  readonly gid: number;
  /** Access time, as it was set: reading does not change it. */
  readonly accessed: bigint;
  /** Modification time, as it was set; writes of a file come on top. */
  readonly modified: bigint;
  /** When the inode was changed. */
  readonly changed: bigint;
  /** Where a symbolic link leads; empty for other kinds. */
  readonly target: Uint8Array;
}

/** Encodes an inode. */
export function encodeInode(inode: Inode): Uint8Array {
  const bytes = Buffer.alloc(VERSION_2_SIZE + inode.target.length);
  bytes.writeUInt8(VERSION_2, 0);
  bytes.writeUInt8(KINDS.indexOf(inode.kind), 1);
  bytes.writeUInt32BE(inode.mode, 4);
  bytes.writeBigUInt64BE(inode.created, 8);
  bytes.writeBigUInt64BE(inode.oid >> 64n, 16);
  bytes.writeBigUInt64BE(inode.oid & LOW_HALF, 24);
  bytes.writeUInt32BE(inode.uid, 32);
  bytes.writeUInt32BE(inode.gid, 36);
  bytes.writeBigUInt64BE(inode.accessed, 40);
  bytes.writeBigUInt64BE(inode.modified, 48);
  bytes.writeBigUInt64BE(inode.changed, 56);
  bytes.set(inode.target, VERSION_2_SIZE);
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
  const isFirst = bytes[0] === 1 && bytes.length === VERSION_1_SIZE && kind !== "symlink";
  const isSecond = bytes[0] === VERSION_2 && bytes.length >= VERSION_2_SIZE;
  const hasTail = bytes.length > VERSION_2_SIZE;
  if (kind === undefined || !(isFirst || (isSecond && hasTail === (kind === "symlink")))) {
    throw new DaosError("DER_DF_INVAL", {
      what: `Reading the inode of ${name}`,
      why: "it is damaged, or another release wrote it",
      remedy: "use the release that wrote the pool, or restore the pool from a copy",
    });
  }
  const created = bytes.readBigUInt64BE(8);
  const oid = (bytes.readBigUInt64BE(16) << 64n) | bytes.readBigUInt64BE(24);
  const common = { kind, mode: bytes.readUInt32BE(4), created, oid };
  if (isFirst) {
    const times = { accessed: created, modified: created, changed: created };
    return { ...common, uid: 0, gid: 0, ...times, target: new Uint8Array(0) };
  }
  return {
    ...common,
    uid: bytes.readUInt32BE(32),
    gid: bytes.readUInt32BE(36),
    accessed: bytes.readBigUInt64BE(40),
    modified: bytes.readBigUInt64BE(48),
    changed: bytes.readBigUInt64BE(56),
    target: new Uint8Array(bytes.subarray(VERSION_2_SIZE)),
  };
}
