/**
 * Empties segments: copies what runs refer to in them elsewhere, so that they become free.
 *
 *     run      ├ a ┤├ b ┤├ c ┤         under the same key      ├ a ┤├ b ┤├ c ┤
 *     segment    7    4    7                                     9    4    9
 *
 * A run keeps its key and shows the same as before, so that runs of all epochs can be changed in any
 * order, at any time, also in part.
 *
 * @module
 */

import type { IndexReader } from "../index/index-store.js";
import { COMPACTION_STEP_SIZE } from "../limits.js";
import type { SegmentSpan } from "../log/open-segment.js";
import { type CommittedExtent, SegmentMoved } from "../log/segment-reader.js";
import type { CopyLog } from "./copy-log.js";
import { isHole, type Piece, pieceSize } from "./piece.js";
import { RunBuilder } from "./run-builder.js";
import { decodeRun, encodeRun, type RunBody } from "./run-format.js";
import { containerPrefix, RunChanges, readRuns, type StoredRun } from "./run-list.js";

/** What is changed, and through what. */
export interface RelocationSource {
  readonly index: IndexReader;
  readonly log: CopyLog;
  readonly container: number;
}

/** A run of which parts were copied. */
interface MovedRun {
  readonly run: StoredRun;
  readonly builder: RunBuilder;
}

class Relocation {
  readonly #source: RelocationSource;
  readonly #segments: ReadonlyMap<number, unknown>;
  #moved: MovedRun[] = [];
  #copied = 0;
  /** Pieces that cannot be read: they stay, for a scrub to report. */
  readonly #damaged = new Set<string>();

  constructor(source: RelocationSource, segments: ReadonlyMap<number, unknown>) {
    this.#source = source;
    this.#segments = segments;
  }

  *steps(): Generator<number, void, undefined> {
    const { index, container } = this.#source;
    for (const batch of readRuns(index, containerPrefix(container))) {
      for (const run of batch) yield* this.#moveAll(run);
      yield 0;
    }
    yield this.#commit();
  }

  /** Moves a run, in as many transactions as it takes. */
  *#moveAll(run: StoredRun): Generator<number, void, undefined> {
    let current: StoredRun | undefined = run;
    while (current?.pieces.some((piece) => this.#isToMove(piece))) {
      const isDone = this.#move(current);
      if (this.#copied >= COMPACTION_STEP_SIZE || !isDone) yield this.#commit();
      if (isDone) return;
      const value = this.#source.index.get(run.key);
      current = value && { ...current, ...decodeRun(value), value };
    }
  }

  #isToMove(piece: Piece): boolean {
    return this.#segments.has(piece.segment) && !this.#damaged.has(nameOf(piece));
  }

  /** Copies what the step has room for. @returns Whether nothing of the run is left to copy. */
  #move(run: StoredRun): boolean {
    const builder = new RunBuilder({ formsSeries: false });
    const before = this.#copied;
    let isDone = true;
    try {
      for (const piece of run.pieces) {
        if (!this.#isToMove(piece)) place(builder, piece);
        else if (!this.#movePiece(run, piece, builder)) isDone = false;
      }
    } catch (error) {
      // The segment is gone: another pass was quicker, and has changed the run.
      if (!(error instanceof SegmentMoved)) throw error;
      return true;
    }
    if (this.#copied > before) this.#moved.push({ run, builder });
    return isDone;
  }

  /** @returns Whether nothing of the piece is left to copy. */
  #movePiece(run: StoredRun, piece: Piece, builder: RunBuilder): boolean {
    const { pattern, from, to, segment, position } = piece;
    const room = Math.max(0, COMPACTION_STEP_SIZE - this.#copied);
    const size = Math.min(pieceSize(piece), room);
    if (size === 0) {
      place(builder, piece);
      return false;
    }
    const middle = from + size;
    const extent = run.extents.find((one) => one.segment === segment) as CommittedExtent;
    builder.begin({ pattern, from, to: middle });
    if (!this.#source.log.copy({ segment, position, size }, extent, builder)) {
      this.#damaged.add(nameOf(piece));
      place(builder, piece);
      return true;
    }
    this.#copied += size;
    if (middle === to) return true;
    place(builder, { ...piece, from: middle, position: position + size });
    return false;
  }

  /** Publishes what was moved since the last time. @returns Bytes of it. */
  #commit(): number {
    const moved = this.#moved;
    const copied = this.#copied;
    this.#moved = [];
    this.#copied = 0;
    if (copied === 0) return 0;
    const { log } = this.#source;
    const spans = log.flush();
    const bodies = moved.map(({ run, builder }) => ({ run, body: bodyOf(run, builder, spans) }));
    log.commit("Emptying segments", spans, (tx) => {
      const changes = new RunChanges(tx);
      for (const { run, body } of bodies) {
        // One that was removed or replaced meanwhile needs its copy no more.
        if (!changes.isUnchanged(run)) continue;
        changes.remove(run);
        changes.put(run.key, body, encodeRun(body));
      }
      changes.finish();
    });
    return copied;
  }
}

function nameOf({ segment, position }: Piece): string {
  return `${segment}/${position}`;
}

function place(builder: RunBuilder, piece: Piece): void {
  if (isHole(piece)) {
    builder.punch(piece);
    return;
  }
  builder.begin(piece);
  builder.place(piece.segment, piece.position, pieceSize(piece));
}

/** A run with its pieces in their new places. */
function bodyOf(run: StoredRun, builder: RunBuilder, spans: readonly SegmentSpan[]): RunBody {
  const { pieces } = builder;
  const extents = new Map(run.extents.map((extent) => [extent.segment, extent]));
  for (const { segment, end, tailCrc } of spans) extents.set(segment, { segment, end, tailCrc });
  const used = new Set(pieces.filter((piece) => !isHole(piece)).map(({ segment }) => segment));
  const needed = [...used].map((segment) => extents.get(segment) as CommittedExtent);
  return { start: run.start, end: run.end, extents: needed, pieces };
}

/**
 * Copies what the runs of a container refer to in some segments.
 *
 * @param segments By id.
 * @returns Bytes copied, after each transaction and each batch of runs.
 */
export function relocateRuns(
  source: RelocationSource,
  segments: ReadonlyMap<number, unknown>,
): Generator<number, void, undefined> {
  return new Relocation(source, segments).steps();
}
