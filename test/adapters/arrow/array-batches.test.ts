/**
 * Arrays as record batches: the elements are the bytes of the file, whatever the type, the cut into
 * batches and the version.
 */

import { describe, expect, test } from "@jest/globals";
import { RecordBatchStreamWriter, tableFromIPC, tableToIPC } from "apache-arrow";
import type { Container } from "daos-ts";
import {
  type ArrayReadOptions,
  arrayTable,
  type NumericTypeName,
  readArrayBatches,
} from "daos-ts/arrow";
import { create } from "daos-ts/dfs";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { codeOf, connectAgain, store, temporaryContainer } from "../temporary-container.ts";

const VIEWS = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

const TYPES = Object.keys(VIEWS) as NumericTypeName[];

/** `count` float64 counted from `first`. */
function ramp(count: number, first = 0): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => first + index);
}

/** The values of one column, batch after batch. */
function columnOf(container: Container, options: ArrayReadOptions, name = "value"): unknown[] {
  const values: unknown[] = [];
  for (const batch of readArrayBatches(container, options)) {
    values.push(...(batch.getChild(name)?.data[0]?.values ?? []));
  }
  return values;
}

describe("readArrayBatches()", () => {
  test.each(TYPES)("hands out the bytes of a %s array as they are stored", (type) => {
    const { container } = temporaryContainer();
    const bytes = Uint8Array.from({ length: 48 }, (_, index) => (index * 37) % 251);
    store(container, "a", bytes);
    const shape = [48 / VIEWS[type].BYTES_PER_ELEMENT];
    const expected = new VIEWS[type](bytes.buffer);
    expect(columnOf(container, { path: "a", shape, type })).toEqual([...expected]);
  });

  test("cuts rows at multiples of the batch size, and says where each batch begins", () => {
    const { container } = temporaryContainer();
    store(container, "a", ramp(100));
    const options = { path: "a", shape: [10, 10], type: "float64", batchRows: 16 } as const;
    const batches = [...readArrayBatches(container, { ...options, rows: [20, 70] })];
    expect(batches.map(({ numRows }) => numRows)).toEqual([12, 16, 16, 6]);
    expect(batches.map(({ metadata }) => metadata.get("daos.row"))).toEqual([
      "20",
      "32",
      "48",
      "64",
    ]);
    expect(batches.flatMap((batch) => [...(batch.getChild("value") ?? [])])).toEqual([
      ...ramp(50, 20),
    ]);
  });

  test("agrees with the bytes for any rows, batch size and offset", () => {
    const { container } = temporaryContainer();
    const bytes = Uint8Array.from({ length: 160 }, (_, index) => index);
    store(container, "a", bytes);
    const any = fc.record({
      type: fc.constantFrom(...TYPES),
      offset: fc.nat(24),
      batchRows: fc.integer({ min: 1, max: 9 }),
      bounds: fc.tuple(fc.nat(16), fc.nat(16)),
    });
    fc.assert(
      fc.property(any, ({ type, offset, batchRows, bounds }) => {
        const rows = bounds.toSorted((a, b) => a - b) as [number, number];
        const path = "a";
        const values = columnOf(container, { path, shape: [4, 4], type, offset, batchRows, rows });
        const all = new VIEWS[type](
          bytes.buffer.slice(offset, offset + 16 * VIEWS[type].BYTES_PER_ELEMENT),
        );
        expect(values).toEqual([...all.slice(...rows)]);
      }),
      fcOptions(200),
    );
  });

  test("reads several columns of one file, and of several files, as one batch", () => {
    const { container } = temporaryContainer();
    store(container, "both", ramp(6));
    store(container, "w", Int32Array.of(7, 8, 9));
    const [batch] = readArrayBatches(container, {
      path: "both",
      shape: [3],
      columns: [
        { name: "u", type: "float64" },
        { name: "v", type: "float64", offset: 24 },
        { name: "w", type: "int32", path: "w" },
      ],
    });
    expect(batch?.toArray().map((row) => [row.u, row.v, row.w])).toEqual([
      [0, 3, 7],
      [1, 4, 8],
      [2, 5, 9],
    ]);
  });

  test("says in the schema's metadata what was read", () => {
    const { pool, container } = temporaryContainer();
    const epoch = store(container, "run/a", ramp(6));
    const [batch] = readArrayBatches(container, { path: "run/a", shape: [2, 3], type: "float64" });
    expect(Object.fromEntries(batch?.schema.metadata ?? [])).toEqual({
      "daos.pool": pool.path,
      "daos.container": "tests",
      "daos.path": "run/a",
      "daos.epoch": String(epoch),
      "daos.shape": "[2,3]",
    });
  });

  test("shows the version that was asked for", () => {
    const { container } = temporaryContainer({ retainCommits: 10 });
    const first = store(container, "a", ramp(4));
    const second = store(container, "a", ramp(4, 100));
    const options = { path: "a", shape: [4], type: "float64" } as const;
    expect(columnOf(container, { ...options, epoch: first })).toEqual([0, 1, 2, 3]);
    expect(columnOf(container, { ...options, epoch: second })).toEqual([100, 101, 102, 103]);
    expect(columnOf(container, options)).toEqual([100, 101, 102, 103]);
  });

  test("keeps to its version while a writer commits and aggregates", () => {
    const { pool, container } = temporaryContainer({ retainCommits: 1 });
    store(container, "a", ramp(32));
    const writer = connectAgain(pool);
    const options = { path: "a", shape: [32], type: "float64", batchRows: 4 } as const;
    const seen: number[] = [];
    for (const batch of readArrayBatches(container, options)) {
      seen.push(...(batch.getChild("value")?.toArray() ?? []));
      store(writer, "a", ramp(32, 1000 * seen.length));
      writer.aggregate();
    }
    expect(seen).toEqual([...ramp(32)]);
  });

  test("hands out buffers that outlive the iteration", () => {
    const { container } = temporaryContainer();
    store(container, "a", ramp(8));
    const options = { path: "a", shape: [8], type: "float64", batchRows: 4 } as const;
    const batches = [...readArrayBatches(container, options)];
    const buffers = new Set(
      batches.map((batch) => batch.getChild("value")?.data[0]?.values.buffer),
    );
    store(container, "a", ramp(8, 50));
    expect(buffers.size).toBe(2);
    expect(batches.flatMap((batch) => [...(batch.getChild("value") ?? [])])).toEqual([...ramp(8)]);
  });

  test.each(["break", "throw", "end", "table"])("releases its version at %s", async (way) => {
    const { container } = temporaryContainer({ retainCommits: 1 });
    const epoch = store(container, "a", ramp(8));
    const options = { path: "a", shape: [8], type: "float64", batchRows: 4 } as const;
    const read = () => {
      for (const batch of readArrayBatches(container, options)) {
        if (batch.metadata.get("daos.row") !== "0") continue;
        // What aggregation leaves while the version is pinned, it removes afterwards.
        store(container, "a", ramp(8));
        expect(container.aggregate().bytes).toBe(0);
        if (way === "break") break;
        if (way === "throw") throw new Error("enough");
      }
    };
    if (way === "throw") expect(read).toThrow("enough");
    else if (way === "table") arrayTable(container, options);
    else read();
    store(container, "a", ramp(8));
    expect(container.aggregate().bytes).toBe(way === "table" ? 64 : 128);
    expect(await codeOf(() => columnOf(container, { ...options, epoch }))).toBe("DER_EPOCH_GONE");
  });

  test("works with for await, and feeds a stream writer", async () => {
    const { container } = temporaryContainer();
    store(container, "a", ramp(10));
    const options = { path: "a", shape: [10], type: "float64", name: "x", batchRows: 4 } as const;
    let rows = 0;
    for await (const batch of readArrayBatches(container, options)) rows += batch.numRows;
    expect(rows).toBe(10);
    const writer = RecordBatchStreamWriter.writeAll(readArrayBatches(container, options));
    expect([...(tableFromIPC(writer.toUint8Array(true)).getChild("x") ?? [])]).toEqual([
      ...ramp(10),
    ]);
  });

  test("reads bytes never written as zero, within the file", () => {
    const { container } = temporaryContainer();
    store(container, "a", Float64Array.of(5), 16);
    expect(columnOf(container, { path: "a", shape: [3], type: "float64" })).toEqual([0, 0, 5]);
  });
});

