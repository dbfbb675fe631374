/**
 * A commit: one index transaction that publishes what any number of writers contributed, at one epoch.
 *
 *     verify   each segment is still leased to the contributing writer, in the same generation;
 *              what the contribution read is as it was; byte arrays were not punched meanwhile;
 *              conditions on keys hold
 *     publish  punches, versions of akeys, runs, segment records, the commit record, the epoch
 *
 * Contributions take effect one after the other, in rank order: of overlapping writes the later one is
 * seen, a punch hides what the ones before it wrote, and a condition is met by what they left. So is a
 * read: a contribution that read what one before it changes conflicts with it, and the commit fails.
 *
 * All of it takes effect, or none. The epoch is drawn inside the transaction, so that no reader at an
 * epoch can later see a new commit at or below it.
 *
 * @module
 */

import { assert, DaosError, isDaosError } from "../errors.js";
import { readCounter, writeCounter } from "../index/counters.js";
import type { IndexStore, IndexTransaction } from "../index/index-store.js";
import type { SpaceUse } from "../index/space-record.js";
import type { SegmentSpan } from "../log/open-segment.js";
import { getSegment, putSegment } from "../log/segment-record.js";
import { sealSegment } from "../log/segment-store.js";
import { type ArrayAddress, arrayUnder, byteArray } from "./array-address.js";
import { ChangeList } from "./change-list.js";
import { epochOfTransaction, getContainer, putCommit } from "./containers.js";
import {
  BYTES_OF_VALUE,
  type Contribution,
  INCARNATION_ANY,
  type KeyPunch,
  type ObjectRun,
  type RecordsName,
  type ValueVersion,
} from "./contribution-format.js";
import { type Epoch, nextEpoch } from "./epoch.js";
import { checkCondition, type Moment, momentOf } from "./existence.js";
import { findKey, makeKey, OBJECT_PREFIX_SIZE, objectPrefix } from "./names.js";
import { formatOid, type ObjectId } from "./object-id.js";
import { isHole, pieceSize } from "./piece.js";
import { Publication } from "./publication.js";
import { validateReads } from "./read-validation.js";
import { removedUntil } from "./removed-objects.js";
import { decodeRun, runKey } from "./run-format.js";
import {
  arrayRecord,
  dkeyBound,
  dkeyPunchPrefix,
  holdsValue,
  kindOf,
  longSizeOf,
  type ObjectState,
  objectPunch,
  objectState,
  PUNCH_RECORD,
  putObjectPunch,
  recordSizeOf,
  seenVersion,
  VersionKind,
  valueBytes,
} from "./versions.js";

/** What a commit publishes, and where. */
export interface CommitRequest {
  readonly container: number;
  /**
   * 16 bytes, unique: a repeated commit of the same id returns the first one's epoch. `undefined` if
   * nobody will ask for its outcome.
   */
  readonly transactionId: Uint8Array | undefined;
  /** In rank order: of overlapping writes, the later contribution's is seen. */
  readonly contributions: readonly Contribution[];
  /** Whether the caller pins the versions that the contributions read. */
  readonly isPinned?: boolean;
  /**
   * Learns of contributions that fail: such a commit leaves those out whose conditions or reads do not
   * hold, and publishes the others. What fails later fails the commit, and is told here too.
   */
  readonly failed?: (index: number, error: unknown) => void;
}

/** The outcome of a commit. */
export interface Committed {
  /** Where the changes are visible from. */
  readonly epoch: Epoch;
  /** Bytes of array data published. */
  readonly bytes: number;
}

/** The error of a commit that cannot be made any more. */
export function restart(why: string, facts: Record<string, number | bigint | string>): DaosError {
  const remedy = "write the data again and commit";
  return new DaosError("DER_TX_RESTART", { what: "Committing", why, remedy }, facts);
}

/**
 * Publishes what a writer appended to a segment.
 *
 * Commits of one writer may come in another order than their bytes: what was handed out for a commit is
 * not written again while the lease lasts, so that bytes before the end of one that came first are there.
 *
 * @throws {@link DaosError} `DER_TX_RESTART` if it does not hold the lease any more.
 */
