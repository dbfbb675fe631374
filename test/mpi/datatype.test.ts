/**
 * Property: Datatype agrees with a model that lists every byte.
 *
 * Method: build the same random type twice, as a Datatype and as a typemap (a list of byte offsets in the
 * order of the standard). Bounds must be equal. A layout must list exactly the typemap's bytes; it may be
 * missing only where the typemap does not increase.
 */

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Datatype, type Layout, MpiError } from "node-mpi-bindings";
import { fcOptions } from "../support/property.ts";

/** A type as the standard defines it. */
interface Typemap {
  readonly bytes: number[];
  readonly lower: number;
  readonly upper: number;
}

interface Pair {
  readonly type: Datatype;
  readonly map: Typemap;
}

const basic: Pair = { type: Datatype.INT16, map: { bytes: [0, 1], lower: 0, upper: 2 } };
const extentOf = (map: Typemap) => map.upper - map.lower;

/** Copies of a typemap at the given displacements; an element without data keeps its bounds. */
function place(map: Typemap, displacements: readonly number[]): Typemap {
  if (displacements.length === 0) return { bytes: [], lower: 0, upper: 0 };
  return {
    bytes: displacements.flatMap((at) => map.bytes.map((byte) => byte + at)),
    lower: Math.min(...displacements.map((at) => at + map.lower)),
    upper: Math.max(...displacements.map((at) => at + map.upper)),
  };
}

const times = (count: number, stride: number) =>
  Array.from({ length: count }, (_, i) => i * stride);

function contiguous({ type, map }: Pair, count: number): Pair {
  return {
    type: Datatype.contiguous(count, type),
    map: place(map, times(count, extentOf(map))),
  };
}

function hvector({ type, map }: Pair, count: number, blocklength: number, stride: number): Pair {
  const block = place(map, times(blocklength, extentOf(map)));
  return {
    type: Datatype.hvector(count, blocklength, stride, type),
    map: place(block, times(count, stride)),
  };
}

function resized({ type, map }: Pair, lower: number, extent: number): Pair {
  return {
    type: Datatype.resized(type, lower, extent),
    map: { ...map, lower, upper: lower + extent },
  };
}

type Dimension = { size: number; subsize: number; start: number };

function subarray({ type, map }: Pair, dims: Dimension[], order: "C" | "FORTRAN"): Pair {
  const slowestFirst = order === "C" ? dims : dims.toReversed();
  let places = [0];
  for (const { size, subsize, start } of slowestFirst) {
    places = places.flatMap((at) =>
      Array.from({ length: subsize }, (_, i) => at * size + start + i),
    );
  }
  const extent = extentOf(map);
  const total = dims.reduce((product, { size }) => product * size, 1);
  const lists = [dims.map((d) => d.size), dims.map((d) => d.subsize), dims.map((d) => d.start)];
  const [sizes, subsizes, starts] = lists as [number[], number[], number[]];
  return {
    type: Datatype.subarray(sizes, subsizes, starts, order, type),
    map: {
      ...place(
        map,
        places.map((at) => at * extent),
      ),
      lower: 0,
      upper: total * extent,
    },
  };
}

const small = fc.integer({ min: 0, max: 3 });
const dimension = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), small)
  .map(([size, subsize, start]) => {
    const from = Math.min(start, size - 1);
    return { size, subsize: Math.min(subsize, size - from), start: from };
  });

const step: fc.Arbitrary<(pair: Pair) => Pair> = fc.oneof(
  small.map((count) => (pair: Pair) => contiguous(pair, count)),
  fc.tuple(small, small, fc.integer({ min: -20, max: 40 })).map(
    ([count, block, stride]) =>
      (pair: Pair) =>
        hvector(pair, count, block, stride),
  ),
  fc.tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: 0, max: 30 })).map(
    ([lower, extent]) =>
      (pair: Pair) =>
        resized(pair, lower, extent),
  ),
  fc
    .tuple(fc.array(dimension, { minLength: 1, maxLength: 3 }), fc.constantFrom("C", "FORTRAN"))
    .map(
      ([dims, order]) =>
        (pair: Pair) =>
          subarray(pair, dims, order as "C" | "FORTRAN"),
    ),
);

/** All bytes of a layout, in its order. */
function bytesOf({ offset, blockLength, levels }: Layout): number[] {
  let starts = [offset];
  for (const { stride, count } of levels.toReversed()) {
    starts = starts.flatMap((start) => times(count, stride).map((at) => start + at));
  }
  return starts.flatMap((start) => times(blockLength, 1).map((at) => start + at));
}

const increases = (bytes: number[]) => bytes.every((byte, i) => i === 0 || byte > bytes[i - 1]!);

