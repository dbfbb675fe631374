/**
 * Property: areDisjoint() says so only of patterns that share no offset, and of most of those.
 *
 * Method: pairs of patterns over 64 offsets, also of equal strides, against their lists of offsets.
 */

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Pattern } from "../../dist/core/vos/pattern.js";
import { areDisjoint } from "../../dist/core/vos/pattern-overlap.js";
import { fcOptions } from "../support/property.ts";
import { offsetsOf, shape } from "./support/patterns.ts";

function meet(a: Pattern, b: Pattern): boolean {
  const offsets = new Set(offsetsOf(a));
  return offsetsOf(b).some((offset) => offsets.has(offset));
}

describe("areDisjoint()", () => {
  test("is exact for small patterns", () => {
    const shapes = fc.oneof(
      fc.tuple(shape, shape),
      fc.tuple(shape, fc.nat({ max: 20 })).map(([one, start]) => [one, { ...one, start }] as const),
    );
    fc.assert(
      fc.property(shapes, ([one, other]) => {
        const [a, b] = [new Pattern(one), new Pattern(other)];
        expect(areDisjoint(a, b)).toBe(!meet(a, b));
        expect(areDisjoint(b, a)).toBe(!meet(a, b));
      }),
      fcOptions(3000),
    );
  });

  test("tells the blocks of a large array apart", () => {
    const block = (start: number) =>
      new Pattern({
        start,
        blockLength: 1000,
        levels: [
          { stride: 4000, count: 5000 },
          { stride: 4000 * 20_000, count: 300 },
        ],
      });
    expect(areDisjoint(block(0), block(1000))).toBe(true);
    expect(areDisjoint(block(0), block(999))).toBe(false);
    expect(areDisjoint(block(0), block(4000 * 5000))).toBe(true);
    expect(areDisjoint(block(0), block(4000 * 4999))).toBe(false);
  });
});
