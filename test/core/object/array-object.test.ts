/**
 * Arrays of cells. Row ids are those of DAOS's features.
 */

import { expect, test } from "@jest/globals";
import { makeObjectId, ObjectType } from "daos-ts";
import fc from "fast-check";
import { patternsOf } from "../../../dist/core/object/array-ranges.js";
import { fcOptions } from "../../support/property.ts";
import { A, bytes, code, names, newContainer, OID } from "../support/transaction-container.ts";

test("O16: cell and chunk size are stored with the array", async () => {
  const container = newContainer();
  const array = await container.createArray({ cellSize: 12, chunkSize: 500 });
  const again = await container.openArray(array.oid);
  expect([again.cellSize, again.chunkSize]).toEqual([12, 500]);
  using view = container.view();
  const [dkey, akey] = [Buffer.alloc(8), bytes("0")];
  const stored = view.getValue(array.oid, dkey, akey);
  expect(Buffer.from(stored ?? []).readBigUInt64BE()).toBe(0xdaca55a9daca55a9n);
  await again.destroy();
  await expect(container.openArray(array.oid)).rejects.toEqual(code("DER_NONEXIST"));
  for (const wrong of [
    { cellSize: 0 },
    { cellSize: 1.5 },
    { chunkSize: 0 },
    { cellSize: 2 ** 31 },
    { type: "byte", cellSize: 2 },
    { type: "no" },
  ]) {
    await expect(container.createArray(wrong as never)).rejects.toEqual(code("DER_INVAL"));
  }
  await expect(container.openArray(OID)).rejects.toEqual(code("DER_INVAL"));
  const attr = makeObjectId(ObjectType.arrayAttr, 99n);
  await expect(container.openArray(attr)).rejects.toEqual(code("DER_INVAL"));
  const given = await container.openArray(attr, { given: { cellSize: 4, chunkSize: 1 } });
  await given.write({ index: 1, count: 1 }, bytes("abcd"));
  expect(await given.getSize()).toBe(2);
  const other = makeObjectId(ObjectType.array, 98n);
  container.update((own) => own.put({ oid: other, dkey, akey, value: A, condition: "none" }));
  await expect(container.openArray(other)).rejects.toEqual(code("DER_DF_INVAL"));
});

test("O16: a byte array reads holes as zeros and says how much of a read lies before its end", async () => {
  const container = newContainer();
  const array = await container.createArray({ type: "byte" });
  await array.write(
    [
      { index: 0, count: 2 },
      { index: 6, count: 4 },
    ],
    bytes("abcdef"),
  );
  const into = Buffer.alloc(12, "-");
  expect(await array.read({ index: 0, count: 12 }, into)).toEqual({ cells: 10 });
  expect(into.toString("latin1")).toBe("ab\0\0\0\0cdef\0\0");
  expect(await array.read({ index: 20, count: 12 }, into)).toEqual({ cells: 0 });
  const cells = await container.createArray({ cellSize: 2 });
  await cells.write({ index: 2, count: 1 }, bytes("xy"));
  const kept = Buffer.alloc(8, "-");
  expect(await cells.read({ index: 1, count: 4 }, kept)).toEqual({ cells: 2 });
  expect(kept.toString()).toBe("--xy----");
});

