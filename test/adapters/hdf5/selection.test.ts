/**
 * Property: selections of a dataset agree with a model that is obviously right.
 *
 * Method: a random small array and random selections of every kind, among them empty, stepped, negative and
 * dropped dimensions, lists, masks, blocks, points in any order. The model lists the selected positions one by
 * one. A write through the selection changes exactly these, a read returns them in order, and the bytes of the
 * object of a contiguous dataset say the same through Arrow.
 */

import { describe, expect, test } from "@jest/globals";
import { type Container, isDaosError } from "daos-ts";
import { arrayTable } from "daos-ts/arrow";
import {
  type DimensionSelection,
  ELLIPSIS,
  File,
  mask,
  multiBlock,
  points,
  type Selection,
  slice,
} from "daos-ts/hdf5";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

/** A selection of one dimension, and the indices that it selects. */
interface ModelAxis {
  readonly selection: DimensionSelection;
  readonly indices: readonly number[];
  readonly isDropped?: boolean;
  /** Whether it is one of the kinds of which there may be one. */
  readonly isList?: boolean;
}

const bound = fc.option(fc.integer({ min: -7, max: 7 }));
const range = (extent: number) => Array.from({ length: extent }, (_, index) => index);

const whole = (extent: number) =>
  fc.constant<ModelAxis>({ selection: null, indices: range(extent) });

const stepped = (extent: number) =>
  fc.tuple(bound, bound, fc.integer({ min: 1, max: 4 })).map(([start, stop, step]): ModelAxis => {
    // Negative bounds mean the same in JavaScript.
    const cut = range(extent).slice(start ?? 0, stop ?? extent);
    const indices = cut.filter((_, index) => index % step === 0);
    return { selection: slice(start, stop, step), indices };
  });

const single = (extent: number) =>
  fc.integer({ min: -extent, max: extent - 1 }).map((index): ModelAxis => {
    const indices = [index < 0 ? index + extent : index];
    return { selection: index, indices, isDropped: true };
  });

const listed = (extent: number) =>
  fc.subarray(range(extent)).chain((indices) =>
    fc.constantFrom("list", "negative", "mask", "booleans").map((kind): ModelAxis => {
      const chosen = range(extent).map((index) => indices.includes(index));
      // An empty list of truth values is an empty list of indices.
      const booleans = extent === 0 ? mask([]) : chosen;
      const selection = {
        list: indices,
        negative: indices.map((index) => index - extent),
        mask: mask(Uint8Array.from(chosen, Number)),
        booleans,
      }[kind] as DimensionSelection;
      return { selection, indices, isList: true };
    }),
  );

const blocks = (extent: number) =>
  fc
    .tuple(fc.nat(extent), fc.integer({ min: 1, max: 3 }), fc.nat(2), fc.option(fc.nat(3)))
    .map(([start, block, gap, count]): ModelAxis => {
      const stride = block + gap;
      const most = Math.max(0, Math.floor((extent - start - block) / stride) + 1);
      const number = Math.min(count ?? most, most);
      const indices = range(number).flatMap((index) =>
        range(block).map((inner) => start + index * stride + inner),
      );
      const given = count === null ? null : number;
      return { selection: multiBlock({ start, stride, block, count: given }), indices };
    });

const axisOf = (extent: number): fc.Arbitrary<ModelAxis> =>
  extent === 0
    ? fc.oneof(whole(0), stepped(0))
    : fc.oneof(whole(extent), stepped(extent), single(extent), listed(extent), blocks(extent));

const byDimensions = (shape: readonly number[]) =>
  fc
    .record({
      axes: fc.tuple(...shape.map(axisOf)),
      given: fc.nat(shape.length),
      isFromEnd: fc.boolean(),
    })
    // One dimension may be selected by a list.
    .filter(({ axes }) => axes.filter(({ isList }) => isList).length < 2)
    .map(({ axes, given, isFromEnd }) => {
      const named = (index: number) => (isFromEnd ? index >= shape.length - given : index < given);
      const all = axes.map((axis, index): ModelAxis => {
        return named(index) ? axis : { selection: null, indices: range(shape[index] as number) };
      });
      const parts = all.filter((_, index) => named(index)).map(({ selection }) => selection);
      let positions = [0];
      for (const [axis, { indices }] of all.entries()) {
        const extent = shape[axis] as number;
        positions = positions.flatMap((base) => indices.map((index) => base * extent + index));
      }
      const kept = all.filter(({ isDropped }) => !isDropped).map(({ indices }) => indices.length);
      const selection: Selection = isFromEnd ? [ELLIPSIS, ...parts] : parts;
      return { shape, selection, positions, result: kept };
    });

const count = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);

