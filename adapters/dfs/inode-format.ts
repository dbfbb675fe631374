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
 *     version 3   as 2, with u64 epoch before the target: writes that were committed after it came after
 *                 the modification time was set
 *
 * Times are nanoseconds since 1970-01-01 UTC. Versions 1 and 2 are read, version 3 is written.
 *
 * @module
 */

import { DaosError, type Epoch, epochOfTime, type ObjectId } from "../../core/index.js";

/** The akey of inodes. */
export const INODE_AKEY = Buffer.from("DFS_INODE");

const VERSION_1_SIZE = 32;
const VERSION_2_SIZE = 64;
const VERSION_3 = 3;
const VERSION_3_SIZE = 72;
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
  /** Modification time, as it was set; writes after {@link modifiedEpoch} come on top. */
  readonly modified: bigint;
  /** What was committed after this epoch was committed after `modified` was set. */
  readonly modifiedEpoch: Epoch;
  /** When the inode was changed. */
  readonly changed: bigint;
  /** Where a symbolic link leads; empty for other kinds. */
  readonly target: Uint8Array;
}

/** Encodes an inode. */
export function encodeInode(inode: Inode): Uint8Array {
  const bytes = Buffer.alloc(VERSION_3_SIZE + inode.target.length);
  bytes.writeUInt8(VERSION_3, 0);
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
  bytes.writeBigUInt64BE(inode.modifiedEpoch, 64);
  bytes.set(inode.target, VERSION_3_SIZE);
  return bytes;
}

/** Bytes before the target, by version. */
const HEAD_SIZES = [undefined, VERSION_1_SIZE, VERSION_2_SIZE, VERSION_3_SIZE] as const;
const NO_TARGET = new Uint8Array(0);

/** The kind of an inode; `undefined` if it is damaged. */
function kindIn(bytes: Buffer): InodeKind | undefined {
  const kind = KINDS[bytes[1] ?? KINDS.length];
  const size = HEAD_SIZES[bytes[0] ?? 0];
  if (kind === undefined || size === undefined || bytes.length < size) return undefined;
  if (kind === "symlink" && bytes[0] === 1) return undefined;
  return bytes.length > size === (kind === "symlink") ? kind : undefined;
}

/** The fixed part of the inode that is decoded: one view for all, because making views costs more than reading. */
const head = new DataView(new ArrayBuffer(VERSION_3_SIZE));
const headBytes = new Uint8Array(head.buffer);

/** The target of a symbolic link, in memory of its own. */
function targetIn(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.subarray(HEAD_SIZES[bytes[0] ?? 0]));
}

/**
 * Decodes an inode.
 *
 * @throws `DaosError` `DER_DF_INVAL` if it is damaged.
 */
export function decodeInode(value: Uint8Array, name: string): Inode {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const kind = kindIn(bytes);
  if (kind === undefined) {
    throw new DaosError("DER_DF_INVAL", {
      what: `Reading the inode of ${name}`,
      why: "it is damaged, or another release wrote it",
      remedy: "use the release that wrote the pool, or see what checkFileSystem() finds",
    });
  }
  headBytes.set(bytes.subarray(0, VERSION_3_SIZE));
  const version = bytes[0];
  const created = head.getBigUint64(8);
  const isFirst = version === 1;
  const changed = isFirst ? created : head.getBigUint64(56);
  return {
    kind,
    mode: head.getUint32(4),
    created,
    oid: (head.getBigUint64(16) << 64n) | head.getBigUint64(24),
    uid: isFirst ? 0 : head.getUint32(32),
    gid: isFirst ? 0 : head.getUint32(36),
    accessed: isFirst ? created : head.getBigUint64(40),
    modified: isFirst ? created : head.getBigUint64(48),
    changed,
    // Versions 1 and 2 told the order by clocks alone.
    modifiedEpoch: version === VERSION_3 ? head.getBigUint64(64) : epochOfTime(changed),
    target: kind === "symlink" ? targetIn(bytes) : NO_TARGET,
  };
}
