/**
 * What differs between two versions of a container: objects, dkeys, akeys, ranges of arrays.
 *
 *     object changed
 *       dkey changed
 *         akey added          in the order of ids and keys; who is told of comes before what it holds
 *         akey changed
 *           records [3, 7)
 *       bytes [0, 4096)
 *
 * Cost follows the changes where the lists of changes go back to the older version: the keys that they
 * name, and one look at each array. Else, and if they name very many, all keys are looked at, in parts, so
 * that memory is bounded either way. Arrays are told of by the runs in between; only `compare` reads bytes.
 *
 * @module
 */

import type { IndexReader } from "../index/index-reader.js";
import { DIFF_LIST_COUNT } from "../limits.js";
import type { Anchor } from "./anchor.js";
import { type ArrayAddress, arrayUnder, byteArray, windowStart } from "./array-address.js";
import { layersOf, listWindows } from "./array-cache.js";
import type { ArrayReader } from "./array-reader.js";
import type { OffsetRange } from "./damage.js";
import { type DkeyCandidate, diffCandidates, type ObjectCandidate } from "./diff-candidates.js";
import { coveredRanges, differingRanges } from "./diff-ranges.js";
import type { Epoch } from "./epoch.js";
import { joinLast, recordsOf, type WindowReader, windowReader } from "./fetch.js";
import { type FoundAkey, type KeyList, type KeyView, recordSizeIn, valueIn } from "./key-view.js";
import {
  type CopyableValue,
  copyable,
  haveSameBytes,
  isLongValue,
  type LongValue,
  type StoredValue,
} from "./long-value.js";
import type { ObjectAddress } from "./names.js";
import type { ObjectId } from "./object-id.js";
import type { ExactRange } from "./records.js";
import { runPrefix } from "./run-format.js";
import { readRuns, type StoredRun } from "./run-list.js";

/** What became of something on the way from one version to the other. */
export type ChangeKind = "added" | "removed" | "changed";

/** An object that was added, removed or changed. */
export interface ObjectChange {
  /** What it is. */
  readonly level: "object";
  /** What became of it. */
  readonly change: ChangeKind;
  /** The object. */
  readonly oid: ObjectId;
}

/** A dkey that was added, removed or changed. */
export interface DkeyChange extends Omit<ObjectChange, "level"> {
  /** What it is. */
  readonly level: "dkey";
  /** Distribution key. */
  readonly dkey: Uint8Array;
}

/** An akey that was added, removed or changed. */
export interface AkeyChange extends Omit<DkeyChange, "level"> {
  /** What it is. */
  readonly level: "akey";
  /** Attribute key. */
  readonly akey: Uint8Array;
}

/** Bytes `[start, end)` of a byte array. */
export interface BytesChange {
  /** What it is. */
  readonly level: "bytes";
  /** The object. */
  readonly oid: ObjectId;
  /** First byte. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

/** Records `[index, index + count)` of an array under an akey. */
export interface RecordsChange extends ExactRange {
  /** What it is. */
  readonly level: "records";
  /** The object. */
  readonly oid: ObjectId;
  /** Distribution key. */
  readonly dkey: Uint8Array;
  /** Attribute key. */
  readonly akey: Uint8Array;
}

/** One difference. */
export type ContainerChange = ObjectChange | DkeyChange | AkeyChange | BytesChange | RecordsChange;

/** How two versions are compared. */
export interface DiffOptions {
  /**
   * Whether values and bytes are read and compared, so that only real differences are told of; `false` by
   * default: what was written again as it was is told of too.
   */
  readonly compare?: boolean;
}

/** What a comparison needs of its target. */
export interface DiffSource {
  readonly index: IndexReader;
  readonly container: number;
  /** The keys of the older and the newer version. */
  readonly keys: readonly [KeyView, KeyView];
  readonly epochs: readonly [Epoch, Epoch];
  /** Whether changes are told of from the newer to the older version. */
  readonly isBackward: boolean;
  readonly compare: boolean;
  array(array: ArrayAddress, version: { epoch: Epoch; since: Epoch }): ArrayReader;
  /** A value that does not lie in the index. */
  value(object: ObjectAddress, value: LongValue): CopyableValue;
  /** Throws if a version was aggregated meanwhile, under a reader that could not pin it. */
  requireReadable(): void;
}

type Changes = Generator<ContainerChange, void, undefined>;
type Since = readonly [Epoch | undefined, Epoch | undefined];

/** All of a list, in parts. */
function* listed<Key>(
  next: (options: { anchor: Anchor | undefined; limit: number }) => KeyList<Key>,
): Generator<Key, void, undefined> {
  let anchor: Anchor | undefined;
  do {
    const part = next({ anchor, limit: DIFF_LIST_COUNT });
    yield* part.keys;
    anchor = part.anchor;
  } while (anchor !== undefined);
}

/** What is in either of two ordered lists, in order, once. */
function* union<Key>(
  a: Iterator<Key>,
  b: Iterator<Key>,
  compare: (a: Key, b: Key) => number,
): Generator<Key, void, undefined> {
  let [left, right] = [a.next(), b.next()];
  while (left.done !== true || right.done !== true) {
    let order = 0;
    if (left.done === true) order = 1;
    else if (right.done === true) order = -1;
    else order = compare(left.value, right.value);
    yield (order <= 0 ? left.value : right.value) as Key;
    if (order <= 0) left = a.next();
    if (order >= 0) right = b.next();
  }
}

const byId = (a: ObjectId, b: ObjectId) => (a < b ? -1 : a > b ? 1 : 0);

/** One comparison. */
export class ContainerDiff {
  readonly #source: DiffSource;

