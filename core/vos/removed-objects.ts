/**
 * Objects that were removed and of which nothing is left: what a container remembers of them in their place.
 *
 *     punches, one for each object     16 ─ P1    17 ─ P2    18 ─ P3          19 lives
 *     removed objects, one record      16 .. 18, removed until P3
 *
 * A writer that opened an object before it was removed must not bring it back to life. So the commit compares
 * the epoch at which the writer opened it with the object's newest punch. Punches of objects that hold nothing
 * hide nothing from readers, and there would be one for each file that ever was: aggregation replaces them by
 * ranges. Ids are drawn one after the other and never again, so that the ranges join: there are about as many
 * as there are objects that live.
 *
 *     removed     u32 container, u96 last id  ─▶  u8 version, u96 first id, u64 epoch
 *
 * Ids are the users' parts of object ids. A range knows the newest punch only: a writer that opened one of its
 * objects before that is refused. An id that is used again after its removal, which `allocateOid` never does,
 * must be opened after it.
 *
 * @module
 */

import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import { nextCounter } from "../index/counters.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeySpace, prefixEnd } from "../index/key-codec.js";
import { BYTE_ARRAY_PATH } from "./array-address.js";
import type { Epoch } from "./epoch.js";
import { inSpace, type ObjectAddress, objectOfKey } from "./names.js";
import { epochOfRun } from "./run-format.js";
import { EPOCH_SIZE, epochOfKey, listPunches } from "./versions.js";

const RECORD_VERSION = 1;
const ID_BITS = 96n;
const ID_MASK = (1n << ID_BITS) - 1n;
const LOW_MASK = (1n << 64n) - 1n;
/** Space byte and container. */
const CONTAINER_PREFIX_SIZE = 5;

interface RemovedRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly epoch: Epoch;
}

function keyOf(container: number, last: bigint): Uint8Array {
  const key = new KeyBuilder(KeySpace.removed).u32(container);
  return key
    .u32(Number(last >> 64n))
    .u64(last & LOW_MASK)
    .done();
}

/** The range that ends at an id, or behind it. */
function rangeAt(reader: IndexReader, container: number, id: bigint): RemovedRange | undefined {
  const entry = reader.seek(keyOf(container, id), CONTAINER_PREFIX_SIZE);
  if (entry === undefined) return undefined;
  const { key, value } = entry;
  const view = new DataView(key.buffer, key.byteOffset + CONTAINER_PREFIX_SIZE);
  const last = (BigInt(view.getUint32(0)) << 64n) | view.getBigUint64(4);
  const fields = new ByteReader(value, "a range of removed objects");
  if (fields.u8() !== RECORD_VERSION) throw fields.malformed("its version is unknown");
  const first = (BigInt(fields.u32()) << 64n) | fields.u64();
  const range = { first, last, epoch: fields.u64() };
  fields.end();
  return range;
}

function putRange(tx: IndexTransaction, container: number, range: RemovedRange): void {
  const { first, last, epoch } = range;
  const value = new ByteWriter(24).u8(RECORD_VERSION).u32(Number(first >> 64n));
  tx.put(
    keyOf(container, last),
    value
      .u64(first & LOW_MASK)
      .u64(epoch)
      .finish(),
  );
}

/** Until when an object, of which nothing is known any more, may have been removed; 0 if it was not. */
export function removedUntil(reader: IndexReader, { container, oid }: ObjectAddress): Epoch {
  const id = oid & ID_MASK;
  const range = rangeAt(reader, container, id);
  return range !== undefined && range.first <= id ? range.epoch : 0n;
}

/** Adds an object to the removed ones, and joins what it lies between. */
function addRemoved(tx: IndexTransaction, { container, oid }: ObjectAddress, punched: Epoch): void {
  const id = oid & ID_MASK;
  let first = id;
  let last = id;
  let epoch = punched;
  const join = (range: RemovedRange) => {
    if (range.first < first) first = range.first;
    if (range.last > last) last = range.last;
    if (range.epoch > epoch) epoch = range.epoch;
  };
  const behind = rangeAt(tx, container, id);
  if (behind !== undefined && behind.first <= id + 1n) join(behind);
  const before = id > 0n && first === id ? rangeAt(tx, container, id - 1n) : undefined;
  if (before !== undefined && before.last === id - 1n) {
    join(before);
    tx.remove(keyOf(container, before.last));
  }
  putRange(tx, container, { first, last, epoch });
}

/** Spaces in which an object has keys as long as anything of it is there. */
const CONTENT_SPACES = [KeySpace.akey, KeySpace.run, KeySpace.dkeyPunch, KeySpace.longKey];

/** Whether a byte array has runs that a punch hides: they are its oldest. */
function hasHiddenBytes(reader: IndexReader, object: Uint8Array, punched: Epoch): boolean {
  const array = Buffer.concat([inSpace(object, KeySpace.run), BYTE_ARRAY_PATH]);
  let hidden = false;
  const visitor = (key: Uint8Array) => {
    hidden = epochOfRun(key) < punched;
    return false;
  };
  const range = { start: array, end: prefixEnd(array) };
  reader.visit(range, visitor, { heads: true, reverse: true });
  return hidden;
}

/**
 * Forgets the punches of an object that holds nothing, and remembers it among the removed ones.
 *
 * @param object The beginning of the object's keys.
 * @param horizon Punches after it stay: transactions that began before them are still under way.
 * @returns Whether it has to be tried again, since something is left that a reader of old epochs sees.
 */
export function forgetObject(tx: IndexTransaction, object: Uint8Array, horizon: Epoch): boolean {
  const punches = inSpace(object, KeySpace.object);
  const epochs = listPunches(tx, punches);
  const [newest] = epochs;
  if (newest === undefined || newest > horizon) return false;
  const holds = CONTENT_SPACES.some(
    (space) => tx.seek(inSpace(object, space), object.length) !== undefined,
  );
  if (holds) return hasHiddenBytes(tx, object, newest);
  const found: Uint8Array[] = [];
  tx.visit({ start: punches, end: prefixEnd(punches) }, (key) => {
    if (key.length === punches.length + EPOCH_SIZE && epochOfKey(key) <= newest) found.push(key);
    return true;
  });
  for (const key of found) tx.remove(key);
  // Who remembers the object's bytes, from before its punch, must not think that they are seen again.
  const container = new DataView(object.buffer, object.byteOffset).getUint32(1);
  nextCounter(tx, `layout/${container}`);
  addRemoved(tx, { container, oid: objectOfKey(object) }, newest);
  return false;
}
