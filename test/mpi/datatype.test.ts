/**
 * Property: Datatype agrees with a model that lists every byte.
 *
 * Method: build the same random type twice, as a Datatype and as a typemap (a list of byte offsets in the
 * order of the standard). Bounds must be equal, blocks and packed bytes must follow the typemap. A layout must
 * list exactly the typemap's bytes; it may be missing only where the typemap is no nested pattern.
 */

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  blocksOf,
  Datatype,
  DISTRIBUTE_DFLT_DARG,
  type Distribution,
  type Layout,
  MpiError,
  pack,
  unpack,
} from "node-mpi-bindings";
import { fcOptions } from "../support/property.ts";

/** A type as the standard defines it. */
interface Typemap {
  readonly bytes: number[];
  readonly lower: number;
  readonly upper: number;
  /** Bounds that were given count alone. */
  readonly marked: boolean;
  readonly alignment: number;
}

interface Pair {
  readonly type: Datatype;
  readonly map: Typemap;
}

function basicPair(type: Datatype, size: number): Pair {
  const bytes = times(size, 1);
  return { type, map: { bytes, lower: 0, upper: size, marked: false, alignment: size } };
}

const times = (count: number, stride: number) =>
  Array.from({ length: count }, (_, i) => i * stride);
const basic = basicPair(Datatype.INT16, 2);
const extentOf = (map: Typemap) => map.upper - map.lower;

/** Typemaps at the given displacements; an element without data keeps its bounds. */
function union(placed: readonly { map: Typemap; at: number }[], alignment: number): Typemap {
  if (placed.length === 0) return { bytes: [], lower: 0, upper: 0, marked: false, alignment };
  const marked = placed.some(({ map }) => map.marked);
  const counting = placed.filter(({ map }) => map.marked === marked);
  return {
    bytes: placed.flatMap(({ map, at }) => map.bytes.map((byte) => byte + at)),
    lower: Math.min(...counting.map(({ map, at }) => at + map.lower)),
    upper: Math.max(...counting.map(({ map, at }) => at + map.upper)),
    marked,
    alignment,
  };
}

function place(map: Typemap, displacements: readonly number[]): Typemap {
  return union(
    displacements.map((at) => ({ map, at })),
    map.alignment,
  );
}

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
    map: blocklength === 0 ? place(map, []) : place(block, times(count, stride)),
  };
}

type Blocks = { length: number; at: number }[];

/** Blocks as a list of single elements. */
function placesOf(map: Typemap, blocks: Blocks, unit: number): number[] {
  return blocks.flatMap(({ length, at }) =>
    times(length, extentOf(map)).map((element) => at * unit + element),
  );
}

function indexed({ type, map }: Pair, blocks: Blocks, unit: "elements" | "bytes"): Pair {
  const lengths = blocks.map(({ length }) => length);
  const displacements = blocks.map(({ at }) => at);
  const make = unit === "bytes" ? Datatype.hindexed : Datatype.indexed;
  return {
    type: make(lengths, displacements, type),
    map: place(map, placesOf(map, blocks, unit === "bytes" ? 1 : extentOf(map))),
  };
}

function indexedBlock({ type, map }: Pair, blocks: Blocks, unit: "elements" | "bytes"): Pair {
  const length = blocks[0]?.length ?? 1;
  const equal = blocks.map(({ at }) => ({ length, at }));
  const make = unit === "bytes" ? Datatype.hindexedBlock : Datatype.indexedBlock;
  const displacements = equal.map(({ at }) => at);
  return {
    type: make(length, displacements, type),
    map: place(map, placesOf(map, equal, unit === "bytes" ? 1 : extentOf(map))),
  };
}

function struct(pair: Pair, blocks: Blocks): Pair {
  const others = [pair, basicPair(Datatype.DOUBLE, 8), basicPair(Datatype.BYTE, 1)];
  const parts = blocks.map((block, i) => ({ ...block, of: others[i % others.length] as Pair }));
  const alignment = Math.max(1, ...parts.map(({ of }) => of.map.alignment));
  const placed = parts.flatMap(({ of, ...block }) =>
    placesOf(of.map, [block], 1).map((at) => ({ map: of.map, at })),
  );
  const map = union(placed, alignment);
  const upper = map.lower + Math.ceil(extentOf(map) / alignment) * alignment;
  return {
    type: Datatype.struct(
      parts.map(({ length }) => length),
      parts.map(({ at }) => at),
      parts.map(({ of }) => of.type),
    ),
    map: map.marked ? map : { ...map, upper },
  };
}

function resized({ type, map }: Pair, lower: number, extent: number): Pair {
  return {
    type: Datatype.resized(type, lower, extent),
    map: { ...map, lower, upper: lower + extent, marked: true },
  };
}