export function publishSpan(tx: IndexTransaction, writer: bigint, span: SegmentSpan): void {
  const record = getSegment(tx, span.segment);
  const held =
    record?.state === "leased" &&
    record.writer === writer &&
    record.generation === span.generation &&
    record.committedSize >= span.start;
  if (!held) {
    const why = `writer ${writer} no longer holds the lease of segment ${span.segment}`;
    throw restart(why, { segment: span.segment, writer });
  }
  if (span.end <= record.committedSize) return;
  putSegment(tx, span.segment, { ...record, committedSize: span.end, tailCrc: span.tailCrc });
}

/** What the steps of one commit share. */
interface Publishing {
  readonly tx: IndexTransaction;
  readonly container: number;
  readonly epoch: Epoch;
  /** The epoch as keys end with it. */
  readonly suffix: Uint8Array;
  readonly publication: Publication;
  readonly changes: ChangeList;
  /** States of objects as of the contributions before this one. */
  readonly stateOf: (oid: ObjectId) => ObjectState;
  readonly moment: Moment;
  /** Bytes by which the live sizes of segments grow. */
  readonly live: Map<number, number>;
}

function checkIncarnation(
  { tx, container, epoch }: Publishing,
  { oid, incarnation }: ObjectRun,
): void {
  if (incarnation === INCARNATION_ANY) return;
  const object = { container, oid };
  // As it was before this commit: its own punches are part of the program's order.
  const punched = objectPunch(tx, object, epoch - 1n);
  if (punched <= incarnation && removedUntil(tx, object) <= incarnation) return;
  throw new DaosError(
    "DER_NONEXIST",
    {
      what: `Committing writes to object ${formatOid(oid)}`,
      why: "it was removed after the writer had opened it",
      remedy: "create it again and write to the new one",
    },
    { container },
  );
}

/** Makes an akey an array, if it is not one yet, and returns the beginning of its keys. */
function arrayAkey(publishing: Publishing, oid: ObjectId, records: RecordsName): Uint8Array {
  const { tx, stateOf, moment, suffix, publication } = publishing;
  const state = stateOf(oid);
  const dkey = makeKey(tx, state.prefix, records.dkey);
  const akey = makeKey(tx, dkey, records.akey);
  const seen = seenVersion(tx, akey, moment.suffix, dkeyBound(tx, state, dkey, moment.suffix));
  if (seen === undefined) {
    tx.putVersion(akey, suffix, arrayRecord(records.recordSize));
    publication.version(oid, akey, suffix, OBJECT_PREFIX_SIZE);
    publishing.changes.add(akey);
    return akey;
  }
  const isArray = kindOf(seen.record) === VersionKind.array;
  const size = isArray ? recordSizeOf(seen.record) : 0;
  if (size === records.recordSize) return akey;
  const what = `Committing records of ${records.recordSize} bytes to object ${formatOid(oid)}`;
  if (!isArray) throw holdsValue(what);
  const why = `the array has records of ${size} bytes`;
  const remedy = "use the record size that the array began with, or punch the akey first";
  throw new DaosError("DER_INVAL", { what, why, remedy });
}

/** The akey of a long value whose version this contribution has just published. */
function valueAkey(
  { tx, container, epoch, suffix }: Publishing,
  { oid, run }: ObjectRun,
  { dkey: dname, akey: aname }: RecordsName,
): Uint8Array {
  const dkey = makeKey(tx, objectPrefix({ container, oid }), dname);
  const akey = makeKey(tx, dkey, aname);
  const newest = tx.newest(akey, suffix);
  const { start, end } = decodeRun(run);
  const agrees =
    newest?.epoch === epoch &&
    kindOf(newest.value) === VersionKind.long &&
    start === 0 &&
    longSizeOf(valueBytes(newest.value)) === end;
  assert(agrees, "the bytes of a long value come with its version");
  return akey;
}

