/**
 * Looks at an index file before LMDB does: LMDB trusts its file, and one that was cut off or is
 * something else ends the process.
 *
 * LMDB's two meta pages, as the pinned release of `lmdb` lays them out (little-endian):
 *
 *     24   u32 magic 0xbeefc0de      28   u32 version (2)      48   u32 page size
 *     88   u64 root of the free list            136   u64 root of the tree (all ones: none)
 *     144  u64 last page             152  u64 transaction
 *
 * Damage inside of pages is found by the check that follows the opening; see native/index.c.
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
const NO_ROOT = 0xffff_ffff_ffff_ffffn;

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

/** Checks the meta page at `position`; returns the size that the file needs by it, in bytes. */
function checkMeta(fd: number, { path, position }: { path: string; position: number }): number {
  const meta = Buffer.alloc(META_SIZE);
  if (fs.readSync(fd, meta, 0, META_SIZE, position) < META_SIZE) {
    throw damaged(path, "the file is cut off within its header");
  }
  if (meta.readUInt32LE(24) !== MAGIC) throw damaged(path, "the file is not an index");
  if (meta.readUInt32LE(28) !== VERSION) throw damaged(path, "another release of LMDB wrote it");
  const pageSize = BigInt(meta.readUInt32LE(48));
  const pages = meta.readBigUInt64LE(144) + 1n;
  if (pages * pageSize > BigInt(INDEX_MAP_SIZE)) throw damaged(path, "its header is malformed");
  const size = fs.fstatSync(fd, { bigint: true }).size;
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
    const first = Buffer.alloc(META_SIZE);
    fs.readSync(fd, first, 0, META_SIZE, 0);
    const pageSize = first.readUInt32LE(48);
    const needed = Math.max(
      checkMeta(fd, { path, position: 0 }),
      checkMeta(fd, { path, position: pageSize }),
    );
    // The last pages may be free ones that were never written. If they are not, LMDB finds zeros
    // there, which it refuses; beyond the end of the file, looking would end the process.
    if (fs.fstatSync(fd).size >= needed) return;
    if (!writable) throw damaged(path, "its last pages are not there, and it cannot be written");
    storageAddon().fallocate(fd, needed - 1, 1);
  } finally {
    fs.closeSync(fd);
  }
}
