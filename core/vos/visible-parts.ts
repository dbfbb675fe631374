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
import { type Layer, type Piece, pieceSize, type Run } from "./piece.js";
import { type FragmentSink, resolve } from "./resolve.js";
import { flatten } from "./solid-map.js";

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

const LIMIT = Symbol("more parts than are worth knowing");

/** Collects the packed ranges that one layer shows of a query. */
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

  hole(): void {}
}

/** What a layer shows of a query, as packed ranges of its piece in order; `undefined` if inexact. */
function shownOf(
  owner: RunLayer,
  query: PatternRange,
  index: LayerIndex<RunLayer>,
): { from: number; to: number }[] | undefined {
  const own = new OwnRanges(owner);
  try {
    resolve(query, index, own);
  } catch (limit) {
    if (limit === LIMIT) return undefined;
    throw limit;
  }
  return joined(own.ranges.sort((a, b) => a.from - b.from));
}

/** Sorted, disjoint ranges with those put together that adjoin. */
function joined(ranges: readonly { from: number; to: number }[]): { from: number; to: number }[] {
  const result: { from: number; to: number }[] = [];
  for (const { from, to } of ranges) {
    const last = result.at(-1);
    if (last?.to === from) last.to = to;
    else result.push({ from, to });
  }
  return result;
}

/** Packed bytes `[from, to)` of a piece as a part. */
function partOf(
  run: number,
  piece: Piece,
  { from, to }: { from: number; to: number },
): VisiblePart {
  const { pattern, segment } = piece;
  const position = piece.position + (from - piece.from);
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

  /** @param runs Newest first. */
  constructor(runs: readonly Run[]) {
    for (let run = runs.length - 1; run >= 0; run--) {
      for (const piece of (runs[run] as Run).pieces) {
        const layer = { run, piece, start: firstOffset(piece), end: lastOffset(piece) };
        this.#layers.push(layer);
      }
    }
    const isSparse = ({ piece }: RunLayer) => piece.pattern.levels.length > 0;
    if (this.#layers.some(isSparse)) this.#index = LayerIndex.of(this.#layers);
  }

  find(): Visibility {
    this.#findContiguous();
    for (const layer of this.#layers) {
      const { pattern } = layer.piece;
      if (pattern.levels.length > 0) this.#add(layer, layer.piece);
    }
    const parts = this.#parts.filter(({ run }) => !this.#inexact.has(run));
    return { parts: parts.sort((a, b) => a.start - b.start), inexact: this.#inexact };
  }

  #findContiguous(): void {
    const solid = flatten(this.#layers, 0);
    for (let entry = 0; entry < solid.count; entry++) {
      const layer = this.#layers[solid.ownerOf(entry)];
      if (layer === undefined) continue;
      const start = solid.starts[entry] as number;
      const end = solid.endOf(entry);
      if (this.#index === undefined) {
        const from = layer.piece.from + (start - layer.start);
        this.#parts.push(partOf(layer.run, layer.piece, { from, to: from + (end - start) }));
      } else {
        this.#add(layer, wholeOf(Pattern.contiguous(start, end)));
      }
    }
  }

  /** Adds what a layer shows of a query. */
  #add(layer: RunLayer, query: PatternRange): void {
    const { run, piece } = layer;
    if (this.#inexact.has(run)) return;
    const ranges = shownOf(layer, query, this.#index as LayerIndex<RunLayer>);
    if (ranges === undefined) this.#inexact.add(run);
    else for (const range of ranges) this.#parts.push(partOf(run, piece, range));
  }
}

/** What is seen of runs given newest first. */
export function visibleParts(runs: readonly Run[]): Visibility {
  return new VisibilityFinder(runs).find();
}

/** Bytes of the pieces of a run, hidden ones included. */
export function runSize({ pieces }: Run): number {
  return pieces.reduce((size, piece) => size + pieceSize(piece), 0);
}
