/**
 * Property: dimsCreate() divides ranks completely, and as evenly as any division.
 */

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { dimsCreate } from "node-mpi-bindings";
import { fcOptions } from "../support/property.ts";

/** All ways to write `size` as `count` factors that do not increase. */
function divisions(size: number, count: number, most = size): number[][] {
  if (count === 0) return size === 1 ? [[]] : [];
  const factors = Array.from({ length: Math.min(size, most) }, (_, i) => i + 1);
  return factors
    .filter((factor) => size % factor === 0)
    .flatMap((factor) =>
      divisions(size / factor, count - 1, factor).map((rest) => [factor, ...rest]),
    );
}

describe("dimsCreate()", () => {
  test("finds the most even division", () => {
    const ranks = fc.integer({ min: 1, max: 128 });
    fc.assert(
      fc.property(ranks, fc.integer({ min: 1, max: 4 }), (size, count) => {
        const dims = dimsCreate(size, count);
        const all = divisions(size, count);
        expect(all).toContainEqual(dims);
        expect(dims[0]).toBe(Math.min(...all.map((division) => division[0]!)));
      }),
      fcOptions(),
    );
  });

  test("keeps dimensions that are given", () => {
    expect(dimsCreate(4, 3)).toEqual([2, 2, 1]);
    expect(dimsCreate(12, [0, 2, 0])).toEqual([3, 2, 2]);
    expect(dimsCreate(6, [3, 2])).toEqual([3, 2]);
  });

  test("refuses dimensions that do not divide", () => {
    for (const dims of [
      [5, 0],
      [2, 2],
      [0, -1],
    ]) {
      expect(() => dimsCreate(6, dims)).toThrow(expect.objectContaining({ code: "MPI_ERR_DIMS" }));
    }
    expect(() => dimsCreate(0, 2)).toThrow(expect.objectContaining({ code: "MPI_ERR_DIMS" }));
  });
});
