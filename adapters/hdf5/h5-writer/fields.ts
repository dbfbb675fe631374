/**
 * What records of `.h5` files have in common when they are written: addresses of 8 bytes, checksums.
 *
 * @module
 */

import { lookup3 } from "../h5-file/lookup3.js";
import { FieldWriter } from "../messages/field-codec.js";

/** The address of what is not there. */
export const UNDEFINED_ADDRESS = 0xffff_ffff_ffff_ffffn;

/** Bytes of an address, and of a length. */
export const ADDRESS_SIZE = 8;

/** Begins a record with its signature. */
export function beginRecord(signature: string, capacity?: number): FieldWriter {
  return new FieldWriter(capacity).raw(Buffer.from(signature, "latin1"));
}

/** Ends a record with its checksum. */
export function endRecord(writer: FieldWriter): Uint8Array {
  return writer.u32(lookup3(writer.finish())).finish();
}

/** Bytes that hold any number up to `limit`. */
export function widthOf(limit: bigint): number {
  return Math.ceil(Math.max(1, limit.toString(2).length) / 8);
}