describe("readArrayBatches() refuses", () => {
  const good = { path: "a", shape: [4], type: "float64" } as const;

  test.each<[string, string, object]>([
    ["a path that leads nowhere", "DER_NONEXIST", { path: "b" }],
    ["a path below a file", "DER_INVAL", { path: "a/b" }],
    ["a directory", "DER_INVAL", { path: "d" }],
    ["a shape beyond the file", "DER_INVAL", { shape: [5] }],
    ["an offset beyond the file", "DER_INVAL", { offset: 8 }],
    [
      "a second column beyond the file",
      "DER_INVAL",
      { columns: [{ name: "v", type: "int8", offset: 29 }] },
    ],
    ["a negative extent", "DER_INVAL", { shape: [-1, -4] }],
    ["a fractional extent", "DER_INVAL", { shape: [0.5] }],
    ["a shape beyond counting", "DER_INVAL", { shape: [2 ** 40, 2 ** 40] }],
    ["an unknown type", "DER_INVAL", { type: "complex128" }],
    ["a type that is a property of every object", "DER_INVAL", { type: "toString" }],
    ["rows out of order", "DER_INVAL", { rows: [3, 2] }],
    ["rows beyond the array", "DER_INVAL", { rows: [0, 5] }],
    ["batches without rows", "DER_INVAL", { batchRows: 0 }],
    ["a fractional offset", "DER_INVAL", { offset: 0.5 }],
    ["no columns", "DER_INVAL", { columns: [] }],
    [
      "two columns of one name",
      "DER_INVAL",
      { columns: [good, good].map(({ type }) => ({ name: "u", type })) },
    ],
  ])("%s", async (_what, code, change) => {
    const { container } = temporaryContainer();
    store(container, "a", ramp(4));
    using view = container.view();
    container.update((own) => create(container, { view, own }, { path: "d", kind: "directory" }));
    const options = { ...good, ...change } as ArrayReadOptions;
    expect(await codeOf(() => columnOf(container, options))).toBe(code);
    expect(await codeOf(() => arrayTable(container, options))).toBe(code);
    expect(columnOf(container, good)).toEqual([0, 1, 2, 3]);
  });

  test("bad options at once, before the first batch", () => {
    const { container } = temporaryContainer();
    expect(() => readArrayBatches(container, { ...good, rows: [0, 5] })).toThrow(/rows \[0, 5\)/);
  });

  test("a version in which the file is smaller", async () => {
    const { container } = temporaryContainer({ retainCommits: 10 });
    const epoch = store(container, "a", ramp(2));
    store(container, "a", ramp(4));
    expect(await codeOf(() => columnOf(container, { ...good, epoch }))).toBe("DER_INVAL");
    expect(columnOf(container, good)).toHaveLength(4);
  });
});

