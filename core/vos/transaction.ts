/**
 * A transaction: writes that a writer has appended to its log but that nobody else sees yet.
 *
 *     begin ─▶ write, put, punch ─▶ prepare ─▶ (commit by this or another process) ─▶ settle
 *                                      └────────────── abort
 *
 * Reads of the same transaction see its own writes. `prepare` makes the data durable and says, as
 * bytes, what the commit must publish: a collective commit gathers those bytes from all ranks and
 * publishes them in one index transaction.
 *
 * @module
 */

import { assert } from "../errors.js";
import type { LogWriter } from "../log/log-writer.js";
import type { SegmentSpan } from "../log/open-segment.js";
import { windowRanges } from "./array-address.js";
import type { Overlay } from "./array-reader.js";
import {
  type Contribution,
  encodeContribution,
  INCARNATION_ANY,
  type KeyCondition,
  type KeyPunch,
  type ObjectRun,
  type RecordsName,
  type ValueChange,
  type ValueVersion,
} from "./contribution-format.js";
import type { Epoch } from "./epoch.js";
import { bytesOfCopyable, type CopyableValue, copyable } from "./long-value.js";
import { checkKey } from "./names.js";
import { formatOid, type ObjectId } from "./object-id.js";
import { type OwnArray, OwnArrays } from "./own-arrays.js";
import { OwnChanges } from "./own-changes.js";
import { type AkeyPlace, OwnValues } from "./own-values.js";
import { checkBufferSize, Pattern, type PatternRange, wholeOf } from "./pattern.js";
import type { ReadSet } from "./read-set.js";
import {
  type AkeyUpdate,
  BufferCursor,
  type Bytes,
  buffersOf,
  type ExactRange,
  gathered,
} from "./records.js";
import type { RunBuilder } from "./run-builder.js";
import { encodeRun } from "./run-format.js";
import {
  checkUpdate,
  isSame,
  longSize,
  longSizes,
  type RecordsUpdate,
  rangesOf,
} from "./update-checks.js";
import {
  checkValueSize,
  holdsValue,
  kindOf,
  longRecord,
  longSizeOf,
  PUNCH_RECORD,
  VersionKind,
  valueBytes,
  valueRecord,
} from "./versions.js";

/** What a transaction needs of its pool. */
export interface TransactionOwner {
  readonly writer: LogWriter;
  /** Whether another transaction of the same writer has uncommitted data. */
  othersOpen(transaction: Transaction): boolean;
  /** The transaction took its last step. */
  closed(transaction: Transaction): void;
}

/** An uncommitted change of an akey: a single value, or a punch. */
export interface OwnValue {
  readonly dkey: Uint8Array;
  readonly akey: Uint8Array;
  /** Where its bytes can be read; `undefined` where it was punched. */
  readonly copyable: CopyableValue | undefined;
  /** The value; `undefined` where it was punched. A long one is read from the log, each time. */
  readonly value: Uint8Array | undefined;
}

const NO_KEY = new Uint8Array();

/** Uncommitted writes of one writer to one container. */
export class Transaction {
  /** Container id. */
  readonly container: number;
  readonly #owner: TransactionOwner;
  readonly #arrays = new OwnArrays();
  readonly #changes: OwnChanges;
  readonly #values = new OwnValues();
  readonly #reads: ReadSet | undefined;
  /** Counts what took own changes back: who follows them begins anew then. */
  #generation = 0;
  #spans: SegmentSpan[] = [];
  #bytes = 0;
  #open = true;
  #failure: unknown;

  /** @param reads What the transaction reads; its commit finds out whether another one changed it. */
  constructor(owner: TransactionOwner, container: number, reads?: ReadSet) {
    this.#owner = owner;
    this.container = container;
    this.#reads = reads;
    this.#changes = new OwnChanges(container);
  }

  /** Bytes written to the log so far: of arrays and of long values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Its own changes of keys, for reads that see them. */
  get changes(): OwnChanges {
    return this.#changes;
  }

  /** Its own writes to arrays, in the order of the first ones, for reads that see them. */
  get arrays(): Pick<OwnArrays, "size" | "all"> {
    return this.#arrays;
  }

  /** Changes when own changes or writes were dropped, by a punch of what they lie below. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether it was neither settled nor aborted. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Whether there is nothing to commit. */
  get isEmpty(): boolean {
    return this.#arrays.size === 0 && this.#changes.isEmpty && this.#failure === undefined;
  }

