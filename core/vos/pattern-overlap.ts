/**
 * Whether two patterns share an offset.
 *
 * Two patterns meet if the distance of their starts is a sum of one difference per stride and one of
 * bytes within blocks:
 *
 *     b.start - a.start = sum of x * stride + r,   x in (-b.count, a.count), r in (-b.block, a.block)
 *
 * Strides are tried from the largest: what the smaller ones can reach leaves one or two values of
 * `x`. Blocks of one array, subarrays of equal strides, need one look per dimension.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { PATTERN_LEVELS_MAX, PATTERN_OVERLAP_STEPS_MAX } from "../limits.js";
import type { Pattern, PatternLevel } from "./pattern.js";

// Differences per stride, smallest stride first, in arrays that live as long as the process.
const strides = new Float64Array(2 * PATTERN_LEVELS_MAX);
const lows = new Float64Array(2 * PATTERN_LEVELS_MAX);
const highs = new Float64Array(2 * PATTERN_LEVELS_MAX);
/** What all levels before one, and the blocks, can reach: `[reachLows, reachHighs]`. */
const reachLows = new Float64Array(2 * PATTERN_LEVELS_MAX + 1);
const reachHighs = new Float64Array(2 * PATTERN_LEVELS_MAX + 1);
let steps = 0;

/** Puts the levels of both patterns into the arrays; returns how many strides there are. */
function mergeLevels(a: Pattern, b: Pattern): number {
  reachLows[0] = 1 - b.blockLength;
  reachHighs[0] = a.blockLength - 1;
  let count = 0;
  let ofA = 0;
  let ofB = 0;
  while (ofA < a.levels.length || ofB < b.levels.length) {
    const strideA = ofA < a.levels.length ? (a.levels[ofA] as PatternLevel).stride : Infinity;
    const strideB = ofB < b.levels.length ? (b.levels[ofB] as PatternLevel).stride : Infinity;
    const stride = Math.min(strideA, strideB);
    const high = strideA === stride ? (a.levels[ofA++] as PatternLevel).count - 1 : 0;
    const low = strideB === stride ? 1 - (b.levels[ofB++] as PatternLevel).count : 0;
    strides[count] = stride;
    lows[count] = low;
    highs[count] = high;
    reachLows[count + 1] = (reachLows[count] as number) + low * stride;
    reachHighs[count + 1] = (reachHighs[count] as number) + high * stride;
    count += 1;
  }
  return count;
}

/** Whether the first `count` strides can make up `distance`; true if that takes too long to say. */
function reaches(distance: number, count: number): boolean {
  const inside =
    distance >= (reachLows[count] as number) && distance <= (reachHighs[count] as number);
  if (!inside || count === 0) return inside;
  const level = count - 1;
  const stride = strides[level] as number;
  const least = Math.ceil((distance - (reachHighs[level] as number)) / stride);
  const most = Math.floor((distance - (reachLows[level] as number)) / stride);
  const last = Math.min(most, highs[level] as number);
  for (let x = Math.max(least, lows[level] as number); x <= last; x++) {
    steps += 1;
    if (steps > PATTERN_OVERLAP_STEPS_MAX) return true;
    if (reaches(distance - x * stride, level)) return true;
  }
  return false;
}

/**
 * Whether no offset belongs to both patterns.
 *
 * @returns `true` is a proof; `false` means that they meet, or that it would take too long to say.
 */
export function areDisjoint(a: Pattern, b: Pattern): boolean {
  if (a.end <= b.start || b.end <= a.start) return true;
  steps = 0;
  return !reaches(b.start - a.start, mergeLevels(a, b));
}
