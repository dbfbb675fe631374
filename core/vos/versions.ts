/**
 * The versions of akeys: what an akey became at each commit that changed it.
 *
 *     version       akey (names.ts), epoch inverted      ─▶  u8 head, then by kind
 *                     value   the bytes                       u8 head = format version << 4 | kind
 *                     punch   nothing
 *                     array   varint record size: from here on the akey is an array (array-address.ts)
 *                     long    varint size: a value whose bytes lie in the log (long-value.ts)
 *     dkey punch    `dkeyPunch` space, dkey, epoch inverted  ─▶  u8 head
 *     object punch  `object` space, u32 container, 16 bytes oid, epoch inverted  ─▶  u8 head
 *
 * What was written before a punch of its dkey or object is hidden from readers at or after the punch.
 * What was written at the punch's own epoch came after it: a commit removes what it wrote itself and
 * then punched. So the newest version at or before an epoch is one search, and what it needs to know of
 * punches is looked up once for each object and view.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { EPOCH_MASK, KeySpace, prefixEnd } from "../index/key-codec.js";
import { VALUE_SIZE_MAX } from "../limits.js";
import type { Epoch } from "./epoch.js";
import { inSpace, type ObjectAddress, objectPrefix } from "./names.js";
import { formatOid, type ObjectId } from "./object-id.js";

/** What a version says. Durable: DO NOT CHANGE THESE VALUES. */
export const VersionKind = { value: 0, punch: 1, array: 2, long: 3 } as const;

const FORMAT = 1 << 4;
const KIND_MASK = 0x0f;
/** Epoch at the end of the keys of versions, in bytes. */
export const EPOCH_SIZE = 8;

/** The record of a punch. */
export const PUNCH_RECORD = Uint8Array.of(FORMAT | VersionKind.punch);

/** An epoch as keys end with it. */
export function epochSuffix(epoch: Epoch): Uint8Array {
  const suffix = new Uint8Array(EPOCH_SIZE);
  new DataView(suffix.buffer).setBigUint64(0, epoch ^ EPOCH_MASK);
  return suffix;
}

/** The epoch that a key ends with. */
export function epochOfKey(key: Uint8Array): Epoch {
  const view = new DataView(key.buffer, key.byteOffset + key.length - EPOCH_SIZE, EPOCH_SIZE);
  return view.getBigUint64(0) ^ EPOCH_MASK;
}

/** The record of a single value; the bytes are copied. */
export function valueRecord(value: Uint8Array): Uint8Array {
  // From the pool of small Buffers: memory of its own costs more than the rest of a put.
  const record = Buffer.allocUnsafe(value.length + 1);
  record[0] = FORMAT | VersionKind.value;
  record.set(value, 1);
  return record;
}

/** The record that makes an akey an array of records of some bytes. */
export function arrayRecord(recordSize: number): Uint8Array {
  const head = FORMAT | VersionKind.array;
  return new ByteWriter(8).u8(head).varint(recordSize).finish();
}

/** The record of a single value of some bytes that lie in the log. */
export function longRecord(size: number): Uint8Array {
  return new ByteWriter(8)
    .u8(FORMAT | VersionKind.long)
    .varint(size)
    .finish();
}

/**
 * The kind of a version's record.
 *
 * @throws {@link DaosError} `DER_DF_INVAL` if it is unknown.
 */
export function kindOf(record: Uint8Array): number {
  return kindOfHead(record[0] ?? 0);
}

/** As {@link kindOf}, of the first byte of a record. */
export function kindOfHead(head: number): number {
  const kind = head & KIND_MASK;
  if ((head & ~KIND_MASK) !== FORMAT || kind > VersionKind.long) {
    const record = new ByteReader(Uint8Array.of(head), "a version of a key");
    throw record.malformed("its head is unknown");
  }
  return kind;
}

/** The bytes of a single value's record. */
export function valueBytes(record: Uint8Array): Uint8Array {
  return new Uint8Array(record.buffer, record.byteOffset + 1, record.length - 1);
}

/** The record size of an array's record, in bytes. */
export function recordSizeOf(record: Uint8Array): number {
  const reader = new ByteReader(record, "an array's record size");
  reader.u8();
  return reader.varint();
}