describe("arrayTable()", () => {
  test("collects all batches, and survives IPC with its metadata", () => {
    const { container } = temporaryContainer();
    store(container, "a", ramp(10));
    const options = { path: "a", shape: [2, 5], type: "float64", name: "u", batchRows: 3 } as const;
    const table = tableFromIPC(tableToIPC(arrayTable(container, options), "file"));
    expect(table.batches).toHaveLength(4);
    expect([...(table.getChild("u") ?? [])]).toEqual([...ramp(10)]);
    expect(table.schema.metadata.get("daos.shape")).toBe("[2,5]");
    expect(table.schema.fields[0]?.nullable).toBe(false);
  });

  test("has the columns even without rows", () => {
    const { container } = temporaryContainer();
    store(container, "a", ramp(4));
    const table = arrayTable(container, { path: "a", shape: [0, 4], type: "float64", name: "u" });
    expect([table.numRows, table.numCols]).toEqual([0, 1]);
  });

  test("gives 64-bit integers as bigint and float16 as numbers", () => {
    const { container } = temporaryContainer();
    store(container, "a", BigInt64Array.of(-1n, 2n ** 62n));
    store(container, "h", Uint16Array.of(0x3c00, 0xc000));
    const a = arrayTable(container, { path: "a", shape: [2], type: "int64", name: "n" });
    const wide: (bigint | null)[] = [...(a.getChild("n") ?? [])]; // typed by the options
    expect(wide).toEqual([-1n, 2n ** 62n]);
    const h = arrayTable(container, { path: "h", shape: [2], type: "float16" });
    expect([...(h.getChild("value") ?? [])]).toEqual([1, -2]);
  });
});
