/**
 * Resolves a read: which bytes of which segments an array shows, newest first.
 *
 *     newest   ├── C ──┤          ├ D ┤
 *     older  ├───── B ─────┤
 *     query    ├──────────────────────────┤
 *     result   C C C C B B  hole  D D D hole
 *
 * Runs are walked newest first; each fills what is still uncovered of the query, and the walk stops
 * when nothing is. A query is a range of a pattern, so that a subarray of many rows is one call; its
 * blocks are resolved in batches, in memory that does not grow with their number.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { RESOLVE_BATCH_COUNT } from "../limits.js";
import type { PatternRange } from "./pattern.js";
import type { Piece } from "./piece.js";

/** Receives what a query shows. Targets are positions in the query's packed stream, from 0. */
export interface FragmentSink {
  /** `size` bytes of the piece, from its packed byte `packed`, go to `target`. */
  fragment(layer: Layer, target: number, packed: number, size: number): void;
  /** Nothing was written to `size` bytes at `target`. */
  hole(target: number, size: number): void;
}

/** A piece as the walk meets it, with whatever the caller needs to find its bytes. */
export interface Layer {
  readonly piece: Piece;
  /** Bounds of the piece: array offsets `[start, end)`. */
  readonly start: number;
  readonly end: number;
}

/** Parts of the query that no layer has covered yet: sorted, disjoint. */
class Uncovered {
  starts = new Float64Array(RESOLVE_BATCH_COUNT);
  ends = new Float64Array(RESOLVE_BATCH_COUNT);
  targets = new Float64Array(RESOLVE_BATCH_COUNT);
  count = 0;

  add(start: number, end: number, target: number): void {
    const { count } = this;
    if (count === this.starts.length) {
      this.starts = grown(this.starts);
      this.ends = grown(this.ends);
      this.targets = grown(this.targets);
    }
    this.starts[count] = start;
    this.ends[count] = end;
    this.targets[count] = target;
    this.count = count + 1;
  }
}

function grown(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}

// Two lists take turns; they live as long as the process, so that a read allocates nothing.
let current = new Uncovered();
let next = new Uncovered();

/** Covers what one layer can of `current`; what is left goes to `next`, and the two change places. */
function cover(layer: Layer, sink: FragmentSink): void {
  const { pattern, from, to } = layer.piece;
  next.count = 0;
  for (let index = 0; index < current.count; index++) {
    const end = current.ends[index] as number;
    const target = (current.targets[index] as number) - (current.starts[index] as number);
    let at = current.starts[index] as number;
    let packed = Math.max(from, pattern.packedAtOrAfter(at));
    while (packed < to && at < end) {
      const offset = pattern.offsetOf(packed);
      if (offset >= end) break;
      if (offset > at) next.add(at, offset, target + at);
      const size = Math.min(pattern.leftInBlock(packed), to - packed, end - offset);
      sink.fragment(layer, target + offset, packed, size);
      at = offset + size;
      packed += size;
    }
    if (at < end) next.add(at, end, target + at);
  }
  [current, next] = [next, current];
}

/** Fills `current` with the next blocks of the query; returns where the packed stream goes on. */
function fillBatch(query: PatternRange, from: number): number {
  const { pattern, to } = query;
  current.count = 0;
  let packed = from;
  while (packed < to && current.count < RESOLVE_BATCH_COUNT) {
    const size = Math.min(pattern.leftInBlock(packed), to - packed);
    const offset = pattern.offsetOf(packed);
    current.add(offset, offset + size, packed - query.from);
    packed += size;
  }
  return packed;
}

/**
 * Resolves a query against layers, newest first.
 *
 * Cost: O(blocks x overlapping layers x levels + fragments).
 *
 * @param query Packed range of an access pattern.
 * @param layers The pieces that may show, newest first.
 * @param sink Receives fragments and holes, which cover the query exactly, in no order.
 */
export function resolve(query: PatternRange, layers: readonly Layer[], sink: FragmentSink): void {
  let packed = query.from;
  while (packed < query.to) {
    packed = fillBatch(query, packed);
    for (const layer of layers) {
      if (current.count === 0) break;
      const low = current.starts[0] as number;
      const high = current.ends[current.count - 1] as number;
      if (layer.start < high && layer.end > low) cover(layer, sink);
    }
    for (let index = 0; index < current.count; index++) {
      const start = current.starts[index] as number;
      sink.hole(current.targets[index] as number, (current.ends[index] as number) - start);
    }
  }
}
