/**
 * A writer's log: bytes go to the end of its own segments, in the order in which they come.
 *
 * Small appends are gathered in a staging buffer and written sequentially; large ones are written
 * straight from the caller's memory. Nothing is shared with other writers, so N writers run at
 * file-per-process speed whatever the array offsets of their data are.
 *
 *     append ─▶ [staging 4 MiB] ─▶ open segment ─▶ (full) next segment
 *                                     │
 *     flush ──▶ checksum table, fdatasync
 *
 * @module
 */

import { assert, isDaosError } from "../errors.js";
import {
  CHECKSUM_BLOCK_SIZE,
  STAGED_APPEND_SIZE_MAX,
  STAGING_SIZE,
  WHOLE_ALIGNMENT,
} from "../limits.js";
import { events } from "../metrics/events.js";
import { metrics } from "../metrics/process-metrics.js";
import type { OpenSegment, SegmentSpan } from "./open-segment.js";
import type { LeaseOptions, SegmentStore } from "./segment-store.js";

/** Learns where appended bytes went: `size` bytes at `position` of a segment. */
export interface PlacementSink {
  place(segment: number, position: number, size: number): void;
}

const PADDING = new Uint8Array(WHOLE_ALIGNMENT);

/** The log of one writer. Not shared between threads or processes. */
export class LogWriter {
  /** Id of the writer; never used twice in a pool. */
  readonly id: bigint;
  readonly #store: SegmentStore;
  #staging: Uint8Array | undefined;
  #stagedSize = 0;
  #current: OpenSegment | undefined;
  readonly #lease: LeaseOptions;
  /** Full segments whose data is not all committed yet. */
  readonly #full: OpenSegment[] = [];

  constructor(store: SegmentStore, id: bigint, options: Partial<LeaseOptions> = {}) {
    this.#store = store;
    this.id = id;
    this.#lease = { use: "write", avoids: () => false, ...options };
  }

  /**
   * Appends bytes and tells `sink` where they went, in order; a part for each segment touched.
   * The bytes are copied or written before the call returns: the caller may reuse its buffer.
   *
   * @param options `alone`: no transaction has uncommitted data in this log, so that a segment may be
   *   let go of if space is short.
   * @throws {@link DaosError} `DER_NOSPACE` or `DER_IO`; abort the transaction then.
   */
  append(bytes: Uint8Array, sink: PlacementSink, options: { alone: boolean }): void {
    try {
      this.#append(bytes, sink, options);
      metrics.writtenBytes.add(bytes.length);
    } catch (error) {
      throw noted(error);
    }
  }