const byMask = (shape: readonly number[]) =>
  fc.subarray(range(count(shape))).map((positions) => {
    const chosen = Uint8Array.from(range(count(shape)), (index) =>
      Number(positions.includes(index)),
    );
    return { shape, selection: mask(chosen, shape), positions, result: [positions.length] };
  });

const byPoints = (shape: readonly number[]) =>
  fc.shuffledSubarray(range(count(shape))).map((positions) => {
    const indices = positions.map((position) => {
      let rest = position;
      const point: number[] = [];
      for (const extent of [...shape].reverse()) {
        point.unshift(rest % extent);
        rest = Math.floor(rest / extent);
      }
      return point;
    });
    return { shape, selection: points(indices), positions, result: [positions.length] };
  });

const selected = fc
  .array(fc.nat(5), { maxLength: 4 })
  .chain((shape) =>
    shape.length < 1
      ? byDimensions(shape)
      : fc.oneof({ weight: 4, arbitrary: byDimensions(shape) }, byMask(shape), byPoints(shape)),
  );

const ramp = (length: number, first = 0) =>
  Int32Array.from({ length }, (_, index) => first + index);

/** What Arrow finds in the file of a dataset. */
function throughArrow(container: Container, path: string, shape: readonly number[]): unknown[] {
  const table = arrayTable(container, { path, shape, type: "int32" });
  return [...(table.getChild("value") ?? [])];
}

test.each(["contiguous", "chunked"])(
  "selections of a %s dataset read and write what the model says, before and after a flush",
  async (layout) => {
    const { container } = temporaryContainer();
    const file = await File.open(container, "a.h5", "w");
    const isContiguous = layout === "contiguous";
    let next = 0;
    await fc.assert(
      fc.asyncProperty(selected, async ({ shape, selection, positions, result }) => {
        const name = `d${next++}`;
        const expected = ramp(count(shape));
        const isChunked = !isContiguous && shape.length > 0 && !shape.includes(0);
        const dataset = await file.createDataset(name, {
          shape,
          dtype: "int32",
          data: expected,
          ...(isChunked ? { chunks: shape.map((n) => Math.min(n, 2)), compression: "gzip" } : {}),
        });
        const before = await dataset.read(selection);
        expect(before.shape).toEqual(result);
        expect([...before.data]).toEqual(positions.map((position) => expected[position]));

        await dataset.write(ramp(positions.length, 1000), selection);
        positions.forEach((position, index) => {
          expected[position] = 1000 + index;
        });
        expect([...(await dataset.read()).data]).toEqual([...expected]);
        await file.flush();
        expect([...(await dataset.read()).data]).toEqual([...expected]);
        if (isContiguous) {
          expect(throughArrow(container, `a.h5/${name}`, shape)).toEqual([...expected]);
        }
      }),
      fcOptions(150),
    );
    await file.close();
  },
);

test("masks and points of large datasets read what they select, wherever it lies", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const shape = [400, 50, 7];
  const data = ramp(count(shape));
  const dataset = await file.createDataset("d", { shape, dtype: "int32", data });
  const far = [
    [399, 49, 6],
    [0, 0, 0],
    [200, 3, 2],
    [200, 3, 3],
    [0, 0, 0],
  ];
  const place = ([x, y, z]: readonly number[]) => ((x ?? 0) * 50 + (y ?? 0)) * 7 + (z ?? 0);
  expect([...(await dataset.read(points(far))).data]).toEqual(far.map(place));
  const some = Uint8Array.from(data, (value) => Number(value % 1009 === 5));
  const read = await dataset.read(mask(some, shape));
  expect([...read.data]).toEqual([...data].filter((value) => value % 1009 === 5));
  // Of a point that is given twice, the last one counts.
  await dataset.write(Int32Array.of(1, 2, 3, 4, 5), points(far));
  expect([...(await dataset.read(points(far))).data]).toEqual([1, 5, 3, 4, 5]);
});

