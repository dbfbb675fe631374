/**
 * Property: a Pattern agrees with the explicit list of its offsets.
 *
 * Method: count through the levels of a random shape whose offsets stay below 64, so that every
 * offset can be tried; gaps of 0 are common, so that levels fold into blocks and into each other.
 */

import { describe, expect, test } from "@jest/globals";
import { isDaosError, Pattern } from "daos-ts";
import fc from "fast-check";
import { firstOffset, lastOffset } from "../../dist/core/vos/pattern.js";
import { fcOptions } from "../support/property.ts";
import { OFFSETS_MAX, offsetsOf, range, shape } from "./support/patterns.ts";

describe("Pattern", () => {
  test("size, end and offsetOf() are those of the list of offsets", () => {
    fc.assert(
      fc.property(shape, (shaped) => {
        const pattern = new Pattern(shaped);
        const offsets = offsetsOf(shaped);
        expect(pattern.size).toBe(offsets.length);
        expect(pattern.end).toBe((offsets.at(-1) as number) + 1);
        expect(offsets.map((_, packed) => pattern.offsetOf(packed))).toEqual(offsets);
      }),
      fcOptions(500),
    );
  });

  test("packedAtOrAfter() finds the first packed byte at or after every offset", () => {
    fc.assert(
      fc.property(shape, (shaped) => {
        const pattern = new Pattern(shaped);
        const offsets = offsetsOf(shaped);
        const all = Array.from({ length: OFFSETS_MAX + 2 }, (_, offset) => offset);
        const expected = all.map((offset) => {
          const found = offsets.findIndex((candidate) => candidate >= offset);
          return found < 0 ? offsets.length : found;
        });
        expect(all.map((offset) => pattern.packedAtOrAfter(offset))).toEqual(expected);
      }),
      fcOptions(500),
    );
  });

  test("leftInBlock() counts to the end of a run of adjoining bytes at most", () => {
    fc.assert(
      fc.property(shape, (shaped) => {
        const pattern = new Pattern(shaped);
        for (let packed = 0; packed < pattern.size; packed++) {
          const last = packed + pattern.leftInBlock(packed) - 1;
          const distance = pattern.offsetOf(last) - pattern.offsetOf(packed);
          if (last < packed || distance !== last - packed) {
            throw new Error(`packed bytes ${packed} to ${last} are ${distance} offsets apart`);
          }
        }
      }),
      fcOptions(300),
    );
  });

  test("folds levels that continue a block or the level within", () => {
    fc.assert(
      fc.property(shape, (shaped) => {
        const { blockLength, levels } = new Pattern(shaped);
        expect(levels.every(({ count }) => count > 1)).toBe(true);
        if (levels[0] !== undefined) expect(levels[0].stride).toBeGreaterThan(blockLength);
        for (const [index, { stride, count }] of levels.entries()) {
          expect(levels[index + 1]?.stride).not.toBe(stride * count);
        }
      }),
      fcOptions(300),
    );
  });

  test("equals() holds for shapes that fold to the same levels, and for no other blocks", () => {
    fc.assert(
      fc.property(shape, shape, (one, two) => {
        const equal = new Pattern(one).equals(new Pattern(two));
        const sameBlocks = JSON.stringify(offsetsOf(one)) === JSON.stringify(offsetsOf(two));
        // Folding is no normal form, but equal patterns have equal blocks.
        if (equal) expect(sameBlocks).toBe(true);
        expect(new Pattern(new Pattern(one)).equals(new Pattern(one))).toBe(true);
      }),
      fcOptions(300),
    );
  });

  test("firstOffset() and lastOffset() bound a range", () => {
    fc.assert(
      fc.property(range, (ranged) => {
        const offsets = offsetsOf(ranged.pattern).slice(ranged.from, ranged.to);
        expect(firstOffset(ranged)).toBe(offsets[0]);
        expect(lastOffset(ranged)).toBe((offsets.at(-1) as number) + 1);
      }),
      fcOptions(300),
    );
  });

  test.each([
    ["a stride within the block", { start: 0, blockLength: 4, levels: [{ stride: 3, count: 2 }] }],
    ["a stride of 0", { start: 0, blockLength: 1, levels: [{ stride: 0, count: 2 }] }],
    [
      "an outer stride within the inner span",
      {
        start: 0,
        blockLength: 2,
        levels: [
          { stride: 4, count: 3 },
          { stride: 9, count: 2 },
        ],
      },
    ],
    ["no bytes", { start: 0, blockLength: 0, levels: [] }],
    ["a level repeated 0 times", { start: 0, blockLength: 1, levels: [{ stride: 1, count: 0 }] }],
    ["a negative start", { start: -1, blockLength: 1, levels: [] }],
    ["a fraction", { start: 0.5, blockLength: 1, levels: [] }],
    ["an end above 2^53 - 1", { start: Number.MAX_SAFE_INTEGER, blockLength: 1, levels: [] }],
    [
      "a span that overflows",
      { start: 0, blockLength: 1, levels: [{ stride: 2 ** 52, count: 2 ** 52 }] },
    ],
    ["NaN", { start: 0, blockLength: Number.NaN, levels: [] }],
    [
      "33 levels",
      {
        start: 0,
        blockLength: 1,
        levels: Array.from({ length: 33 }, (_, index) => ({ stride: 3 ** (index + 1), count: 2 })),
      },
    ],
  ])("refuses %s", (_name, shaped) => {
    const refused = () => new Pattern(shaped);
    expect(refused).toThrow();
    try {
      refused();
    } catch (error) {
      expect(isDaosError(error, "DER_INVAL")).toBe(true);
    }
  });

  test("reaches the last offset of an array", () => {
    const pattern = Pattern.contiguous(Number.MAX_SAFE_INTEGER - 2, Number.MAX_SAFE_INTEGER);
    expect(pattern.offsetOf(1)).toBe(Number.MAX_SAFE_INTEGER - 1);
    expect(pattern.packedAtOrAfter(Number.MAX_SAFE_INTEGER - 1)).toBe(1);
  });
});