function publishRun(publishing: Publishing, written: ObjectRun, sequence: number): number {
  const { tx, container, epoch, publication, live } = publishing;
  const { oid, records, run } = written;
  let address: ArrayAddress;
  if (records === undefined) {
    checkIncarnation(publishing, written);
    address = byteArray(container, oid);
  } else {
    const isValue = records.recordSize === BYTES_OF_VALUE;
    const akey = isValue
      ? valueAkey(publishing, written, records)
      : arrayAkey(publishing, oid, records);
    address = arrayUnder({ container, oid }, akey, records.window);
  }
  const key = runKey(address, epoch, sequence);
  tx.put(key, run);
  publication.run(address, key, run);
  let bytes = 0;
  for (const piece of decodeRun(run).pieces) {
    if (isHole(piece)) continue;
    const size = pieceSize(piece);
    live.set(piece.segment, (live.get(piece.segment) ?? 0) + size);
    bytes += size;
  }
  return bytes;
}

function publishLive({ tx, live }: Publishing): void {
  for (const [segment, size] of live) {
    const record = getSegment(tx, segment);
    if (record === undefined) throw restart(`segment ${segment} is gone`, { segment });
    putSegment(tx, segment, { ...record, liveSize: record.liveSize + size });
  }
  live.clear();
}

/** The beginning of an akey's keys; of one that is not to be made, `undefined` if it never was. */
function akeyPrefix(
  { tx, container }: Publishing,
  version: ValueVersion,
  makes: boolean,
): Uint8Array | undefined {
  if (version.prefix !== undefined) return version.prefix;
  const { oid, dkey, akey } = version;
  const object = objectPrefix({ container, oid });
  if (makes) return makeKey(tx, makeKey(tx, object, dkey), akey);
  const parent = findKey(tx, object, dkey);
  return parent && findKey(tx, parent, akey);
}

function publishValue(publishing: Publishing, value: ValueVersion): void {
  const { tx, suffix, moment, publication, changes } = publishing;
  const { oid, record } = value;
  const isPunch = kindOf(record) === VersionKind.punch;
  const prefix = akeyPrefix(publishing, value, !isPunch);
  if (prefix === undefined) return;
  // What contributions before this one wrote to the akey is replaced, also its bytes.
  if (!isPunch) publication.takeBackRuns(tx, prefix);
  else {
    publication.takeBack(tx, oid, prefix.subarray(OBJECT_PREFIX_SIZE));
    // What is not there needs no punch.
    if (seenVersion(tx, prefix, moment.suffix, 0n) === undefined) return;
  }
  tx.putVersion(prefix, suffix, record);
  publication.version(oid, prefix, suffix, OBJECT_PREFIX_SIZE);
  changes.add(prefix);
}

function publishPunch(publishing: Publishing, { oid, dkey }: KeyPunch): void {
  const { tx, container, epoch, suffix, publication, changes } = publishing;
  const object = { container, oid };
  if (dkey.length === 0) {
    publication.takeBack(tx, oid, new Uint8Array());
    putObjectPunch(tx, object, epoch);
    changes.add(objectPrefix(object));
    return;
  }
  const prefix = findKey(tx, objectPrefix(object), dkey);
  if (prefix === undefined) return;
  publication.takeBack(tx, oid, prefix.subarray(OBJECT_PREFIX_SIZE));
  // What is not there needs no punch.
  if (tx.seek(prefix, prefix.length) === undefined) return;
  tx.putVersion(dkeyPunchPrefix(prefix), suffix, PUNCH_RECORD);
  changes.add(prefix);
}

/** The state of each object, looked up once; stale after the next punch. */
function stateCache(
  tx: IndexTransaction,
  container: number,
  { suffix }: Moment,
): (oid: ObjectId) => ObjectState {
  const known = new Map<ObjectId, ObjectState>();
  return (oid) => {
    let state = known.get(oid);
    if (state === undefined) {
      state = objectState(tx, { container, oid }, suffix);
      known.set(oid, state);
    }
    return state;
  };
}

/** Checks what a contribution demands of the state that the ones before it leave. */
function checkDemands(
  { tx, container, moment, changes }: Omit<Publishing, "stateOf">,
  { reads, conditions }: Contribution,
  isFirst: boolean,
): void {
  // Before conditions: who read that something is there, and then demands it, is to begin again.
  if (reads !== undefined) {
    // The changes of contributions before this one are looked for where those of other commits are.
    if (!isFirst) changes.finish();
    validateReads(tx, container, reads, { isFirst, moment });
  }
  if (conditions.length === 0) return;
  const stateOf = stateCache(tx, container, moment);
  for (const condition of conditions) {
    checkCondition(tx, stateOf(condition.oid), condition, moment);
  }
}

