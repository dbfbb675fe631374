/**
 * Removes versions of akeys that no reader can see.
 *
 *     kept            k0        k1
 *     versions     a ──▶ b ──▶ c ──▶ d        a is seen by k0, c by k1, d by what comes; b is not seen
 *     punches               p                 ends what was written before it
 *
 * A version ends where the next one of its akey begins, or where its dkey or object is punched. A punch
 * goes when nothing older is left below it; an array, or a long value, stays while its runs do. Punches of
 * objects go with the last of what they held: see removed-objects.ts.
 *
 * @module
 */

import { readComponent } from "../index/component.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import { KeySpace, prefixEnd } from "../index/key-codec.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";
import { isSeen } from "./kept-epochs.js";
import { forgetName, inSpace, OBJECT_PREFIX_SIZE } from "./names.js";
import { epochOfRun, prefixOfRun } from "./run-format.js";
import {
  dkeyPunchPrefix,
  EPOCH_SIZE,
  epochOfKey,
  epochSuffix,
  kindOf,
  listPunches,
  VersionKind,
} from "./versions.js";

/** A version as the index holds it. */
interface Held {
  readonly key: Uint8Array;
  readonly epoch: Epoch;
  readonly kind: number;
}

/** Where a trim goes on; `undefined` when it is done. */
export interface TrimStep {
  readonly next: Uint8Array | undefined;
  readonly removed: number;
  /** Versions that were looked at. */
  readonly scanned: number;
  /** Whether something stays that only a pin, or only a snapshot, sees: it goes in a later pass. */
  readonly isBlocked: boolean;
}

/** The first punch after an epoch; punches are newest first. */
function punchAfter(punches: readonly Epoch[], epoch: Epoch): Epoch {
  let first = EPOCH_HEAD;
  for (const punch of punches) {
    if (punch <= epoch) break;
    first = punch;
  }
  return first;
}

/** The punches of dkeys, newest first, with those of their objects: looked up once for each object. */
export class PunchLookup {
  readonly #reader: IndexReader;
  #object = new Uint8Array();
  #ofObject: Epoch[] = [];
  #hasDkeyPunches = false;

  constructor(reader: IndexReader) {
    this.#reader = reader;
  }

