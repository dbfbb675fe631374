/**
 * When an object was changed last, as one epoch sees it.
 *
 * Nothing is stored for that: versions and punches of keys are looked at one by one, of arrays the newest
 * run each. What was replaced and aggregated counts no more.
 *
 * @module
 */

import type { IndexReader } from "../index/index-store.js";
import { KeySpace, prefixEnd } from "../index/key-codec.js";
import type { Epoch } from "./epoch.js";
import { inSpace, type ObjectAddress, objectPrefix } from "./names.js";
import { epochOfRun, prefixOfRun } from "./run-format.js";
import { epochOfKey, epochSuffix } from "./versions.js";

/**
 * The epoch of the newest change of an object at or before `epoch`; `undefined` if there is none.
 *
 * Cost: the number of stored versions of its keys, and a search for each of its arrays.
 */
export function newestChange(
  reader: IndexReader,
  object: ObjectAddress,
  epoch: Epoch,
): Epoch | undefined {
  let newest: Epoch | undefined;
  const take = (found: Epoch) => {
    if (found <= epoch && (newest === undefined || found > newest)) newest = found;
  };
  for (const space of [KeySpace.object, KeySpace.akey, KeySpace.dkeyPunch]) {
    const prefix = objectPrefix(object, space);
    // Most objects have keys of one kind only, files none: a search costs less than a visit.
    if (reader.seek(prefix, prefix.length) === undefined) continue;
    const visitor = (key: Uint8Array) => {
      take(epochOfKey(key));
      return true;
    };
    reader.visit({ start: prefix, end: prefixEnd(prefix) }, visitor, { heads: true });
  }
  const runs = inSpace(objectPrefix(object), KeySpace.run);
  let from: Uint8Array | undefined = reader.seek(runs, runs.length)?.key;
  while (from !== undefined) {
    const array = prefixOfRun(from);
    // It is the newest of its array, unless it is newer than what is seen.
    const seen = epochOfRun(from) <= epoch ? from : newestSeen(reader, array, epoch);
    if (seen !== undefined) take(epochOfRun(seen));
    const next = prefixEnd(array);
    from = hasPrefix(next, runs) ? reader.seek(next, runs.length)?.key : undefined;
  }
  return newest;
}

/** The key of the newest run of an array that an epoch sees. */
function newestSeen(reader: IndexReader, array: Uint8Array, epoch: Epoch): Uint8Array | undefined {
  return reader.seek(Buffer.concat([array, epochSuffix(epoch)]), array.length)?.key;
}

function hasPrefix(key: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(key.subarray(0, prefix.length), prefix) === 0;
}
