/**
 * Validation of reads: whether a transaction that read a version of the container would read the same now.
 *
 * It runs in the commit's index transaction, after the contributions before this one were published, so
 * that it sees what other commits, and those contributions, changed since the version that was read. What
 * is looked for is what is newer than that version, where the transaction looked:
 *
 *     value     the newest version of the akey, the newest punches of its dkey and object
 *     array     runs that overlap what was read; they come newest first
 *     keys      keys that changed within the bounds: do they exist now, and did they?
 *     values    keys of that akey that changed within the bounds
 *     exists    whether it exists now, and did
 *     objects   the list as it is now, and as it was
 *
 * Aggregation does not hide a change. The version that was read is pinned: what it shows stays, and
 * aggregation merges nothing across it, so that merged runs are newer than it only if all that is in them
 * is. Of what is newer, aggregation removes only what was replaced, or punched, by what is newer still
 * and stays; or what left nothing where the version that was read has nothing, which is no change.
 *
 * Cost: a search for each value; for lists the number of changes since (change-list.ts), or, if
 * aggregation has forgotten those, the number of versions within the bounds.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { readComponent, SHORT_COMPONENT_SIZE_MAX } from "../index/component.js";
import type { IndexReader } from "../index/index-store.js";
import { KeySpace, prefixEnd } from "../index/key-codec.js";
import { type ArrayAddress, arrayUnder, byteArray } from "./array-address.js";
import { ChangesSince } from "./changes-since.js";
import { listCommits } from "./containers.js";
import { EPOCH_HEAD, type Epoch } from "./epoch.js";
import { dkeyExists, type Moment, momentOf } from "./existence.js";
import { KeyView } from "./key-view.js";
import {
  findKey,
  inSpace,
  isLong,
  keyOfPrefix,
  OBJECT_PREFIX_SIZE,
  objectPrefix,
} from "./names.js";
import { formatOid, type ObjectId } from "./object-id.js";
import { firstOffset, lastOffset, type PatternRange } from "./pattern.js";
import { areDisjoint } from "./pattern-overlap.js";
import type { ArrayRead, ContributedReads, Read } from "./read-set.js";
import { decodeRun, epochOfRun, prefixOfRun, runPrefix } from "./run-format.js";
import { dkeyBound, dkeyPunchPrefix, epochOfKey, epochSuffix, seenVersion } from "./versions.js";

const HEAD_SUFFIX = epochSuffix(EPOCH_HEAD);

function conflict(read: Read, epoch: Epoch): DaosError {
  const object = "oid" in read ? `object ${formatOid(read.oid)}` : "the container";
  return new DaosError(
    "DER_TX_RESTART",
    {
      what: "Committing a transaction",
      why: `another one changed what it read of ${object} (${read.kind}) at epoch ${epoch}`,
      remedy: "begin it again and repeat its reads and writes, as runTransaction() does",
    },
    { read: read.kind, epoch, ...("oid" in read ? { oid: formatOid(read.oid) } : {}) },
  );
}

/** Whether two ranges may share a byte. */
function mayOverlap(a: PatternRange, b: PatternRange): boolean {
  if (lastOffset(a) <= firstOffset(b) || lastOffset(b) <= firstOffset(a)) return false;
  return !areDisjoint(a.pattern, b.pattern);
}

/** Where the index keys of the keys `[first, last]` below a parent lie. */
function boundsOf(
  parent: Uint8Array,
  { first, last }: { first: Uint8Array; last: Uint8Array },
): { from: Uint8Array; to: Uint8Array } {
  const place = (key: Uint8Array) => {
    const bytes = key.subarray(0, SHORT_COMPONENT_SIZE_MAX);
    const base = new Uint8Array(parent.length + 2 * bytes.length);
    base.set(parent);
    let end = parent.length;
    for (const byte of bytes) {
      base[end++] = byte;
      if (byte === 0) base[end++] = 0xff;
    }
    return base.slice(0, end);
  };
  const from = first.length === 0 ? parent : place(first);
  // Behind the marks that end short and long components: keys that go on are larger.
  const to = last.length === 0 ? prefixEnd(parent) : Uint8Array.of(...place(last), 0, 3);
  return { from, to };
}

/** Validates the reads of one contribution. */
class Validation {
  readonly #reader: IndexReader;
  readonly #container: number;
  /** The version that was read. */
  readonly #epoch: Epoch;
  readonly #before: { readonly view: KeyView; readonly moment: Moment };
  readonly #now: { readonly view: KeyView; readonly moment: Moment };
  readonly #changes: ChangesSince;

