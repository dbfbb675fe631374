/**
 * Resolves a read: which bytes of which segments an array shows, newest first.
 *
 *     newest   ├── C ──┤          ├ D ┤
 *     older  ├───── B ─────┤
 *     query    ├──────────────────────────┤
 *     result   C C C C B B  hole  D D D hole
 *
 * A query is a range of a pattern, so that a subarray of many rows is one call. Its blocks are cut at
 * the bounds of the solid map: each part has a *floor*, the newest contiguous layer below it, or none.
 * The other layers are walked newest first; each fills what is uncovered above a floor that is
 * older than it is. What is left shows the floors. Blocks are resolved in batches, in memory that does not
 * grow with their number.
 *
 * A layer of the query's own pattern that provably lies open is one fragment, however many blocks it
 * has: a restart reads the blocks that the checkpoint wrote.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { OPEN_LAYER_ENTRIES_MAX, RESOLVE_BATCH_COUNT } from "../limits.js";
import type { LayerIndex } from "./layer-index.js";
import { firstOffset, lastOffset, type PatternRange } from "./pattern.js";
import { areDisjoint } from "./pattern-overlap.js";
import { isHole, type Layer } from "./piece.js";
import { NO_OWNER, type SolidMap } from "./solid-map.js";
import { NumberList } from "./sparse-tree.js";

/** Receives what a query shows. Targets are positions in the query's packed stream, from 0. */
export interface FragmentSink<L extends Layer = Layer> {
  /** `size` bytes of the piece, from its packed byte `packed`, go to `target`. */
  fragment(layer: L, target: number, packed: number, size: number): void;
  /** Nothing was written to `size` bytes at `target`, or it was punched. */
  hole(target: number, size: number): void;
  /** As `hole`, for what a layer punched: for those who must know by which one. */
  punched?(layer: L, target: number, packed: number, size: number): void;
}

/** Hands out what a layer shows: bytes, or a hole if it is a punched range. */
function show<L extends Layer>(
  sink: FragmentSink<L>,
  layer: L,
  target: number,
  packed: number,
  size: number,
): void {
  if (!isHole(layer.piece)) sink.fragment(layer, target, packed, size);
  else if (sink.punched === undefined) sink.hole(target, size);
  else sink.punched(layer, target, packed, size);
}

/** Parts of the query that no walked layer has covered yet: sorted, disjoint. */
class Uncovered {
  starts = new Float64Array(RESOLVE_BATCH_COUNT);
  ends = new Float64Array(RESOLVE_BATCH_COUNT);
  targets = new Float64Array(RESOLVE_BATCH_COUNT);
  /** Numbers of the layers that show if nothing newer does. */
  floors = new Int32Array(RESOLVE_BATCH_COUNT);
  count = 0;

  add(start: number, end: number, target: number, floor: number): void {
    const { count } = this;
    if (count === this.starts.length) this.#grow();
    this.starts[count] = start;
    this.ends[count] = end;
    this.targets[count] = target;
    this.floors[count] = floor;
    this.count = count + 1;
  }

