/**
 * A walk along the ranges of a stream, in parts of any size.
 *
 * @module
 */

import type { PatternRange } from "../../core/index.js";

/** Moves the bytes of one range: `to - from` of them. */
export type MoveRange = (range: PatternRange, bytes: Uint8Array) => void;

/** The ranges of a stream, used from the first on. */
export class PatternStream {
  readonly #ranges: Iterator<PatternRange>;
  #current: PatternRange | undefined;

  constructor(ranges: Iterable<PatternRange>) {
    this.#ranges = ranges[Symbol.iterator]();
  }

  /** Moves the next bytes: as many as the buffer has. The stream has at least so many left. */
  next(bytes: Uint8Array, move: MoveRange): void {
    for (let at = 0; at < bytes.length; ) {
      this.#current ??= this.#ranges.next().value as PatternRange;
      const { pattern, from, to } = this.#current;
      const length = Math.min(to - from, bytes.length - at);
      move({ pattern, from, to: from + length }, bytes.subarray(at, at + length));
      this.#current = from + length < to ? { pattern, from: from + length, to } : undefined;
      at += length;
    }
  }
}
