/**
 * Which keys each commit changed: what aggregation has to look at, so that its cost follows the number
 * of changes and not the number of keys.
 *
 * Key: `change` space, u32 container, u64 epoch, u32 part. Value: u8 version, then bytes for each
 * key: the beginning of an akey's keys; of a dkey's or an object's, if that was punched.
 *
 * @module
 */

import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeySpace, prefixEnd } from "../index/key-codec.js";
import { CHANGE_LIST_COUNT } from "../limits.js";
import type { Epoch } from "./epoch.js";

const LIST_VERSION = 1;

/** Collects the changes of one commit. */
export class ChangeList {
  #writer = new ByteWriter(2048).u8(LIST_VERSION);
  #count = 0;
  readonly #parts: Uint8Array[] = [];

  /** Adds a key. */
  add(prefix: Uint8Array): void {
    this.#writer.bytes(prefix);
    this.#count += 1;
    if (this.#count % CHANGE_LIST_COUNT > 0) return;
    this.#parts.push(this.#writer.finish());
    this.#writer = new ByteWriter(2048).u8(LIST_VERSION);
  }

  /** Stores the list, if there is anything in it. */
  store(tx: IndexTransaction, container: number, epoch: Epoch): void {
    if (this.#count % CHANGE_LIST_COUNT > 0) this.#parts.push(this.#writer.finish());
    for (const [part, value] of this.#parts.entries()) {
      tx.put(new KeyBuilder(KeySpace.change).u32(container).u64(epoch).u32(part).done(), value);
    }
  }
}

/** A stored part of a list. */
export interface StoredChanges {
  readonly key: Uint8Array;
  readonly prefixes: Uint8Array[];
}

/** The first stored part of a container behind a key, of an epoch up to `epoch`. */
export function nextChanges(
  reader: IndexReader,
  container: number,
  { after, epoch }: { after: Uint8Array | undefined; epoch: Epoch },
): StoredChanges | undefined {
  const base = new KeyBuilder(KeySpace.change).u32(container).done();
  const end = prefixEnd(new KeyBuilder(KeySpace.change).u32(container).u64(epoch).done());
  const start = after === undefined ? base : Uint8Array.of(...after, 0);
  let found: StoredChanges | undefined;
  reader.visit({ start, end }, (key, value) => {
    const fields = new ByteReader(value, "a list of changes");
    if (fields.u8() !== LIST_VERSION) throw fields.malformed("its version is unknown");
    const prefixes: Uint8Array[] = [];
    while (fields.remaining > 0) prefixes.push(fields.bytes());
    found = { key, prefixes };
    return false;
  });
  return found;
}
