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
import type { Overlay } from "./array-reader.js";
import {
  type Contribution,
  encodeContribution,
  type ObjectRun,
  type ValueChange,
  type ValueCondition,
} from "./contribution-format.js";
import type { Epoch } from "./epoch.js";
import type { ObjectId } from "./object-id.js";
import { checkBufferSize, type PatternRange } from "./pattern.js";
import { RunBuilder } from "./run-builder.js";
import { encodeRun } from "./run-format.js";
import { checkValue } from "./values.js";

/** What a transaction needs of its pool. */
export interface TransactionOwner {
  readonly writer: LogWriter;
  /** Whether another transaction of the same writer has uncommitted data. */
  othersOpen(transaction: Transaction): boolean;
  /** The transaction took its last step. */
  closed(transaction: Transaction): void;
}

interface ArrayWrites {
  readonly builder: RunBuilder;
  readonly incarnation: Epoch;
}

/** Uncommitted writes of one writer to one container. */
export class Transaction {
  /** Container id. */
  readonly container: number;
  readonly #owner: TransactionOwner;
  readonly #arrays = new Map<ObjectId, ArrayWrites>();
  readonly #values = new Map<ObjectId, Map<string, ValueChange>>();
  readonly #punches = new Set<ObjectId>();
  #spans: SegmentSpan[] = [];
  #bytes = 0;
  #open = true;
  #failure: unknown;

  constructor(owner: TransactionOwner, container: number) {
    this.#owner = owner;
    this.container = container;
  }

  /** Bytes of array data written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is nothing to commit. */
  get isEmpty(): boolean {
    return this.#arrays.size === 0 && this.#values.size === 0 && this.#punches.size === 0;
  }

  /**
   * Appends the bytes of a range of an array.
   *
   * @param bytes `to - from` bytes, packed; copied or written before the call returns.
   * @param incarnation Punch epoch of the object when it was opened.
   * @throws {@link DaosError} `DER_NOSPACE` or `DER_IO`; abort then: the commit would throw it again.
   */
  write(oid: ObjectId, range: PatternRange, bytes: Uint8Array, incarnation: Epoch): void {
    assert(this.#open, "a settled transaction takes no writes");
    checkBufferSize("Writing to an array", bytes.length, range);
    if (bytes.length === 0) return;
    let writes = this.#arrays.get(oid);
    if (writes === undefined) {
      writes = { builder: new RunBuilder(), incarnation };
      this.#arrays.set(oid, writes);
    }
    writes.builder.begin(range);
    try {
      const alone = this.#bytes === 0 && !this.#owner.othersOpen(this);
      this.#owner.writer.append(bytes, writes.builder, { alone });
    } catch (error) {
      // A part of the bytes may have its place already: the transaction can only be aborted.
      this.#failure = error;
      throw error;
    }
    this.#bytes += bytes.length;
  }

  /**
   * Changes a single value; a later change of the same key replaces an earlier one. Key and value
   * are copied: the caller may reuse its buffers.
   */
  put(change: ValueChange): void {
    assert(this.#open, "a settled transaction takes no writes");
    checkValue({ container: this.container, ...change }, change.value);
    const { oid } = change;
    let ofObject = this.#values.get(oid);
    if (ofObject === undefined) {
      ofObject = new Map();
      this.#values.set(oid, ofObject);
    }
    const name = valueName(change);
    const condition: ValueCondition = ofObject.get(name)?.condition ?? change.condition;
    const dkey = new Uint8Array(change.dkey);
    const akey = new Uint8Array(change.akey);
    const value = change.value && new Uint8Array(change.value);
    ofObject.set(name, { oid, dkey, akey, value, condition });
  }

  /** Punches an object: what it holds at the commit is hidden from then on. */
  punch(oid: ObjectId): void {
    assert(this.#open, "a settled transaction takes no writes");
    this.#punches.add(oid);
  }

  /** This transaction's own change of a value, if there is one. */
  ownValue(address: Omit<ValueChange, "value" | "condition">): ValueChange | undefined {
    return this.#values.get(address.oid)?.get(valueName(address));
  }

  /** This transaction's own changes of the values of an object. */
  ownValues(oid: ObjectId): ValueChange[] {
    return [...(this.#values.get(oid)?.values() ?? [])];
  }

  /** This transaction's own writes to an array, for reads that see them. */
  overlay(oid: ObjectId): Overlay | undefined {
    const writes = this.#arrays.get(oid);
    return writes && { writer: this.#owner.writer, pieces: writes.builder.pieces };
  }

  /**
   * Makes the data durable (in a `power` pool) and says, as bytes, what the commit must publish.
   *
   * @returns An encoded contribution; see `contribution-format.ts`.
   * @throws {@link DaosError} if the flush fails: abort then, and let the other ranks know.
   */
  prepare(): Uint8Array {
    return encodeContribution(this.contribution());
  }

  /** As {@link prepare}, for a commit by this process: not as bytes. */
  contribution(): Contribution {
    assert(this.#open, "a settled transaction cannot be prepared");
    if (this.#failure !== undefined) throw this.#failure;
    const { writer } = this.#owner;
    this.#spans = this.#arrays.size === 0 ? [] : writer.flush(!this.#owner.othersOpen(this));
    const extents = this.#spans.map(({ segment, end, tailCrc }) => ({ segment, end, tailCrc }));
    const runs: ObjectRun[] = [];
    for (const [oid, { builder, incarnation }] of this.#arrays) {
      const { pieces, start, end } = builder;
      const used = new Set(pieces.map(({ segment }) => segment));
      const needed = extents.filter(({ segment }) => used.has(segment));
      assert(needed.length === used.size, "every piece lies in a flushed segment");
      runs.push({ oid, incarnation, run: encodeRun({ start, end, extents: needed, pieces }) });
    }
    return {
      writer: writer.id,
      spans: this.#spans,
      runs,
      values: [...this.#values.values()].flatMap((ofObject) => [...ofObject.values()]),
      punches: [...this.#punches],
    };
  }

  /** The commit took effect: the writer goes on behind the published data. */
  settle(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#owner.writer.committed(this.#spans);
    this.#owner.closed(this);
  }

  /** Drops everything; nothing of it was or will be visible. Later calls do nothing. */
  abort(): void {
    if (!this.#open) return;
    this.#open = false;
    if (!this.#owner.othersOpen(this)) this.#owner.writer.rollback();
    this.#owner.closed(this);
  }
}

function valueName({ dkey, akey }: Pick<ValueChange, "dkey" | "akey">): string {
  return `${dkey.length}/${latin1(dkey)}${latin1(akey)}`;
}

function latin1(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}
