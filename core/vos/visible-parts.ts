/**
 * Which parts of the pieces of some runs are seen, when nothing else lies over them.
 *
 *     run 2        ├── b ──┤
 *     run 1   ├───── a ─────┤
 *     parts   ├ a ┤├── b ──┤├a┤
 *
 * Contiguous layers are flattened once for all runs; a regular pattern is one part while it lies open,
 * however many blocks it has. Where that cannot be said in few parts, the run is *inexact*: it is left
 * out of the result, and whoever asks leaves it where it is.
 *
 * Parts of exact runs are disjoint, and each shows what a reader of all runs sees there.
 *
 * Cost: O(n log n + parts) for n contiguous pieces; a pattern costs what resolving it does.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { AGGREGATION_BLOCKS_MAX, AGGREGATION_PARTS_MAX } from "../limits.js";
import { LayerIndex } from "./layer-index.js";
import { firstOffset, lastOffset, Pattern, type PatternRange, wholeOf } from "./pattern.js";
import { PAUSE_COUNT, type Pausing, sortedBy } from "./pausing.js";
import { isHole, type Layer, type Piece, pieceSize, type Run } from "./piece.js";
import { type FragmentSink, resolve } from "./resolve.js";
import { flattenPausing, type SolidMap } from "./solid-map.js";

/** A part of a piece that is seen. */
export interface VisiblePart {
  /** Index of the run among those that were given. */
  readonly run: number;
  /** Bounds: array offsets `[start, end)`. */
  readonly start: number;
  readonly end: number;
  readonly segment: number;
  /** Where the part begins in the segment's data. */
  readonly position: number;
  /** Bytes of it. */
  readonly size: number;
  /** What it has of a pattern; `undefined` if it is the whole of its bounds. */
  readonly range: PatternRange | undefined;
}

/** What is seen of some runs. */
export interface Visibility {
  /** In order of their starts. */
  readonly parts: readonly VisiblePart[];
  /** Indices of the runs of which it would take too long to say. */
  readonly inexact: ReadonlySet<number>;
}

interface RunLayer extends Layer {
  readonly run: number;
}

/** Blocks of a pattern that is taken for blocks which happen to lie at one distance. */
const SMALL_PATTERN_COUNT = 4;
/** What a query that is resolved counts for, beside an entry that is taken as it is. */
const RESOLVED_WEIGHT = 16;
/** Blocks that are resolved at once, about, and how often a query is cut for that. */
const SLICE_BLOCK_COUNT = 16_384;
const SLICES_MAX = 256;

const LIMIT = Symbol("more parts than are worth knowing");

/** Bytes `[from, to)` of a packed stream. */
interface PackedRange {
  readonly from: number;
  readonly to: number;
}

/** Collects the packed ranges that one layer shows of its queries. */
class OwnRanges implements FragmentSink<RunLayer> {
  readonly ranges: { from: number; to: number }[] = [];
  readonly #owner: RunLayer;
  #blocks = 0;

  constructor(owner: RunLayer) {
    this.#owner = owner;
  }

