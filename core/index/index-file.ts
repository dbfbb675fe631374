/**
 * Looks at an index file before LMDB does: LMDB trusts its file, and one that was cut off or is
 * something else ends the process.
 *
 * LMDB's two meta pages, as the pinned release of `lmdb` lays them out (little-endian):
 *
 *     18   u16 kind of page (8)      24   u32 magic 0xbeefc0de    28   u32 version (2)
 *     48   u32 page size             52   u16 flags of the free list
 *     88   u64 root of the free list           100   u16 flags of the tree (0)
 *     136  u64 root of the tree (all ones: none)
 *     144  u64 last page             152  u64 transaction
 *
 * Meta pages have no checksum, and LMDB takes the one of the later transaction: were its number damaged, the
 * state of one commit before would be shown. Transactions write them in turn, the odd ones the second page, so
 * that their numbers are neighbours. Damage inside of other pages is found by the check that follows the
 * opening; see native/index.c.
 *
 * @module
 */

import fs from "node:fs";
import { storageAddon } from "../device/addon.js";
import { DaosError } from "../errors.js";
import { INDEX_MAP_SIZE } from "../limits.js";

const MAGIC = 0xbeefc0de;
const VERSION = 2;
const META_SIZE = 160;
const META_KIND = 8;
const NO_ROOT = 0xffff_ffff_ffff_ffffn;
/** The flag of LMDB's list of free pages, the only one of those that change what a tree means. */
const INTEGER_KEYS = 0x08;
const PAGE_SIZE_MIN = 512;
const PAGE_SIZE_MAX = 65_536;
/** Times that the header is read again because others commit meanwhile. */
const HEADER_READS_MAX = 64;

/** Whether this user may write the index; a file that is not there yet will be theirs. */
export function isWritable(path: string): boolean {
  try {
    if (fs.existsSync(path)) fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function damaged(path: string, why: string): DaosError {
  const remedy = "restore the pool from a copy";
  return new DaosError("DER_DF_INVAL", { what: `Opening index ${path}`, why, remedy }, { path });
}

/** LMDB's two meta pages. */
type Metas = readonly [Buffer, Buffer];

/** Reads both meta pages; others may commit meanwhile. */
function readMetas(fd: number, path: string): Metas {
  const first = Buffer.alloc(META_SIZE);
  fs.readSync(fd, first, 0, META_SIZE, 0);
  const pageSize = first.readUInt32LE(48);
  if (
    !(
      pageSize >= PAGE_SIZE_MIN &&
      pageSize <= PAGE_SIZE_MAX &&
      Number.isInteger(Math.log2(pageSize))
    )
  ) {
    throw damaged(path, "its header is malformed");
  }
  const header = Buffer.alloc(pageSize + META_SIZE);
  for (let attempt = 1; ; attempt++) {
    if (fs.readSync(fd, header, 0, header.length, 0) < header.length) {
      throw damaged(path, "the file is cut off within its header");
    }
    const metas = [header.subarray(0, META_SIZE), header.subarray(pageSize)] as const;
    if (areNeighbours(metas)) return metas;
    if (attempt === HEADER_READS_MAX) throw damaged(path, "its header is not of one piece");
  }
}

/** Whether two meta pages are of transactions that followed each other, each in its place. */
function areNeighbours(metas: Metas): boolean {
  const [even, odd] = metas.map((meta) => meta.readBigUInt64LE(152)) as [bigint, bigint];
  if (even === 0n && odd === 0n) return true;
  const distance = even - odd;
  return even % 2n === 0n && (distance === 1n || distance === -1n);
}

/** Checks a meta page; returns the size that the file needs by it, in bytes. */
function checkMeta(meta: Buffer, { path, size }: { path: string; size: bigint }): number {
  if (meta.readUInt32LE(24) !== MAGIC || meta.readUInt16LE(18) !== META_KIND) {
    throw damaged(path, "the file is not an index");
  }
  if (meta.readUInt32LE(28) !== VERSION) throw damaged(path, "another release of LMDB wrote it");
  const pageSize = BigInt(meta.readUInt32LE(48));
  const pages = meta.readBigUInt64LE(144) + 1n;
  const isOfTrees = meta.readUInt8(52) === INTEGER_KEYS && meta.readUInt16LE(100) === 0;
  if (!isOfTrees || pages * pageSize > BigInt(INDEX_MAP_SIZE)) {
    throw damaged(path, "its header is malformed");
  }
  for (const root of [meta.readBigUInt64LE(88), meta.readBigUInt64LE(136)]) {
    if (root !== NO_ROOT && (root + 1n) * pageSize > size) {
      throw damaged(path, `the file has ${size} bytes and its tree begins beyond them`);
    }
  }
  return Number(pages * pageSize);
}

/**
 * Checks that a file is an index that LMDB can open without harm.
 *
 * @throws {@link DaosError} `DER_NONEXIST` if there is none, `DER_DF_INVAL` if it is damaged.
 */
export function checkIndexFile(path: string): void {
  if (!fs.existsSync(path)) {
    const text = { what: `Opening index ${path}`, why: "there is no such file" };
    const remedy = "restore the pool from a copy";
    throw new DaosError("DER_NONEXIST", { ...text, remedy }, { path });
  }
  const writable = isWritable(path);
  const fd = fs.openSync(path, writable ? "r+" : "r");
  try {
    const metas = readMetas(fd, path);
    const [first, second] = metas;
    if (first.readUInt32LE(48) !== second.readUInt32LE(48)) {
      throw damaged(path, "its header is malformed");
    }
    const { size } = fs.fstatSync(fd, { bigint: true });
    const needed = Math.max(...metas.map((meta) => checkMeta(meta, { path, size })));
    // The last pages may be free ones that were never written. If they are not, LMDB finds zeros
    // there, which it refuses; beyond the end of the file, looking would end the process.
    if (fs.fstatSync(fd).size >= needed) return;
    if (!writable) throw damaged(path, "its last pages are not there, and it cannot be written");
    storageAddon().fallocate(fd, needed - 1, 1);
  } finally {
    fs.closeSync(fd);
  }
}
