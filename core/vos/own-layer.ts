/**
 * The index as a transaction sees it: the version that it reads, and what it changed itself on top, as if
 * that had been committed at the next epoch.
 *
 *     base     versions up to epoch E; what is newer is not seen
 *     own      the transaction's versions, punches and runs, at E + 1
 *
 * Of own long values it has the versions; their bytes are read from the log (own-values.ts).
 *
 * Look-ups, lists and queries run on it as on the index (key-view.ts), so that they show the transaction's
 * own changes by the rules that hold of committed ones. The entries follow the transaction: it mostly adds
 * some; when it punched something, they are made anew.
 *
 * @module
 */

import { largeVersion } from "../index/exchanged-version.js";
import type {
  EntryVisitor,
  FoundVersion,
  IndexEntry,
  IndexReader,
  IndexTransaction,
  IndexVersion,
  KeyRange,
  VisitOptions,
} from "../index/index-store.js";
import { KeySpace, prefixEnd } from "../index/key-codec.js";
import { arrayUnder, byteArray } from "./array-address.js";
import type { ValueVersion } from "./contribution-format.js";
import type { Epoch } from "./epoch.js";
import { KeyView } from "./key-view.js";
import { findKey, makeKey, objectPrefix, shortPrefix } from "./names.js";
import type { OwnArray } from "./own-arrays.js";
import { epochOfRun, runKey } from "./run-format.js";
import { SortedEntries } from "./sorted-entries.js";
import type { Transaction } from "./transaction.js";
import {
  arrayRecord,
  dkeyBound,
  dkeyPunchPrefix,
  epochOfKey,
  epochSuffix,
  objectState,
  PUNCH_RECORD,
  seenVersion,
} from "./versions.js";

const NO_VALUE = new Uint8Array();

/** The epoch of a key that ends with one; `undefined` of the names of long keys. */
function versionOf(key: Uint8Array): Epoch | undefined {
  switch (key[0]) {
    case KeySpace.object:
    case KeySpace.akey:
    case KeySpace.dkeyPunch:
      return epochOfKey(key);
    case KeySpace.run:
      return epochOfRun(key);
    default:
      return undefined;
  }
}

/** One version of a container with the changes of one transaction. */
export class OwnLayer implements IndexTransaction {
  readonly #openIndex: () => IndexReader;
  readonly #transaction: Transaction;
  readonly #epoch: Epoch;
  readonly #suffix: Uint8Array;
  readonly #baseSuffix: Uint8Array;
  readonly #own = new SortedEntries();
  #keys: KeyView | undefined;
  /** What was taken over of the transaction. */
  #generation = -1;
  #values = 0;
  #punches = 0;
  #arrays = 0;

  constructor(openIndex: () => IndexReader, transaction: Transaction, epoch: Epoch) {
    this.#openIndex = openIndex;
    this.#transaction = transaction;
    this.#epoch = epoch;
    this.#suffix = epochSuffix(epoch + 1n);
    this.#baseSuffix = epochSuffix(epoch);
  }