/** The size of a value in the log, given by its record without the head, in bytes. */
export function longSizeOf(body: Uint8Array): number {
  const reader = new ByteReader(body, "a long value's size");
  const size = reader.varint();
  reader.end();
  return size;
}

/** What readers at one epoch need to know of an object before they look at its keys. */
export interface ObjectState {
  /** The beginning of the object's keys. */
  readonly prefix: Uint8Array;
  /** What was written before is hidden. */
  readonly punched: Epoch;
  /** Whether any of its dkeys was ever punched. */
  readonly hasDkeyPunches: boolean;
}

/** The state of an object at an epoch, given as {@link epochSuffix}. */
export function objectState(
  reader: IndexReader,
  object: ObjectAddress,
  suffix: Uint8Array,
): ObjectState {
  const prefix = objectPrefix(object);
  const punches = objectPrefix(object, KeySpace.dkeyPunch);
  return {
    prefix,
    punched: reader.newest(objectPrefix(object, KeySpace.object), suffix)?.epoch ?? 0n,
    hasDkeyPunches: reader.seek(punches, punches.length) !== undefined,
  };
}

/** The newest punch of an object at or before `epoch`; 0 if there is none. */
export function objectPunch(reader: IndexReader, object: ObjectAddress, epoch: Epoch): Epoch {
  const prefix = objectPrefix(object, KeySpace.object);
  return reader.newest(prefix, epochSuffix(epoch))?.epoch ?? 0n;
}

/** The key of the punches of a dkey. */
export function dkeyPunchPrefix(dkey: Uint8Array): Uint8Array {
  return inSpace(dkey, KeySpace.dkeyPunch);
}

/** What was written below a dkey before this epoch is hidden. */
export function dkeyBound(
  reader: IndexReader,
  state: ObjectState,
  dkey: Uint8Array,
  suffix: Uint8Array,
): Epoch {
  if (!state.hasDkeyPunches) return state.punched;
  const punched = reader.newest(dkeyPunchPrefix(dkey), suffix)?.epoch ?? 0n;
  return punched > state.punched ? punched : state.punched;
}

/** A version that a reader sees. */
export interface SeenVersion {
  readonly epoch: Epoch;
  readonly record: Uint8Array;
}

/** What a reader sees of an akey: its newest version, if that is hidden by nothing and no punch. */
export function seenVersion(
  reader: IndexReader,
  akey: Uint8Array,
  suffix: Uint8Array,
  bound: Epoch,
): SeenVersion | undefined {
  const found = reader.newest(akey, suffix);
  if (found === undefined || found.epoch < bound) return undefined;
  return kindOf(found.value) === VersionKind.punch
    ? undefined
    : { epoch: found.epoch, record: found.value };
}

/** Punches an object. */
export function putObjectPunch(tx: IndexTransaction, object: ObjectAddress, epoch: Epoch): void {
  tx.putVersion(objectPrefix(object, KeySpace.object), epochSuffix(epoch), PUNCH_RECORD);
}

/** The epochs of the punches of an object, or of a dkey, newest first. */
export function listPunches(reader: IndexReader, prefix: Uint8Array): Epoch[] {
  const epochs: Epoch[] = [];
  const visitor = (key: Uint8Array) => {
    if (key.length === prefix.length + EPOCH_SIZE) epochs.push(epochOfKey(key));
    return true;
  };
  reader.visit({ start: prefix, end: prefixEnd(prefix) }, visitor, { heads: true });
  return epochs;
}

/**
 * Checks the size of a single value.
 *
 * @throws {@link DaosError} `DER_REC2BIG`.
 */
export function checkValueSize(oid: ObjectId, size: number): void {
  if (size <= VALUE_SIZE_MAX) return;
  throw new DaosError("DER_REC2BIG", {
    what: `Updating a value of object ${formatOid(oid)}`,
    why: `the value has ${size} bytes, more than ${VALUE_SIZE_MAX}`,
    remedy: "store it as an array: of records under the akey, or of bytes in an object of its own",
  });
}

/** The error of records that are written to an akey that holds a single value. */
export function holdsValue(what: string): DaosError {
  const remedy = "punch the akey first, or use another";
  return new DaosError("DER_INVAL", { what, why: "the akey holds a single value", remedy });
}
