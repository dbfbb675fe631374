/**
 * Which bytes of an array differ between two versions.
 *
 *     written    what runs between the versions wrote or punched; nothing is read
 *     compared   of that, what reads differently, or is written in one version only
 *
 * A part of the array is looked at at a time: small where much was written, large where little was. Memory
 * is that of the array's runs and of one part.
 *
 * @module
 */

import { DIFF_COMPARE_SIZE, DIFF_FRAGMENTS_MAX, DIFF_PART_SIZE_MIN } from "../limits.js";
import type { SourceLayer } from "./array-cache.js";
import { mergedRanges, type OffsetRange } from "./damage.js";
import { type WindowReader, writtenRanges } from "./fetch.js";
import { LayerIndex } from "./layer-index.js";
import { Pattern, wholeOf } from "./pattern.js";
import { isHole, type Layer } from "./piece.js";
import { resolve } from "./resolve.js";

/** Any segment: what was punched counts as written here. */
const SOME_SEGMENT = 1;
const PART_SIZE_MAX = 2 ** 50;
const PART_FACTOR = 16;
const TOO_MANY = Symbol("the part has too many fragments");

function solid<L extends Layer>(layer: L): L {
  if (!isHole(layer.piece)) return layer;
  return { ...layer, piece: { ...layer.piece, segment: SOME_SEGMENT } };
}

/** The fragments of a part; `undefined` if there are too many for one. */
function fragmentsOf(
  index: LayerIndex<SourceLayer>,
  { start, end }: OffsetRange,
): OffsetRange[] | undefined {
  const found: OffsetRange[] = [];
  const isLeast = end - start <= DIFF_PART_SIZE_MIN;
  const fragment = (_layer: unknown, target: number, _packed: number, size: number) => {
    if (found.length >= DIFF_FRAGMENTS_MAX && !isLeast) throw TOO_MANY;
    found.push({ start: start + target, end: start + target + size });
  };
  try {
    resolve(wholeOf(Pattern.contiguous(start, end)), index, { fragment, hole: () => {} });
  } catch (error) {
    if (error === TOO_MANY) return undefined;
    throw error;
  }
  return mergedRanges(found);
}

/** What layers cover, in order, joined. */
export function* coveredRanges(
  layers: readonly SourceLayer[],
): Generator<OffsetRange, void, undefined> {
  const index = LayerIndex.of(layers.map(solid));
  let last: OffsetRange | undefined;
  for (const hull of mergedRanges(layers.map(({ start, end }) => ({ start, end })))) {
    let size = DIFF_PART_SIZE_MIN;
    for (let at = hull.start; at < hull.end; ) {
      const end = Math.min(hull.end, at + size);
      const found = fragmentsOf(index, { start: at, end });
      if (found === undefined) {
        size = Math.max(DIFF_PART_SIZE_MIN, size / PART_FACTOR);
        continue;
      }
      for (const range of found) {
        if (last !== undefined && last.end === range.start) {
          last = { start: last.start, end: range.end };
          continue;
        }
        if (last !== undefined) yield last;
        last = range;
      }
      at = end;
      if (found.length * PART_FACTOR < DIFF_FRAGMENTS_MAX) {
        size = Math.min(PART_SIZE_MAX, size * PART_FACTOR);
      }
    }
  }
  if (last !== undefined) yield last;
}

function markWritten(mark: Uint8Array, reader: WindowReader, { start, end }: OffsetRange): void {
  for (const range of writtenRanges(reader, start, end)) {
    for (let at = range.start - start; at < range.end - start; at++) {
      mark[at] = (mark[at] as number) ^ 1;
    }
  }
}

/** The parts of a range that differ. */
function* differingIn(
  [a, b]: readonly [WindowReader, WindowReader],
  range: OffsetRange,
): Generator<OffsetRange, void, undefined> {
  const size = range.end - range.start;
  const [left, right] = [new Uint8Array(size), new Uint8Array(size)];
  a.read(range.start, range.end, left);
  b.read(range.start, range.end, right);
  // 1 where one of the two was written and the other one was not.
  const mark = new Uint8Array(size);
  markWritten(mark, a, range);
  markWritten(mark, b, range);
  for (let at = 0; at < size; ) {
    const differs = () => mark[at] === 1 || left[at] !== right[at];
    while (at < size && !differs()) at += 1;
    const start = at;
    while (at < size && differs()) at += 1;
    if (at > start) yield { start: range.start + start, end: range.start + at };
  }
}

/** Of some ranges, what really differs between two versions. */
export function* differingRanges(
  readers: readonly [WindowReader, WindowReader],
  ranges: Iterable<OffsetRange>,
): Generator<OffsetRange, void, undefined> {
  for (const { start, end } of ranges) {
    for (let at = start; at < end; at += DIFF_COMPARE_SIZE) {
      yield* differingIn(readers, { start: at, end: Math.min(end, at + DIFF_COMPARE_SIZE) });
    }
  }
}
