/**
 * Which keys each commit changed: what aggregation has to look at, so that its cost follows the number
 * of changes and not the number of keys.
 *
 * Key: `change` space, u32 container, u64 epoch, u32 part. Value: u8 version, then for each key, the
 * beginning of an akey's keys (of a dkey's or an object's, if that was punched):
 *
 *     u8 bytes that it shares with the key before, u16 size of the rest, the rest
 *
 * @module
 */

import { ByteReader } from "../index/byte-codec.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeyBuilder, KeySpace, prefixEnd } from "../index/key-codec.js";
import type { Epoch } from "./epoch.js";

const LIST_VERSION = 1;
const PART_SIZE_MAX = 32 * 1024;
/** Longest key, and what is stored before it. */
const ENTRY_SIZE_MAX = 2048 + 3;
const SHARED_MAX = 255;

// A commit collects its changes here: one at a time is made, under the writer lock.
const scratch = new Uint8Array(PART_SIZE_MAX + ENTRY_SIZE_MAX);
const NO_KEY = new Uint8Array();

function sharedSize(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length, SHARED_MAX);
  let size = 0;
  while (size < most && a[size] === b[size]) size += 1;
  return size;
}

/** Collects and stores the changes of one commit, in its transaction. */
export class ChangeList {
  readonly #tx: IndexTransaction;
  readonly #container: number;
  readonly #epoch: Epoch;
  #previous: Uint8Array = NO_KEY;
  #size = 0;
  #part = 0;

  constructor(tx: IndexTransaction, container: number, epoch: Epoch) {
    this.#tx = tx;
    this.#container = container;
    this.#epoch = epoch;
  }

  /** Adds a key. */
  add(prefix: Uint8Array): void {
    if (this.#size >= PART_SIZE_MAX) this.finish();
    if (this.#size === 0) scratch[this.#size++] = LIST_VERSION;
    const shared = sharedSize(prefix, this.#previous);
    const rest = prefix.length - shared;
    scratch[this.#size] = shared;
    scratch[this.#size + 1] = rest >>> 8;
    scratch[this.#size + 2] = rest & 0xff;
    let at = this.#size + 3;
    for (let index = shared; index < prefix.length; index++)
      scratch[at++] = prefix[index] as number;
    this.#size = at;
    this.#previous = prefix;
  }

  /** Stores what was added since the last part. */
  finish(): void {
    if (this.#size === 0) return;
    const base = new KeyBuilder(KeySpace.change).u32(this.#container).u64(this.#epoch);
    this.#tx.put(base.u32(this.#part).done(), scratch.subarray(0, this.#size));
    this.#part += 1;
    this.#size = 0;
    this.#previous = NO_KEY;
  }
}

function decode(value: Uint8Array): Uint8Array[] {
  const fields = new ByteReader(value, "a list of changes");
  if (fields.u8() !== LIST_VERSION) throw fields.malformed("its version is unknown");
  const prefixes: Uint8Array[] = [];
  let previous = NO_KEY;
  while (fields.remaining > 0) {
    const shared = fields.u8();
    const size = fields.u8() * 256 + fields.u8();
    if (shared > previous.length) throw fields.malformed("a key shares more than there is");
    const prefix = new Uint8Array(shared + size);
    prefix.set(previous.subarray(0, shared));
    prefix.set(fields.raw(size), shared);
    prefixes.push(prefix);
    previous = prefix;
  }
  return prefixes;
}

/** A stored part of a list. */
export interface StoredChanges {
  readonly key: Uint8Array;
  readonly prefixes: Uint8Array[];
}

/** The first stored part of a container behind a key, of an epoch from `since` up to `epoch`. */
export function nextChanges(
  reader: IndexReader,
  container: number,
  { after, since = 0n, epoch }: { after: Uint8Array | undefined; since?: Epoch; epoch: Epoch },
): StoredChanges | undefined {
  const base = new KeyBuilder(KeySpace.change).u32(container).u64(since).done();
  const end = prefixEnd(new KeyBuilder(KeySpace.change).u32(container).u64(epoch).done());
  const start = after === undefined ? base : Uint8Array.of(...after, 0);
  let found: StoredChanges | undefined;
  reader.visit({ start, end }, (key, value) => {
    found = { key, prefixes: decode(value) };
    return false;
  });
  return found;
}