  constructor(reader: IndexReader, container: number, epoch: Epoch, now: Moment) {
    this.#reader = reader;
    this.#container = container;
    this.#epoch = epoch;
    const viewAt = (moment: Moment) => ({
      view: new KeyView(() => reader, container, moment.epoch),
      moment,
    });
    this.#before = viewAt(momentOf(epoch));
    this.#now = viewAt(now);
    this.#changes = new ChangesSince(reader, container, epoch);
  }

  /** Whether a read would see something else now, or might. */
  isChanged(read: Read): boolean {
    switch (read.kind) {
      case "value":
        return this.#isValueChanged(read);
      case "exists": {
        const dkey = read.dkey.length === 0 ? undefined : read.dkey;
        return this.#before.view.exists(read.oid, dkey) !== this.#now.view.exists(read.oid, dkey);
      }
      case "array":
        return this.#isArrayChanged(read);
      case "keys":
        return this.#isListChanged(read);
      case "values":
        return this.#areValuesChanged(read);
      case "objects":
        return this.#areObjectsChanged(read);
      case "object":
        return this.#isObjectChanged(read.oid);
      case "container":
        return true;
    }
  }

  #isPunched(oid: ObjectId): boolean {
    return this.#now.view.state(oid).punched > this.#epoch;
  }

  #isDkeyPunched(oid: ObjectId, dkey: Uint8Array): boolean {
    const state = this.#now.view.state(oid);
    if (!state.hasDkeyPunches) return false;
    const newest = this.#reader.newest(dkeyPunchPrefix(dkey), HEAD_SUFFIX);
    return newest !== undefined && newest.epoch > this.#epoch;
  }

  #isValueChanged({ oid, dkey: dname, akey: aname }: Read & { kind: "value" }): boolean {
    if (this.#isPunched(oid)) return true;
    const { prefix } = this.#now.view.state(oid);
    const dkey = findKey(this.#reader, prefix, dname);
    if (dkey === undefined) return false;
    if (this.#isDkeyPunched(oid, dkey)) return true;
    const akey = findKey(this.#reader, dkey, aname);
    const newest = akey && this.#reader.newest(akey, HEAD_SUFFIX);
    return newest !== undefined && newest.epoch > this.#epoch;
  }

  #isArrayChanged(read: ArrayRead): boolean {
    const { oid, windowFirst, windowLast, range } = read;
    if (this.#isPunched(oid)) return true;
    const object = { container: this.#container, oid };
    let first: ArrayAddress;
    let last: ArrayAddress;
    if (read.dkey.length === 0) {
      first = byteArray(this.#container, oid);
      last = first;
    } else {
      const { prefix } = this.#now.view.state(oid);
      const dkey = findKey(this.#reader, prefix, read.dkey);
      const akey = dkey && findKey(this.#reader, dkey, read.akey);
      if (dkey === undefined || akey === undefined) return false;
      if (this.#isDkeyPunched(oid, dkey)) return true;
      first = arrayUnder(object, akey, windowFirst);
      last = arrayUnder(object, akey, windowLast);
    }
    if (range !== undefined) return this.#isRangeWritten(runPrefix(first), range);
    return this.#hasNewerRuns({ from: runPrefix(first), to: prefixEnd(runPrefix(last)) });
  }

  /** Whether a newer run of one array has a byte of a range. */
  #isRangeWritten(runs: Uint8Array, range: PatternRange): boolean {
    let isWritten = false;
    this.#reader.visit({ start: runs, end: prefixEnd(runs) }, (key, value) => {
      if (epochOfRun(key) <= this.#epoch) return false;
      isWritten = decodeRun(value).pieces.some((piece) => mayOverlap(piece, range));
      return !isWritten;
    });
    return isWritten;
  }

  /** Whether any array of some has a newer run: only the newest of each is looked at. */
  #hasNewerRuns({ from, to }: { from: Uint8Array; to: Uint8Array }): boolean {
    let start: Uint8Array | undefined = from;
    let isNewer = false;
    while (start !== undefined && !isNewer) {
      const at: Uint8Array = start;
      start = undefined;
      const visitor = (key: Uint8Array) => {
        isNewer = epochOfRun(key) > this.#epoch;
        start = prefixEnd(prefixOfRun(key));
        return false;
      };
      this.#reader.visit({ start: at, end: to }, visitor, { heads: true });
    }
    return isNewer;
  }

  #isListChanged(read: Read & { kind: "keys" }): boolean {
    const { oid } = read;
    if (this.#isPunched(oid)) return true;
    const { prefix } = this.#now.view.state(oid);
    if (read.dkey.length === 0) {
      let last: Uint8Array | undefined;
      return this.#changes.some(boundsOf(prefix, read), (changed) => {
        const dkey = changed.slice(0, readComponent(changed, OBJECT_PREFIX_SIZE).end);
        if (last !== undefined && Buffer.compare(last, dkey) === 0) return false;
        last = dkey;
        return this.#existed(oid, dkey) !== this.#exists(oid, dkey);
      });
    }
    const dkey = findKey(this.#reader, prefix, read.dkey);
    if (dkey === undefined) return false;
    if (this.#isDkeyPunched(oid, dkey)) return true;
    return this.#changes.some(boundsOf(dkey, read), (akey) => {
      const name = { dkey, akey };
      return this.#sees(this.#before, oid, name) !== this.#sees(this.#now, oid, name);
    });
  }

  #existed(oid: ObjectId, dkey: Uint8Array): boolean {
    const { view, moment } = this.#before;
    return dkeyExists(this.#reader, view.state(oid), dkey, moment);
  }

  #exists(oid: ObjectId, dkey: Uint8Array): boolean {
    const { view, moment } = this.#now;
    return dkeyExists(this.#reader, view.state(oid), dkey, moment);
  }

  #sees(
    { view, moment }: { view: KeyView; moment: Moment },
    oid: ObjectId,
    { dkey, akey }: { dkey: Uint8Array; akey: Uint8Array },
  ): boolean {
    const bound = dkeyBound(this.#reader, view.state(oid), dkey, moment.suffix);
    return seenVersion(this.#reader, akey, moment.suffix, bound) !== undefined;
  }

  #areValuesChanged(read: Read & { kind: "values" }): boolean {
    if (this.#isPunched(read.oid)) return true;
    const { prefix } = this.#now.view.state(read.oid);
    return this.#changes.some(boundsOf(prefix, read), (changed) => {
      const { end } = readComponent(changed, OBJECT_PREFIX_SIZE);
      // A dkey was punched.
      if (changed.length === end) return true;
      const { bytes, isLong: long } = readComponent(changed, end);
      if (long !== isLong(read.akey)) return false;
      const akey = long ? keyOfPrefix(this.#reader, changed, end) : bytes;
      return Buffer.compare(akey, read.akey) === 0;
    });
  }

  #areObjectsChanged({ first, last }: Read & { kind: "objects" }): boolean {
    const listed = ({ view }: { view: KeyView }) => view.objectsBetween(first, last);
    const before = listed(this.#before);
    const now = listed(this.#now);
    return before.length !== now.length || before.some((oid, index) => oid !== now[index]);
  }

  #isObjectChanged(oid: ObjectId): boolean {
    if (this.#isPunched(oid)) return true;
    const object = { container: this.#container, oid };
    for (const space of [KeySpace.akey, KeySpace.dkeyPunch]) {
      const prefix = objectPrefix(object, space);
      let isNewer = false;
      const visitor = (key: Uint8Array) => {
        isNewer = epochOfKey(key) > this.#epoch;
        return !isNewer;
      };
      this.#reader.visit({ start: prefix, end: prefixEnd(prefix) }, visitor, { heads: true });
      if (isNewer) return true;
    }
    const runs = inSpace(objectPrefix(object), KeySpace.run);
    return this.#hasNewerRuns({ from: runs, to: prefixEnd(runs) });
  }
}

/**
 * Checks that what a contribution read is as it was.
 *
 * @param others `isFirst`: nothing was published yet at this epoch; `moment`: of the commit.
 * @throws {@link DaosError} `DER_TX_RESTART` if something was changed.
 */
export function validateReads(
  reader: IndexReader,
  container: number,
  { epoch, reads }: ContributedReads,
  { isFirst, moment }: { isFirst: boolean; moment: Moment },
): void {
  if (reads.length === 0) return;
  const [newest] = listCommits(reader, container, { epoch: EPOCH_HEAD, limit: 1 });
  if (isFirst && (newest?.epoch ?? 0n) <= epoch) return;
  const validation = new Validation(reader, container, epoch, moment);
  for (const read of reads) if (validation.isChanged(read)) throw conflict(read, epoch);
}