  #grow(): void {
    this.starts = grown(this.starts);
    this.ends = grown(this.ends);
    this.targets = grown(this.targets);
    const floors = new Int32Array(this.floors.length * 2);
    floors.set(this.floors);
    this.floors = floors;
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
/** The layers that are walked, newest last. */
const walked = new NumberList();

/** Covers what one layer can of `current`; what is left goes to `next`, and the two change places. */
function cover<L extends Layer>(layer: L, number: number, sink: FragmentSink<L>): void {
  const { pattern, from, to } = layer.piece;
  next.count = 0;
  for (let index = 0; index < current.count; index++) {
    const end = current.ends[index] as number;
    const floor = current.floors[index] as number;
    let at = current.starts[index] as number;
    const target = (current.targets[index] as number) - at;
    let packed = floor > number ? to : Math.max(from, pattern.packedAtOrAfter(at));
    while (packed < to && at < end) {
      const offset = pattern.offsetOf(packed);
      if (offset >= end) break;
      if (offset > at) next.add(at, offset, target + at, floor);
      const size = Math.min(pattern.leftInBlock(packed), to - packed, end - offset);
      show(sink, layer, target + offset, packed, size);
      at = offset + size;
      packed += size;
    }
    if (at < end) next.add(at, end, target + at, floor);
  }
  [current, next] = [next, current];
}

/** Fills `current` with the next parts of a query; returns where the packed stream goes on. */
function fillBatch(query: PatternRange, solid: SolidMap, from: number, to: number): number {
  const { pattern } = query;
  current.count = 0;
  let packed = from;
  let entry = -1;
  let entryEnd = Number.NEGATIVE_INFINITY;
  while (packed < to && current.count < RESOLVE_BATCH_COUNT) {
    const offset = pattern.offsetOf(packed);
    if (offset >= entryEnd) {
      const following = entryEnd === offset ? entry + 1 : solid.find(offset);
      entry = following;
      entryEnd = solid.endOf(entry);
    }
    const size = Math.min(pattern.leftInBlock(packed), to - packed, entryEnd - offset);
    current.add(offset, offset + size, packed - query.from, solid.ownerOf(entry));
    packed += size;
  }
  return packed;
}

/** Resolves packed bytes `[from, to)` of a query, against the `count` oldest of the walked layers. */
function resolveBatches<L extends Layer>(
  reading: Reading<L>,
  from: number,
  to: number,
  count: number,
): void {
  const { query, index, sink } = reading;
  let packed = from;
  while (packed < to) {
    packed = fillBatch(query, index.solid, packed, to);
    for (let at = count - 1; at >= 0 && current.count > 0; at--) {
      const number = walked.numbers[at] as number;
      const layer = index.layer(number);
      const low = current.starts[0] as number;
      const high = current.ends[current.count - 1] as number;
      if (layer.start < high && layer.end > low) cover(layer, number, sink);
    }
    for (let part = 0; part < current.count; part++) {
      const start = current.starts[part] as number;
      const size = (current.ends[part] as number) - start;
      const target = current.targets[part] as number;
      const floor = current.floors[part] as number;
      if (floor === NO_OWNER) {
        sink.hole(target, size);
      } else {
        const layer = index.layer(floor);
        const packed = index.packedOf(floor, start);
        // Whether a layer is a hole is asked only where there are any: it would be one more look at it.
        if (index.hasHoles) show(sink, layer, target, packed, size);
        else sink.fragment(layer, target, packed, size);
      }
    }
  }
}

interface Reading<L extends Layer> {
  readonly query: PatternRange;
  readonly index: LayerIndex<L>;
  readonly sink: FragmentSink<L>;
}

/** Fills `walked` with the layers that may share an offset with the query. */
function collect({ query, index }: Reading<Layer>): void {
  walked.count = 0;
  index.collect(firstOffset(query), lastOffset(query), walked);
  const { numbers } = walked;
  let kept = 0;
  for (let at = 0; at < walked.count; at++) {
    const number = numbers[at] as number;
    if (areDisjoint(index.layer(number).piece.pattern, query.pattern)) continue;
    numbers[kept++] = number;
  }
  walked.count = kept;
  walked.sort();
}

/** Whether a solid layer newer than `number` may cover a packed byte of `[from, to)`. */
function isUnderSolid(
  { pattern }: PatternRange,
  solid: SolidMap,
  number: number,
  { from, to }: { from: number; to: number },
): boolean {
  const end = pattern.offsetOf(to - 1) + 1;
  let start = pattern.offsetOf(from);
  const first = solid.find(start);
  for (let entry = first; start < end; entry++) {
    if (entry - first > OPEN_LAYER_ENTRIES_MAX) return true;
    const entryEnd = solid.endOf(entry);
    if (solid.ownerOf(entry) > number) {
      const packed = Math.max(from, pattern.packedAtOrAfter(start));
      if (packed < to && pattern.offsetOf(packed) < entryEnd) return true;
    }
    start = entryEnd;
  }
  return false;
}

/**
 * Resolves packed bytes `[from, to)` of a query. While the newest layer that is left has the query's
 * pattern, what it has of the range is one fragment, and the parts before and behind it are left.
 */
function resolvePart<L extends Layer>(
  reading: Reading<L>,
  first: number,
  last: number,
  walkedCount: number,
): void {
  const { query, index, sink } = reading;
  let from = first;
  let to = last;
  let count = walkedCount;
  for (; count > 0 && from < to; count--) {
    const number = walked.numbers[count - 1] as number;
    const layer = index.layer(number);
    const { piece } = layer;
    if (!piece.pattern.equals(query.pattern)) break;
    const low = Math.max(from, piece.from);
    const high = Math.min(to, piece.to);
    if (low >= high) continue;
    if (isUnderSolid(query, index.solid, number, { from: low, to: high })) break;
    show(sink, layer, low - query.from, low, high - low);
    // The smaller part is resolved in a call of its own: calls nest at most 53 deep.
    const beforeIsSmaller = low - from < to - high;
    if (beforeIsSmaller) resolvePart(reading, from, low, count - 1);
    else resolvePart(reading, high, to, count - 1);
    if (beforeIsSmaller) from = high;
    else to = low;
  }
  resolveBatches(reading, from, to, count);
}

/**
 * Resolves a query against the layers of an array.
 *
 * Cost: O(log n + (blocks + parts) x walked layers x levels + fragments), where walked layers are the
 * recent ones and the patterns that may share an offset with the query. Allocates one small object.
 *
 * @param query Packed range of an access pattern.
 * @param sink Receives fragments and holes, which cover the query exactly, in no order. It must not
 *   resolve another query.
 */
export function resolve<L extends Layer>(
  query: PatternRange,
  index: LayerIndex<L>,
  sink: FragmentSink<L>,
): void {
  if (query.from >= query.to) return;
  const reading = { query, index, sink };
  collect(reading as unknown as Reading<Layer>);
  resolvePart(reading, query.from, query.to, walked.count);
}
