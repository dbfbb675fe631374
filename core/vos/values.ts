/**
 * Single values: the newest under a key that one get finds, older versions apart.
 *
 *     key (HEAD)     `value` space, u32 container, oid, component dkey, component akey
 *     key (history)  `valueHistory` space, the same, epoch inverted
 *     value          u8 version, u8 kind (0 value, 1 punch), u64 epoch, the value's bytes
 *
 * Writing moves the old HEAD into the history. A read at epoch E takes HEAD if it is old enough,
 * else the newest history entry at or before E.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";
import { KEY_SIZE_MAX, VALUE_SIZE_MAX } from "../limits.js";
import type { Epoch } from "./epoch.js";
import { isSeen } from "./kept-epochs.js";
import { formatOid, type ObjectId, oidBytes } from "./object-id.js";

const VALUE_VERSION = 1;
const KIND_VALUE = 0;
const KIND_PUNCH = 1;
/** Version, kind and epoch. */
const HEADER_SIZE = 10;
/** Space byte, container and object id precede the dkey. */
const OBJECT_PREFIX_SIZE = 21;

/** Where a single value lives. */
export interface ValueAddress {
  readonly container: number;
  readonly oid: ObjectId;
  readonly dkey: Uint8Array;
  readonly akey: Uint8Array;
}

/** A dkey of an object, with the value of the akey that was asked for. */
export interface DkeyEntry {
  /** Distribution key. */
  readonly dkey: Uint8Array;
  /** The value. */
  readonly value: Uint8Array;
}

interface Version {
  readonly epoch: Epoch;
  /** `undefined` after a punch. */
  readonly value: Uint8Array | undefined;
}

function keyOf(space: number, address: ValueAddress): KeyBuilder {
  const { container, oid, dkey, akey } = address;
  return new KeyBuilder(space).u32(container).raw(oidBytes(oid)).component(dkey).component(akey);
}

function headKey(address: ValueAddress): Uint8Array {
  return keyOf(KeySpace.value, address).done();
}

function decode(bytes: Uint8Array): Version {
  if (bytes.length < HEADER_SIZE || bytes[0] !== VALUE_VERSION) {
    throw new ByteReader(bytes, "a single value").malformed("its header is cut off or unknown");
  }
  const { buffer, byteOffset, byteLength } = bytes;
  const epoch = new DataView(buffer, byteOffset, HEADER_SIZE).getBigUint64(2);
  if (bytes[1] === KIND_PUNCH) return { epoch, value: undefined };
  const value = new Uint8Array(buffer, byteOffset + HEADER_SIZE, byteLength - HEADER_SIZE);
  return { epoch, value };
}

function encode({ epoch, value }: Version): Uint8Array {
  const kind = value === undefined ? KIND_PUNCH : KIND_VALUE;
  const writer = new ByteWriter(HEADER_SIZE + (value?.length ?? 0))
    .u8(VALUE_VERSION)
    .u8(kind)
    .u64(epoch);
  return (value === undefined ? writer : writer.raw(value)).finish();
}

function olderVersion(
  reader: IndexReader,
  address: ValueAddress,
  epoch: Epoch,
): Version | undefined {
  const prefix = keyOf(KeySpace.valueHistory, address).done();
  const start = keyOf(KeySpace.valueHistory, address).newest(epoch).done();
  let found: Version | undefined;
  reader.visit({ start, end: prefixEnd(prefix) }, (_key, value) => {
    found = decode(value);
    return false;
  });
  return found;
}

/**
 * The value that a reader at `epoch` sees, or `undefined`.
 *
 * @param punched Newest punch of the object at or before `epoch`: hides what was written by then.
 */
export function getValue(
  reader: IndexReader,
  address: ValueAddress,
  { epoch, punched }: { epoch: Epoch; punched: Epoch },
): Uint8Array | undefined {
  const bytes = reader.get(headKey(address));
  if (bytes === undefined) return undefined;
  const head = decode(bytes);
  const version = head.epoch <= epoch ? head : olderVersion(reader, address, epoch);
  return version !== undefined && version.epoch > punched ? version.value : undefined;
}

