/**
 * Which keys changed since an epoch: from the lists of changes where they are complete, by looking at all
 * keys where aggregation has forgotten some of them.
 *
 *     lists   cost follows the changes      from the horizon on
 *     scan    cost follows the keys         from a snapshot or pin below the horizon
 *
 * A key is the beginning of an akey's keys, of a dkey's if that was punched, of an object's if that was.
 * The same one may come several times; one that changed and changed back may come too.
 *
 * @module
 */

import type { IndexReader } from "../index/index-reader.js";
import { KeyBuilder, KeySpace, prefixEnd } from "../index/key-codec.js";
import { nextChanges } from "./change-list.js";
import type { Epoch } from "./epoch.js";
import { inSpace } from "./names.js";
import { EPOCH_SIZE, epochOfKey } from "./versions.js";

/** Which changes are looked for: those of epochs in `(after, until]`. */
export interface ChangeRange {
  readonly after: Epoch;
  readonly until: Epoch;
}

const PART_MAX = 0xffff_ffff;

/** The keys in the lists of changes. */
export function* listedKeys(
  reader: IndexReader,
  container: number,
  { after: from, until }: ChangeRange,
): Generator<Uint8Array, void, undefined> {
  let after = new KeyBuilder(KeySpace.change).u32(container).u64(from).u32(PART_MAX).done();
  for (;;) {
    const list = nextChanges(reader, container, { after, epoch: until });
    if (list === undefined) return;
    yield* list.prefixes;
    after = list.key;
  }
}

/** The keys of a space that have a version in the range, in the space of akeys, in order. */
function* scannedSpace(
  reader: IndexReader,
  space: number,
  { container, range }: { container: number; range: ChangeRange },
): Generator<Uint8Array, void, undefined> {
  const all = new KeyBuilder(space).u32(container).done();
  const end = prefixEnd(all);
  for (let start = all; ; ) {
    let prefix: Uint8Array | undefined;
    let isChanged = false;
    // Versions come newest first: the first at or before the end of the range decides.
    const visitor = (key: Uint8Array) => {
      const own = key.subarray(0, key.length - EPOCH_SIZE);
      if (prefix !== undefined && Buffer.compare(own, prefix) !== 0) return false;
      prefix = own;
      const epoch = epochOfKey(key);
      isChanged = epoch <= range.until && epoch > range.after;
      return epoch > range.until;
    };
    reader.visit({ start, end }, visitor, { heads: true });
    if (prefix === undefined) return;
    start = prefixEnd(prefix);
    if (isChanged) yield inSpace(prefix, KeySpace.akey);
  }
}

/** The changed keys, found by looking at all: objects first, then dkeys, then akeys, each in order. */
export function* scannedKeys(
  reader: IndexReader,
  container: number,
  range: ChangeRange,
): Generator<Uint8Array, void, undefined> {
  for (const space of [KeySpace.object, KeySpace.dkeyPunch, KeySpace.akey]) {
    yield* scannedSpace(reader, space, { container, range });
  }
}