test("O16: strided and scattered cells", async () => {
  const container = newContainer();
  const array = await container.createArray({ type: "byte" });
  await array.write({ index: 0, count: 20 }, bytes("abcdefghijklmnopqrst"));
  const column = { index: 1, count: 2, stride: 5, blocks: 3 };
  const [first, second] = [Buffer.alloc(4), Buffer.alloc(2)];
  expect(await array.read(column, [first, second])).toEqual({ cells: 6 });
  expect(`${first}${second}`).toBe("bcghlm");
  await array.write(column, [bytes("BC"), bytes("GHLM")]);
  await array.punch({ index: 3, count: 1, stride: 5, blocks: 4 });
  const whole = Buffer.alloc(20);
  await array.read({ index: 0, count: 20 }, whole);
  expect(whole.toString("latin1").replaceAll("\0", "_")).toBe("aBC_efGH_jkLM_opqr_t");
  const backwards = [
    { index: 10, count: 2 },
    { index: 0, count: 2 },
  ];
  await array.read(backwards, first);
  expect(first.toString()).toBe("kLaB");
  const wrong = [
    { index: -1, count: 1 },
    { index: 0, count: 0 },
    { index: 0.5, count: 1 },
    { index: 0, count: 4, stride: 2, blocks: 2 },
    { index: 2 ** 53, count: 1 },
  ];
  for (const range of wrong) {
    await expect(array.write(range, A)).rejects.toEqual(code("DER_INVAL"));
  }
  await expect(array.write({ index: 0, count: 2 }, A)).rejects.toEqual(code("DER_INVAL"));
  await expect(array.read({ index: 0, count: 2 }, new Uint8Array(3))).rejects.toEqual(
    code("DER_INVAL"),
  );
});

test("O16: a regular list of ranges is one pattern", () => {
  const list = Array.from({ length: 16_384 }, (_, index) => ({ index: 7 + index * 10, count: 3 }));
  expect(patternsOf("", list, 4)).toHaveLength(1);
  const planes = Array.from({ length: 60 }, (_, index) => {
    const [plane, row] = [Math.floor(index / 12), index % 12];
    return { index: plane * 1000 + row * 20, count: 5 };
  });
  const [only, ...others] = patternsOf("", planes, 1);
  expect(others).toEqual([]);
  expect(only?.pattern.levels).toEqual([
    { stride: 20, count: 12 },
    { stride: 1000, count: 5 },
  ]);
});

test("O16: patterns of ranges hold their cells, in order", () => {
  const range = fc.record({
    index: fc.nat(40),
    count: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 3, max: 6 }),
    blocks: fc.integer({ min: 1, max: 3 }),
  });
  const regular = fc
    .record({
      index: fc.nat(9),
      count: fc.integer({ min: 1, max: 2 }),
      stride: fc.integer({ min: 1, max: 5 }),
      times: fc.nat(6),
    })
    .map(({ index, count, stride, times }) =>
      Array.from({ length: times }, (_, at) => ({
        index: index + at * stride,
        count,
        stride: count,
        blocks: 1,
      })),
    );
  const lists = fc.array(
    fc.oneof(
      range.map((one) => [one]),
      regular,
    ),
    { maxLength: 5 },
  );
  const run = fc.property(lists, fc.integer({ min: 1, max: 3 }), (parts, cellSize) => {
    const ranges = parts.flat();
    const expected = ranges.flatMap(({ index, count, stride, blocks }) =>
      Array.from({ length: blocks }, (_, block) =>
        Array.from(
          { length: count * cellSize },
          (_, at) => (index + block * stride) * cellSize + at,
        ),
      ).flat(),
    );
    const found = patternsOf("", ranges, cellSize).flatMap(({ pattern }) =>
      Array.from({ length: pattern.size }, (_, at) => pattern.offsetOf(at)),
    );
    expect(found).toEqual(expected);
  });
  fc.assert(run, fcOptions(300));
});

test("O16: the size grows and shrinks", async () => {
  const container = newContainer();
  const array = await container.createArray({ cellSize: 4 });
  expect(await array.getSize()).toBe(0);
  await array.setSize(100);
  expect(await array.getSize()).toBe(100);
  await array.write({ index: 3, count: 2 }, bytes("abcdefgh"));
  await array.setSize(4);
  const cells = Buffer.alloc(20, "-");
  expect(await array.read({ index: 0, count: 5 }, cells)).toEqual({ cells: 4 });
  expect(cells.toString()).toBe("------------abcd----");
  // The new end lies in a hole.
  await array.setSize(2);
  expect(await array.getSize()).toBe(2);
  await array.setSize(0);
  expect(await array.getSize()).toBe(0);
  for (const wrong of [-1, 0.5, 2 ** 53]) {
    await expect(array.setSize(wrong)).rejects.toEqual(code("DER_INVAL"));
  }
  expect(names([])).toEqual([]);
});