type Dimension = { size: number; subsize: number; start: number };

function subarray({ type, map }: Pair, dims: Dimension[], order: "C" | "FORTRAN"): Pair {
  const chosen = dims.map(({ subsize, start }) => times(subsize, 1).map((i) => start + i));
  const sizes = dims.map(({ size }) => size);
  const lists = [sizes, dims.map((d) => d.subsize), dims.map((d) => d.start)];
  const [all, subsizes, starts] = lists as [number[], number[], number[]];
  return {
    type: Datatype.subarray(all, subsizes, starts, order, type),
    map: within(map, product(sizes, chosen, order), sizes),
  };
}

/** Indices of an array of which each dimension has been chosen from, in the array's own order. */
function product(sizes: number[], chosen: number[][], order: "C" | "FORTRAN"): number[] {
  const dims = sizes.map((size, i) => ({ size, chosen: chosen[i] as number[] }));
  let places = [0];
  for (const { size, chosen: of } of order === "C" ? dims : dims.toReversed()) {
    places = places.flatMap((at) => of.map((i) => at * size + i));
  }
  return places;
}

function within(map: Typemap, places: number[], sizes: number[]): Typemap {
  const extent = extentOf(map);
  const total = sizes.reduce((count, size) => count * size, 1);
  const placed = place(
    map,
    places.map((at) => at * extent),
  );
  return { ...placed, lower: 0, upper: total * extent, marked: true };
}

type Dealt = { size: number; processes: number; place: number; kind: Distribution; block: number };

/** The standard's text, element by element. */
function shareOf({ size, processes, place: own, kind, block }: Dealt): number[] {
  const all = times(size, 1);
  if (kind === "none") return all;
  const isDefault = block === DISTRIBUTE_DFLT_DARG;
  const length =
    kind === "block" && isDefault ? Math.ceil(size / processes) : isDefault ? 1 : block;
  return all.filter((i) => Math.floor(i / length) % processes === own);
}

function darray({ type, map }: Pair, dealt: Dealt[], order: "C" | "FORTRAN"): Pair {
  const rank = dealt.reduce((at, { processes, place: own }) => at * processes + own, 0);
  const count = dealt.reduce((all, { processes }) => all * processes, 1);
  const sizes = dealt.map(({ size }) => size);
  const make = Datatype.darray(
    count,
    rank,
    sizes,
    dealt.map(({ kind }) => kind),
    dealt.map(({ block }) => block),
    dealt.map(({ processes }) => processes),
    order,
    type,
  );
  return { type: make, map: within(map, product(sizes, dealt.map(shareOf), order), sizes) };
}

const small = fc.integer({ min: 0, max: 3 });
const dimension = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), small)
  .map(([size, subsize, start]) => {
    const from = Math.min(start, size - 1);
    return { size, subsize: Math.min(subsize, size - from), start: from };
  });
const dealt = fc
  .record({
    size: fc.integer({ min: 1, max: 7 }),
    processes: fc.integer({ min: 1, max: 3 }),
    place: fc.integer({ min: 0, max: 2 }),
    kind: fc.constantFrom<Distribution>("block", "cyclic", "none"),
    block: fc.constantFrom(DISTRIBUTE_DFLT_DARG, 1, 2),
  })
  .map((one): Dealt => {
    const processes = one.kind === "none" ? 1 : one.processes;
    const fits = one.kind !== "block" || one.block * processes >= one.size;
    const block = fits ? one.block : DISTRIBUTE_DFLT_DARG;
    return { ...one, processes, place: one.place % processes, block };
  });
const blocks = fc.array(fc.record({ length: small, at: fc.integer({ min: -6, max: 12 }) }), {
  maxLength: 4,
});
const order = fc.constantFrom("C" as const, "FORTRAN" as const);
const unit = fc.constantFrom("elements" as const, "bytes" as const);

const step: fc.Arbitrary<(pair: Pair) => Pair> = fc.oneof(
  small.map((count) => (pair: Pair) => contiguous(pair, count)),
  fc.tuple(small, small, fc.integer({ min: -20, max: 40 })).map(
    ([count, block, stride]) =>
      (pair: Pair) =>
        hvector(pair, count, block, stride),
  ),
  fc.tuple(blocks, unit).map(
    ([list, by]) =>
      (pair: Pair) =>
        indexed(pair, list, by),
  ),
  fc.tuple(blocks, unit).map(
    ([list, by]) =>
      (pair: Pair) =>
        indexedBlock(pair, list, by),
  ),
  blocks.map((list) => (pair: Pair) => struct(pair, list)),
  fc.tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: 0, max: 30 })).map(
    ([lower, extent]) =>
      (pair: Pair) =>
        resized(pair, lower, extent),
  ),
  fc.tuple(fc.array(dimension, { minLength: 1, maxLength: 3 }), order).map(
    ([dims, by]) =>
      (pair: Pair) =>
        subarray(pair, dims, by),
  ),
  fc.tuple(fc.array(dealt, { minLength: 1, maxLength: 2 }), order).map(
    ([dims, by]) =>
      (pair: Pair) =>
        darray(pair, dims, by),
  ),
);

