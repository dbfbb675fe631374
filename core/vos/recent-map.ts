/**
 * A map that forgets: what a process remembers of keys and arrays must not grow with their number.
 *
 * Each entry has a cost. When the sum passes the most that is allowed, the entries that were set first go
 * first, the new one last of all.
 *
 * @module
 */

/** A map of a bounded cost; entries are forgotten in the order in which they were set. */
export class RecentMap<Key, Value> {
  readonly #costMax: number;
  readonly #entries = new Map<Key, { readonly value: Value; readonly cost: number }>();
  /**
   * Walks the entries from the oldest to the newest. It lives as long as the map: one that began anew
   * would walk over the places of all that were forgotten before.
   */
  #oldest: Iterator<Key> = this.#entries.keys();
  #cost = 0;

  /** @param costMax Sum of the costs of all entries, at most. */
  constructor(costMax: number) {
    this.#costMax = costMax;
  }

  /** Number of entries. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value of a key, unless it was forgotten. */
  get(key: Key): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Sets a value and forgets others for it; one that costs more than is allowed is not kept. */
  set(key: Key, value: Value, cost = 1): void {
    this.delete(key);
    this.#entries.set(key, { value, cost });
    this.#cost += cost;
    while (this.#cost > this.#costMax) this.#forgetOldest();
  }

  #forgetOldest(): void {
    let next = this.#oldest.next();
    if (next.done === true) {
      this.#oldest = this.#entries.keys();
      next = this.#oldest.next();
    }
    if (next.done !== true) this.delete(next.value);
  }

  /** Forgets a key. */
  delete(key: Key): void {
    this.#cost -= this.#entries.get(key)?.cost ?? 0;
    this.#entries.delete(key);
  }

  /** Forgets all. */
  clear(): void {
    this.#entries.clear();
    this.#oldest = this.#entries.keys();
    this.#cost = 0;
  }
}