describe("Datatype", () => {
  test("agrees with the typemap of the standard", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3 }), (steps) => {
        const { type, map } = steps.reduce((pair, apply) => apply(pair), basic);
        fc.pre(map.bytes.length < 5000);
        expect(type.size).toBe(map.bytes.length);
        if (map.bytes.length === 0) {
          expect(type.layout).toEqual({ offset: 0, blockLength: 0, levels: [] });
          return;
        }
        expect([type.lowerBound, type.extent]).toEqual([map.lower, extentOf(map)]);
        expect(type.trueLowerBound).toBe(Math.min(...map.bytes));
        expect(type.trueExtent).toBe(Math.max(...map.bytes) + 1 - Math.min(...map.bytes));
        if (type.layout) expect(bytesOf(type.layout)).toEqual(map.bytes);
        if (type.layout) expect(increases(map.bytes)).toBe(true);
      }),
      fcOptions(2000),
    );
  });

  test("increasing patterns of one constructor always have a layout", () => {
    expect(Datatype.vector(3, 2, 4, Datatype.DOUBLE).layout).toEqual({
      offset: 0,
      blockLength: 16,
      levels: [{ stride: 32, count: 3 }],
    });
    expect(Datatype.vector(3, 2, 2, Datatype.DOUBLE).layout).toEqual({
      offset: 0,
      blockLength: 48,
      levels: [],
    });
    const two = Datatype.contiguous(2, Datatype.vector(3, 1, 2, Datatype.INT32));
    expect(two.layout?.levels).toEqual([
      { stride: 8, count: 3 },
      { stride: 20, count: 2 },
    ]);
  });

  test("subarray() of three dimensions has two levels, and folds full rows", () => {
    const part = Datatype.subarray([96, 96, 96], [48, 48, 48], [48, 0, 48], "C", Datatype.DOUBLE);
    expect(part.layout).toEqual({
      offset: (48 * 96 * 96 + 48) * 8,
      blockLength: 48 * 8,
      levels: [
        { stride: 96 * 8, count: 48 },
        { stride: 96 * 96 * 8, count: 48 },
      ],
    });
    expect([part.lowerBound, part.extent]).toEqual([0, 96 ** 3 * 8]);
    const slab = Datatype.subarray([96, 96, 96], [48, 96, 96], [48, 0, 0], "C", Datatype.DOUBLE);
    expect(slab.layout).toMatchObject({ blockLength: 48 * 96 * 96 * 8, levels: [] });
    const rows = Datatype.subarray([96, 96, 96], [96, 48, 96], [0, 48, 0], "C", Datatype.DOUBLE);
    expect(rows.layout?.levels).toEqual([{ stride: 96 * 96 * 8, count: 96 }]);
    const fortran = Datatype.subarray([4, 6], [2, 3], [1, 2], "FORTRAN", Datatype.BYTE);
    expect(fortran.layout).toEqual({
      offset: 9,
      blockLength: 2,
      levels: [{ stride: 4, count: 3 }],
    });
  });

  test("a subarray of 10^9 blocks costs nothing", () => {
    const sizes = [1000, 1000, 1000, 2];
    const type = Datatype.subarray(
      sizes,
      [1000, 1000, 1000, 1],
      [0, 0, 0, 1],
      "C",
      Datatype.DOUBLE,
    );
    expect(type.size).toBe(8e9);
    expect(type.layout).toEqual({
      offset: 8,
      blockLength: 8,
      levels: [{ stride: 16, count: 1e9 }],
    });
  });

  test("patterns that overlap, interleave or go back have no layout", () => {
    expect(Datatype.vector(3, 2, 1, Datatype.DOUBLE).layout).toBeUndefined();
    expect(Datatype.vector(3, 1, -2, Datatype.DOUBLE).layout).toBeUndefined();
    const comb = Datatype.vector(3, 1, 2, Datatype.INT32);
    expect(Datatype.hvector(2, 1, 4, comb).layout).toBeUndefined();
  });

  test.each([
    ["a count that is no size", () => Datatype.contiguous(-1, Datatype.BYTE), "MPI_ERR_ARG"],
    ["a stride that is no integer", () => Datatype.vector(1, 1, 0.5, Datatype.BYTE), "MPI_ERR_ARG"],
    ["a block outside", () => Datatype.subarray([4], [3], [2], "C", Datatype.BYTE), "MPI_ERR_ARG"],
    [
      "lists that differ",
      () => Datatype.subarray([4], [3, 1], [0], "C", Datatype.BYTE),
      "MPI_ERR_ARG",
    ],
    [
      "an unknown order",
      () => Datatype.subarray([4], [1], [0], "c" as "C", Datatype.BYTE),
      "MPI_ERR_ARG",
    ],
    ["no type", () => Datatype.contiguous(1, 8 as unknown as Datatype), "MPI_ERR_TYPE"],
    ["more than 2^53 bytes", () => Datatype.contiguous(2 ** 52, Datatype.DOUBLE), "MPI_ERR_ARG"],
  ])("refuses %s", (_, make, code) => {
    expect(make).toThrow(MpiError);
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});
