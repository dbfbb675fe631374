/**
 * Whether objects, dkeys and akeys exist at an epoch, and the conditions of commits on that.
 *
 * An akey exists while its newest version is no punch: a value, long or not, or an array. A dkey exists while one of its akeys
 * does, an object while one of its dkeys does or, a byte array, while something is written to it.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { readComponent } from "../index/component.js";
import type { IndexReader } from "../index/index-store.js";
import { KeySpace, prefixEnd } from "../index/key-codec.js";
import { BYTE_ARRAY_PATH } from "./array-address.js";
import type { Existence } from "./contribution-format.js";
import type { Epoch } from "./epoch.js";
import { findKey, inSpace, keyText } from "./names.js";
import { formatOid } from "./object-id.js";
import { epochOfRun } from "./run-format.js";
import {
  dkeyBound,
  epochOfKey,
  epochSuffix,
  kindOf,
  type ObjectState,
  seenVersion,
  VersionKind,
} from "./versions.js";

/** A moment that keys are looked at. */
export interface Moment {
  readonly epoch: Epoch;
  /** The epoch as keys end with it. */
  readonly suffix: Uint8Array;
}

/** The moment of an epoch. */
export function momentOf(epoch: Epoch): Moment {
  return { epoch, suffix: epochSuffix(epoch) };
}

/** An akey that a visit found. */
export interface VisitedAkey {
  /** The beginning of its keys. */
  readonly prefix: Uint8Array;
  /** How much of that is the dkey. */
  readonly dkeySize: number;
  /** Its version, or the first bytes of it. */
  readonly record: Uint8Array;
  /** When it was written. */
  readonly epoch: Epoch;
}

/** Tells of one akey that exists, and says where to go on. */
export type AkeyVisitor = (akey: VisitedAkey) => "next" | "nextDkey" | "stop";

/** Entries that are passed over one by one before what comes behind them is searched for. */
const ENTRIES_PASSED_MAX = 16;

/**
 * Visits the akeys of an object, or of one dkey, that exist, in the order of their keys.
 *
 * @param range.from Where to start: a key below `state.prefix`; by default its first.
 * @param range.end Where to end; by default behind the object's last key.
 * @param range.whole Whether visitors need whole versions, and not only their first 16 bytes.
 */
export function visitAkeys(
  reader: IndexReader,
  state: ObjectState,
  range: { from?: Uint8Array; end?: Uint8Array; whole?: boolean },
  { epoch, suffix }: Moment,
  visitor: AkeyVisitor,
): void {
  const objectSize = state.prefix.length;
  const end = range.end ?? prefixEnd(state.prefix);
  let start: Uint8Array | undefined = range.from ?? state.prefix;
  let dkey: Uint8Array | undefined;
  let bound = state.punched;
  while (start !== undefined) {
    let jump: Uint8Array | undefined;
    // Entries before this one are decided: older versions of an akey, other akeys of a dkey.
    let decided: Uint8Array | undefined;
    let passed = 0;
    const visit = (key: Uint8Array, record: Uint8Array): boolean => {
      if (decided !== undefined && Buffer.compare(key, decided) < 0) {
        passed += 1;
        if (passed <= ENTRIES_PASSED_MAX) return true;
        jump = decided;
        return false;
      }
      const version = epochOfKey(key);
      if (version > epoch) return true;
      const dkeySize = readComponent(key, objectSize).end;
      const prefix = key.slice(0, readComponent(key, dkeySize).end);
      if (state.hasDkeyPunches && !beginsWith(key, dkey)) {
        dkey = key.slice(0, dkeySize);
        bound = dkeyBound(reader, state, dkey, suffix);
      }
      decided = prefixEnd(prefix);
      passed = 0;
      if (version < bound || kindOf(record) === VersionKind.punch) return true;
      const wish = visitor({ prefix, dkeySize, record, epoch: version });
      if (wish === "nextDkey") decided = prefixEnd(prefix.subarray(0, dkeySize));
      return wish !== "stop";
    };
    reader.visit({ start, end }, visit, { heads: range.whole !== true });
    start = jump;
  }
}

function beginsWith(key: Uint8Array, prefix: Uint8Array | undefined): boolean {
  return prefix !== undefined && Buffer.compare(key.subarray(0, prefix.length), prefix) === 0;
}

/** Whether a dkey, given as the beginning of its keys, exists. */
export function dkeyExists(
  reader: IndexReader,
  state: ObjectState,
  dkey: Uint8Array,
  moment: Moment,
): boolean {
  let exists = false;
  visitAkeys(reader, state, { from: dkey, end: prefixEnd(dkey) }, moment, () => {
    exists = true;
    return "stop";
  });
  return exists;
}

/** Whether anything was written to the byte array of an object, and not punched with it. */
function hasBytes(reader: IndexReader, { prefix, punched }: ObjectState, moment: Moment): boolean {
  const array = Buffer.concat([inSpace(prefix, KeySpace.run), BYTE_ARRAY_PATH]);
  // Runs come newest first: if the newest that the moment sees was punched, all were.
  const start = Buffer.concat([array, moment.suffix]);
  const newest = reader.seek(start, array.length);
  return newest !== undefined && epochOfRun(newest.key) >= punched;
}

/** Whether an object exists. */
export function objectExists(reader: IndexReader, state: ObjectState, moment: Moment): boolean {
  if (hasBytes(reader, state, moment)) return true;
  let exists = false;
  visitAkeys(reader, state, {}, moment, () => {
    exists = true;
    return "stop";
  });
  return exists;
}

function exists(
  reader: IndexReader,
  state: ObjectState,
  { dkey: dname, akey: aname }: Existence,
  moment: Moment,
): boolean {
  if (dname.length === 0) return objectExists(reader, state, moment);
  const dkey = findKey(reader, state.prefix, dname);
  if (dkey === undefined) return false;
  if (aname.length === 0) return dkeyExists(reader, state, dkey, moment);
  const akey = findKey(reader, dkey, aname);
  if (akey === undefined) return false;
  const bound = dkeyBound(reader, state, dkey, moment.suffix);
  return seenVersion(reader, akey, moment.suffix, bound) !== undefined;
}

function nameOf({ dkey, akey }: Existence): string {
  if (dkey.length === 0) return "the object";
  return akey.length === 0 ? `key ${keyText(dkey)}` : `key ${keyText(dkey)}/${keyText(akey)}`;
}

/** The error of a condition that does not hold. */
export function conditionError(condition: Existence): DaosError {
  const { oid, dkey, mustExist } = condition;
  const what = `Updating ${nameOf(condition)} of object ${formatOid(oid)}`;
  const name = Buffer.from(dkey.subarray(0, 64)).toString();
  if (mustExist) {
    const remedy = "create it first";
    return new DaosError("DER_NONEXIST", { what, why: "it does not exist", remedy }, { name });
  }
  const remedy = "open the existing one, or choose another name";
  return new DaosError("DER_EXIST", { what, why: "it exists already", remedy }, { name });
}

/**
 * Checks a condition against a state of the index.
 *
 * @throws {@link DaosError} `DER_NONEXIST` or `DER_EXIST`.
 */
export function checkCondition(
  reader: IndexReader,
  state: ObjectState,
  condition: Existence,
  moment: Moment,
): void {
  if (exists(reader, state, condition, moment) !== condition.mustExist) {
    throw conditionError(condition);
  }
}