  /** The punches that concern a dkey, given as the beginning of its keys. */
  of(dkey: Uint8Array): readonly Epoch[] {
    const object = dkey.subarray(0, OBJECT_PREFIX_SIZE);
    if (Buffer.compare(object, this.#object) !== 0) this.#enter(object);
    if (!this.#hasDkeyPunches) return this.#ofObject;
    const ofDkey = listPunches(this.#reader, dkeyPunchPrefix(dkey));
    return [...this.#ofObject, ...ofDkey].sort((a, b) => (a > b ? -1 : 1));
  }

  #enter(object: Uint8Array): void {
    this.#object = object.slice();
    this.#ofObject = listPunches(this.#reader, inSpace(object, KeySpace.object));
    const ofDkeys = dkeyPunchPrefix(this.#object);
    this.#hasDkeyPunches = this.#reader.seek(ofDkeys, ofDkeys.length) !== undefined;
  }
}

/** Whether any run below an akey was written at `[from, until)`. Cost: two searches for each window. */
function hasRunsAt(
  reader: IndexReader,
  akey: Uint8Array,
  { from, until }: { from: Epoch; until: Epoch },
): boolean {
  const runs = inSpace(akey, KeySpace.run);
  const newest = epochSuffix(until - 1n);
  let entry = reader.seek(runs, runs.length);
  while (entry !== undefined) {
    const window = prefixOfRun(entry.key);
    const found = reader.seek(Buffer.concat([window, newest]), window.length);
    if (found !== undefined && epochOfRun(found.key) >= from) return true;
    const next = prefixEnd(window);
    const isBelow = Buffer.compare(next.subarray(0, runs.length), runs) === 0;
    entry = isBelow ? reader.seek(next, runs.length) : undefined;
  }
  return false;
}

/** Removes what is not seen of one akey; `versions` are all of them, newest first. */
function trimAkey(
  tx: IndexTransaction,
  akey: Uint8Array,
  versions: readonly Held[],
  { kept, punches, horizon }: { kept: readonly Epoch[]; punches: readonly Epoch[]; horizon: Epoch },
): { removed: number; left: number; isBlocked: boolean } {
  let left = 0;
  let removed = 0;
  let isBlocked = false;
  // Oldest first: a punch goes when nothing is left below it.
  for (let at = versions.length - 1; at >= 0; at--) {
    const { key, epoch, kind } = versions[at] as Held;
    let ends = punchAfter(punches, epoch);
    const newer = versions[at - 1]?.epoch;
    if (newer !== undefined && newer < ends) ends = newer;
    const seen = ends === EPOCH_HEAD || isSeen(kept, epoch, ends);
    const isIdlePunch = kind === VersionKind.punch && left === 0;
    const stays = seen && !isIdlePunch;
    const mayHoldRuns = kind === VersionKind.array || kind === VersionKind.long;
    if (stays || (mayHoldRuns && hasRunsAt(tx, akey, { from: epoch, until: ends }))) {
      left += 1;
      if (ends <= horizon) isBlocked = true;
      continue;
    }
    tx.remove(key);
    removed += 1;
  }
  return { removed, left, isBlocked };
}

/** Forgets the names of long keys below which nothing is left, and idle punches of the dkey. */
function forgetEmpty(tx: IndexTransaction, dkey: Uint8Array, akey: Uint8Array): void {
  forgetName(tx, akey, dkey.length);
  if (tx.seek(dkey, dkey.length) !== undefined) return;
  const runs = inSpace(dkey, KeySpace.run);
  if (tx.seek(runs, runs.length) !== undefined) return;
  const punches = dkeyPunchPrefix(dkey);
  const idle: Uint8Array[] = [];
  tx.visit({ start: punches, end: prefixEnd(punches) }, (key) => {
    if (key.length === punches.length + EPOCH_SIZE) idle.push(key);
    return true;
  });
  for (const key of idle) tx.remove(key);
  forgetName(tx, dkey, OBJECT_PREFIX_SIZE);
}

/** How a step trims. */
export interface TrimOptions {
  /** Epochs that readers use or may use, oldest first. */
  readonly kept: readonly Epoch[];
  readonly horizon: Epoch;
  /** Versions to look at. */
  readonly scanMax: number;
  /** Of the same transaction. */
  readonly lookup: PunchLookup;
}

/**
 * Trims the akeys below a key (an akey, a dkey or an object), a bounded number of them at once.
 *
 * @param from Where to start: `prefix`, or what the step before returned as `next`.
 */
export function trimVersions(
  tx: IndexTransaction,
  { prefix, from }: { prefix: Uint8Array; from: Uint8Array },
  { kept, horizon, scanMax, lookup }: TrimOptions,
): TrimStep {
  const akeys: { akey: Uint8Array; dkey: Uint8Array; versions: Held[] }[] = [];
  let next: Uint8Array | undefined;
  let scanned = 0;
  tx.visit(
    { start: from, end: prefixEnd(prefix) },
    (key, head) => {
      const akey = key.slice(0, key.length - EPOCH_SIZE);
      const last = akeys.at(-1);
      const isSame = last !== undefined && Buffer.compare(last.akey, akey) === 0;
      scanned += 1;
      // The versions of one akey are looked at together, however many there are.
      if (!isSame && scanned > scanMax && akeys.length > 0) {
        next = akey;
        return false;
      }
      const held = { key, epoch: epochOfKey(key), kind: kindOf(head) };
      if (isSame) last.versions.push(held);
      else {
        const { end } = readComponent(key, OBJECT_PREFIX_SIZE);
        akeys.push({ akey, dkey: key.slice(0, end), versions: [held] });
      }
      return true;
    },
    { heads: true },
  );
  let removed = 0;
  let isBlocked = false;
  for (const { akey, dkey, versions } of akeys) {
    const punches = lookup.of(dkey);
    const trimmed = trimAkey(tx, akey, versions, { kept, punches, horizon });
    removed += trimmed.removed;
    isBlocked ||= trimmed.isBlocked;
    if (trimmed.left === 0) forgetEmpty(tx, dkey, akey);
  }
  return { next, removed, scanned, isBlocked };
}