  constructor(source: DiffSource) {
    this.#source = source;
  }

  /** All differences. */
  *changes(): Changes {
    const { index, container, epochs, keys, requireReadable } = this.#source;
    const [after, until] = epochs;
    if (after === until) return;
    const candidates = diffCandidates(index, container, { after, until });
    if (candidates !== undefined) {
      for (const candidate of candidates) {
        yield* this.#object(candidate);
        requireReadable();
      }
      return;
    }
    const [a, b] = keys.map((view) => listed((options) => view.listObjects(options)));
    for (const oid of union(a as Iterator<ObjectId>, b as Iterator<ObjectId>, byId)) {
      yield* this.#object({ oid, dkeys: new Map(), isWhole: true });
      requireReadable();
    }
  }

  #change(was: boolean, is: boolean): ChangeKind {
    if (was === is) return "changed";
    return is !== this.#source.isBackward ? "added" : "removed";
  }

  /** What is told of something, and then of what it holds; nothing, if nothing of it differs. */
  *#headed(
    header: ObjectChange | DkeyChange | AkeyChange,
    isDecided: boolean,
    below: Iterable<ContainerChange>,
  ): Changes {
    let isTold = isDecided;
    if (isTold) yield header;
    for (const change of below) {
      if (!isTold) yield header;
      isTold = true;
      yield change;
    }
  }

  *#object(candidate: ObjectCandidate): Changes {
    const { oid } = candidate;
    const [was, is] = this.#source.keys.map((keys) => keys.exists(oid)) as [boolean, boolean];
    if (!was && !is) return;
    const change = this.#change(was, is);
    // What came or went as a whole is told of whole.
    const whole = { ...candidate, isWhole: candidate.isWhole || was !== is };
    yield* this.#headed({ level: "object", change, oid }, was !== is, this.#insideObject(whole));
  }

  *#insideObject({ oid, dkeys, isWhole }: ObjectCandidate): Changes {
    if (isWhole) {
      const [a, b] = this.#source.keys.map((keys) =>
        listed((options) => keys.listDkeys(oid, options)),
      );
      const all = union(a as Iterator<Uint8Array>, b as Iterator<Uint8Array>, Buffer.compare);
      for (const dkey of all) yield* this.#dkey(oid, { dkey, akeys: new Map(), isWhole: true });
    } else {
      const some = [...dkeys.values()].sort((a, b) => Buffer.compare(a.dkey, b.dkey));
      for (const dkey of some) yield* this.#dkey(oid, dkey);
    }
    yield* this.#bytes(oid);
  }

  *#dkey(oid: ObjectId, candidate: DkeyCandidate): Changes {
    const { dkey } = candidate;
    const [was, is] = this.#source.keys.map((keys) => keys.exists(oid, dkey)) as [boolean, boolean];
    if (!was && !is) return;
    const whole = { ...candidate, isWhole: candidate.isWhole || was !== is };
    const header = { level: "dkey", change: this.#change(was, is), oid, dkey } as const;
    yield* this.#headed(header, was !== is, this.#insideDkey(oid, whole));
  }

  *#insideDkey(oid: ObjectId, { dkey, akeys, isWhole }: DkeyCandidate): Changes {
    if (!isWhole) {
      const some = [...akeys.values()].sort(Buffer.compare);
      for (const akey of some) yield* this.#akey(oid, dkey, akey);
      return;
    }
    const [a, b] = this.#source.keys.map((keys) =>
      listed((options) => keys.listAkeys(oid, dkey, options)),
    );
    const all = union(a as Iterator<Uint8Array>, b as Iterator<Uint8Array>, Buffer.compare);
    for (const akey of all) yield* this.#akey(oid, dkey, akey);
  }

  *#akey(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array): Changes {
    const found = this.#source.keys.map((keys) => keys.find(oid, dkey, akey));
    const [was, is] = found as [FoundAkey | undefined, FoundAkey | undefined];
    if (was === undefined && is === undefined) return;
    const change = this.#change(was !== undefined, is !== undefined);
    const header = { level: "akey", change, oid, dkey, akey } as const;
    const sizes = [was, is].map((each) => each && recordSizeIn(each.record));
    const recordSize = sizes[0] ?? sizes[1];
    const isReplaced = was !== undefined && is !== undefined && sizes[0] !== sizes[1];
    if (recordSize === undefined || isReplaced) {
      const isSame = was?.epoch === is?.epoch;
      const isEqual = isSame || (this.#source.compare && this.#areEqual(oid, was, is));
      if (!isEqual) yield header;
      return;
    }
    const isDecided = was === undefined || is === undefined;
    const since = [was?.epoch, is?.epoch] as const;
    const prefix = (was ?? is)?.prefix as Uint8Array;
    const name = { oid, dkey, akey };
    yield* this.#headed(header, isDecided, this.#records(name, { prefix, recordSize, since }));
  }

  /** Whether two akeys hold the same value. */
  #areEqual(oid: ObjectId, was: FoundAkey | undefined, is: FoundAkey | undefined): boolean {
    const [a, b] = [was, is].map((each) => each && valueIn(each));
    if (a === undefined || b === undefined) return false;
    const object = { container: this.#source.container, oid };
    const toCopy = (value: StoredValue) =>
      isLongValue(value) ? this.#source.value(object, value) : copyable(value);
    return haveSameBytes(toCopy(a), toCopy(b));
  }

  *#records(
    name: { oid: ObjectId; dkey: Uint8Array; akey: Uint8Array },
    { prefix, recordSize, since }: { prefix: Uint8Array; recordSize: number; since: Since },
  ): Changes {
    const object = { container: this.#source.container, oid: name.oid };
    const joined: ExactRange[] = [];
    for (const window of listWindows(this.#source.index, object, prefix)) {
      const base = windowStart(window);
      for (const range of this.#ranges(arrayUnder(object, prefix, window), since)) {
        joinLast(joined, recordsOf(base, range, recordSize));
        const [first] = joined;
        // The last one may be joined by the next.
        if (joined.length < 2 || first === undefined) continue;
        yield { level: "records", ...name, ...first };
        joined.shift();
      }
    }
    for (const range of joined) yield { level: "records", ...name, ...range };
  }

  *#bytes(oid: ObjectId): Changes {
    const { container, keys } = this.#source;
    const since = keys.map((view) => view.state(oid).punched) as [Epoch, Epoch];
    for (const { start, end } of this.#ranges(byteArray(container, oid), since)) {
      yield { level: "bytes", oid, start, end };
    }
  }

  /** The bytes of an array that changed; `since`: when it began that each version shows, if it shows one. */
  #ranges(array: ArrayAddress, since: Since): Iterable<OffsetRange> {
    const { index, epochs, compare } = this.#source;
    const [after, until] = epochs;
    const [a, b] = since;
    const isSame = a !== undefined && a === b;
    const isIn = (epoch: Epoch, began: Epoch | undefined, at: Epoch) =>
      began !== undefined && epoch >= began && epoch <= at;
    const runs: StoredRun[] = [];
    for (const batch of readRuns(index, runPrefix(array))) {
      for (const run of batch) {
        const { epoch } = run;
        const counts = isSame
          ? epoch > after && epoch >= a && epoch <= until
          : isIn(epoch, a, after) || isIn(epoch, b, until);
        if (counts) runs.push(run);
      }
    }
    if (runs.length === 0) return [];
    const covered = coveredRanges(layersOf(runs));
    if (!compare) return covered;
    const readers = since.map((began, at) => this.#reader(array, began, epochs[at] as Epoch));
    return differingRanges(readers as [WindowReader, WindowReader], covered);
  }

  #reader(array: ArrayAddress, since: Epoch | undefined, epoch: Epoch): WindowReader {
    if (since === undefined) {
      const read = (_start: number, _end: number, target: Uint8Array) => void target.fill(0);
      return { size: () => 0, visit: () => {}, read };
    }
    return windowReader(this.#source.array(array, { epoch, since }), undefined);
  }
}