test("readInto() and writeFrom() use parts of memory, and convert", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const data = ramp(12);
  const dataset = await file.createDataset("d", { data: { data, shape: [3, 4] } });
  const all = new Int32Array(12);
  await dataset.readInto(all);
  expect([...all]).toEqual([...data]);
  const halo = { data: new Float64Array(20).fill(-1), shape: [5, 4] };
  await dataset.readInto(halo, [slice(1, 3), slice(0, 2)], [slice(0, 4, 3), slice(2, 4)]);
  expect([...halo.data]).toEqual([
    ...[-1, -1, 4, 5],
    ...[-1, -1, -1, -1],
    ...[-1, -1, -1, -1],
    ...[-1, -1, 8, 9],
    ...[-1, -1, -1, -1],
  ]);
  const some = new Uint8Array(3);
  await dataset.readInto(
    some,
    points([
      [2, 3],
      [0, 0],
      [1, 1],
    ]),
    [slice(null)],
  );
  expect([...some]).toEqual([11, 0, 5]);
  await dataset.writeFrom(
    halo,
    points([
      [0, 2],
      [0, 0],
    ]),
    [0, slice(0, 2)],
  );
  expect([...(await dataset.read([0])).data]).toEqual([4, -1, 2, 3]);
  expect(await codeOf(() => dataset.readInto(new Int32Array(11)))).toBe("DER_INVAL");
  expect(await codeOf(() => dataset.readInto([1] as never))).toBe("DER_INVAL");
  expect(await codeOf(() => dataset.readInto(halo, [0]))).toBe("DER_INVAL");
  expect(await codeOf(() => dataset.writeFrom({ data, shape: [5] }, [], [0]))).toBe("DER_INVAL");
  const text = await file.createDataset("t", { data: ["a"] });
  expect(await codeOf(() => text.readInto(new Int8Array(1)))).toBe("DER_INVAL");
});

describe("a selection", () => {
  test.each<[string, Selection]>([
    ["an index beyond the end", [4]],
    ["an index before the start", [-5]],
    ["a fractional index", [0.5]],
    ["a step of zero", [slice(0, 4, 0)]],
    ["a negative step", [slice(0, 4, -1)]],
    ["a fractional bound", [slice(0.5, 4)]],
    ["more dimensions than there are", [null, null, null]],
    ["two ellipses", [ELLIPSIS, 1, ELLIPSIS]],
    ["indices that decrease", [[2, 1]]],
    ["an index twice", [[1, 1]]],
    [
      "lists for two dimensions",
      [
        [0, 1],
        [0, 1],
      ],
    ],
    ["an index of a list beyond the end", [[0, 4]]],
    ["a mask of another length", [[true, false, true]]],
    ["a mask of another shape", mask(new Uint8Array(12), [3, 4])],
    ["a point with too few indices", points([[1]])],
    ["a point beyond the end", points([[4, 0]])],
    ["blocks that do not fit", [multiBlock({ start: 1, count: 3, stride: 2 })]],
    ["blocks that overlap", [multiBlock({ block: 3, stride: 2 })]],
    ["a negative count of blocks", [multiBlock({ count: -1 })]],
    ["something else", ["all" as never]],
    ["no list", 3 as never],
  ])("with %s is refused, and nothing is written", async (_what, selection) => {
    const { container } = temporaryContainer();
    const file = await File.open(container, "a.h5", "w");
    const data = ramp(12);
    const dataset = await file.createDataset("d", { shape: [4, 3], dtype: "int32", data });
    expect(await codeOf(() => dataset.read(selection))).toBe("DER_INVAL");
    expect(await codeOf(() => dataset.write(0, selection))).toBe("DER_INVAL");
    expect([...(await dataset.read()).data]).toEqual([...data]);
    await file.close();
  });

  test("of one argument is a stop, as in Python", async () => {
    expect(slice(3)).toEqual({ start: null, stop: 3, step: 1 });
    expect(slice(3, null)).toEqual({ start: 3, stop: null, step: 1 });
  });

  test("of many rows is one pattern, not a write per row", async () => {
    const { container } = temporaryContainer();
    const file = await File.open(container, "a.h5", "w");
    const dataset = await file.createDataset("d", { shape: [64, 64, 64], dtype: "float64" });
    await file.flush();
    const levels: number[] = [];
    const begin = container.begin.bind(container);
    container.begin = () => {
      const transaction = begin();
      const write = transaction.write.bind(transaction);
      transaction.write = (oid, range, bytes, incarnation) => {
        levels.push(range.pattern.levels.length);
        write(oid, range, bytes, incarnation);
      };
      return transaction;
    };
    await dataset.write(1, [slice(0, 64, 2), slice(10, 20), slice(1, 64, 3)]);
    await dataset.write(2, [5]);
    expect(levels).toEqual([3, 0]); // a plane is one block
    await file.flush();
    const { data } = await dataset.read();
    expect(data.reduce((sum, value) => sum + value, 0)).toBe(32 * 10 * 21 + 64 * 64 * 2);
    await file.close();
  });

  test("errors are DaosErrors", async () => {
    const { container } = temporaryContainer();
    const file = await File.open(container, "a.h5", "w");
    const dataset = await file.createDataset("d", { shape: [2], dtype: "int8" });
    const error: unknown = await dataset.read([2]).catch((reason) => reason);
    expect(isDaosError(error, "DER_INVAL")).toBe(true);
    await file.close();
  });
});
