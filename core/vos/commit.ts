/**
 * A commit: one index transaction that publishes what any number of writers contributed, at one epoch.
 *
 *     verify   each segment is still leased to the contributing writer, in the same generation,
 *              and goes on where the last commit ended; objects were not punched meanwhile;
 *              conditions on values hold
 *     publish  segment records, runs, values, punches, the commit record, the epoch
 *
 * All of it takes effect, or none. The epoch is drawn inside the transaction, so that no reader at an
 * epoch can later see a new commit at or below it.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { readCounter, writeCounter } from "../index/counters.js";
import type { IndexStore, IndexTransaction } from "../index/index-store.js";
import type { SegmentSpan } from "../log/open-segment.js";
import { getSegment, putSegment } from "../log/segment-record.js";
import { sealSegment } from "../log/segment-store.js";
import { epochOfTransaction, getContainer, putCommit } from "./containers.js";
import type { Contribution, ObjectRun, ValueChange } from "./contribution-format.js";
import { EPOCH_HEAD, type Epoch, nextEpoch } from "./epoch.js";
import { formatOid, type ObjectId, oidBytes } from "./object-id.js";
import { punchEpoch, punchObject } from "./objects.js";
import { pieceSize } from "./piece.js";
import { decodeRun, runKey } from "./run-format.js";
import { getValue, putValue } from "./values.js";

/** What a commit publishes, and where. */
export interface CommitRequest {
  readonly container: number;
  /** 16 bytes, unique: a repeated commit of the same id returns the first one's epoch. */
  readonly transactionId: Uint8Array;
  /** In rank order: of overlapping writes, the later contribution's is seen. */
  readonly contributions: readonly Contribution[];
}

/** The outcome of a commit. */
export interface Committed {
  /** Where the changes are visible from. */
  readonly epoch: Epoch;
  /** Bytes of array data published. */
  readonly bytes: number;
}

function restart(why: string, facts: Record<string, number | bigint | string>): DaosError {
  const remedy = "write the data again and commit";
  return new DaosError("DER_TX_RESTART", { what: "Committing", why, remedy }, facts);
}

/**
 * Publishes what a writer appended to a segment.
 *
 * @throws {@link DaosError} `DER_TX_RESTART` if it does not hold the lease any more.
 */
export function publishSpan(tx: IndexTransaction, writer: bigint, span: SegmentSpan): void {
  const record = getSegment(tx, span.segment);
  const held =
    record?.state === "leased" &&
    record.writer === writer &&
    record.generation === span.generation &&
    record.committedSize === span.start;
  if (!held) {
    const why = `writer ${writer} no longer holds the lease of segment ${span.segment}`;
    throw restart(why, { segment: span.segment, writer });
  }
  putSegment(tx, span.segment, { ...record, committedSize: span.end, tailCrc: span.tailCrc });
}

function publishRun(
  tx: IndexTransaction,
  request: CommitRequest,
  { oid, incarnation, run }: ObjectRun,
  version: { epoch: Epoch; sequence: number },
): number {
  const object = { container: request.container, oid };
  if (punchEpoch(tx, object, EPOCH_HEAD) !== incarnation) {
    throw new DaosError(
      "DER_NONEXIST",
      {
        what: `Committing writes to object ${formatOid(oid)}`,
        why: "it was removed after the writer had opened it",
        remedy: "create it again and write to the new one",
      },
      { container: request.container },
    );
  }
  const key = runKey(
    { container: request.container, oid: oidBytes(oid) },
    version.epoch,
    version.sequence,
  );
  tx.put(key, run);
  const bySegment = new Map<number, number>();
  let bytes = 0;
  for (const piece of decodeRun(run).pieces) {
    bySegment.set(piece.segment, (bySegment.get(piece.segment) ?? 0) + pieceSize(piece));
    bytes += pieceSize(piece);
  }
  for (const [segment, size] of bySegment) {
    const record = getSegment(tx, segment);
    if (record === undefined) throw restart(`segment ${segment} is gone`, { segment });
    putSegment(tx, segment, { ...record, liveSize: record.liveSize + size });
  }
  return bytes;
}

function publishValue(
  tx: IndexTransaction,
  container: number,
  change: ValueChange,
  version: { epoch: Epoch; punched: Epoch },
): void {
  const address = { container, oid: change.oid, dkey: change.dkey, akey: change.akey };
  if (change.condition === "none" && change.value !== undefined) {
    putValue(tx, address, version.epoch, change.value);
    return;
  }
  const head = { epoch: EPOCH_HEAD, punched: version.punched };
  const exists = getValue(tx, address, head) !== undefined;
  const name = Buffer.from(change.dkey).toString();
  const what = `Updating key ${JSON.stringify(name)} of object ${formatOid(change.oid)}`;
  if (change.condition === "insert" && exists) {
    const remedy = "open the existing one, or choose another name";
    throw new DaosError("DER_EXIST", { what, why: "it exists already", remedy }, { name });
  }
  if (change.condition === "update" && !exists) {
    const remedy = "create it first";
    throw new DaosError("DER_NONEXIST", { what, why: "it does not exist", remedy }, { name });
  }
  if (exists || change.value !== undefined) putValue(tx, address, version.epoch, change.value);
}

/** The newest punch of each object, looked up once; stale after the next punch. */
function punchCache(tx: IndexTransaction, container: number): (oid: ObjectId) => Epoch {
  const known = new Map<ObjectId, Epoch>();
  return (oid) => {
    let punched = known.get(oid);
    if (punched === undefined) {
      punched = punchEpoch(tx, { container, oid }, EPOCH_HEAD);
      known.set(oid, punched);
    }
    return punched;
  };
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
  let bytes = 0;
  for (const [sequence, contribution] of contributions.entries()) {
    for (const span of contribution.spans) publishSpan(tx, contribution.writer, span);
    for (const run of contribution.runs) {
      bytes += publishRun(tx, request, run, { epoch, sequence });
    }
    // A contribution sees the punches of those before it.
    const punchedAt = punchCache(tx, container);
    for (const change of contribution.values) {
      publishValue(tx, container, change, { epoch, punched: punchedAt(change.oid) });
    }
    for (const oid of contribution.punches) punchObject(tx, { container, oid }, epoch);
    for (const span of contribution.spans) {
      if (span.seal) sealSegment(tx, span.segment, span.generation);
    }
  }
  putCommit(tx, container, { epoch, transactionId, bytes, contributors: contributions.length });
  writeCounter(tx, "epoch", epoch);
  return { epoch, bytes };
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
  index.transact(`Committing to container ${request.container}`, (tx) => {
    const before = epochOfTransaction(tx, request.transactionId);
    committed = before === undefined ? publish(tx, request, now) : { epoch: before, bytes: 0 };
  });
  return committed as Committed;
}
