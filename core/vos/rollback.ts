/**
 * Rollback: one commit after which a container shows what it showed at an earlier epoch.
 *
 *     epochs     to ──▶ b ──▶ c ──▶ r        r shows what `to` shows; b and c stay readable
 *
 * What changed after `to` is written again as it was then, at the epoch of the rollback:
 *
 * | changed | written |
 * |---|---|
 * | an akey | its old version, or a punch; of a long value also the runs that are its bytes |
 * | a dkey or an object that was punched | a punch, then all that it held at `to` |
 * | an object that had no bytes and was given some | the same |
| an array | a hole over what changed, then the old runs that lie there, oldest first |
 *
 * Runs are copied as they are and refer to the same bytes of the log: no data moves. So readers,
 * writers, aggregation and change lists meet nothing that a commit of a writer would not have left.
 *
 * All of it is one index transaction, so that a killed rollback leaves nothing. Its size is bounded by
 * what was changed since `to`, of an array by its runs; writers wait for it. Where aggregation has
 * forgotten what changed (`to` is a snapshot below the horizon), all keys are looked at.
 *
 * @module
 */

import { readComponent } from "../index/component.js";
import { readCounter, writeCounter } from "../index/counters.js";
import type { IndexStore, IndexTransaction } from "../index/index-store.js";
import { KeySpace, prefixEnd } from "../index/key-codec.js";
import { akeyOfPath, BYTE_ARRAY_PATH, byteArray } from "./array-address.js";
import { ChangeList } from "./change-list.js";
import { listedKeys, scannedKeys } from "./changed-keys.js";
import { containerGone, getContainer, listCommits, putCommit } from "./containers.js";
import { EPOCH_HEAD, type Epoch, nextEpoch } from "./epoch.js";
import { type Moment, momentOf, visitAkeys } from "./existence.js";
import { inSpace, OBJECT_PREFIX_SIZE, objectOfKey, objectPrefix } from "./names.js";
import { Pattern, wholeOf } from "./pattern.js";
import type { Pin } from "./pins.js";
import { RunBuilder } from "./run-builder.js";
import { encodeRun, epochOfRun, parseRunKey, runKeyUnder, runPrefix } from "./run-format.js";
import { nextArray, RunChanges, readRuns, type StoredRun } from "./run-list.js";
import { epochGone, isReadable } from "./snapshots.js";
import {
  dkeyBound,
  dkeyPunchPrefix,
  kindOf,
  objectPunch,
  objectState,
  PUNCH_RECORD,
  putObjectPunch,
  type SeenVersion,
  seenVersion,
  VersionKind,
} from "./versions.js";

/** What a rollback did. */
export interface RolledBack {
  /** From here on the old version is shown; the newest commit's if nothing had changed. */
  readonly epoch: Epoch;
  /** Akeys that were given their old version, or a punch. */
  readonly keys: number;
  /** Runs of arrays that were written again. */
  readonly runs: number;
  /** Bytes of array data that are shown again; none were copied. */
  readonly bytes: number;
}

/** Runs whose bounds overlap, directly or through others. */
interface Cluster {
  readonly start: number;
  end: number;
  readonly runs: StoredRun[];
  isChanged: boolean;
}

/** Runs in clusters: what is done to one says nothing of the others. */
function clustersOf(runs: readonly StoredRun[], to: Epoch): Cluster[] {
  const clusters: Cluster[] = [];
  for (const run of [...runs].sort((a, b) => a.start - b.start)) {
    let last = clusters.at(-1);
    if (last === undefined || run.start >= last.end) {
      last = { start: run.start, end: run.end, runs: [], isChanged: false };
      clusters.push(last);
    }
    last.runs.push(run);
    last.end = Math.max(last.end, run.end);
    last.isChanged ||= run.epoch > to;
  }
  return clusters;
}

