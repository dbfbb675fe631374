/**
 * The attributes of an array, stored with its object under dkey 0, akey "0", as DAOS does:
 *
 *     attributes = u64 magic 0xdaca55a9daca55a9, u64 cell size in bytes, u64 chunk size in cells
 *
 * Big-endian. The cells themselves are the bytes of the object: cell i starts at byte i x cell size.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { OFFSET_MAX, RECORD_SIZE_MAX } from "../limits.js";
import { integerKey } from "../vos/names.js";
import { formatOid, type ObjectId } from "../vos/object-id.js";

/** What an array is made of. */
export interface ArrayAttributes {
  /** Bytes of a cell. */
  readonly cellSize: number;
  /** Cells of a chunk: what is meant to lie together. */
  readonly chunkSize: number;
}

const MAGIC = 0xdaca_55a9_daca_55a9n;
const SIZE = 24;

/** Where the attributes lie. */
export const ATTRIBUTES_NAME = { dkey: integerKey(0), akey: Buffer.from("0") };

/** @throws {@link DaosError} `DER_INVAL` if no array has such attributes. */
export function checkAttributes(what: string, { cellSize, chunkSize }: ArrayAttributes): void {
  const isCell = Number.isSafeInteger(cellSize) && cellSize >= 1 && cellSize <= RECORD_SIZE_MAX;
  const isChunk = Number.isSafeInteger(chunkSize) && chunkSize >= 1;
  if (isCell && isChunk && chunkSize * cellSize <= OFFSET_MAX) return;
  const why = `cells of ${cellSize} bytes in chunks of ${chunkSize} make no array`;
  const remedy = `use cells of 1 to ${RECORD_SIZE_MAX} bytes, and chunks of at least one`;
  throw new DaosError("DER_INVAL", { what, why, remedy });
}

/** Encodes the attributes of an array. */
export function encodeAttributes({ cellSize, chunkSize }: ArrayAttributes): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, MAGIC);
  view.setBigUint64(8, BigInt(cellSize));
  view.setBigUint64(16, BigInt(chunkSize));
  return bytes;
}

/**
 * Decodes the attributes of an array.
 *
 * @throws {@link DaosError} `DER_DF_INVAL` if these are none.
 */
export function decodeAttributes(oid: ObjectId, bytes: Uint8Array): ArrayAttributes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === SIZE && view.getBigUint64(0) === MAGIC) {
    const [cellSize, chunkSize] = [view.getBigUint64(8), view.getBigUint64(16)].map(Number);
    return { cellSize: cellSize as number, chunkSize: chunkSize as number };
  }
  const what = `Opening array ${formatOid(oid)}`;
  const why = "what is stored under dkey 0 are not the attributes of an array";
  throw new DaosError("DER_DF_INVAL", { what, why, remedy: "use the id of an array" });
}
