/**
 * Collects what a writer appended for one array, as few pieces.
 *
 * Writes that come one record at a time are put together as they come: adjoining ones become one
 * block, and blocks of one length at one distance become one pattern. A rank that writes a million
 * records of a strided file, one call each, ends with one piece.
 *
 *     writes  [0,4) [12,16) [24,28)   ─▶   start 0, blockLength 4, levels [{ stride 12, count 3 }]
 *
 * @module
 */

import type { PlacementSink } from "../log/log-writer.js";
import {
  firstOffset,
  lastOffset,
  Pattern,
  type PatternLevel,
  type PatternRange,
} from "./pattern.js";
import { HOLE_SEGMENT, type Piece } from "./piece.js";

/** A growing series of equal blocks that lie one after the other in the log. */
interface Series {
  start: number;
  blockLength: number;
  stride: number;
  count: number;
  segment: number;
  position: number;
}

/** The pieces of one writer for one array. Pass it to `LogWriter.append` as the sink. */
export class RunBuilder implements PlacementSink {
  readonly #pieces: Piece[] = [];
  readonly #formsSeries: boolean;
  #series: Series | undefined;
  #range: PatternRange | undefined;
  #from = 0;
  #start = Number.POSITIVE_INFINITY;
  #end = 0;

  /**
   * @param options `formsSeries`: whether equal blocks at one distance become a pattern, as they should
   *   where a writer's records come one by one. Adjoining blocks become one in any case.
   */
  constructor({ formsSeries = true }: { formsSeries?: boolean } = {}) {
    this.#formsSeries = formsSeries;
  }

  /** Names the array bytes of the next appends: their sizes add up to the range. */
  begin(range: PatternRange): void {
    this.#range = range;
    this.#from = range.from;
  }

  /** Takes the place of the next bytes of the range. */
  place(segment: number, position: number, size: number): void {
    const { pattern } = this.#range as PatternRange;
    const from = this.#from;
    this.#from += size;
    if (pattern.levels.length === 0) {
      const start = pattern.start + from;
      this.#placeSeries({ start, blockLength: size, stride: 0, count: 1, segment, position });
      return;
    }
    const [level] = pattern.levels;
    if (this.#formsSeries && pattern.levels.length === 1 && size === pattern.size) {
      const { start, blockLength } = pattern;
      this.#placeSeries({ start, blockLength, ...(level as PatternLevel), segment, position });
      return;
    }
    this.#closeSeries();
    this.#push({ pattern, from, to: from + size, segment, position });
  }

  /** Adds a punched range: what was written to it before is hidden. */
  punch({ pattern, from, to }: PatternRange): void {
    this.#closeSeries();
    this.#push({ pattern, from, to, segment: HOLE_SEGMENT, position: 0 });
  }

  #placeSeries(next: Series): void {
    const series = this.#series;
    if (series !== undefined && this.#extend(series, next)) return;
    this.#closeSeries();
    this.#series = next;
  }

  /** Puts blocks behind those of a series, if they go on as it does. */
  #extend(series: Series, next: Series): boolean {
    const { start, blockLength } = next;
    const logEnd = series.position + series.blockLength * series.count;
    if (next.segment !== series.segment || next.position !== logEnd) return false;
    if (series.count === 1 && next.count === 1 && start === series.start + series.blockLength) {
      series.blockLength += blockLength;
      return true;
    }
    if (blockLength !== series.blockLength || !this.#formsSeries) return false;
    const stride = next.count > 1 ? next.stride : series.stride || start - series.start;
    if (series.count > 1 && stride !== series.stride) return false;
    if (stride <= blockLength || start !== series.start + stride * series.count) return false;
    series.stride = stride;
    series.count += next.count;
    return true;
  }

  #closeSeries(): void {
    const series = this.#series;
    if (series === undefined) return;
    this.#series = undefined;
    const { start, blockLength, stride, count, segment, position } = series;
    const pattern = new Pattern({ start, blockLength, levels: [{ stride, count }] });
    this.#push({ pattern, from: 0, to: pattern.size, segment, position });
  }

  #push(piece: Piece): void {
    this.#pieces.push(piece);
    this.#start = Math.min(this.#start, firstOffset(piece));
    this.#end = Math.max(this.#end, lastOffset(piece));
  }

  /** The pieces so far, in program order. */
  get pieces(): readonly Piece[] {
    this.#closeSeries();
    return this.#pieces;
  }

  /** Lowest array offset written. */
  get start(): number {
    this.#closeSeries();
    return this.#start;
  }

  /** One past the highest array offset written. */
  get end(): number {
    this.#closeSeries();
    return this.#end;
  }
}
