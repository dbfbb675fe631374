/**
 * Aggregation of single values: removes the versions that no reader can see.
 *
 * @module
 */

import type { IndexStore } from "../index/index-store.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../index/key-codec.js";
import { VALUE_STEP_COUNT } from "../limits.js";
import type { Epoch } from "./epoch.js";
import { type ObjectId, oidOfBytes } from "./object-id.js";
import { trimValueHistory } from "./values.js";

/**
 * Removes hidden versions in short transactions.
 *
 * @param kept Oldest first.
 * @returns What each transaction removed.
 */
export function* aggregateValues(
  index: IndexStore,
  container: number,
  kept: readonly Epoch[],
): Generator<number, void, undefined> {
  const prefix = new KeyBuilder(KeySpace.valueHistory).u32(container).done();
  const addresses = new Map<string, { oid: ObjectId; dkey: Uint8Array; akey: Uint8Array }>();
  index.visit({ start: prefix, end: prefixEnd(prefix) }, (key) => {
    const fields = new KeyReader(key.subarray(20));
    const address = {
      oid: oidOfBytes(key.subarray(5, 21)),
      dkey: fields.component(),
      akey: fields.component(),
    };
    addresses.set(Buffer.from(key.subarray(5, key.length - 8)).toString("latin1"), address);
    return true;
  });
  const list = [...addresses.values()];
  for (let start = 0; start < list.length; start += VALUE_STEP_COUNT) {
    let removed = 0;
    index.transact("Aggregating single values", (tx) => {
      for (const address of list.slice(start, start + VALUE_STEP_COUNT)) {
        removed += trimValueHistory(tx, { container, ...address }, kept);
      }
    });
    yield removed;
  }
}
