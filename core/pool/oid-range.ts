/**
 * Object ids of one handle, drawn from the index in ranges, so that an id is not a transaction each.
 *
 * What is left of a range when the handle is closed is never used.
 *
 * @module
 */

import { OID_RANGE_COUNT_MAX, OID_RANGE_COUNT_MIN } from "../limits.js";

/** User parts of object ids that one handle has drawn. */
export class OidRange {
  readonly #draw: (count: number) => bigint;
  #next = 0n;
  #end = 0n;
  #count = OID_RANGE_COUNT_MIN;

  /** @param draw Draws some user parts; returns the first. */
  constructor(draw: (count: number) => bigint) {
    this.#draw = draw;
  }

  /** A user part that nobody else gets. */
  next(): bigint {
    if (this.#next === this.#end) {
      this.#next = this.#draw(this.#count);
      this.#end = this.#next + BigInt(this.#count);
      this.#count = Math.min(OID_RANGE_COUNT_MAX, this.#count * 4);
    }
    this.#next += 1n;
    return this.#next - 1n;
  }
}
