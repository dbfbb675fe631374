/**
 * Typemap: the bytes of a datatype in the order of the standard, as a tree that repeats itself.
 *
 * The standard defines a datatype by the list of its elements and their displacements. Here that list is
 * never made: a node stands for all repetitions of what is below it, so that a block of an array of 10^9
 * elements is a few nodes, and a part of it is found by division.
 *
 *     elements   `count` elements of `elementSize` bytes, one after the other
 *     repeat     a node, `count` times, `stride` bytes apart
 *     list       a node, once at each offset
 *     sequence   nodes, each at an offset of its own
 *
 * Blocks come in the order of the typemap, which need not be that of their offsets. Neighbours that touch are
 * one block.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

/** Elements without a gap. */
interface ElementsNode {
  readonly kind: "elements";
  /** Data bytes. */
  readonly size: number;
  /** Bytes of an element: what a conversion between machines turns around. */
  readonly elementSize: number;
}

interface RepeatNode {
  readonly kind: "repeat";
  readonly size: number;
  readonly child: Typemap;
  readonly count: number;
  readonly stride: number;
}

interface ListNode {
  readonly kind: "list";
  readonly size: number;
  readonly child: Typemap;
  readonly offsets: readonly number[];
}

interface SequenceNode {
  readonly kind: "sequence";
  readonly size: number;
  readonly children: readonly Typemap[];
  readonly offsets: readonly number[];
  /** Data bytes before each child. */
  readonly starts: readonly number[];
}

/** Where the data of a type lies. */
export type Typemap = ElementsNode | RepeatNode | ListNode | SequenceNode;

/** A run of data bytes. */
export interface TypemapBlock {
  /** Where it lies, in bytes from the origin; may be negative. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
  /** Bytes of one of its elements. */
  readonly elementSize: number;
}

/** Nothing. */
export const EMPTY_TYPEMAP: Typemap = { kind: "elements", size: 0, elementSize: 1 };

/** `count` elements of `elementSize` bytes. */
export function elements(elementSize: number, count = 1): Typemap {
  return { kind: "elements", size: elementSize * count, elementSize };
}

/** A typemap `count` times, `stride` bytes apart. */
export function repeated(child: Typemap, count: number, stride: number): Typemap {
  const size = child.size * count;
  if (size === 0) return EMPTY_TYPEMAP;
  if (count === 1) return child;
  if (child.kind === "elements" && stride === child.size) return { ...child, size };
  if (child.kind === "repeat" && stride === child.stride * child.count) {
    return { ...child, size, count: child.count * count };
  }
  return { kind: "repeat", size, child, count, stride };
}

/** A typemap once at each offset. */
export function listed(child: Typemap, offsets: readonly number[]): Typemap {
  const size = child.size * offsets.length;
  if (size === 0) return EMPTY_TYPEMAP;
  const [first] = offsets as [number];
  if (offsets.length === 1 && first === 0) return child;
  return { kind: "list", size, child, offsets };
}

/** Typemaps, each at an offset. */
export function sequence(children: readonly Typemap[], offsets: readonly number[]): Typemap {
  const kept = children.flatMap((child, i) =>
    child.size === 0 ? [] : [{ child, offset: offsets[i] as number }],
  );
  const [first] = kept;
  if (first === undefined) return EMPTY_TYPEMAP;
  if (kept.every(({ child }) => child === first.child)) {
    const places = kept.map(({ offset }) => offset);
    return listed(first.child, places);
  }
  const starts: number[] = [];
  let size = 0;
  for (const { child } of kept) {
    starts.push(size);
    size += child.size;
  }
  return {
    kind: "sequence",
    size,
    children: kept.map(({ child }) => child),
    offsets: kept.map(({ offset }) => offset),
    starts,
  };
}

/** From the first byte of data to one past the last, in bytes from the origin. */
export interface Span {
  readonly lower: number;
  readonly upper: number;
}

/** Where the data of a typemap begins and ends; [0, 0) of nothing. */
export function spanOf(map: Typemap): Span {
  if (map.size === 0 || map.kind === "elements") return { lower: 0, upper: map.size };
  if (map.kind === "repeat") {
    const { lower, upper } = spanOf(map.child);
    const last = (map.count - 1) * map.stride;
    return { lower: lower + Math.min(0, last), upper: upper + Math.max(0, last) };
  }
  let [lower, upper] = [Infinity, -Infinity];
  const ofList = map.kind === "list" ? spanOf(map.child) : undefined;
  for (const [i, offset] of map.offsets.entries()) {
    const span = ofList ?? spanOf((map as SequenceNode).children[i] as Typemap);
    lower = Math.min(lower, offset + span.lower);
    upper = Math.max(upper, offset + span.upper);
  }
  return { lower, upper };
}

/** Part of the data of a node: bytes `[from, to)` of it, with `origin` added to their offsets. */
function* parts(
  map: Typemap,
  origin: number,
  from: number,
  to: number,
): Generator<TypemapBlock, void, undefined> {
  if (from >= to) return;
  if (map.kind === "elements") {
    yield { offset: origin + from, length: to - from, elementSize: map.elementSize };
    return;
  }
  if (map.kind === "sequence") {
    const { children, offsets, starts } = map;
    for (let i = lastAtOrBefore(starts, from); i < children.length; i += 1) {
      const start = starts[i] as number;
      if (start >= to) return;
      const child = children[i] as Typemap;
      const at = origin + (offsets[i] as number);
      yield* parts(child, at, Math.max(0, from - start), Math.min(child.size, to - start));
    }
    return;
  }
  const { child } = map;
  const count = map.kind === "repeat" ? map.count : map.offsets.length;
  for (let i = Math.floor(from / child.size); i < count; i += 1) {
    const start = i * child.size;
    if (start >= to) return;
    const at = origin + (map.kind === "repeat" ? i * map.stride : (map.offsets[i] as number));
    yield* parts(child, at, Math.max(0, from - start), Math.min(child.size, to - start));
  }
}

function lastAtOrBefore(starts: readonly number[], position: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * The blocks of a part of a typemap, in its order; made one by one, as they are asked for.
 *
 * @param range Which of its data bytes, `[from, to)`; all by default.
 */
export function* blocksOf(
  map: Typemap,
  range: { from?: number; to?: number } = {},
): Generator<TypemapBlock, void, undefined> {
  const { from = 0, to = map.size } = range;
  let open: TypemapBlock | undefined;
  for (const block of parts(map, 0, from, Math.min(to, map.size))) {
    const touches =
      open !== undefined &&
      open.offset + open.length === block.offset &&
      open.elementSize === block.elementSize;
    if (open !== undefined && touches) {
      open = { ...open, length: open.length + block.length };
      continue;
    }
    if (open !== undefined) yield open;
    open = block;
  }
  if (open !== undefined) yield open;
}
