/**
 * Elements of one shape spread over another, as in NumPy: dimensions are matched from the last one on, those of
 * extent 1, or that are not there, are repeated.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { fillBytes, product } from "../region.js";

/** Whether elements of one shape can be spread over another. */
export function canBroadcast(from: readonly number[], to: readonly number[]): boolean {
  const trimmed = from.slice(from.findIndex((extent) => extent !== 1));
  const source = from.every((extent) => extent === 1) ? [] : trimmed;
  if (source.length > to.length) return false;
  return source.every((extent, index) => {
    return extent === 1 || extent === to[to.length - source.length + index];
  });
}

/**
 * Spreads elements.
 *
 * @returns The bytes themselves if there are as many elements already.
 * @throws `DaosError` `DER_INVAL` if the shapes do not match.
 */
export function broadcast(
  bytes: Uint8Array,
  { from, to, itemSize }: { from: readonly number[]; to: readonly number[]; itemSize: number },
): Uint8Array {
  if (!canBroadcast(from, to)) {
    const why = `elements of shape [${from}] do not fit the selected [${to}]`;
    const remedy = "give as many elements as are selected, or one for several";
    throw new DaosError("DER_INVAL", { what: "Writing elements", why, remedy });
  }
  if (product(from) === product(to)) return bytes;
  const target = new Uint8Array(product(to) * itemSize);
  if (product(from) === 1) {
    fillBytes(target, bytes);
    return target;
  }
  const source = from.slice(Math.max(0, from.length - to.length));
  const padded = [...new Array<number>(to.length - source.length).fill(1), ...source];
  spread(bytes, target, { from: padded, to, itemSize });
  return target;
}

function spread(
  source: Uint8Array,
  target: Uint8Array,
  { from, to, itemSize }: { from: readonly number[]; to: readonly number[]; itemSize: number },
): void {
  const rank = to.length;
  // Behind this dimension both are the same: copied at once.
  let inner = rank;
  let size = itemSize;
  while (inner > 0 && from[inner - 1] === to[inner - 1]) size *= to[--inner] as number;
  const pitches = new Array<number>(inner);
  let pitch = size;
  for (let dimension = inner - 1; dimension >= 0; dimension--) {
    pitches[dimension] = from[dimension] === 1 ? 0 : pitch;
    pitch *= from[dimension] as number;
  }
  let at = 0;
  const copy = (dimension: number, offset: number): void => {
    if (dimension === inner) {
      target.set(source.subarray(offset, offset + size), at);
      at += size;
      return;
    }
    const step = pitches[dimension] as number;
    for (let index = 0; index < (to[dimension] as number); index++) {
      copy(dimension + 1, offset + index * step);
    }
  };
  copy(0, 0);
}
