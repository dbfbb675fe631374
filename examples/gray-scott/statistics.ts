/**
 * Statistics of a stream of numbers, batch by batch.
 *
 * Means and squared deviations of batches are merged as in T. F. Chan, G. H. Golub and R. J. LeVeque,
 * "Algorithms for computing the sample variance", The American Statistician 37 (1983): no large sums
 * are subtracted from each other.
 *
 * @module
 */

/** What is known of the numbers so far. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Standard deviation, of the whole population. */
  readonly std: number;
}

/** Collects numbers. */
export class Statistics {
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #mean = 0;
  #squares = 0;

  /** Adds a batch of numbers. */
  add(values: Float64Array): void {
    if (values.length === 0) return;
    let sum = 0;
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i] as number;
      sum += value;
      if (value < this.#min) this.#min = value;
      if (value > this.#max) this.#max = value;
    }
    const mean = sum / values.length;
    let squares = 0;
    for (let i = 0; i < values.length; i += 1) squares += ((values[i] as number) - mean) ** 2;
    this.#merge(values.length, mean, squares);
  }

  #merge(count: number, mean: number, squares: number): void {
    const total = this.#count + count;
    const distance = mean - this.#mean;
    this.#squares += squares + (distance * distance * this.#count * count) / total;
    this.#mean += (distance * count) / total;
    this.#count = total;
  }

  /** What is known so far. */
  summary(): Summary {
    const std = Math.sqrt(this.#squares / Math.max(1, this.#count));
    return { count: this.#count, min: this.#min, max: this.#max, mean: this.#mean, std };
  }
}