  #append(bytes: Uint8Array, sink: PlacementSink, options: { alone: boolean }): void {
    this.#requireSpace(bytes.length, options.alone);
    let at = 0;
    while (at < bytes.length) {
      const { segment, size } = this.#reserved(bytes.length - at, options.alone && at === 0);
      const part = at === 0 && size === bytes.length ? bytes : bytes.subarray(at, at + size);
      const position = segment.size + this.#stagedSize;
      if (size < STAGED_APPEND_SIZE_MAX) this.#stage(part);
      else this.#write(segment, part);
      sink.place(segment.id, position, size);
      at += size;
    }
  }

  /**
   * Has the next `size` bytes lie one behind the other in one segment, from a multiple of
   * {@link WHOLE_ALIGNMENT} on, if a segment can hold so many: a map of it then shows them as they are.
   *
   * @param options As of {@link append}.
   * @throws {@link DaosError} `DER_NOSPACE` or `DER_IO`; abort the transaction then.
   */
  keepWhole(size: number, options: { alone: boolean }): void {
    try {
      this.#requireSpace(size, options.alone);
      this.#keepWhole(size, options.alone);
    } catch (error) {
      throw noted(error);
    }
  }

  #keepWhole(size: number, alone: boolean): void {
    const sizeMax = this.#store.segmentDataSizeMax;
    if (size > sizeMax) return;
    const current = this.#current;
    const isFull =
      current !== undefined && current.room < this.#stagedSize + paddingAt(this.#end) + size;
    if (isFull) this.#leave(current);
    if (this.#current === undefined) {
      const avoids: LeaseOptions["avoids"] = (record) =>
        this.#lease.avoids(record) || record.committedSize + WHOLE_ALIGNMENT + size > sizeMax;
      this.#current = this.#store.lease(this.id, { ...this.#lease, avoids });
    }
    const padding = paddingAt(this.#end);
    if (padding === 0) return;
    this.#reserved(padding, alone);
    this.#stage(PADDING.subarray(0, padding));
  }

  /** Where the next byte goes in the current segment. */
  get #end(): number {
    return (this.#current?.size ?? 0) + this.#stagedSize;
  }

  /**
   * Finds out whether there is space for some bytes: what takes several appends, or segments, is not begun
   * if it cannot be ended.
   *
   * @param options As of {@link append}.
   * @throws {@link DaosError} `DER_NOSPACE`; nothing has changed then.
   */
  requireSpace(size: number, { alone }: { alone: boolean }): void {
    try {
      this.#requireSpace(size, alone);
    } catch (error) {
      throw noted(error);
    }
  }

  #requireSpace(size: number, alone: boolean): void {
    const room = (this.#current?.room ?? 0) - this.#stagedSize;
    if (size <= room) return;
    try {
      this.#store.requireSpace(size - room, this.#lease.use);
    } catch (error) {
      if (!alone || !isDaosError(error, "DER_NOSPACE") || !this.#letGo()) throw error;
      this.#store.requireSpace(size, this.#lease.use);
    }
  }

  /** Lets go of segments without uncommitted data: all that is in them may be dead. */
  #letGo(): boolean {
    const segments = this.#segments();
    if (this.#stagedSize > 0 || segments.length === 0) return false;
    if (segments.some((segment) => segment.isUncommitted)) return false;
    this.#release(segments);
    return true;
  }

  /** A segment, and how many of `wanted` bytes it has space for. */
  #reserved(wanted: number, alone: boolean): { segment: OpenSegment; size: number } {
    const segment = this.#segmentWithRoom();
    const size = Math.min(wanted, segment.room - this.#stagedSize);
    try {
      // Space is reserved before bytes are accepted, so that a later flush cannot find the disk full.
      segment.reserve(this.#stagedSize + size);
      return { segment, size };
    } catch (error) {
      if (!alone || !isDaosError(error, "DER_NOSPACE") || !this.#letGo()) throw error;
      return this.#reserved(wanted, false);
    }
  }

  #segmentWithRoom(): OpenSegment {
    const current = this.#current;
    if (current !== undefined && current.room > this.#stagedSize) return current;
    if (current !== undefined) this.#leave(current);
    this.#current = this.#store.lease(this.id, this.#lease);
    assert(this.#current.room >= CHECKSUM_BLOCK_SIZE, "a leased segment has room for a block");
    return this.#current;
  }

  /** Writes no more to the current segment. */
  #leave(current: OpenSegment): void {
    this.#writeStaged();
    this.#full.push(current);
    this.#current = undefined;
  }

  #stage(bytes: Uint8Array): void {
    this.#staging ??= new Uint8Array(STAGING_SIZE);
    if (this.#stagedSize + bytes.length > STAGING_SIZE) this.#writeStaged();
    this.#staging.set(bytes, this.#stagedSize);
    this.#stagedSize += bytes.length;
  }

  #write(segment: OpenSegment, bytes: Uint8Array): void {
    this.#writeStaged();
    segment.append(bytes);
  }

  #writeStaged(): void {
    if (this.#stagedSize === 0) return;
    assert(this.#staging !== undefined && this.#current !== undefined, "staged bytes have a place");
    this.#current.append(this.#staging.subarray(0, this.#stagedSize));
    this.#stagedSize = 0;
  }

  /**
   * Writes what is staged; in a durable pool, returns when all of it is on the device.
   *
   * @param seal Whether full segments take part in no other transaction and may be sealed by it.
   * @returns What a commit must say of each leased segment.
   */
  flush(seal: boolean): SegmentSpan[] {
    // Who appended nothing flushes nothing, and looks at no clock.
    const segments = this.#segments();
    if (segments.length === 0) return [];
    const began = performance.now();
    this.#writeStaged();
    const spans: SegmentSpan[] = [];
    // Also those without uncommitted bytes: a transaction's pieces may lie below what another
    // transaction of this writer has committed.
    for (const segment of segments) {
      segment.flush(this.#store.durable);
      spans.push(segment.span(seal && segment !== this.#current));
    }
    metrics.flushSeconds.observe((performance.now() - began) / 1000);
    return spans;
  }

  /** The commit of these spans took effect. */
  committed(spans: readonly SegmentSpan[]): void {
    for (const span of spans) {
      const segment = this.#segments().find(({ id }) => id === span.segment);
      assert(segment !== undefined, "a committed span is of a segment that this writer leases");
      segment.committed(span);
      if (!span.seal) continue;
      this.#full.splice(this.#full.indexOf(segment), 1);
      segment.file.close();
    }
  }

  /**
   * These spans left the process, and may be committed at any time: their bytes are not written again
   * while the leases last.
   */
  handedOut(spans: readonly SegmentSpan[]): void {
    for (const segment of this.#segments()) {
      const span = spans.find(({ segment: id }) => id === segment.id);
      if (span !== undefined) segment.handedOut(span);
    }
  }

  /**
   * Seals full segments whose bytes are all committed. Call it only when no transaction has uncommitted
   * data.
   */
  sealFull(): void {
    const done = this.#full.filter((segment) => !segment.isUncommitted);
    if (done.length > 0) this.#release(done);
  }

  /** Drops what was appended since the last commit. Call it only when no transaction needs it. */
  rollback(): void {
    this.#stagedSize = 0;
    for (const segment of this.#segments()) segment.rollback();
    const first = this.#full.findIndex((segment) => segment.room > 0);
    if (first >= 0 && this.#current === undefined) [this.#current] = this.#full.splice(first, 1);
    // A segment that failed to flush is given up: its lease ends and its tail is reclaimed. Those
    // before the current one would hold space for nothing.
    const done = this.#segments().filter(
      (segment) => segment.failed || this.#full.includes(segment),
    );
    if (done.length > 0) this.#release(done);
  }

  /** Copies bytes that this writer appended and may not have committed yet. */
  read(segment: number, position: number, target: Uint8Array): boolean {
    const own = this.#segments().find(({ id }) => id === segment);
    if (own === undefined) return false;
    this.#writeStaged();
    own.read(target, position);
    return true;
  }

  /** Ends the writer's leases; what was not committed is dropped. The writer can be used again. */
  close(): void {
    this.#stagedSize = 0;
    this.#release(this.#segments());
  }

  #release(segments: readonly OpenSegment[]): void {
    this.#store.release(segments);
    for (const segment of segments) {
      const index = this.#full.indexOf(segment);
      if (index >= 0) this.#full.splice(index, 1);
      if (segment === this.#current) this.#current = undefined;
    }
  }

  #segments(): OpenSegment[] {
    return this.#current === undefined ? [...this.#full] : [...this.#full, this.#current];
  }
}

/** Bytes from a position to the next at which bytes that are kept whole may begin. */
function paddingAt(position: number): number {
  return (WHOLE_ALIGNMENT - (position % WHOLE_ALIGNMENT)) % WHOLE_ALIGNMENT;
}

/** Counts and tells of a full tier; returns the error. */
function noted(error: unknown): unknown {
  if (isDaosError(error, "DER_NOSPACE")) {
    metrics.noSpace.add(1);
    if (events.nospace.hasSubscribers) events.nospace.publish({ error });
  }
  return error;
}