  /** Whether no transaction has uncommitted data in the log. */
  get #alone(): boolean {
    return this.#bytes === 0 && !this.#owner.othersOpen(this);
  }

  #append(builder: RunBuilder, range: PatternRange, bytes: Uint8Array): void {
    builder.begin(range);
    try {
      this.#owner.writer.append(bytes, builder, { alone: this.#alone });
    } catch (error) {
      // A part of the bytes may have its place already: the transaction can only be aborted.
      this.#failure = error;
      throw error;
    }
    this.#bytes += bytes.length;
  }

  /**
   * Lets the commit fail: bytes that were to be written are lost, whatever kept them back.
   *
   * @param error What the commit throws, unless it would have thrown another one.
   */
  fail(error: unknown): void {
    this.#failure ??= error;
  }

  /**
   * Appends the bytes of a range of an array.
   *
   * @param bytes `to - from` bytes, packed; copied or written before the call returns.
   * @param incarnation The last epoch when the object was opened, see `Container.incarnation`: the commit fails
   *   if it was punched since. By default that does not matter.
   * @throws {@link DaosError} `DER_NOSPACE` or `DER_IO`; abort then: the commit would throw it again.
   */
  write(
    oid: ObjectId,
    range: PatternRange,
    bytes: Uint8Array,
    incarnation: Epoch = INCARNATION_ANY,
  ): void {
    assert(this.#open, "a settled transaction takes no writes");
    checkBufferSize("Writing to an array", bytes.length, range);
    if (bytes.length === 0) return;
    this.#append(this.#arrays.ofBytes(oid, incarnation).builder, range, bytes);
  }

  /**
   * Has the next `size` bytes that are written lie in one piece, from a multiple of 64 of a segment on, if it can
   * hold so many: readers may map them, see `ContainerView.mapBytes`. Throws as {@link write} does.
   */
  keepWhole(size: number): void {
    assert(this.#open, "a settled transaction takes no writes");
    try {
      this.#owner.writer.keepWhole(size, { alone: this.#alone });
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /**
   * Punches a range of an array: it reads as zeros, as if it had never been written.
   *
   * @param incarnation As that of {@link write}.
   */
  punchRange(oid: ObjectId, range: PatternRange, incarnation: Epoch = INCARNATION_ANY): void {
    assert(this.#open, "a settled transaction takes no writes");
    if (range.from >= range.to) return;
    this.#arrays.ofBytes(oid, incarnation).builder.punch(range);
  }

  /**
   * Changes a single value; a later change of the same key replaces an earlier one, also records of an
   * array. Key and value are copied, or written: the caller may reuse its buffers.
   *
   * @throws {@link DaosError} `DER_KEY2BIG`, `DER_REC2BIG`, `DER_INVAL`; `DER_EXIST` or `DER_NONEXIST` if
   *   the transaction's own changes contradict the condition; `DER_NOSPACE` if there is no space for a value
   *   of more than 4 KiB. Nothing is changed then. `DER_IO`, or `DER_NOSPACE` if others took the space
   *   meanwhile: abort then, as {@link write} says.
   */
  put({ oid, dkey, akey, value, condition }: ValueChange): void {
    assert(this.#open, "a settled transaction takes no writes");
    checkKey(oid, "dkey", dkey);
    checkKey(oid, "akey", akey);
    if (value !== undefined) checkValueSize(oid, value.length);
    this.#requireSpace(longSize(value));
    this.#demand(oid, dkey, akey, condition);
    this.#change({ oid, dkey, akey }, value);
  }

  #requireSpace(size: number): void {
    if (size > 0) this.#owner.writer.requireSpace(size, { alone: this.#alone });
  }

  /** Puts a value that was checked, or punches the akey. */
  #change(place: AkeyPlace, value: Bytes | undefined): void {
    const { oid, dkey, akey } = place;
    if (this.#arrays.drop(place)) this.#generation += 1;
    this.#values.drop(place);
    const size = longSize(value);
    if (value === undefined || size === 0) {
      const record = value === undefined ? PUNCH_RECORD : valueRecord(gathered(value));
      this.#changes.add(oid, dkey, akey, record);
      return;
    }
    const builder = this.#values.begin(place);
    let at = 0;
    for (const part of buffersOf(value)) {
      if (part.length === 0) continue;
      this.#append(builder, wholeOf(Pattern.contiguous(at, at + part.length)), part);
      at += part.length;
    }
    this.#changes.add(oid, dkey, akey, longRecord(size));
  }

  /**
   * Updates akeys of one dkey: single values, arrays of records, in one call. All of it is taken, or an
   * error is thrown and nothing is; the commit is atomic in any case.
   *
   * @param options.condition On the dkey: `insert` refuses one that exists, `update` one that does not.
   * @throws {@link DaosError} As {@link put} and {@link write}.
   */
  update(
    oid: ObjectId,
    dkey: Uint8Array,
    updates: readonly AkeyUpdate[],
    options: { readonly condition?: KeyCondition } = {},
  ): void {
    assert(this.#open, "a settled transaction takes no writes");
    checkKey(oid, "dkey", dkey);
    // Everything is checked before anything is taken; checking it twice makes no objects in between.
    for (const update of updates) checkUpdate(oid, update);
    this.#checkKinds(oid, dkey, updates);
    this.#requireSpace(longSizes(updates));
    this.#demand(oid, dkey, NO_KEY, options.condition ?? "none");
    for (const { akey, condition = "none" } of updates) this.#demand(oid, dkey, akey, condition);
    for (const update of updates) {
      if ("value" in update) this.#change({ oid, dkey, akey: update.akey }, update.value);
      else this.#writeRecords({ oid, dkey }, update, rangesOf(oid, update));
    }
  }

  /** Refuses records of akeys that the transaction, or the same update, made single values. */
  #checkKinds(oid: ObjectId, dkey: Uint8Array, updates: readonly AkeyUpdate[]): void {
    for (const update of updates) {
      if ("value" in update) continue;
      const { akey } = update;
      const isMixed = updates.some((other) => "value" in other && isSame(other.akey, akey));
      if (!isMixed && !this.#holdsValue(oid, dkey, akey)) continue;
      throw holdsValue(`Updating akeys of object ${formatOid(oid)}`);
    }
  }

  #holdsValue(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array): boolean {
    const last = this.#changes.last(oid, dkey, akey);
    return last !== undefined && kindOf(last.record) !== VersionKind.punch;
  }

  #writeRecords(
    { oid, dkey }: { oid: ObjectId; dkey: Uint8Array },
    update: RecordsUpdate,
    ranges: readonly ExactRange[],
  ): void {
    const { akey, recordSize, data } = update;
    const buffers = new BufferCursor(data ?? []);
    for (const { index, count } of ranges) {
      for (const { window, start, end } of windowRanges(index, count, recordSize)) {
        const { builder } = this.#arrays.ofRecords(oid, { dkey, akey, window, recordSize });
        if (data === undefined) {
          builder.punch(wholeOf(Pattern.contiguous(start, end)));
          continue;
        }
        let at = start;
        buffers.take(end - start, (part) => {
          this.#append(builder, wholeOf(Pattern.contiguous(at, at + part.length)), part);
          at += part.length;
        });
      }
    }
  }

  /** Asks for a condition on a dkey, or on an akey. */
  #demand(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array, condition: KeyCondition): void {
    if (condition === "none") return;
    const mustExist = condition === "update";
    this.#changes.demand({ oid, dkey, akey, mustExist }, this.#arrays.all());
  }

  /** Forgets own writes below a key that is punched; their bytes in the log are lost. */
  #dropBelow(punch: KeyPunch): void {
    this.#generation += 1;
    this.#arrays.dropBelow(punch);
    this.#values.dropBelow(punch);
  }

  /**
   * Punches an object: what it held is hidden from the commit on. What the transaction writes to it
   * afterwards is visible.
   *
   * @param condition `update` refuses to punch what does not exist.
   */
  punch(oid: ObjectId, condition: "none" | "update" = "none"): void {
    assert(this.#open, "a settled transaction takes no writes");
    this.#demand(oid, NO_KEY, NO_KEY, condition);
    this.#dropBelow({ oid, dkey: NO_KEY });
    this.#changes.punch(oid, NO_KEY);
  }

  /** Punches a dkey with all of its akeys. */
  punchDkey(oid: ObjectId, dkey: Uint8Array, condition: "none" | "update" = "none"): void {
    assert(this.#open, "a settled transaction takes no writes");
    checkKey(oid, "dkey", dkey);
    this.#demand(oid, dkey, NO_KEY, condition);
    this.#dropBelow({ oid, dkey });
    this.#changes.punch(oid, dkey);
  }

  /** Punches an akey: its single value, or its array. */
  punchAkey(
    oid: ObjectId,
    dkey: Uint8Array,
    akey: Uint8Array,
    condition: "none" | "update" = "none",
  ): void {
    this.put({ oid, dkey, akey, value: undefined, condition });
  }

  /** Whether this transaction punched a dkey, or its object. */
  hides(oid: ObjectId, dkey: Uint8Array): boolean {
    return this.#changes.hides(oid, dkey);
  }

  /** This transaction's own change of an akey, if there is one; a punch has no value. */
  ownValue(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array): OwnValue | undefined {
    const last = this.#changes.last(oid, dkey, akey);
    return last && this.#ownValueOf(last);
  }

  /** This transaction's own changes of the akeys of an object. */
  ownValues(oid: ObjectId): OwnValue[] {
    return this.#changes.ofObject(oid).map((last) => this.#ownValueOf(last));
  }

  #ownValueOf(version: ValueVersion): OwnValue {
    const { oid, dkey, akey, record } = version;
    const kind = kindOf(record);
    if (kind === VersionKind.punch) return { dkey, akey, copyable: undefined, value: undefined };
    const bytes = valueBytes(record);
    if (kind === VersionKind.value) return { dkey, akey, copyable: copyable(bytes), value: bytes };
    const size = longSizeOf(bytes);
    const copyTo = (buffer: Uint8Array, start: number) => {
      const target = buffer.subarray(0, size - start);
      this.#values.read(this.#owner.writer, { oid, dkey, akey }, start, target);
    };
    const long = { size, copyTo };
    return {
      dkey,
      akey,
      copyable: long,
      get value() {
        return bytesOfCopyable(long);
      },
    };
  }

  /** This transaction's own writes to an array, for reads that see them. */
  overlay(oid: ObjectId, records?: Omit<RecordsName, "recordSize">): Overlay | undefined {
    const writes = this.#arrays.find(oid, records);
    const hides = this.#changes.hides(oid, records?.dkey ?? NO_KEY);
    if (writes === undefined && !hides) return undefined;
    return { writer: this.#owner.writer, pieces: writes?.builder.pieces ?? [], hides };
  }

  /** The record size of an array that this transaction wrote to. */
  ownRecordSize(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array): number | undefined {
    return this.#arrays.recordSize({ oid, dkey, akey });
  }

  /** The windows of an array that this transaction wrote to. */
  ownWindows(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array): number[] {
    return this.#arrays.windows({ oid, dkey, akey });
  }

  /**
   * Makes the data durable (in a `power` pool) and says, as bytes, what the commit must publish.
   *
   * @returns An encoded contribution; see `contribution-format.ts`.
   * @throws {@link DaosError} if the flush fails: abort then, and let the other ranks know.
   */
  prepare(): Uint8Array {
    const contribution = this.contribution();
    // Who has these bytes may publish them, whatever becomes of this transaction.
    if (this.#spans.length > 0) this.#owner.writer.handedOut(this.#spans);
    return encodeContribution(contribution);
  }

  /** As {@link prepare}, for a commit by this process: not as bytes. */
  contribution(): Contribution {
    assert(this.#open, "a settled transaction cannot be prepared");
    if (this.#failure !== undefined) throw this.#failure;
    const { conditions, punches, values } = this.#changes;
    const reads = this.#reads?.contributed();
    const parts = { conditions, punches, values, reads };
    if (this.#arrays.size + this.#values.size === 0) {
      return { writer: 0n, spans: [], ...parts, runs: [] };
    }
    const { writer } = this.#owner;
    const spans = this.#bytes === 0 ? [] : writer.flush(!this.#owner.othersOpen(this));
    const extents = spans.map(({ segment, end, tailCrc }) => ({ segment, end, tailCrc }));
    const runs: ObjectRun[] = [];
    const allUsed = new Set<number>();
    const add = ({ oid, builder, records }: Omit<OwnArray, "incarnation">, incarnation: Epoch) => {
      const { pieces, start, end } = builder;
      const used = new Set(pieces.map(({ segment }) => segment));
      for (const segment of used) allUsed.add(segment);
      const needed = extents.filter(({ segment }) => used.has(segment));
      const run = encodeRun({ start, end, extents: needed, pieces });
      runs.push({ oid, incarnation, records, run });
    };
    for (const array of this.#arrays.all()) add(array, array.incarnation);
    for (const value of this.#values.all()) add(value, 0n);
    // Full segments of other transactions, prepared or dropped, may be sealed by whoever is alone.
    this.#spans = spans.filter(({ segment, seal }) => seal || allUsed.has(segment));
    return { writer: writer.id, spans: this.#spans, ...parts, runs };
  }

  /** The commit took effect: the writer goes on behind the published data. */
  settle(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#spans.length > 0) {
      this.#owner.writer.committed(this.#spans);
      // Transactions that were open together have sealed nothing.
      if (!this.#owner.othersOpen(this)) this.#owner.writer.sealFull();
    }
    this.#owner.closed(this);
  }

  /** Drops everything; nothing of it was or will be visible. Later calls do nothing. */
  abort(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#bytes > 0 && !this.#owner.othersOpen(this)) this.#owner.writer.rollback();
    this.#owner.closed(this);
  }

  /**
   * Lets go of what may have been committed by another process, or may not: the writer's leases end, so
   * that nothing is written over that a commit refers to. Later calls do nothing.
   */
  abandon(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#bytes > 0) this.#owner.writer.close();
    this.#owner.closed(this);
  }
}