function publishContribution(
  shared: Omit<Publishing, "stateOf">,
  contribution: Contribution,
  sequence: number,
): number {
  const { tx, container, moment } = shared;
  for (const span of contribution.spans) publishSpan(tx, contribution.writer, span);
  const publishing = { ...shared, stateOf: stateCache(tx, container, moment) };
  for (const punch of contribution.punches) publishPunch(publishing, punch);
  for (const value of contribution.values) publishValue(publishing, value);
  let bytes = 0;
  for (const run of contribution.runs) bytes += publishRun(publishing, run, sequence);
  publishLive(publishing);
  for (const span of contribution.spans) {
    if (span.seal) sealSegment(tx, span.segment, span.generation);
  }
  return bytes;
}

/** Publishes one contribution of a request. */
function publishOne(
  shared: Omit<Publishing, "stateOf">,
  { contributions, failed }: CommitRequest,
  sequence: number,
): number {
  const contribution = contributions[sequence] as Contribution;
  let isBegun = false;
  try {
    checkDemands(shared, contribution, sequence === 0);
    isBegun = true;
    return publishContribution(shared, contribution, sequence);
  } catch (error) {
    if (failed === undefined || !isDaosError(error)) throw error;
    failed(sequence, error);
    if (isBegun) throw error;
    return 0;
  }
}

function publish(tx: IndexTransaction, request: CommitRequest, now: bigint): Committed {
  const { container, contributions, transactionId } = request;
  if (getContainer(tx, container) === undefined) {
    throw new DaosError("DER_NONEXIST", {
      what: `Committing to container ${container}`,
      why: "it was destroyed",
      remedy: "create a container and write again",
    });
  }
  const epoch = nextEpoch(now, readCounter(tx, "epoch"));
  const moment = momentOf(epoch);
  const publication = new Publication(contributions.length);
  const changes = new ChangeList(tx, container, epoch);
  const shared = { tx, container, epoch, suffix: moment.suffix, publication, changes, moment };
  let bytes = 0;
  let left = contributions.length;
  for (let sequence = 0; sequence < contributions.length; sequence++) {
    const failed = (index: number, error: unknown) => {
      request.failed?.(index, error);
      left -= 1;
      // There is nothing to commit.
      if (left === 0) throw error;
    };
    const one = request.failed === undefined ? request : { ...request, failed };
    bytes += publishOne({ ...shared, live: new Map() }, one, sequence);
  }
  changes.finish();
  putCommit(tx, container, { epoch, transactionId, bytes, contributors: contributions.length });
  writeCounter(tx, "epoch", epoch);
  return { epoch, bytes };
}

function isStored({ record }: ValueVersion): boolean {
  return kindOf(record) !== VersionKind.punch;
}

/** A commit that only hides or removes may use some of the reserve: it is how a full pool gets space. */
function useOf({ contributions }: CommitRequest): SpaceUse {
  const stores = contributions.some(({ runs, values }) => runs.length > 0 || values.some(isStored));
  return stores ? "write" : "remove";
}

/**
 * Publishes contributions at one new epoch.
 *
 * @param now Wall clock in nanoseconds since 1970.
 * @returns The epoch; of the first commit, if this transaction id was committed before.
 * @throws {@link DaosError} `DER_TX_RESTART` if a lease was lost, `DER_NONEXIST` or `DER_EXIST` if a
 *   condition fails, `DER_NOSPACE` or `DER_IO` if the index cannot be written. Nothing is visible then.
 */
export function commit(index: IndexStore, request: CommitRequest, now: bigint): Committed {
  let committed: Committed | undefined;
  const body = (tx: IndexTransaction) => {
    const { transactionId: id } = request;
    const before = id && epochOfTransaction(tx, id);
    committed = before === undefined ? publish(tx, request, now) : { epoch: before, bytes: 0 };
  };
  index.transact(`Committing to container ${request.container}`, body, useOf(request));
  return committed as Committed;
}
