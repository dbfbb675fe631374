/**
 * Where two versions of a container may differ: the objects, dkeys and akeys that the lists of changes
 * name, and the arrays that have runs in between.
 *
 * @module
 */

import { isDaosError } from "../errors.js";
import { readComponent } from "../index/component.js";
import type { IndexReader } from "../index/index-reader.js";
import { DIFF_KEYS_MAX } from "../limits.js";
import { akeyOfPath } from "./array-address.js";
import { type ChangeRange, listedKeys } from "./changed-keys.js";
import { getContainer } from "./containers.js";
import { keyOfPrefix, latin1, OBJECT_PREFIX_SIZE, objectOfKey, objectPrefix } from "./names.js";
import type { ObjectId } from "./object-id.js";
import { epochOfRun, parseRunKey, runKeyUnder } from "./run-format.js";
import { nextArray } from "./run-list.js";

/** What of a dkey may differ: some akeys, or any. */
export interface DkeyCandidate {
  readonly dkey: Uint8Array;
  readonly akeys: Map<string, Uint8Array>;
  isWhole: boolean;
}

/** What of an object may differ: some dkeys, or any. */
export interface ObjectCandidate {
  readonly oid: ObjectId;
  readonly dkeys: Map<string, DkeyCandidate>;
  isWhole: boolean;
}

/** Collects candidates. */
class Candidates {
  readonly #reader: IndexReader;
  readonly objects = new Map<ObjectId, ObjectCandidate>();
  count = 0;

  constructor(reader: IndexReader) {
    this.#reader = reader;
  }

  object(oid: ObjectId): ObjectCandidate {
    let found = this.objects.get(oid);
    if (found === undefined) {
      found = { oid, dkeys: new Map(), isWhole: false };
      this.objects.set(oid, found);
      this.count += 1;
    }
    return found;
  }

  /** Adds a key, given as the beginning of its index keys. */
  add(prefix: Uint8Array): void {
    const object = this.object(objectOfKey(prefix));
    if (prefix.length === OBJECT_PREFIX_SIZE) {
      object.isWhole = true;
      return;
    }
    const { end } = readComponent(prefix, OBJECT_PREFIX_SIZE);
    const dname = this.#name(prefix.subarray(0, end), OBJECT_PREFIX_SIZE);
    if (dname === undefined) return;
    const name = latin1(dname);
    let dkey = object.dkeys.get(name);
    if (dkey === undefined) {
      dkey = { dkey: dname, akeys: new Map(), isWhole: false };
      object.dkeys.set(name, dkey);
      this.count += 1;
    }
    if (prefix.length === end) dkey.isWhole = true;
    else this.#addAkey(dkey, prefix, end);
  }

  #addAkey({ akeys }: DkeyCandidate, prefix: Uint8Array, start: number): void {
    const akey = this.#name(prefix, start);
    if (akey === undefined || akeys.has(latin1(akey))) return;
    akeys.set(latin1(akey), akey);
    this.count += 1;
  }

  /** A key; `undefined` of a long one below which nothing is left. */
  #name(prefix: Uint8Array, start: number): Uint8Array | undefined {
    try {
      return keyOfPrefix(this.#reader, prefix, start).slice();
    } catch (error) {
      if (isDaosError(error, "DER_DF_INVAL")) return undefined;
      throw error;
    }
  }
}

/** Adds the arrays that have runs in a range of epochs. */
function addArrays(
  reader: IndexReader,
  container: number,
  { range, found }: { range: ChangeRange; found: Candidates },
): void {
  for (let array = nextArray(reader, container); array !== undefined; ) {
    const newest = reader.seek(runKeyUnder(array, range.until, 0xffff_ffff), array.length);
    if (newest !== undefined && epochOfRun(newest.key) > range.after) {
      const { oid, path } = parseRunKey(newest.key);
      const akey = akeyOfPath(objectPrefix({ container, oid }), path);
      if (akey === undefined) found.object(oid);
      else found.add(akey);
    }
    if (found.count > DIFF_KEYS_MAX) return;
    array = nextArray(reader, container, array);
  }
}

/**
 * What may have changed in a range of epochs, by object; `undefined` if the lists of changes do not go back
 * that far, or name more than is held in memory: all keys must be looked at then.
 */
export function diffCandidates(
  reader: IndexReader,
  container: number,
  range: ChangeRange,
): ObjectCandidate[] | undefined {
  const found = new Candidates(reader);
  for (const prefix of listedKeys(reader, container, range)) {
    found.add(prefix);
    if (found.count > DIFF_KEYS_MAX) return undefined;
  }
  addArrays(reader, container, { range, found });
  // Aggregation raises the horizon first, and forgets lists afterwards.
  const horizon = getContainer(reader, container)?.horizon ?? 0n;
  if (found.count > DIFF_KEYS_MAX || range.after < horizon) return undefined;
  return [...found.objects.values()].sort((a, b) => (a.oid < b.oid ? -1 : 1));
}
