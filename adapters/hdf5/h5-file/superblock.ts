/**
 * The superblock: where an `.h5` file begins, and where its root group is.
 *
 *     version 0, 1   signature, u8 version, u8 0, u8 0, u8 0, u8 0, u8 offset size, u8 length size, u8 0,
 *                    u16 leaf K, u16 internal K, u32 flags, (1: u16 K of chunks, u16 0),
 *                    addresses: base, free space, end of file, driver, root entry:
 *                    (length name, address header, u32 cache type, u32 0, 16 bytes scratch)
 *     version 2, 3   signature, u8 version, u8 offset size, u8 length size, u8 flags,
 *                    addresses: base, extension, end of file, root header; u32 checksum
 *
 * It lies at byte 0, or, behind a user block, at 512, 1024, 2048 ...
 *
 * Source: HDF5 File Format Specification, section II.A.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { malformed } from "../messages/field-codec.js";
import type { FileBytes } from "./file-bytes.js";
import { Fields, H5Format, unsupported } from "./format.js";

const SIGNATURE = Buffer.from("\x89HDF\r\n\x1a\n", "latin1");
const USER_BLOCK_SIZE_MIN = 512;
/** Bytes that any superblock has at most. */
const SUPERBLOCK_SIZE_MAX = 256;
const CACHED_SYMBOL_TABLE = 1;

/** What a superblock says. */
export interface Superblock {
  readonly version: number;
  readonly format: H5Format;
  /** Address of the root group's object header. */
  readonly root: number;
  /** Address of the object header that extends the superblock. */
  readonly extension: number | undefined;
}

/**
 * Finds and decodes the superblock.
 *
 * @throws `DaosError` `DER_INVAL` if this is no HDF5 file; `DER_DF_INVAL` if it is damaged.
 */
export function readSuperblock(bytes: FileBytes): Superblock {
  const what = `the superblock of ${bytes.path}`;
  const start = findSignature(bytes, what);
  const size = Math.min(SUPERBLOCK_SIZE_MAX, bytes.size - start);
  const block = bytes.read(start, size, what);
  const version = block[SIGNATURE.length];
  if (version === 0 || version === 1) return readOld(bytes, start, block);
  if (version === 2 || version === 3) return readNew(bytes, start, block);
  throw malformed(what, `version ${version} is not known`);
}

function findSignature(bytes: FileBytes, what: string): number {
  for (let start = 0; start + SIGNATURE.length <= bytes.size; start = nextStart(start)) {
    if (bytes.read(start, SIGNATURE.length, what).equals(SIGNATURE)) return start;
  }
  const text = {
    what: `Reading ${bytes.path}`,
    why: "it is no HDF5 file",
    remedy: "give the path of an .h5 file",
  };
  throw new DaosError("DER_INVAL", text, { path: bytes.path });
}

const nextStart = (start: number): number => (start === 0 ? USER_BLOCK_SIZE_MIN : 2 * start);

function checkWidths(fields: Fields, offsetSize: number, lengthSize: number): void {
  for (const size of [offsetSize, lengthSize]) {
    if (![2, 4, 8].includes(size)) {
      throw fields.malformed(`addresses or lengths of ${size} bytes are not known`);
    }
  }
}

function readOld(bytes: FileBytes, start: number, block: Buffer): Superblock {
  const what = `the superblock of ${bytes.path}`;
  const head = new Fields(block, what, { offsetSize: 8, lengthSize: 8 }).skip(SIGNATURE.length);
  const version = head.u8();
  head.skip(4);
  const [offsetSize, lengthSize] = [head.u8(), head.u8()];
  checkWidths(head, offsetSize, lengthSize);
  const format = new H5Format(bytes, start, { offsetSize, lengthSize });
  const fields = new Fields(block.subarray(head.position), what, format);
  fields.skip(version === 1 ? 13 : 9);
  const base = fields.presentAddress();
  fields.address();
  requireWhole(format, base, fields);
  if (fields.address() !== undefined) throw unsupported(what, "the file is one of several");
  fields.size();
  const root = fields.presentAddress();
  if (fields.u32() > CACHED_SYMBOL_TABLE) throw fields.malformed("the root is no group");
  return { version, format, root, extension: undefined };
}

function readNew(bytes: FileBytes, start: number, block: Buffer): Superblock {
  const what = `the superblock of ${bytes.path}`;
  const head = new Fields(block, what, { offsetSize: 8, lengthSize: 8 }).skip(SIGNATURE.length);
  const version = head.u8();
  const [offsetSize, lengthSize] = [head.u8(), head.u8()];
  checkWidths(head, offsetSize, lengthSize);
  const format = new H5Format(bytes, start, { offsetSize, lengthSize });
  const size = SIGNATURE.length + 4 + 4 * offsetSize + 4;
  const record = format.bytes.read(start, size, what);
  const fields = format.checked(record, SIGNATURE.toString("latin1"), what);
  const base = fields.skip(4).presentAddress();
  const extension = fields.address();
  requireWhole(format, base, fields);
  return { version, format, root: fields.presentAddress(), extension };
}

/**
 * A file that was cut is refused at once, as HDF5 does. Where the signature is counts, and not the
 * base address, as a user block may have been put in front later.
 */
function requireWhole(format: H5Format, base: number, fields: Fields): void {
  const end = fields.presentAddress() - base;
  if (end > format.size) {
    throw fields.malformed(`the file has ${format.size} bytes where it should have ${end}`);
  }
}
