/**
 * Property: selections of a dataset agree with a model that is obviously right.
 *
 * Method: a random small array and random selections, among them empty, stepped, negative and dropped
 * dimensions. The model lists the selected positions one by one. A write through the selection changes
 * exactly these, a read returns them in order, and the bytes of the object say the same through Arrow.
 */

import { describe, expect, test } from "@jest/globals";
import { type Container, isDaosError } from "daos-ts";
import { arrayTable } from "daos-ts/arrow";
import { type DimensionSelection, File, type Selection, type Slice, slice } from "daos-ts/hdf5";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

const bound = fc.option(fc.integer({ min: -7, max: 7 }));
const dimension = (extent: number): fc.Arbitrary<DimensionSelection> => {
  const whole = fc.constant(null);
  const stepped = fc
    .tuple(bound, bound, fc.integer({ min: 1, max: 4 }))
    .map(([start, stop, step]) => slice(start, stop, step));
  if (extent === 0) return fc.oneof(whole, stepped);
  return fc.oneof(whole, stepped, fc.integer({ min: -extent, max: extent - 1 }));
};

const selected = fc.array(fc.nat(5), { maxLength: 4 }).chain((shape) =>
  fc.nat(shape.length).chain((count) =>
    fc.record({
      shape: fc.constant(shape),
      selection: fc.tuple(...shape.slice(0, count).map(dimension)) as fc.Arbitrary<Selection>,
    }),
  ),
);

/** The indices that one dimension selects, one by one, as Python's range(*slice.indices(n)). */
function indicesOf(selection: DimensionSelection, extent: number): number[] {
  const all = Array.from({ length: extent }, (_, index) => index);
  if (selection === null) return all;
  if (typeof selection === "number") return [selection < 0 ? selection + extent : selection];
  const { start, stop, step }: Slice = selection;
  const cut = all.slice(start ?? 0, stop ?? extent); // negative bounds mean the same in JavaScript
  return cut.filter((_, index) => index % step === 0);
}

/** Positions of the selected elements in the flat array, and the shape of the result. */
function model(shape: readonly number[], selection: Selection) {
  const kept: number[] = [];
  let positions = [0];
  shape.forEach((extent, axis) => {
    const choice = selection[axis] ?? null;
    const indices = indicesOf(choice, extent);
    if (typeof choice !== "number") kept.push(indices.length);
    positions = positions.flatMap((base) => indices.map((index) => base * extent + index));
  });
  return { positions, shape: kept };
}

const count = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);
const ramp = (length: number, first = 0) =>
  Int32Array.from({ length }, (_, index) => first + index);

/** What Arrow finds in the file of a dataset. */
function throughArrow(container: Container, path: string, shape: readonly number[]): unknown[] {
  const table = arrayTable(container, { path, shape, type: "int32" });
  return [...(table.getChild("value") ?? [])];
}

test("selections read and write what the model says, before and after a flush", async () => {
  const { container } = temporaryContainer();
  const file = await File.open(container, "a.h5", "w");
  let next = 0;
  await fc.assert(
    fc.asyncProperty(selected, async ({ shape, selection }) => {
      const name = `d${next++}`;
      const expected = ramp(count(shape));
      const dataset = await file.createDataset(name, { shape, dtype: "int32", data: expected });
      const chosen = model(shape, selection);

      const before = await dataset.read(selection);
      expect(before.shape).toEqual(chosen.shape);
      expect([...before.data]).toEqual(chosen.positions.map((position) => expected[position]));

      await dataset.write(ramp(chosen.positions.length, 1000), selection);
      chosen.positions.forEach((position, index) => {
        expected[position] = 1000 + index;
      });
      expect([...(await dataset.read()).data]).toEqual([...expected]);
      await file.flush();
      expect([...(await dataset.read()).data]).toEqual([...expected]);
      expect(throughArrow(container, `a.h5/${name}`, shape)).toEqual([...expected]);
    }),
    fcOptions(150),
  );
  await file.close();
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
