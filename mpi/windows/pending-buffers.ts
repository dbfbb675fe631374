/**
 * Pending buffers: what operations on a window still read or write.
 *
 * A library holds addresses only; nothing else may keep a buffer that the program has forgotten.
 *
 * @module
 */

/** Buffers by the rank that they go to or come from. */
export class PendingBuffers {
  readonly #byTarget = new Map<number, unknown[]>();

  /** An operation has begun. */
  keep(target: number, buffers: readonly unknown[]): void {
    const kept = this.#byTarget.get(target);
    if (kept) kept.push(...buffers);
    else this.#byTarget.set(target, [...buffers]);
  }

  /** Operations on a target, or on all, are complete. */
  drop(target?: number): void {
    if (target === undefined) this.#byTarget.clear();
    else this.#byTarget.delete(target);
  }
}
