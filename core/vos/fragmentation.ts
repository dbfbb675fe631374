/**
 * Which ranges of an array are worth copying: they lie scattered in the log.
 *
 *     array   ├──────────── window, 1 MiB ────────────┤
 *     log       a  b  a  c  a  d  a  e ...                many fragments: copied into one
 *
 * An aligned window is copied if it has more than `COMPACTION_FRAGMENTS_MAX` fragments (parts that do not
 * go on in the log where the part before ends), and a quarter of its size is *foreign*: not among the
 * largest share of it that lies in the order of the array within as much of the log.
 *
 * The second condition bounds the extra writing. Right after a copy nothing is foreign, also if segments
 * are emptied; what becomes foreign was written since. So a window is copied after at least a quarter
 * of it was written: for each byte that users write, aggregation writes at most four for this reason.
 *
 * Patterns are left as they are: their blocks lie where their writer put them, in one piece.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { COMPACTION_FRAGMENTS_MAX, COMPACTION_WINDOW_SIZE } from "../limits.js";
import { PAUSE_COUNT, type Pausing } from "./pausing.js";
import { HOLE_SEGMENT } from "./piece.js";
import type { VisiblePart } from "./visible-parts.js";

/** A part, and whether it is to be copied. */
export interface PlacedPart extends VisiblePart {
  readonly isCopied: boolean;
}

const FOREIGN_SHARE_MIN = 1 / 4;
/** Shares of a window that are told apart. */
const CHAINS_MAX = 32;

/** Parts of a window that lie in one segment in order, at positions `[start, end)`. */
interface Chain {
  readonly segment: number;
  readonly start: number;
  end: number;
  bytes: number;
}

/** What is known of one window while its parts are met in order. */
class WindowStatistics {
  readonly window: number;
  #bytes = 0;
  #fragments = 0;
  #segment = -1;
  #position = -1;
  /** Shares of the window that lie in order. */
  readonly #chains: Chain[] = [];

  constructor(window: number) {
    this.window = window;
  }

  add({ segment, start, end }: VisiblePart, position: number): void {
    if (segment !== this.#segment || position !== this.#position) this.#fragments += 1;
    this.#segment = segment;
    this.#position = position + (end - start);
    this.#bytes += end - start;
    for (const chain of this.#chains) {
      const goesOn = chain.segment === segment && position >= chain.end;
      if (!goesOn || position >= chain.start + COMPACTION_WINDOW_SIZE) continue;
      chain.end = position + (end - start);
      chain.bytes += end - start;
      return;
    }
    // What finds no chain is foreign: a window of so many chains is copied anyway, or is small.
    if (this.#chains.length === CHAINS_MAX) return;
    this.#chains.push({
      segment,
      start: position,
      end: position + (end - start),
      bytes: end - start,
    });
  }

  get isFragmented(): boolean {
    if (this.#fragments <= COMPACTION_FRAGMENTS_MAX) return false;
    let largest = 0;
    for (const { bytes } of this.#chains) largest = Math.max(largest, bytes);
    const foreign = this.#bytes - largest;
    return foreign >= FOREIGN_SHARE_MIN * COMPACTION_WINDOW_SIZE;
  }
}

/** The part's bytes in `[start, end)` of the array; only of contiguous parts. */
function clipped(part: VisiblePart, start: number, end: number): VisiblePart {
  const first = Math.max(part.start, start);
  const last = Math.min(part.end, end);
  const position = part.position + (first - part.start);
  return { ...part, start: first, end: last, position, size: last - first };
}

function windowOf(offset: number): number {
  return Math.floor(offset / COMPACTION_WINDOW_SIZE);
}

/** Whether a part is contiguous bytes: patterns stay as they are, holes have none. */
function isPlain({ range, segment }: VisiblePart): boolean {
  return range === undefined && segment !== HOLE_SEGMENT;
}

/** The windows that are to be copied, of parts in order of their starts. */
function* fragmentedWindows(parts: readonly VisiblePart[]): Pausing<Set<number>> {
  const fragmented = new Set<number>();
  let current = new WindowStatistics(-1);
  const enter = (window: number) => {
    if (window === current.window) return;
    if (current.isFragmented) fragmented.add(current.window);
    current = new WindowStatistics(window);
  };
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as VisiblePart;
    if (index % PAUSE_COUNT === PAUSE_COUNT - 1) yield;
    if (!isPlain(part)) continue;
    const first = windowOf(part.start);
    const last = windowOf(part.end - 1);
    // The windows between are one fragment each.
    for (const window of first === last ? [first] : [first, last]) {
      enter(window);
      const start = window * COMPACTION_WINDOW_SIZE;
      const inside = clipped(part, start, start + COMPACTION_WINDOW_SIZE);
      current.add(inside, inside.position);
    }
  }
  enter(-1);
  return fragmented;
}

/** Parts, in order of their starts, as they are. */
export function* partsInPlace(parts: readonly VisiblePart[]): Pausing<PlacedPart[]> {
  const placed: PlacedPart[] = [];
  for (const part of parts) {
    placed.push({ ...part, isCopied: false });
    if (placed.length % PAUSE_COUNT === 0) yield;
  }
  return placed;
}

/** Parts, in order of their starts, cut where windows that are copied begin and end. */
export function* placeParts(parts: readonly VisiblePart[]): Pausing<PlacedPart[]> {
  const fragmented = yield* fragmentedWindows(parts);
  if (fragmented.size === 0) return yield* partsInPlace(parts);
  const placed: PlacedPart[] = [];
  for (let index = 0; index < parts.length; index++) {
    place(parts[index] as VisiblePart, fragmented, placed);
    if (index % PAUSE_COUNT === PAUSE_COUNT - 1) yield;
  }
  return placed;
}

/** Adds a part, cut where windows that are copied begin and end. */
function place(part: VisiblePart, fragmented: ReadonlySet<number>, placed: PlacedPart[]): void {
  const [first, last] = [windowOf(part.start), windowOf(part.end - 1)];
  const isFirst = isPlain(part) && fragmented.has(first);
  const isLast = isPlain(part) && fragmented.has(last);
  if (first === last || !(isFirst || isLast)) {
    placed.push({ ...part, isCopied: isFirst });
    return;
  }
  const from = isFirst ? (first + 1) * COMPACTION_WINDOW_SIZE : part.start;
  const to = isLast ? last * COMPACTION_WINDOW_SIZE : part.end;
  if (isFirst) placed.push({ ...clipped(part, part.start, from), isCopied: true });
  if (from < to) placed.push({ ...clipped(part, from, to), isCopied: false });
  if (isLast) placed.push({ ...clipped(part, to, part.end), isCopied: true });
}
