/**
 * The keys of a container at one epoch: look-ups, lists, queries.
 *
 * What an epoch sees cannot change while it is pinned, so that the state of an object is looked up
 * once.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { readComponent, SHORT_COMPONENT_SIZE_MAX } from "../index/component.js";
import type { FoundVersion, IndexReader } from "../index/index-store.js";
import { KeySpace, prefixEnd } from "../index/key-codec.js";
import { OBJECT_STATES_CACHED_MAX } from "../limits.js";
import {
  type Anchor,
  type AnchorLevel,
  decodeAnchor,
  encodeAnchor,
  type Rest,
  splitKeys,
  successor,
} from "./anchor.js";
import type { Epoch } from "./epoch.js";
import { dkeyExists, type Moment, momentOf, objectExists, visitAkeys } from "./existence.js";
import {
  type CopyableValue,
  copyable,
  isLongValue,
  type LongValue,
  type StoredValue,
} from "./long-value.js";
import {
  findKey,
  isLong,
  keyOfPrefix,
  latin1,
  OBJECT_PREFIX_SIZE,
  objectOfKey,
  objectPrefix,
  shortPrefix,
} from "./names.js";
import { newestChange } from "./newest-change.js";
import { formatOid, type ObjectId, oidBytes, oidOfBytes } from "./object-id.js";
import { RecentMap } from "./recent-map.js";
import { firstListed, firstValues, type ListedValue, type ValueListOptions } from "./value-list.js";
import {
  dkeyBound,
  kindOf,
  kindOfHead,
  longSizeOf,
  type ObjectState,
  objectState,
  recordSizeOf,
  type SeenVersion,
  seenVersion,
  VersionKind,
  valueBytes,
} from "./versions.js";

/** A part of a list. */
export interface KeyList<Key = Uint8Array> {
  /** In order. */
  readonly keys: Key[];
  /** Where the list goes on; `undefined` at its end. */
  readonly anchor: Anchor | undefined;
}

/** A part of a list, with what was looked at beyond it. */
export interface ListedKeys extends KeyList {
  /** The first key that did not fit; the list is known to go on with it. */
  readonly next: Uint8Array | undefined;
}

/** Which part of a list is wanted. */
export interface ListOptions {
  /** Where to go on; from the start by default. */
  readonly anchor?: Anchor | undefined;
  /** Keys at most; all by default. */
  readonly limit?: number;
}

/** A dkey of an object, with the value of the akey that was asked for. */
export interface DkeyEntry {
  /** Distribution key. */
  readonly dkey: Uint8Array;
  /** The value. */
  readonly value: Uint8Array;
}

/** An akey that exists. */
export interface FoundAkey extends SeenVersion {
  /** The beginning of its keys. */
  readonly prefix: Uint8Array;
}

const NO_KEY = new Uint8Array();
/** Space byte and container. */
const CONTAINER_PREFIX_SIZE = 5;

/** The keys of one container at one epoch. */
export class KeyView {
  readonly #openIndex: () => IndexReader;
  readonly #container: number;
  readonly #moment: Moment;
  readonly #states = new RecentMap<ObjectId, ObjectState>(OBJECT_STATES_CACHED_MAX);
  readonly #names: { first: Uint8Array; second: Uint8Array } = { first: NO_KEY, second: NO_KEY };
  #last: { readonly oid: ObjectId; readonly state: ObjectState } | undefined;

  /** @param openIndex Gives the index, or throws once it is closed. */
  constructor(openIndex: () => IndexReader, container: number, epoch: Epoch) {
    this.#openIndex = openIndex;
    this.#container = container;
    this.#moment = momentOf(epoch);
  }

