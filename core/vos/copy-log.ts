/**
 * The log of aggregation: data that is copied goes to the end of segments of its own, as any writer's
 * does, and takes the place of the old in one index transaction.
 *
 *     old segments ─▶ verified, appended ─▶ flushed ─▶ transaction: spans, runs, live sizes
 *
 * Nothing of a copy is visible before its transaction; what a killed aggregation leased, recovery takes
 * back. The log never goes on with a segment that is to be emptied.
 *
 * @module
 */

import { isDaosError } from "../errors.js";
import type { IndexStore, IndexTransaction } from "../index/index-store.js";
import { COMPACTION_COPY_SIZE, COMPACTION_DEAD_SIZE_MIN } from "../limits.js";
import { LogWriter, type PlacementSink } from "../log/log-writer.js";
import type { SegmentSpan } from "../log/open-segment.js";
import type { CommittedExtent, SegmentCache } from "../log/segment-reader.js";
import type { SegmentRecord } from "../log/segment-record.js";
import { type SegmentStore, sealSegment } from "../log/segment-store.js";
import { addWriter, removeWriter } from "../log/writer-record.js";
import { publishSpan } from "./commit.js";

/** What a copy log writes to and reads from. */
export interface CopyLogOptions {
  readonly index: IndexStore;
  readonly store: SegmentStore;
  /** Opens segments for reading; they are closed when a step ends. */
  readonly openSegments: () => SegmentCache;
  /** What the process calls itself. */
  readonly owner: string;
}

/** Bytes of a segment. */
export interface SegmentBytes {
  readonly segment: number;
  readonly position: number;
  readonly size: number;
}

const DEAD_SHARE_MIN = 1 / 3;

/**
 * Whether so much of a segment is dead that copying what is live pays: a third, so that of all segments
 * at most half as much again as what is live is kept, and a megabyte.
 */
export function isMostlyDead({ committedSize, liveSize }: SegmentRecord): boolean {
  const dead = committedSize - liveSize;
  return dead >= COMPACTION_DEAD_SIZE_MIN && dead >= committedSize * DEAD_SHARE_MIN;
}

/** Copies parts of segments, and commits what was made of the copies. */
export class CopyLog {
  readonly #options: CopyLogOptions;
  #writer: LogWriter | undefined;
  #segments: SegmentCache | undefined;
  #buffer: Uint8Array | undefined;
  readonly #batch = {
    targets: new Float64Array(1),
    positions: new Float64Array(1),
    sizes: new Float64Array(1),
  };

  constructor(options: CopyLogOptions) {
    this.#options = options;
  }

  #openWriter(): LogWriter {
    const { index, store, owner } = this.#options;
    if (this.#writer === undefined) {
      let id = 0n;
      const draw = (tx: IndexTransaction) => {
        id = addWriter(tx, { owner: `${owner} (aggregation)`, pid: process.pid }).id;
      };
      index.transact("Drawing a writer id", draw, "reclaim");
      this.#writer = new LogWriter(store, id, { use: "reclaim", avoids: isMostlyDead });
    }
    return this.#writer;
  }

  /**
   * Verifies bytes of a segment and appends them; `sink` learns where they went.
   *
   * @returns Whether they were copied: damaged bytes stay where they are, so that they are never given
   *   a checksum that makes them look sound.
   * @throws SegmentMoved if the segment is gone; {@link DaosError} `DER_NOSPACE` or `DER_IO`.
   */
  copy(bytes: SegmentBytes, extent: CommittedExtent, sink: PlacementSink): boolean {
    const { segment, position, size } = bytes;
    this.#segments ??= this.#options.openSegments();
    const reader = this.#segments.get(segment);
    try {
      reader.verify(position, position + size, extent);
    } catch (error) {
      if (isDaosError(error, "DER_CSUM")) return false;
      throw error;
    }
    const writer = this.#openWriter();
    this.#buffer ??= new Uint8Array(COMPACTION_COPY_SIZE);
    for (let done = 0; done < size; done += COMPACTION_COPY_SIZE) {
      const count = Math.min(COMPACTION_COPY_SIZE, size - done);
      this.#batch.positions[0] = position + done;
      this.#batch.sizes[0] = count;
      reader.copy(this.#buffer, this.#batch, 1);
      writer.append(this.#buffer.subarray(0, count), sink, { alone: false });
    }
    return true;
  }

  /**
   * Makes what was copied durable. The extents verify it, once {@link commit} has published the spans.
   */
  flush(): SegmentSpan[] {
    return this.#writer?.flush(true) ?? [];
  }

  /**
   * Publishes what was copied together with what `body` stores.
   *
   * @param spans Result of {@link flush}.
   * @throws What `body` throws, or as a commit does; nothing is changed then.
   */
  commit(what: string, spans: readonly SegmentSpan[], body: (tx: IndexTransaction) => void): void {
    const writer = this.#writer;
    try {
      const publish = (tx: IndexTransaction) => {
        if (writer !== undefined) for (const span of spans) publishSpan(tx, writer.id, span);
        body(tx);
        for (const { seal, segment, generation } of spans) {
          if (seal) sealSegment(tx, segment, generation);
        }
      };
      this.#options.index.transact(what, publish, "reclaim");
    } catch (error) {
      this.rollback();
      throw error;
    }
    writer?.committed(spans);
  }

  /** Drops what was copied since the last commit. */
  rollback(): void {
    this.#writer?.rollback();
  }

  /** Closes the segments that were read, so that they can be recycled. */
  release(): void {
    this.#segments?.close();
    this.#segments = undefined;
  }

  /** Ends the log's leases. */
  close(): void {
    this.release();
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#writer = undefined;
    writer.close();
    try {
      const forget = (tx: IndexTransaction) => removeWriter(tx, writer.id);
      this.#options.index.transact("Forgetting a writer", forget, "reclaim");
    } catch (error) {
      // On a full disk the record stays; it says nothing of what is stored.
      if (!isDaosError(error)) throw error;
    }
  }
}
