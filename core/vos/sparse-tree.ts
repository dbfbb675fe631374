/**
 * Finds the layers whose bounds overlap a range: an interval tree in sorted arrays.
 *
 * The tree is implicit: the root of `[from, to)` is its middle, and each root knows how far the
 * layers of its subtree reach. A tree never changes once it is made.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import type { Layer } from "./piece.js";

/** A growing list of layer numbers. */
export class NumberList {
  numbers = new Int32Array(64);
  count = 0;

  add(number: number): void {
    if (this.count === this.numbers.length) {
      const larger = new Int32Array(this.numbers.length * 2);
      larger.set(this.numbers);
      this.numbers = larger;
    }
    this.numbers[this.count++] = number;
  }

  /** Puts the numbers in ascending order. */
  sort(): void {
    // Insertion sort, for the few numbers that there mostly are, allocates nothing.
    if (this.count > 32) {
      this.numbers.subarray(0, this.count).sort();
      return;
    }
    const { numbers, count } = this;
    for (let index = 1; index < count; index++) {
      const number = numbers[index] as number;
      let at = index - 1;
      for (; at >= 0 && (numbers[at] as number) > number; at--) {
        numbers[at + 1] = numbers[at] as number;
      }
      numbers[at + 1] = number;
    }
  }
}

/** The tree; see the module. */
export class SparseTree {
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #reaches: Float64Array;
  /** Numbers of the layers, in order of their starts. */
  readonly numbers: Int32Array;

  /** @param numbers Which of the layers to find, in order of their starts. */
  constructor(layers: readonly Layer[], numbers: readonly number[]) {
    const startOf = (number: number) => (layers[number] as Layer).start;
    this.numbers = Int32Array.from(numbers);
    this.#starts = Float64Array.from(this.numbers, startOf);
    this.#ends = Float64Array.from(this.numbers, (number) => (layers[number] as Layer).end);
    this.#reaches = new Float64Array(this.numbers.length);
    this.#reach(0, this.numbers.length);
  }

  #reach(from: number, to: number): number {
    if (from >= to) return 0;
    const root = (from + to) >>> 1;
    const below = Math.max(this.#reach(from, root), this.#reach(root + 1, to));
    const reach = Math.max(this.#ends[root] as number, below);
    this.#reaches[root] = reach;
    return reach;
  }

  /**
   * Adds the numbers of the layers whose bounds overlap `[start, end)`, in no order.
   *
   * Cost: O(log n + layers added).
   */
  collect(start: number, end: number, into: NumberList): void {
    this.#collect({ start, end }, into, 0, this.numbers.length);
  }

  #collect(
    range: { start: number; end: number },
    into: NumberList,
    from: number,
    to: number,
  ): void {
    if (from >= to) return;
    const root = (from + to) >>> 1;
    if ((this.#reaches[root] as number) <= range.start) return;
    this.#collect(range, into, from, root);
    if ((this.#starts[root] as number) >= range.end) return;
    if ((this.#ends[root] as number) > range.start) into.add(this.numbers[root] as number);
    this.#collect(range, into, root + 1, to);
  }
}