  /** The keys as the transaction sees them now. */
  keys(): KeyView {
    const isSame = !this.#follow();
    if (isSame && this.#keys !== undefined) return this.#keys;
    this.#keys = new KeyView(() => this, this.#transaction.container, this.#epoch + 1n);
    return this.#keys;
  }

  /** Takes over what the transaction did since the last time; whether that was anything. */
  #follow(): boolean {
    const { changes, arrays, generation } = this.#transaction;
    if (generation !== this.#generation) {
      this.#own.clear();
      this.#generation = generation;
      this.#values = 0;
      this.#punches = 0;
      this.#arrays = 0;
    }
    const { values, punches } = changes;
    const before = this.#values + this.#punches + this.#arrays;
    for (; this.#punches < punches.length; this.#punches++) {
      const { oid, dkey } = punches[this.#punches] as (typeof punches)[number];
      this.#punch(oid, dkey);
    }
    for (; this.#values < values.length; this.#values++) {
      this.#value(values[this.#values] as ValueVersion);
    }
    if (arrays.size > this.#arrays) {
      let at = 0;
      for (const array of arrays.all()) if (at++ >= this.#arrays) this.#array(array);
      this.#arrays = arrays.size;
    }
    return before !== this.#values + this.#punches + this.#arrays;
  }

  #object(oid: bigint): { container: number; oid: bigint } {
    return { container: this.#transaction.container, oid };
  }

  #punch(oid: bigint, dkey: Uint8Array): void {
    if (dkey.length === 0) {
      const prefix = objectPrefix(this.#object(oid), KeySpace.object);
      this.putVersion(prefix, this.#suffix, PUNCH_RECORD);
      return;
    }
    const prefix = findKey(this, objectPrefix(this.#object(oid)), dkey);
    if (prefix !== undefined) this.putVersion(dkeyPunchPrefix(prefix), this.#suffix, PUNCH_RECORD);
  }

  #value({ oid, dkey, akey, record, prefix }: ValueVersion): void {
    const object = () => objectPrefix(this.#object(oid));
    const place = prefix ?? makeKey(this, makeKey(this, object(), dkey), akey);
    this.putVersion(place, this.#suffix, record);
  }

  #array({ oid, records }: OwnArray): void {
    const object = this.#object(oid);
    if (records === undefined) {
      this.put(runKey(byteArray(object.container, oid), this.#epoch + 1n, 0), NO_VALUE);
      return;
    }
    const state = objectState(this, object, this.#suffix);
    const dkey = makeKey(this, state.prefix, records.dkey);
    const akey = makeKey(this, dkey, records.akey);
    const bound = dkeyBound(this, state, dkey, this.#suffix);
    if (seenVersion(this, akey, this.#suffix, bound) === undefined) {
      this.putVersion(akey, this.#suffix, arrayRecord(records.recordSize));
    }
    this.put(runKey(arrayUnder(object, akey, records.window), this.#epoch + 1n, 0), NO_VALUE);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#own.put(key, value);
  }

  putVersion(prefix: Uint8Array, suffix: Uint8Array, value: Uint8Array): void {
    const key = new Uint8Array(prefix.length + suffix.length);
    key.set(prefix);
    key.set(suffix, prefix.length);
    this.#own.put(key, value);
  }

  remove(): void {
    throw new Error("Broken invariant: a layer of own changes only ever gains entries");
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#own.get(key) ?? this.#openIndex().get(key);
  }

  seek(key: Uint8Array, prefixSize: number): IndexEntry | undefined {
    let found: IndexEntry | undefined;
    const end = prefixEnd(key.subarray(0, prefixSize));
    this.visit({ start: key, end }, (at, value) => {
      found = { key: at, value };
      return false;
    });
    return found;
  }

  newest(prefix: Uint8Array): IndexVersion | undefined {
    const key = new Uint8Array(prefix.length + this.#suffix.length);
    key.set(prefix);
    key.set(this.#suffix, prefix.length);
    const own = this.#own.get(key);
    if (own !== undefined) return { epoch: this.#epoch + 1n, value: own };
    return this.#openIndex().newest(prefix, this.#baseSuffix);
  }

  newestOf(
    prefix: Uint8Array,
    { first, second }: { readonly first: Uint8Array; readonly second: Uint8Array },
  ): FoundVersion | undefined {
    const found = this.newest(shortPrefix(prefix, first, second));
    return found && { epoch: found.epoch, ...largeVersion(found.value) };
  }

  visit(range: KeyRange, visitor: EntryVisitor, options: VisitOptions = {}): void {
    const reverse = options.reverse === true;
    const own = this.#own.inRange(range, reverse);
    let next = own.next();
    let isStopped = false;
    /** Hands out own entries that come before a key; whether more are wanted. */
    const advance = (before: Uint8Array | undefined): boolean => {
      while (!next.done) {
        const { key, value } = next.value;
        const order = before === undefined ? -1 : Buffer.compare(key, before);
        if (before !== undefined && (reverse ? order <= 0 : order >= 0)) return true;
        next = own.next();
        if (visitor(key, value, value.length) === false) return false;
      }
      return true;
    };
    this.#openIndex().visit(
      range,
      (key, value, size) => {
        const version = versionOf(key);
        if (version !== undefined && version > this.#epoch) return true;
        isStopped = !advance(key) || visitor(key, value, size) === false;
        return !isStopped;
      },
      options,
    );
    if (!isStopped) advance(undefined);
  }
}
