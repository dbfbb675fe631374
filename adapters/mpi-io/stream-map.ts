/**
 * Where the stream of a view lies in the file: its parts as regular patterns, found as they are asked for.
 *
 * A typemap that is one nested pattern is one range, however many blocks it has. Of any other the smallest subtrees
 * that are patterns are found, one after the other, and nothing is kept of them.
 *
 * Typemaps here have offsets that increase and do not overlap: so the standard wants file types.
 *
 * @module
 */

import type { Layout, Typemap } from "node-mpi-bindings";
import { layoutOf } from "node-mpi-bindings/transports";
import { PATTERN_LEVELS_MAX, Pattern, type PatternRange } from "../../core/index.js";

const layouts = new WeakMap<Typemap, Layout | "none">();

/** The one pattern of a typemap, if it is one that a record can hold. */
function patternLayout(map: Typemap): Layout | undefined {
  let known = layouts.get(map);
  if (known === undefined) {
    const layout = layoutOf(map);
    known = layout === undefined || layout.levels.length > PATTERN_LEVELS_MAX ? "none" : layout;
    layouts.set(map, known);
  }
  return known === "none" ? undefined : known;
}

/** Bytes `[from, to)` of the data of a typemap at an origin, in order. */
export function* patternsOf(
  map: Typemap,
  origin: number,
  from: number,
  to: number,
): Generator<PatternRange, void> {
  if (from >= to) return;
  const layout = patternLayout(map);
  if (layout !== undefined || map.kind === "elements") {
    const { offset, blockLength, levels } = layout as Layout;
    yield { pattern: new Pattern({ start: origin + offset, blockLength, levels }), from, to };
    return;
  }
  if (map.kind === "sequence") {
    const { children, offsets, starts } = map;
    for (let i = lastAtOrBefore(starts.length, from, (k) => starts[k] as number); ; i += 1) {
      const start = starts[i];
      if (start === undefined || start >= to) return;
      const child = children[i] as Typemap;
      const at = origin + (offsets[i] as number);
      yield* patternsOf(child, at, Math.max(0, from - start), Math.min(child.size, to - start));
    }
  }
  const { child } = map;
  const count = map.kind === "repeat" ? map.count : map.offsets.length;
  for (let i = Math.floor(from / child.size); i < count && i * child.size < to; i += 1) {
    const start = i * child.size;
    const at = origin + (map.kind === "repeat" ? i * map.stride : (map.offsets[i] as number));
    yield* patternsOf(child, at, Math.max(0, from - start), Math.min(child.size, to - start));
  }
}

/** Offset of the first byte of data. */
function lowerOf(map: Typemap): number {
  if (map.kind === "elements") return 0;
  if (map.kind === "repeat") return lowerOf(map.child);
  const first = map.kind === "list" ? map.child : (map.children[0] as Typemap);
  return (map.offsets[0] as number) + lowerOf(first);
}

/** Data bytes that lie before an offset from the origin. Costs the depth of the tree, not its blocks. */
export function dataBefore(map: Typemap, offset: number): number {
  if (map.kind === "elements") return Math.max(0, Math.min(offset, map.size));
  if (map.kind === "sequence") {
    const { children, offsets, starts } = map;
    const lower = (k: number) => (offsets[k] as number) + lowerOf(children[k] as Typemap);
    const i = lastAtOrBefore(children.length, offset, lower);
    return (
      (starts[i] as number) + dataBefore(children[i] as Typemap, offset - (offsets[i] as number))
    );
  }
  const { child } = map;
  const lower = lowerOf(child);
  if (map.kind === "repeat") {
    const nearest = Math.floor((offset - lower) / map.stride);
    const i = Math.max(0, Math.min(nearest, map.count - 1));
    return i * child.size + dataBefore(child, offset - i * map.stride);
  }
  const { offsets } = map;
  const i = lastAtOrBefore(offsets.length, offset, (k) => (offsets[k] as number) + lower);
  return i * child.size + dataBefore(child, offset - (offsets[i] as number));
}

/** Index of the last of increasing numbers that is at most `position`; 0 if there is none. */
function lastAtOrBefore(count: number, position: number, at: (index: number) => number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (at(middle) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