/** Stores a version of a value (`undefined` punches it) and keeps the one before. */
export function putValue(
  tx: IndexTransaction,
  address: ValueAddress,
  epoch: Epoch,
  value: Uint8Array | undefined,
): void {
  const key = headKey(address);
  const old = tx.get(key);
  if (old !== undefined) {
    // The history's key is HEAD's, in another space and with the epoch behind it.
    const history = new KeyBuilder(KeySpace.valueHistory).raw(key.subarray(1));
    tx.put(history.newest(decode(old).epoch).done(), old);
  }
  tx.put(key, encode({ epoch, value }));
}

/** Removes the versions of a value that none of the kept epochs (oldest first), nor a later one, sees. */
export function trimValueHistory(
  tx: IndexTransaction,
  address: ValueAddress,
  kept: readonly Epoch[],
): number {
  const head = tx.get(headKey(address));
  if (head === undefined) return 0;
  const prefix = keyOf(KeySpace.valueHistory, address).done();
  const hidden: Uint8Array[] = [];
  let replaced = decode(head).epoch;
  tx.visit({ start: prefix, end: prefixEnd(prefix) }, (key, value) => {
    const { epoch } = decode(value);
    if (!isSeen(kept, epoch, replaced)) hidden.push(key);
    replaced = epoch;
    return true;
  });
  for (const key of hidden) tx.remove(key);
  return hidden.length;
}

/** The dkeys of an object that hold a value of `akey` at `epoch`, in lexical order, after `after`. */
export function listDkeys(
  reader: IndexReader,
  object: { container: number; oid: ObjectId },
  options: { akey: Uint8Array; epoch: Epoch; punched: Epoch; after?: Uint8Array; limit?: number },
): DkeyEntry[] {
  const ofObject = () =>
    new KeyBuilder(KeySpace.value).u32(object.container).raw(oidBytes(object.oid));
  const base = ofObject().done();
  const { akey, after, limit = Number.POSITIVE_INFINITY } = options;
  const start = after === undefined ? base : ofObject().component(after).done();
  const candidates: Uint8Array[] = [];
  reader.visit({ start, end: prefixEnd(base) }, (key) => {
    // KeyReader skips one byte: hand it the bytes from the one before the dkey.
    const fields = new KeyReader(key.subarray(OBJECT_PREFIX_SIZE - 1));
    const dkey = fields.component();
    if (Buffer.compare(fields.component(), akey) === 0) candidates.push(dkey);
    return true;
  });
  const found: DkeyEntry[] = [];
  for (const dkey of candidates) {
    if (found.length >= limit) break;
    if (after !== undefined && Buffer.compare(dkey, after) <= 0) continue;
    const value = getValue(reader, { ...object, dkey, akey }, options);
    if (value !== undefined) found.push({ dkey, value });
  }
  return found;
}

/**
 * Checks the sizes of a key and a value.
 *
 * @throws {@link DaosError} `DER_KEY2BIG`, `DER_REC2BIG` or `DER_INVAL`.
 */
export function checkValue(address: ValueAddress, value: Uint8Array | undefined): void {
  const what = `Updating a value of object ${formatOid(address.oid)}`;
  for (const [name, key] of [
    ["dkey", address.dkey],
    ["akey", address.akey],
  ] as const) {
    if (key.length > KEY_SIZE_MAX) {
      const why = `the ${name} has ${key.length} bytes, more than ${KEY_SIZE_MAX}`;
      throw new DaosError("DER_KEY2BIG", { what, why, remedy: "use a shorter key" });
    }
    if (key.length === 0) {
      throw new DaosError("DER_INVAL", {
        what,
        why: `the ${name} is empty`,
        remedy: "use a key of at least one byte",
      });
    }
  }
  if (value !== undefined && value.length > VALUE_SIZE_MAX) {
    const why = `the value has ${value.length} bytes, more than ${VALUE_SIZE_MAX}`;
    throw new DaosError("DER_REC2BIG", { what, why, remedy: "store it as an array" });
  }
}
