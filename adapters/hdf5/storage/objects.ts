/**
 * Objects of a file: their headers, and how they are made and referred to.
 *
 * @module
 */

import { type ObjectId, ObjectType } from "../../../core/index.js";
import type { Session } from "../session.js";
import {
  decodeHeader,
  encodeHeader,
  encodeOid,
  HEADER_AKEY,
  HEADER_DKEY,
  type ObjectHeader,
} from "./object-format.js";

/** The akey of the objects that references lead to; its dkeys are `@` and the reference, in the root. */
const REFERENCE_AKEY = Buffer.from("H5_REF");
/** The akey of the bytes in front of the file. */
const USER_BLOCK_AKEY = Buffer.from("H5_USERBLOCK");
const REFERENCE_MASK = 0xffff_ffff_ffff_ffffn;

/** The header of an object, if it has one. */
export function readHeader(
  session: Session,
  oid: ObjectId,
  name: string,
): ObjectHeader | undefined {
  const value = session.get(oid, HEADER_DKEY, HEADER_AKEY);
  return value && decodeHeader(value, name);
}

/** Gives an object its header. */
export function writeHeader(session: Session, oid: ObjectId, header: ObjectHeader): void {
  session.put({ oid, dkey: HEADER_DKEY, akey: HEADER_AKEY, value: encodeHeader(header) });
}

/** Whether an object has a header. */
export function hasHeader(session: Session, oid: ObjectId): boolean {
  return session.has(oid, HEADER_DKEY, HEADER_AKEY);
}

/** A new object: groups are directories, all others files of the namespace. */
export function newOid(session: Session, kind: "group" | "dataset" | "datatype"): ObjectId {
  return session.allocateOid(kind === "group" ? ObjectType.multiLexical : ObjectType.arrayByte);
}

/** The number by which elements refer to an object: what is unique of its id in the container. */
export function referenceOf(oid: ObjectId): bigint {
  return oid & REFERENCE_MASK;
}

function referenceKey(reference: bigint): Buffer {
  const dkey = Buffer.alloc(9);
  dkey.write("@");
  dkey.writeBigUInt64BE(reference, 1);
  return dkey;
}

/** Notes that elements may refer to an object. @returns The reference. */
export function noteReference(session: Session, oid: ObjectId): bigint {
  const reference = referenceOf(oid);
  if (!session.canWrite) {
    session.noteReferred(reference, oid);
    return reference;
  }
  const key = { oid: session.root, dkey: referenceKey(reference), akey: REFERENCE_AKEY };
  if (!session.has(key.oid, key.dkey, key.akey)) session.put({ ...key, value: encodeOid(oid) });
  return reference;
}

/** The object that a reference leads to, if it was noted; it may have been removed. */
export function oidOfReference(session: Session, reference: bigint): ObjectId | undefined {
  const value = session.get(session.root, referenceKey(reference), REFERENCE_AKEY);
  if (value === undefined) return session.noted(reference);
  return BigInt(`0x${Buffer.from(value).toString("hex")}`);
}

/** The bytes in front of the file that are not HDF5's. */
export function readUserBlock(session: Session): Uint8Array {
  const value = session.get(session.root, HEADER_DKEY, USER_BLOCK_AKEY);
  return value === undefined ? new Uint8Array(0) : new Uint8Array(value);
}

/** Sets the bytes in front of the file. */
export function writeUserBlock(session: Session, bytes: Uint8Array): void {
  const value = bytes.length === 0 ? undefined : bytes;
  session.put({ oid: session.root, dkey: HEADER_DKEY, akey: USER_BLOCK_AKEY, value });
}
