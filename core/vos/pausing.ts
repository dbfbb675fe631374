/**
 * Long computations that pause: generators that yield after a bounded number of elements, so that whoever runs
 * them can do something else in between, or run them to their end at once.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

/** A computation that pauses where it yields. */
export type Pausing<T> = Generator<void, T, undefined>;

/** Elements between two pauses: a few milliseconds of work at most, of most kinds. */
export const PAUSE_COUNT = 2048;

/** Runs a computation to its end. */
export function finished<T>(computation: Pausing<T>): T {
  for (;;) {
    const step = computation.next();
    if (step.done === true) return step.value;
  }
}

/** Items in the order of a number that each has; items of the same number keep their order. */
export function* sortedBy<T>(items: readonly T[], numberOf: (item: T) => number): Pausing<T[]> {
  let source: T[] = [];
  for (let at = 0; at < items.length; at += PAUSE_COUNT) {
    const part = items.slice(at, at + PAUSE_COUNT).sort((a, b) => numberOf(a) - numberOf(b));
    for (const item of part) source.push(item);
    if (part.length === PAUSE_COUNT) yield;
  }
  let left = PAUSE_COUNT;
  for (let width = PAUSE_COUNT; width < items.length; width *= 2) {
    const target: T[] = [];
    for (let start = 0; start < source.length; start += 2 * width) {
      const middle = Math.min(start + width, source.length);
      const end = Math.min(start + 2 * width, source.length);
      let low = start;
      let high = middle;
      while (low < middle || high < end) {
        const isLow =
          high >= end ||
          (low < middle && numberOf(source[low] as T) <= numberOf(source[high] as T));
        target.push(source[isLow ? low++ : high++] as T);
        left -= 1;
        if (left > 0) continue;
        left = PAUSE_COUNT;
        yield;
      }
    }
    source = target;
  }
  return source;
}
