/**
 * The domain of random transactions: registers under keys, and cells of an array.
 *
 * @module
 */

/** Object with the registers, and with the record of each transaction. */
export const VALUES = 1n;
export const LEDGER = 3n;
export const DKEYS = ["a", "b", "c", "d", "e"];
export const AKEYS = ["x", "y"];
/** The akey of the records. */
export const KEYS = Buffer.from("t");
/** Cells of the array, and bytes of one. */
export const CELLS = 6;
export const CELL_SIZE = 8;

/** A cell's bytes that name who wrote it. */
export function cellTag(tag) {
  const [process, number, count] = tag.split(".").map(Number);
  const bytes = Buffer.alloc(CELL_SIZE);
  bytes.writeUInt16BE(process + 1, 0);
  bytes.writeUInt32BE(number, 2);
  bytes.writeUInt16BE(count, 6);
  return bytes;
}

/** The name in a cell; `null` if it was never written. */
export function tagOfCell(cell) {
  const bytes = Buffer.from(cell.buffer, cell.byteOffset, cell.length);
  const process = bytes.readUInt16BE(0);
  return process === 0 ? null : `${process - 1}.${bytes.readUInt32BE(2)}.${bytes.readUInt16BE(6)}`;
}