  /** What an object's keys look like at this epoch. */
  state(oid: ObjectId): ObjectState {
    if (this.#last?.oid === oid) return this.#last.state;
    let state = this.#states.get(oid);
    if (state === undefined) {
      const object = { container: this.#container, oid };
      state = objectState(this.#openIndex(), object, this.#moment.suffix);
      this.#states.set(oid, state);
    }
    this.#last = { oid, state };
    return state;
  }

  /** An akey, if it exists. */
  find(oid: ObjectId, dname: Uint8Array, aname: Uint8Array): FoundAkey | undefined {
    const reader = this.#openIndex();
    const state = this.state(oid);
    const { suffix } = this.#moment;
    const dkey = findKey(reader, state.prefix, dname);
    const prefix = dkey && findKey(reader, dkey, aname);
    if (dkey === undefined || prefix === undefined) return undefined;
    const seen = seenVersion(reader, prefix, suffix, dkeyBound(reader, state, dkey, suffix));
    return seen && { ...seen, prefix };
  }

  /** A single value, or where it lies; `undefined` if there is none. */
  getValue(oid: ObjectId, dname: Uint8Array, aname: Uint8Array): StoredValue | undefined {
    const reader = this.#openIndex();
    const state = this.state(oid);
    if (state.hasDkeyPunches || isLong(dname) || isLong(aname)) {
      const found = this.find(oid, dname, aname);
      return found && valueIn(found);
    }
    const found = this.#newestValue(reader, state, dname, aname);
    if (found === undefined) return undefined;
    if (kindOfHead(found.head) === VersionKind.value) return found.body();
    return longValueOf(found, shortPrefix(state.prefix, dname, aname));
  }

  /** As {@link getValue}, with bytes where they were found, good until the next call. */
  findValue(
    oid: ObjectId,
    dname: Uint8Array,
    aname: Uint8Array,
  ): CopyableValue | LongValue | undefined {
    const reader = this.#openIndex();
    const state = this.state(oid);
    if (state.hasDkeyPunches || isLong(dname) || isLong(aname)) {
      const value = this.getValue(oid, dname, aname);
      return value && (isLongValue(value) ? value : copyable(value));
    }
    const found = this.#newestValue(reader, state, dname, aname);
    if (found === undefined || kindOfHead(found.head) === VersionKind.value) return found;
    return longValueOf(found, shortPrefix(state.prefix, dname, aname));
  }

  /** The common case, which makes no object: neither key is long, and no dkey was punched. */
  #newestValue(
    reader: IndexReader,
    state: ObjectState,
    dname: Uint8Array,
    aname: Uint8Array,
  ): FoundVersion | undefined {
    this.#names.first = dname;
    this.#names.second = aname;
    const found = reader.newestOf(state.prefix, this.#names, this.#moment.suffix);
    if (found === undefined) return undefined;
    if (state.punched > 0n && found.epoch < state.punched) return undefined;
    const kind = kindOfHead(found.head);
    return kind === VersionKind.value || kind === VersionKind.long ? found : undefined;
  }

  /** Whether an object, or a dkey of it, exists. */
  exists(oid: ObjectId, dname?: Uint8Array): boolean {
    const reader = this.#openIndex();
    const state = this.state(oid);
    if (dname === undefined) return objectExists(reader, state, this.#moment);
    const dkey = findKey(reader, state.prefix, dname);
    return dkey !== undefined && dkeyExists(reader, state, dkey, this.#moment);
  }

  /** The epoch of the newest change of an object; `undefined` if there is none. */
  newestChange(oid: ObjectId): Epoch | undefined {
    const object = { container: this.#container, oid };
    return newestChange(this.#openIndex(), object, this.#moment.epoch);
  }

  /** The dkeys of an object, in lexical order. */
  listDkeys(oid: ObjectId, options: ListOptions): ListedKeys {
    const reader = this.#openIndex();
    const state = this.state(oid);
    const list = new KeyCollector(reader, "dkey", state.prefix, options);
    visitAkeys(reader, state, { from: list.from }, this.#moment, ({ prefix, dkeySize }) =>
      list.add(prefix.subarray(0, dkeySize)) ? "nextDkey" : "stop",
    );
    return list.finish();
  }

  /** The akeys of a dkey, in lexical order. */
  listAkeys(oid: ObjectId, dname: Uint8Array, options: ListOptions): ListedKeys {
    const reader = this.#openIndex();
    const state = this.state(oid);
    const dkey = findKey(reader, state.prefix, dname);
    if (dkey === undefined) return { keys: [], anchor: undefined, next: undefined };
    const list = new KeyCollector(reader, "akey", dkey, options);
    const range = { from: list.from, end: prefixEnd(dkey) };
    visitAkeys(reader, state, range, this.#moment, ({ prefix }) =>
      list.add(prefix) ? "next" : "stop",
    );
    return list.finish();
  }

  /** Anchors of parts of the list of dkeys that together are all of it, for readers side by side. */
  splitDkeys(oid: ObjectId, parts: number): Anchor[] {
    if (!(Number.isSafeInteger(parts) && parts >= 1)) {
      const what = `Splitting the dkeys of object ${formatOid(oid)}`;
      const text = { what, why: `${parts} is no number of parts`, remedy: "give 1 or more" };
      throw new DaosError("DER_INVAL", text, { parts });
    }
    const state = this.state(oid);
    const first = this.#edge(state.prefix, false);
    const last = this.#edge(state.prefix, true);
    if (first === undefined || last === undefined) return [];
    const cuts = splitKeys(first, last, parts);
    return [NO_KEY, ...cuts].map((start, index) =>
      encodeAnchor("dkey", { start, end: cuts[index] ?? NO_KEY }),
    );
  }

  /** The first or last key below a parent, whether it exists or not; of a long one, its beginning. */
  #edge(parent: Uint8Array, reverse: boolean): Uint8Array | undefined {
    let found: Uint8Array | undefined;
    const range = { start: parent, end: prefixEnd(parent) };
    const visitor = (key: Uint8Array) => {
      found = readComponent(key, parent.length).bytes;
      return false;
    };
    this.#openIndex().visit(range, visitor, { reverse, heads: true });
    return found;
  }

  /** The dkeys of an object that hold a single value of `akey`, in lexical order, with the values. */
  listValues(oid: ObjectId, options: ValueListOptions): ListedValue[] {
    const reader = this.#openIndex();
    const state = this.state(oid);
    const { akey, limit = Number.POSITIVE_INFINITY } = options;
    const start = firstListed(options);
    const list = new KeyCollector(reader, "dkey", state.prefix, {
      anchor: start && encodeAnchor("dkey", { start, end: NO_KEY }),
      limit,
    });
    const values = new Map<string, StoredValue>();
    const range = { from: list.from, whole: true };
    visitAkeys(reader, state, range, this.#moment, ({ prefix, dkeySize, record, epoch }) => {
      const order = Buffer.compare(keyOfPrefix(reader, prefix, dkeySize), akey);
      if (order !== 0) return "next";
      const value = valueIn({ record, epoch, prefix });
      if (value === undefined) return "nextDkey";
      const dkey = prefix.slice(0, dkeySize);
      values.set(latin1(dkey), value);
      return list.add(dkey) ? "nextDkey" : "stop";
    });
    list.finish();
    const listed = list.listed.map(({ key, prefix }) => {
      return { dkey: key, value: values.get(latin1(prefix)) as StoredValue };
    });
    return firstValues(listed, options.size);
  }

  /** The last dkey of an object that exists. */
  lastDkey(oid: ObjectId): Uint8Array | undefined {
    const reader = this.#openIndex();
    const state = this.state(oid);
    return this.#lastBelow(state.prefix, (dkey) => dkeyExists(reader, state, dkey, this.#moment));
  }

  /** The last akey of a dkey that exists. */
  lastAkey(oid: ObjectId, dname: Uint8Array): Uint8Array | undefined {
    const reader = this.#openIndex();
    const state = this.state(oid);
    const dkey = findKey(reader, state.prefix, dname);
    if (dkey === undefined) return undefined;
    const { suffix } = this.#moment;
    const bound = dkeyBound(reader, state, dkey, suffix);
    return this.#lastBelow(dkey, (akey) => seenVersion(reader, akey, suffix, bound) !== undefined);
  }

  #lastBelow(parent: Uint8Array, exists: (prefix: Uint8Array) => boolean): Uint8Array | undefined {
    const reader = this.#openIndex();
    let end = prefixEnd(parent);
    let best: Uint8Array | undefined;
    for (;;) {
      let prefix: Uint8Array | undefined;
      const visitor = (key: Uint8Array) => {
        prefix = key.slice(0, readComponent(key, parent.length).end);
        return false;
      };
      reader.visit({ start: parent, end }, visitor, { reverse: true, heads: true });
      if (prefix === undefined) return best;
      end = prefix;
      const { bytes, isLong: long } = readComponent(prefix, parent.length);
      // Long keys that share a beginning are in another order: all of them are looked at.
      const mayBeLarger = best === undefined || sharesBeginning(best, bytes, long);
      if (!mayBeLarger) return best;
      if (!exists(prefix)) continue;
      const key = keyOfPrefix(reader, prefix, parent.length);
      if (best === undefined || Buffer.compare(key, best) > 0) best = key;
      if (!long) return best;
    }
  }

  /** The objects from `first` to `last` that exist, in the order of their ids. */
  objectsBetween(first: ObjectId, last: ObjectId): ObjectId[] {
    const anchor = encodeAnchor("object", { start: oidBytes(first), end: NO_KEY });
    const { keys } = this.listObjects({ anchor, last });
    return keys;
  }

  /** The objects of the container that exist, in the order of their ids. */
  listObjects({
    anchor,
    limit = Number.POSITIVE_INFINITY,
    last,
  }: ListOptions & { readonly last?: ObjectId }): KeyList<ObjectId> {
    const reader = this.#openIndex();
    const { start } = decodeAnchor("object", anchor);
    const keys: ObjectId[] = [];
    let from: ObjectId | undefined = start.length === 0 ? 0n : oidOfBytes(start);
    while (from !== undefined) {
      const found = firstObject(reader, this.#container, from);
      if (found === undefined || (last !== undefined && found > last)) break;
      if (objectExists(reader, this.state(found), this.#moment)) {
        if (keys.length >= limit) {
          const rest = encodeAnchor("object", { start: oidBytes(found), end: NO_KEY });
          return { keys, anchor: rest };
        }
        keys.push(found);
      }
      from = (found + 1n) >> 128n === 0n ? found + 1n : undefined;
    }
    return { keys, anchor: undefined };
  }
}

/** A key of a list, whole, and as the beginning of index keys. */
interface ListedKey {
  readonly key: Uint8Array;
  readonly prefix: Uint8Array;
}

/** Collects the keys of a list: sorts long ones, and stops at the limit. */
class KeyCollector {
  readonly #reader: IndexReader;
  readonly #level: AnchorLevel;
  readonly #parent: Uint8Array;
  readonly #rest: Rest;
  readonly #limit: number;
  /** What was taken so far. */
  readonly listed: ListedKey[] = [];
  /** Long keys that agree in what the index orders by. */
  #group: ListedKey[] = [];
  #head: Uint8Array | undefined;
  #next: Uint8Array | undefined;
  #done = false;

  constructor(
    reader: IndexReader,
    level: AnchorLevel,
    parent: Uint8Array,
    { anchor, limit = Number.POSITIVE_INFINITY }: ListOptions,
  ) {
    this.#reader = reader;
    this.#level = level;
    this.#parent = parent;
    this.#rest = decodeAnchor(level, anchor);
    this.#limit = limit;
  }

  /** Where the visit starts. */
  get from(): Uint8Array {
    const { start } = this.#rest;
    if (start.length === 0) return this.#parent;
    // Of a long key, where the keys that share its beginning start.
    return shortPrefix(this.#parent, start.subarray(0, SHORT_COMPONENT_SIZE_MAX));
  }

  /** Takes a key, given as the beginning of its index keys; whether more are wanted. */
  add(prefix: Uint8Array): boolean {
    const { bytes, isLong: long } = readComponent(prefix, this.#parent.length);
    const joins = long && this.#head !== undefined && Buffer.compare(this.#head, bytes) === 0;
    if (!joins) this.#closeGroup();
    if (long) {
      this.#head = bytes;
      this.#group.push({ key: keyOfPrefix(this.#reader, prefix, this.#parent.length), prefix });
    } else {
      this.#accept({ key: bytes, prefix });
    }
    return !this.#done;
  }

  #closeGroup(): void {
    this.#group.sort((a, b) => Buffer.compare(a.key, b.key));
    for (const one of this.#group) this.#accept(one);
    this.#group = [];
    this.#head = undefined;
  }

  #accept(one: ListedKey): void {
    const { key } = one;
    const { start, end } = this.#rest;
    if (this.#done || Buffer.compare(key, start) < 0) return;
    if (end.length > 0 && Buffer.compare(key, end) >= 0) this.#done = true;
    else if (this.listed.length < this.#limit) this.listed.push(one);
    else {
      this.#done = true;
      this.#next = key;
    }
  }

  finish(): ListedKeys {
    this.#closeGroup();
    const { end, start } = this.#rest;
    const keys = this.listed.map(({ key }) => key);
    const last = keys.at(-1);
    const rest = { start: last === undefined ? start : successor(last), end };
    const next = this.#next;
    const anchor = next === undefined ? undefined : encodeAnchor(this.#level, rest);
    return { keys, anchor, next };
  }
}

/** The long value of a version that was found. */
function longValueOf(found: FoundVersion, akey: Uint8Array): LongValue {
  const { epoch } = found;
  return { size: longSizeOf(found.body()), epoch, akey };
}

/** The single value of an akey, if it holds one. */
export function valueIn({ record, epoch, prefix }: FoundAkey): StoredValue | undefined {
  const kind = kindOf(record);
  if (kind === VersionKind.value) return valueBytes(record);
  if (kind !== VersionKind.long) return undefined;
  return { size: longSizeOf(valueBytes(record)), epoch, akey: prefix };
}

/** The record size of an array's record; `undefined` of a single value. */
export function recordSizeIn(record: Uint8Array): number | undefined {
  return kindOf(record) === VersionKind.array ? recordSizeOf(record) : undefined;
}

function sharesBeginning(best: Uint8Array, bytes: Uint8Array, long: boolean): boolean {
  return long && Buffer.compare(best.subarray(0, bytes.length), bytes) === 0;
}

/** The first object at or after an id that has keys or runs, whether it exists or not. */
function firstObject(reader: IndexReader, container: number, from: ObjectId): ObjectId | undefined {
  const key = objectPrefix({ container, oid: from });
  const keyed = reader.seek(key, CONTAINER_PREFIX_SIZE);
  const run = objectPrefix({ container, oid: from }, KeySpace.run);
  const written = reader.seek(run, CONTAINER_PREFIX_SIZE);
  const found = [keyed, written].flatMap((entry) =>
    entry === undefined ? [] : [objectOfKey(entry.key.subarray(0, OBJECT_PREFIX_SIZE))],
  );
  return found.reduce<ObjectId | undefined>(
    (least, oid) => (least === undefined || oid < least ? oid : least),
    undefined,
  );
}