/** In the order in which they took effect. */
function oldestFirst(runs: readonly StoredRun[]): StoredRun[] {
  const byAge = (a: StoredRun, b: StoredRun) =>
    a.epoch === b.epoch ? a.sequence - b.sequence : a.epoch < b.epoch ? -1 : 1;
  return [...runs].sort(byAge);
}

/** One rollback, in its transaction. */
class Rollback {
  readonly #tx: IndexTransaction;
  readonly #container: number;
  /** What is to be shown again. */
  readonly #then: Moment;
  /** The rollback's own epoch: what it has written so far is seen. */
  readonly #now: Moment;
  readonly #changes: ChangeList;
  readonly #runs: RunChanges;
  keys = 0;
  runs = 0;
  bytes = 0;

  constructor(tx: IndexTransaction, container: number, { to, epoch }: { to: Epoch; epoch: Epoch }) {
    this.#tx = tx;
    this.#container = container;
    this.#then = momentOf(to);
    this.#now = momentOf(epoch);
    this.#changes = new ChangeList(tx, container, epoch);
    this.#runs = new RunChanges(tx);
  }

  /** Whether anything was written. */
  get hasChanged(): boolean {
    return this.keys + this.runs + this.#punches > 0;
  }
  #punches = 0;

  /** Whether a punch came after what is shown again, and is not the rollback's own. */
  #isLater(punch: Epoch): boolean {
    return punch > this.#then.epoch && punch !== this.#now.epoch;
  }

  /** Restores a key that changed. */
  restore(prefix: Uint8Array): void {
    const { end } =
      prefix.length === OBJECT_PREFIX_SIZE
        ? { end: prefix.length }
        : readComponent(prefix, OBJECT_PREFIX_SIZE);
    if (prefix.length === OBJECT_PREFIX_SIZE) this.#restoreObject(prefix);
    else if (prefix.length === end) this.#restoreDkey(prefix);
    else this.#restoreAkey(prefix, prefix.subarray(0, end));
  }

  #object(prefix: Uint8Array) {
    return { container: this.#container, oid: objectOfKey(prefix) };
  }

  #restoreObject(prefix: Uint8Array): void {
    const object = this.#object(prefix);
    if (this.#isLater(objectPunch(this.#tx, object, this.#now.epoch))) this.#remakeObject(prefix);
  }

  /** Punches an object and writes all again that it held. */
  #remakeObject(prefix: Uint8Array): void {
    const tx = this.#tx;
    const object = this.#object(prefix);
    putObjectPunch(tx, object, this.#now.epoch);
    this.#punches += 1;
    this.#changes.add(prefix);
    this.#restoreBelow(prefix, prefix);
    const { punched } = objectState(tx, object, this.#then.suffix);
    this.#copyRuns(runPrefix(byteArray(object.container, object.oid)), punched);
  }

  #restoreDkey(dkey: Uint8Array): void {
    const tx = this.#tx;
    const punches = dkeyPunchPrefix(dkey);
    if (!this.#isLater(tx.newest(punches, this.#now.suffix)?.epoch ?? 0n)) return;
    tx.putVersion(punches, this.#now.suffix, PUNCH_RECORD);
    this.#punches += 1;
    this.#changes.add(dkey);
    this.#restoreBelow(dkey.subarray(0, OBJECT_PREFIX_SIZE), dkey);
  }

  /** Writes all akeys below a key again that were there. */
  #restoreBelow(object: Uint8Array, parent: Uint8Array): void {
    const state = objectState(this.#tx, this.#object(object), this.#then.suffix);
    const range = { from: parent, end: prefixEnd(parent), whole: true };
    visitAkeys(this.#tx, state, range, this.#then, ({ prefix, dkeySize, record }) => {
      const was = this.#seen(prefix, prefix.subarray(0, dkeySize), this.#then);
      if (was !== undefined) this.#put(prefix, { ...was, record });
      return "next";
    });
  }

  #seen(akey: Uint8Array, dkey: Uint8Array, { suffix }: Moment): SeenVersion | undefined {
    const state = objectState(this.#tx, this.#object(akey), suffix);
    return seenVersion(this.#tx, akey, suffix, dkeyBound(this.#tx, state, dkey, suffix));
  }

  #restoreAkey(akey: Uint8Array, dkey: Uint8Array): void {
    const was = this.#seen(akey, dkey, this.#then);
    const is = this.#seen(akey, dkey, this.#now);
    // Nothing changed, or it was restored already.
    if (is?.epoch === was?.epoch || is?.epoch === this.#now.epoch) return;
    if (was !== undefined && is !== undefined && isSameValue(was.record, is.record)) return;
    this.#put(akey, was);
    this.#changes.add(akey);
  }

  /** Gives an akey an old version. */
  #put(akey: Uint8Array, version: SeenVersion | undefined): void {
    // It changed, and its dkey or object was punched too: it was restored already.
    if (this.#tx.newest(akey, this.#now.suffix)?.epoch === this.#now.epoch) return;
    this.#tx.putVersion(akey, this.#now.suffix, version?.record ?? PUNCH_RECORD);
    this.keys += 1;
    const kind = version && kindOf(version.record);
    const hasRuns = kind === VersionKind.array || kind === VersionKind.long;
    if (version === undefined || !hasRuns) return;
    // The array, or long value, begins anew with this version: all that it had comes again.
    const parent = inSpace(akey, KeySpace.run);
    let start = parent;
    for (;;) {
      const entry = this.#tx.seek(start, parent.length);
      if (entry === undefined) return;
      const prefix = entry.key.slice(0, parent.length + WINDOW_FIELD_SIZE);
      this.#copyRuns(prefix, version.epoch);
      start = prefixEnd(prefix);
      if (Buffer.compare(start.subarray(0, parent.length), parent) !== 0) return;
    }
  }

  /** Writes the runs again that an array had, of epochs from `since` on. */
  #copyRuns(prefix: Uint8Array, since: Epoch): void {
    const { epoch: to } = this.#then;
    const runs: StoredRun[] = [];
    for (const batch of readRuns(this.#tx, prefix)) {
      for (const run of batch) if (run.epoch >= since && run.epoch <= to) runs.push(run);
    }
    this.#writeRuns(prefix, oldestFirst(runs), 0);
  }

  #writeRuns(prefix: Uint8Array, runs: readonly StoredRun[], first: number): void {
    for (const [index, run] of runs.entries()) {
      this.#runs.put(runKeyUnder(prefix, this.#now.epoch, first + index), run, run.value);
    }
    this.runs += runs.length;
  }

  /** Restores an array, given as the prefix of its runs, that its akey or object still shows. */
  restoreArray(prefix: Uint8Array): void {
    const newest = this.#tx.seek(prefix, prefix.length);
    if (newest === undefined || !this.#isLater(epochOfRun(newest.key))) return;
    const since = this.#beginning(newest.key);
    // It is hidden, or all of it was written again.
    if (since === undefined || since === this.#now.epoch) return;
    const runs: StoredRun[] = [];
    for (const batch of readRuns(this.#tx, prefix)) {
      for (const run of batch) if (run.epoch >= since) runs.push(run);
    }
    if (this.#isNewByteArray(prefix, runs)) {
      // A hole would make it an object that holds nothing; it is to be none.
      this.#remakeObject(inSpace(prefix.subarray(0, OBJECT_PREFIX_SIZE), KeySpace.akey));
      return;
    }
    let sequence = 0;
    for (const cluster of clustersOf(runs, this.#then.epoch)) {
      if (!cluster.isChanged) continue;
      this.#punchRange(runKeyUnder(prefix, this.#now.epoch, sequence), cluster);
      const old = oldestFirst(cluster.runs.filter(({ epoch }) => epoch <= this.#then.epoch));
      this.#writeRuns(prefix, old, sequence + 1);
      sequence += 1 + old.length;
    }
  }

  /** Whether the runs are those of a byte array that had none then. */
  #isNewByteArray(prefix: Uint8Array, runs: readonly StoredRun[]): boolean {
    const path = prefix.subarray(OBJECT_PREFIX_SIZE);
    if (Buffer.compare(path, BYTE_ARRAY_PATH) !== 0) return false;
    return runs.every(({ epoch }) => epoch > this.#then.epoch);
  }

  #punchRange(key: Uint8Array, { start, end }: Cluster): void {
    const builder = new RunBuilder();
    builder.punch(wholeOf(Pattern.contiguous(start, end)));
    const { pieces } = builder;
    const run = { start, end, extents: [], pieces };
    this.#runs.put(key, run, encodeRun(run));
    this.runs += 1;
  }

  /** When the array of a run began that is shown now; `undefined` if none is. */
  #beginning(runKey: Uint8Array): Epoch | undefined {
    const { oid, path } = parseRunKey(runKey);
    const object = { container: this.#container, oid };
    const akey = akeyOfPath(objectPrefix(object), path);
    if (akey === undefined) return objectPunch(this.#tx, object, this.#now.epoch);
    const dkey = akey.subarray(0, readComponent(akey, OBJECT_PREFIX_SIZE).end);
    const seen = this.#seen(akey, dkey, this.#now);
    return seen && kindOf(seen.record) === VersionKind.array ? seen.epoch : undefined;
  }

  finish(): void {
    this.#changes.finish();
    this.bytes = this.#runs.finish();
  }
}

/** Bytes of a window's number, at the end of an array's path. */
const WINDOW_FIELD_SIZE = 4;

function isSameValue(a: Uint8Array, b: Uint8Array): boolean {
  return kindOf(a) === VersionKind.value && Buffer.compare(a, b) === 0;
}

/**
 * Rolls a container back to a pinned epoch, in one transaction.
 *
 * @param now Wall clock in nanoseconds since 1970.
 * @throws {@link DaosError} `DER_EPOCH_GONE` if it was aggregated, `DER_NONEXIST` if the container is gone.
 */
export function rollBack(index: IndexStore, { container, epoch }: Pin, now: bigint): RolledBack {
  let done: RolledBack | undefined;
  const body = (tx: IndexTransaction) => {
    done = rollBackIn(tx, container, { to: epoch, now });
  };
  index.transact(`Rolling container ${container} back`, body);
  return done as RolledBack;
}

function rollBackIn(
  tx: IndexTransaction,
  container: number,
  { to, now }: { to: Epoch; now: bigint },
): RolledBack {
  const record = getContainer(tx, container);
  if (record === undefined) throw containerGone(container);
  const last = readCounter(tx, "epoch");
  const [newest] = listCommits(tx, container, { epoch: EPOCH_HEAD, limit: 1 });
  const head = newest?.epoch ?? 0n;
  if (!isReadable(tx, record, to)) {
    throw epochGone(`Rolling container ${container} back to epoch ${to}`, to, record.horizon);
  }
  const epoch = nextEpoch(now, last);
  const rollback = new Rollback(tx, container, { to, epoch });
  if (to < head) {
    const range = { after: to, until: last };
    const changed =
      to >= record.horizon ? listedKeys(tx, container, range) : scannedKeys(tx, container, range);
    for (const prefix of changed) rollback.restore(prefix);
    for (let array = nextArray(tx, container); array !== undefined; ) {
      rollback.restoreArray(array);
      array = nextArray(tx, container, array);
    }
  }
  if (!rollback.hasChanged) return { epoch: head, keys: 0, runs: 0, bytes: 0 };
  rollback.finish();
  const { keys, runs, bytes } = rollback;
  putCommit(tx, container, { epoch, transactionId: undefined, bytes, contributors: 1 });
  writeCounter(tx, "epoch", epoch);
  return { epoch, keys, runs, bytes };
}
