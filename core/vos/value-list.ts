/**
 * Lists of the values of one akey: which part is wanted, and how much of it.
 *
 * @module
 */

import { successor } from "./anchor.js";
import { type StoredValue, storedSize } from "./long-value.js";

/** Which values are listed. */
export interface ValueListOptions {
  /** The akey whose values are listed. */
  readonly akey: Uint8Array;
  /** Only dkeys behind this one. */
  readonly after?: Uint8Array;
  /** Only this dkey and those behind it; not beside `after`. */
  readonly from?: Uint8Array;
  /** Values at most; all by default. */
  readonly limit?: number;
  /** Bytes after which no more values are listed, one at least; no bound by default. */
  readonly size?: number;
}

/** A dkey with the value of an akey, or with where it lies. */
export interface ListedValue {
  readonly dkey: Uint8Array;
  readonly value: StoredValue;
}

/** Bytes of the values of a list. */
export function sizeOfValues(list: readonly ListedValue[]): number {
  return list.reduce((size, { value }) => size + storedSize(value), 0);
}

/** The first values of a list, up to the one with which a number of bytes is reached. */
export function firstValues(list: ListedValue[], size: number | undefined): ListedValue[] {
  if (size === undefined) return list;
  let sum = 0;
  const last = list.findIndex(({ value }) => {
    sum += storedSize(value);
    return sum >= size;
  });
  return last < 0 ? list : list.slice(0, last + 1);
}

/** The first dkey that may be listed; `undefined` if any may. */
export function firstListed({ after, from }: ValueListOptions): Uint8Array | undefined {
  return after === undefined ? from : successor(after);
}
