/**
 * Arbitrary patterns over a tiny domain, and the obviously right list of their offsets.
 *
 * @module
 */

import fc from "fast-check";
import { Pattern, type PatternRange, type PatternShape } from "../../../dist/core/vos/pattern.js";

/** One past the largest offset that an arbitrary pattern reaches. */
export const OFFSETS_MAX = 64;

/** Offsets of a shape's bytes in packed order, by counting through its levels. */
export function offsetsOf({ start, blockLength, levels }: PatternShape): number[] {
  let starts = [start];
  for (const { stride, count } of levels.toReversed()) {
    starts = starts.flatMap((at) => Array.from({ length: count }, (_, copy) => at + copy * stride));
  }
  return starts.flatMap((at) => Array.from({ length: blockLength }, (_, byte) => at + byte));
}

function spanOf({ blockLength, levels }: Omit<PatternShape, "start">): number {
  return levels.reduce((span, { stride, count }) => stride * (count - 1) + span, blockLength);
}

const level = fc.record({ gap: fc.nat({ max: 5 }), count: fc.integer({ min: 1, max: 4 }) });

/** A valid shape whose offsets stay below `OFFSETS_MAX`; gaps of 0 make levels that fold. */
export const shape: fc.Arbitrary<PatternShape> = fc
  .record({
    start: fc.nat({ max: 15 }),
    blockLength: fc.integer({ min: 1, max: 5 }),
    levels: fc.array(level, { maxLength: 3 }),
  })
  .map(({ start, blockLength, levels }) => {
    const shaped: { stride: number; count: number }[] = [];
    for (const { gap, count } of levels) {
      const span = spanOf({ blockLength, levels: shaped });
      shaped.push({ stride: span + gap, count });
      if (start + spanOf({ blockLength, levels: shaped }) > OFFSETS_MAX) shaped.pop();
    }
    return { start, blockLength, levels: shaped };
  });

/** A non-empty packed range of an arbitrary pattern. */
export const range: fc.Arbitrary<PatternRange> = fc
  .tuple(shape, fc.nat(), fc.nat())
  .map(([shaped, first, second]) => {
    const pattern = new Pattern(shaped);
    const from = first % pattern.size;
    return { pattern, from, to: from + 1 + (second % (pattern.size - from)) };
  });

/** A range whose offsets are in units of some bytes. */
export function scaled({ pattern, from, to }: PatternRange, unit: number): PatternRange {
  const { start, blockLength, levels } = pattern;
  const larger = new Pattern({
    start: start * unit,
    blockLength: blockLength * unit,
    levels: levels.map(({ stride, count }) => ({ stride: stride * unit, count })),
  });
  return { pattern: larger, from: from * unit, to: to * unit };
}
