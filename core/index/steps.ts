/**
 * Work on many entries of the index in transactions of a bounded size, which are smaller where pages
 * are short: aggregation must come through with what little a full tier has kept back.
 *
 * @module
 */

import { isDaosError } from "../errors.js";
import type { IndexStore, IndexTransaction } from "./index-store.js";

/** How a list is worked on. */
export interface StepOptions<Item> {
  readonly what: string;
  readonly items: readonly Item[];
  /** Items of one transaction, at most. */
  readonly countMax: number;
}

/**
 * Applies a change to all items, in order, each in exactly one transaction that took effect.
 *
 * @param apply Changes some items; it may be called again for the first of them after a call whose
 *   transaction did not take effect.
 * @returns What `apply` returned for each transaction that took effect; it can be run to its end, or
 *   let go of between two of them.
 * @throws {@link DaosError} `DER_NOSPACE` if there is no space for a single item; what was done before
 *   stays.
 */
export function* inSteps<Item, Result>(
  index: IndexStore,
  { what, items, countMax }: StepOptions<Item>,
  apply: (tx: IndexTransaction, items: readonly Item[]) => Result,
): Generator<Result, void, undefined> {
  let count = countMax;
  for (let start = 0; start < items.length; ) {
    const step = items.slice(start, start + count);
    let result: { readonly value: Result } | undefined;
    try {
      const body = (tx: IndexTransaction) => {
        result = { value: apply(tx, step) };
      };
      index.transact(what, body, "reclaim");
    } catch (error) {
      if (step.length === 1 || !isDaosError(error, "DER_NOSPACE")) throw error;
      count = Math.ceil(step.length / 2);
      continue;
    }
    start += step.length;
    count = Math.min(countMax, count * 2);
    if (result !== undefined) yield result.value;
  }
}
