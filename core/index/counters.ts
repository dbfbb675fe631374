/**
 * Counters of a pool that never go back: what they gave out is never used twice.
 *
 * Key: `pool` space, component name. Value: u64, the last value given out.
 *
 * @module
 */

import { ByteReader, ByteWriter } from "./byte-codec.js";
import type { IndexReader, IndexTransaction } from "./index-store.js";
import { KeyBuilder, KeySpace } from "./key-codec.js";

/**
 * What is counted; `epoch` holds the last epoch that a commit drew, `layout/<container>` how often
 * aggregation has moved arrays of a container.
 */
export type CounterName =
  | "segment"
  | "writer"
  | "container"
  | "epoch"
  | "table"
  | `layout/${number}`;

function counterKey(name: CounterName): Uint8Array {
  return new KeyBuilder(KeySpace.pool).component(Buffer.from(name)).done();
}

/** The last value that a counter gave out; 0 at first. */
export function readCounter(tx: IndexReader, name: CounterName): bigint {
  const value = tx.get(counterKey(name));
  return value === undefined ? 0n : new ByteReader(value, `the counter ${name}`).u64();
}

/** Sets a counter to a later value. */
export function writeCounter(tx: IndexTransaction, name: CounterName, value: bigint): void {
  tx.put(counterKey(name), new ByteWriter(8).u64(value).finish());
}

/** The next value of a counter. */
export function nextCounter(tx: IndexTransaction, name: CounterName): bigint {
  const value = readCounter(tx, name) + 1n;
  writeCounter(tx, name, value);
  return value;
}