  fragment(layer: RunLayer, _target: number, packed: number, size: number): void {
    this.#blocks += 1;
    if (this.#blocks > AGGREGATION_BLOCKS_MAX) throw LIMIT;
    if (layer !== this.#owner) return;
    const last = this.ranges.at(-1);
    if (last?.to === packed) {
      last.to += size;
      return;
    }
    if (this.ranges.length === AGGREGATION_PARTS_MAX) throw LIMIT;
    this.ranges.push({ from: packed, to: packed + size });
  }

  punched(layer: RunLayer, target: number, packed: number, size: number): void {
    this.fragment(layer, target, packed, size);
  }

  hole(): void {}
}

/** What a pattern's layer has left where newer contiguous layers do not lie over it. */
function besideSolid(
  { piece, start, end }: RunLayer,
  number: number,
  solid: SolidMap,
): PackedRange[] {
  const { pattern, from, to } = piece;
  const left: PackedRange[] = [];
  let at = from;
  for (let entry = solid.find(start); at < to && entry < solid.count; entry++) {
    if (solid.ownerOf(entry) <= number) continue;
    const entryStart = entry < 0 ? Number.NEGATIVE_INFINITY : (solid.starts[entry] as number);
    if (entryStart >= end) break;
    const first = Math.max(at, Math.min(to, pattern.packedAtOrAfter(entryStart)));
    const last = Math.min(to, pattern.packedAtOrAfter(solid.endOf(entry)));
    // What lies in a gap between blocks hides nothing.
    if (last <= first) continue;
    if (first > at) left.push({ from: at, to: first });
    at = last;
  }
  if (at < to) left.push({ from: at, to });
  return left;
}

/** Sorted, disjoint ranges with those put together that adjoin. */
function joined(ranges: readonly PackedRange[]): PackedRange[] {
  const result: { from: number; to: number }[] = [];
  for (const { from, to } of ranges) {
    const last = result.at(-1);
    if (last?.to === from) last.to = to;
    else result.push({ from, to });
  }
  return result;
}

/** A range of few blocks block by block, since such patterns come about by chance; others as they are. */
function blocksOf(pattern: Pattern, { from, to }: PackedRange): PackedRange[] {
  if (to - from > SMALL_PATTERN_COUNT * pattern.blockLength) return [{ from, to }];
  const blocks: PackedRange[] = [];
  for (let at = from; at < to; ) {
    const end = Math.min(to, at + pattern.leftInBlock(at));
    blocks.push({ from: at, to: end });
    at = end;
  }
  return blocks;
}

/** Packed bytes `[from, to)` of a piece as a part. */
function partOf(
  run: number,
  piece: Piece,
  { from, to }: { from: number; to: number },
): VisiblePart {
  const { pattern, segment } = piece;
  const position = isHole(piece) ? 0 : piece.position + (from - piece.from);
  const range = { pattern, from, to };
  const isBlock = to - from <= pattern.leftInBlock(from);
  const start = firstOffset(range);
  const end = isBlock ? start + (to - from) : lastOffset(range);
  const size = to - from;
  return { run, start, end, segment, position, size, range: isBlock ? undefined : range };
}

class VisibilityFinder {
  readonly #layers: RunLayer[] = [];
  readonly #parts: VisiblePart[] = [];
  readonly #inexact = new Set<number>();
  /** Only where there are patterns: what lies over a contiguous layer may be one. */
  #index: LayerIndex<RunLayer> | undefined;
  /** Blocks of all patterns. */
  #blockCount = 0;
  #asked = 0;

  /** @param runs Newest first. */
  *find(runs: readonly Run[]): Pausing<Visibility> {
    yield* this.#addLayers(runs);
    yield;
    const solid = yield* flattenPausing(this.#layers, 0);
    yield;
    for (let entry = 0; entry < solid.count; entry++) {
      yield* this.#addEntry(solid, entry);
      if (this.#isDue()) yield;
    }
    // Those of contiguous layers are in order already, and where there are no patterns they are all.
    const inexact = this.#inexact;
    if (this.#index === undefined) return { parts: this.#parts, inexact };
    for (let number = 0; number < this.#layers.length; number++) {
      const layer = this.#layers[number] as RunLayer;
      const { pattern } = layer.piece;
      if (pattern.levels.length === 0) continue;
      for (const range of besideSolid(layer, number, solid)) {
        const blocks = Math.ceil((range.to - range.from) / pattern.blockLength);
        yield* this.#add(layer, { pattern, ...range }, blocks);
        if (this.#isDue()) yield;
      }
    }
    const parts = this.#parts.filter(({ run }) => !inexact.has(run));
    yield;
    return { parts: yield* sortedBy(parts, ({ start }) => start), inexact };
  }

  /** Whether a search is to pause: it was asked as often as takes a few milliseconds. */
  #isDue(): boolean {
    this.#asked += this.#index === undefined ? 1 : RESOLVED_WEIGHT;
    if (this.#asked < PAUSE_COUNT) return false;
    this.#asked = 0;
    return true;
  }

  *#addLayers(runs: readonly Run[]): Pausing<void> {
    for (let run = runs.length - 1; run >= 0; run--) {
      if (run % PAUSE_COUNT === PAUSE_COUNT - 1) yield;
      for (const piece of (runs[run] as Run).pieces) {
        const layer = { run, piece, start: firstOffset(piece), end: lastOffset(piece) };
        this.#layers.push(layer);
        const { levels, blockLength } = piece.pattern;
        if (levels.length > 0) this.#blockCount += Math.ceil(pieceSize(piece) / blockLength);
      }
    }
    if (this.#blockCount > 0) this.#index = yield* LayerIndex.pausing(this.#layers);
  }

  /** Adds what an entry of the flattened contiguous layers shows. */
  *#addEntry(solid: SolidMap, entry: number): Pausing<void> {
    const layer = this.#layers[solid.ownerOf(entry)];
    if (layer === undefined) return;
    const start = solid.starts[entry] as number;
    const end = solid.endOf(entry);
    if (this.#index !== undefined) {
      const blocks = Math.min(this.#blockCount, end - start);
      yield* this.#add(layer, wholeOf(Pattern.contiguous(start, end)), blocks);
      return;
    }
    const from = layer.piece.from + (start - layer.start);
    this.#parts.push(partOf(layer.run, layer.piece, { from, to: from + (end - start) }));
  }

  /**
   * Adds what a layer shows of a query, which is resolved a slice at a time.
   *
   * @param blocks How many blocks it may take, at most and about.
   */
  *#add(layer: RunLayer, query: PatternRange, blocks: number): Pausing<void> {
    const { run, piece } = layer;
    const { pattern, from, to } = query;
    const slices = Math.min(SLICES_MAX, Math.ceil(blocks / SLICE_BLOCK_COUNT));
    const sliceSize = Math.ceil((to - from) / Math.max(1, slices));
    const own = new OwnRanges(layer);
    for (let at = from; at < to; at += sliceSize) {
      if (this.#inexact.has(run)) return;
      try {
        const slice = { pattern, from: at, to: Math.min(to, at + sliceSize) };
        resolve(slice, this.#index as LayerIndex<RunLayer>, own);
      } catch (limit) {
        if (limit !== LIMIT) throw limit;
        this.#inexact.add(run);
      }
      if (slices > 1) yield;
    }
    const ranges = joined(own.ranges.sort((a, b) => a.from - b.from));
    for (const range of ranges) {
      for (const part of blocksOf(piece.pattern, range)) {
        this.#parts.push(partOf(run, piece, part));
      }
    }
  }
}

/** What is seen of runs given newest first; yields now and then. */
export function visibleParts(runs: readonly Run[]): Pausing<Visibility> {
  return new VisibilityFinder().find(runs);
}

/** Bytes of the pieces of a run, hidden ones included. */
export function runSize({ pieces }: Run): number {
  return pieces.reduce((size, piece) => size + (isHole(piece) ? 0 : pieceSize(piece)), 0);
}
