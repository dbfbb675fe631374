/**
 * Punches of whole objects. A punch at epoch P hides what was written at or before P from readers at
 * or after P; writing later begins a new incarnation. Readers at earlier epochs still see the old one.
 *
 * Key: `object` space, u32 container, oid, epoch inverted. Value: u8 version.
 *
 * @module
 */

import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";
import type { Epoch } from "./epoch.js";
import { type ObjectId, oidBytes, oidOfBytes } from "./object-id.js";

const PUNCH_VERSION = 1;

/** An object of a container. */
export interface ObjectAddress {
  readonly container: number;
  readonly oid: ObjectId;
}

function prefixOf({ container, oid }: ObjectAddress): KeyBuilder {
  return new KeyBuilder(KeySpace.object).u32(container).raw(oidBytes(oid));
}

/** The newest punch of an object at or before `epoch`; 0 if there is none. */
export function punchEpoch(reader: IndexReader, object: ObjectAddress, epoch: Epoch): Epoch {
  const end = prefixEnd(prefixOf(object).done());
  const start = prefixOf(object).newest(epoch).done();
  let punch = 0n;
  reader.visit({ start, end }, (key) => {
    punch = new KeyReader(key.subarray(20)).newest();
    return false;
  });
  return punch;
}

/** Punches an object at `epoch`. */
export function punchObject(tx: IndexTransaction, object: ObjectAddress, epoch: Epoch): void {
  tx.put(prefixOf(object).newest(epoch).done(), Uint8Array.of(PUNCH_VERSION));
}

/** Visits the punches of a container. */
export function listPunches(
  reader: IndexReader,
  container: number,
): { oid: ObjectId; epoch: Epoch }[] {
  const start = new KeyBuilder(KeySpace.object).u32(container).done();
  const punches: { oid: ObjectId; epoch: Epoch }[] = [];
  reader.visit({ start, end: prefixEnd(start) }, (key) => {
    const epoch = new KeyReader(key.subarray(20)).newest();
    punches.push({ oid: oidOfBytes(key.subarray(5, 21)), epoch });
    return true;
  });
  return punches;
}
