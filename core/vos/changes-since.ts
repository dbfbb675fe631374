/**
 * Which keys of a container changed since an epoch, within bounds.
 *
 * The lists of changes of later commits say so, as long as they are all there: aggregation forgets those
 * up to its horizon. Else the versions within the bounds are looked at.
 *
 * @module
 */

import type { IndexReader } from "../index/index-store.js";
import { KeySpace } from "../index/key-codec.js";
import { READ_CHANGES_MAX } from "../limits.js";
import { nextChanges } from "./change-list.js";
import { getContainer } from "./containers.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";
import { inSpace } from "./names.js";
import { EPOCH_SIZE, epochOfKey } from "./versions.js";

/** The beginnings of index keys, `[from, to)`, in the space of akeys. */
export interface KeyBounds {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** Asks about one changed key: the beginning of the keys of an akey, or of a dkey that was punched. */
export type ChangeTest = (prefix: Uint8Array) => boolean;

/** The changes of one container since one epoch. */
export class ChangesSince {
  readonly #reader: IndexReader;
  readonly #container: number;
  readonly #epoch: Epoch;
  readonly #countMax: number;
  /** Sorted; `null` if the lists do not say all, or too much. */
  #listed: readonly Uint8Array[] | null | undefined;

  constructor(
    reader: IndexReader,
    container: number,
    epoch: Epoch,
    countMax: number = READ_CHANGES_MAX,
  ) {
    this.#reader = reader;
    this.#container = container;
    this.#epoch = epoch;
    this.#countMax = countMax;
  }

  /** Whether a test holds of a changed key within bounds; keys may come several times. */
  some(bounds: KeyBounds, test: ChangeTest): boolean {
    if (this.#listed === undefined) this.#listed = this.#load();
    return this.#listed === null
      ? this.#someStored(bounds, test)
      : someListed(this.#listed, bounds, test);
  }

  #load(): readonly Uint8Array[] | null {
    const record = getContainer(this.#reader, this.#container);
    if (record === undefined || record.horizon > this.#epoch) return null;
    const changes: Uint8Array[] = [];
    let after: Uint8Array | undefined;
    for (;;) {
      const place = { after, since: this.#epoch + 1n, epoch: EPOCH_HEAD };
      const list = nextChanges(this.#reader, this.#container, place);
      if (list === undefined) break;
      after = list.key;
      for (const prefix of list.prefixes) changes.push(prefix);
      if (changes.length > this.#countMax) return null;
    }
    return changes.sort(Buffer.compare);
  }

  /** Looks at the versions themselves. */
  #someStored({ from, to }: KeyBounds, test: ChangeTest): boolean {
    let isFound = false;
    let last: Uint8Array | undefined;
    const visitor = (key: Uint8Array) => {
      if (epochOfKey(key) <= this.#epoch) return true;
      const prefix = inSpace(key.subarray(0, key.length - EPOCH_SIZE), KeySpace.akey);
      if (last !== undefined && Buffer.compare(last, prefix) === 0) return true;
      last = prefix;
      isFound = test(prefix);
      return !isFound;
    };
    const range = { start: from, end: to };
    this.#reader.visit(range, visitor, { heads: true });
    if (isFound) return true;
    const punches = {
      start: inSpace(from, KeySpace.dkeyPunch),
      end: inSpace(to, KeySpace.dkeyPunch),
    };
    this.#reader.visit(punches, visitor, { heads: true });
    return isFound;
  }
}

function someListed(
  listed: readonly Uint8Array[],
  { from, to }: KeyBounds,
  test: ChangeTest,
): boolean {
  let low = 0;
  let high = listed.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Buffer.compare(listed[middle] as Uint8Array, from) < 0) low = middle + 1;
    else high = middle;
  }
  for (let at = low; at < listed.length; at++) {
    const prefix = listed[at] as Uint8Array;
    if (Buffer.compare(prefix, to) >= 0) return false;
    if (test(prefix)) return true;
  }
  return false;
}