function build(steps: readonly ((pair: Pair) => Pair)[]): Pair {
  const pair = steps.reduce((last, apply) => apply(last), basic);
  fc.pre(pair.map.bytes.length < 5000);
  return pair;
}

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
        const { type, map } = build(steps);
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

  test("lists its blocks in the order of the typemap, from any byte to any other", () => {
    const position = fc.nat(60);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3 }), position, position, (steps, from, length) => {
        const { type, map } = build(steps);
        const blocks = [...blocksOf(type.typemap, { from, to: from + length })];
        const seen = blocks.flatMap((block) => times(block.length, 1).map((i) => block.offset + i));
        expect(seen).toEqual(map.bytes.slice(from, from + length));
      }),
      fcOptions(1000),
    );
  });

  test("packs what the typemap lists, and unpacks it to the same places", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3 }), small, (steps, count) => {
        const { type, map } = build(steps);
        const extent = extentOf(map);
        const places = times(count, extent).flatMap((at) => map.bytes.map((byte) => byte + at));
        const offset = -Math.min(0, ...places);
        const memory = new Uint8Array(offset + Math.max(0, ...places) + 1);
        memory.set(memory.map((_, i) => i * 7 + 1));
        const packed = new Uint8Array(places.length + 3);
        expect(pack(type, memory, packed, { count, offset, position: 2 })).toBe(places.length + 2);
        const expected = places.map((at) => memory[at + offset]);
        expect([...packed.subarray(2, -1)]).toEqual(expected);
        const copy = new Uint8Array(memory.length);
        unpack(type, packed, copy, { count, offset, position: 2 });
        const kept = new Set(places.map((at) => at + offset));
        // Where places overlap, the last packed byte is seen; it came from the same byte.
        expect([...copy]).toEqual([...memory].map((byte, i) => (kept.has(i) ? byte : 0)));
      }),
      fcOptions(500),
    );
  });

  test("external32 is big-endian, without the gaps of a struct", () => {
    const type = Datatype.struct([1, 2], [0, 8], [Datatype.INT16, Datatype.DOUBLE]);
    const memory = Buffer.alloc(24);
    memory.writeInt16LE(-2, 0);
    memory.writeDoubleLE(1.5, 8);
    memory.writeDoubleLE(-0.25, 16);
    const packed = Buffer.alloc(18);
    pack(type, memory, packed, { representation: "external32" });
    expect(packed.readInt16BE(0)).toBe(-2);
    expect([packed.readDoubleBE(2), packed.readDoubleBE(10)]).toEqual([1.5, -0.25]);
    const copy = Buffer.alloc(24);
    unpack(type, packed, copy, { representation: "external32" });
    expect(copy.equals(memory)).toBe(true);
  });

  test("tells how it was made, and is made again from that", () => {
    const type = Datatype.indexed([1, 2], [3, 5], Datatype.INT32);
    expect(type.contents).toEqual({
      combiner: "indexed",
      integers: [2, 1, 2, 3, 5],
      addresses: [],
      datatypes: [Datatype.INT32],
    });
    expect(Datatype.DOUBLE.contents.combiner).toBe("named");
    expect(Datatype.DOUBLE.isPredefined && !type.dup().isPredefined).toBe(true);
    expect(type.dup().contents).toMatchObject({ combiner: "dup", datatypes: [type] });
    expect(Datatype.named("DOUBLE")).toBe(Datatype.DOUBLE);
    expect([type.name, type.withName("mine").name]).toEqual(["", "mine"]);
  });

  test("pairs of a value and a place have the sizes and extents of C's structs", () => {
    const names = ["FLOAT_INT", "DOUBLE_INT", "LONG_INT", "TWO_INT", "SHORT_INT"] as const;
    const facts = names.map((name) => {
      const { size, extent, trueExtent } = Datatype.named(name);
      return [size, extent, trueExtent];
    });
    expect(facts).toEqual([
      [8, 8, 8],
      [12, 16, 12],
      [12, 16, 12],
      [8, 8, 8],
      [6, 8, 8],
    ]);
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
