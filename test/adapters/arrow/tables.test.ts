/**
 * Tables: what was appended comes back, at every version, whatever is asked of it.
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  LargeUtf8,
  List,
  makeData,
  Null,
  RecordBatch,
  Schema,
  SparseUnion,
  Struct,
  TimeMillisecond,
  TimestampNanosecond,
  tableFromArrays,
  tableFromIPC,
  tableToIPC,
  Uint8,
  Uint64,
  Utf8,
  Utf8View,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import { listTables, type Predicate, Table } from "daos-ts/arrow";
import { listDirectory, lookup } from "daos-ts/dfs";
import fc from "fast-check";
import { describeInterop, interopPython } from "../../support/interop.ts";
import { fcOptions } from "../../support/property.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

const programs = join(root, "test", "adapters", "arrow", "programs");

/** A batch with one column of each vector. */
function batchOf(columns: Record<string, Vector>): RecordBatch {
  const names = Object.keys(columns);
  const fields = names.map((name) => new Field(name, (columns[name] as Vector).type, true));
  const children = names.map((name) => (columns[name] as Vector).data[0] as never);
  const length = (columns[names[0] as string] as Vector).length;
  const type = new Struct(fields);
  return new RecordBatch(new Schema(fields), makeData({ type, length, children }) as never);
}

async function rowsOf(table: Table, options = {}): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const batch of table.scan(options)) {
    for (const row of batch.toArray()) rows.push(plain(row.toJSON()));
  }
  return rows;
}

/** Values as text, so that those of any type compare. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part) =>
      Number.isNaN(part) ? "NaN" : typeof part === "bigint" ? `${part}n` : part,
    ) ?? "null",
  );
}

const pair = new Struct([new Field("x", new Int32(), true), new Field("y", new Utf8(), true)]);
const TYPES: [string, DataType, unknown[]][] = [
  ["int8", new Int8(), [1, null, -128]],
  ["int16", new Int16(), [1, null, -3]],
  ["int64", new Int64(), [1n, null, -(2n ** 62n)]],
  ["uint8", new Uint8(), [1, null, 255]],
  ["uint64", new Uint64(), [1n, null, 2n ** 63n]],
  ["float16", new Float16(), [0.5, null, -2]],
  ["float32", new Float32(), [0.5, null, Number.NaN]],
  ["bool", new Bool(), [true, null, false]],
  ["utf8", new Utf8(), ["a", null, "naïve"]],
  ["large utf8", new LargeUtf8(), ["a", null, "naïve"]],
  ["utf8 view", new Utf8View(), ["short", null, "longer than twelve bytes"]],
  ["binary", new Binary(), [Uint8Array.of(1, 2), null, new Uint8Array()]],
  ["fixed binary", new FixedSizeBinary(2), [Uint8Array.of(1, 2), null, Uint8Array.of(3, 4)]],
  [
    "decimal",
    new Decimal(2, 10, 128),
    [Uint32Array.of(5, 0, 0, 0), null, Uint32Array.of(7, 0, 0, 0)],
  ],
  ["day", new DateDay(), [new Date(0), null, new Date(86_400_000)]],
  ["date", new DateMillisecond(), [new Date(1), null, new Date(2)]],
  ["time", new TimeMillisecond(), [1, null, 3]],
  ["timestamp", new TimestampNanosecond(), [1, null, 3]],
  ["null", new Null(), [null, null, null]],
  ["list", new List(new Field("item", new Int32(), true)), [[1, 2], null, []]],
  [
    "fixed list",
    new FixedSizeList(2, new Field("item", new Int32(), true)),
    [[1, 2], null, [3, 4]],
  ],
  ["struct", pair, [{ x: 1, y: "a" }, null, { x: 2, y: null }]],
  ["dictionary", new Dictionary(new Utf8(), new Int8()), ["a", null, "a"]],
];

describe("a table", () => {
  test.each(TYPES)("keeps values of type %s", async (_, type, values) => {
    const { container } = temporaryContainer();
    const batch = batchOf({ v: vectorFromArray(values, type) });
    using table = await Table.create(container, "t", batch.schema);
    // A slice begins within its buffers, and its bitmaps within a byte.
    await table.append([batch, batch.slice(1, 3)]);
    const given = batch.toArray().map((row) => plain(row.toJSON()));
    expect(await rowsOf(table)).toEqual([...given, ...given.slice(1)]);
    const all = [...given, ...given.slice(1)] as { v: unknown }[];
    const nulls = await rowsOf(table, { where: { op: "is null", column: "v" } });
    expect(nulls).toEqual(all.filter(({ v }) => v === null));
  });

  test.each([
    [
      "dense",
      new DenseUnion([3, 5], [new Field("n", new Int32(), true), new Field("t", new Utf8(), true)]),
    ],
    [
      "sparse",
      new SparseUnion(
        [3, 5],
        [new Field("n", new Int32(), true), new Field("t", new Utf8(), true)],
      ),
    ],
  ])("keeps %s unions, slices of them too", async (kind, type) => {
    const { container } = temporaryContainer();
    const isDense = kind === "dense";
    const numbers = vectorFromArray(isDense ? [1, null] : [1, 0, null, 0], new Int32());
    const texts = vectorFromArray(isDense ? ["a", "b"] : ["", "a", "", "b"], new Utf8());
    const data = makeData({
      type,
      length: 4,
      typeIds: Int8Array.of(3, 5, 3, 5),
      valueOffsets: isDense ? Int32Array.of(0, 0, 1, 1) : undefined,
      children: [numbers.data[0], texts.data[0]],
    } as never);
    const batch = batchOf({ v: new Vector([data]) });
    using table = await Table.create(container, "t", batch.schema);
    await table.append([batch, batch.slice(1, 4)]);
    const values = [1, "a", null, "b", "a", null, "b"];
    expect(await rowsOf(table)).toEqual(values.map((v) => ({ v })));
    expect(await rowsOf(table, { rows: { start: 3, end: 5 } })).toEqual([{ v: "b" }, { v: "a" }]);
  });

  test.each(["lz4", "zstd"] as const)("compresses buffers with %s", async (compression) => {
    const { container } = temporaryContainer();
    const batch = batchOf({ v: vectorFromArray(new Array(5000).fill("again"), new Utf8()) });
    using table = await Table.create(container, "t", batch.schema, { compression });
    await table.append([batch]);
    expect((await rowsOf(table)).length).toBe(5000);
    using view = container.view();
    const directory = lookup({ view }, "t")?.oid as bigint;
    const [part] = listDirectory({ view }, directory);
    expect(view.arraySize(part?.inode.oid as bigint)).toBeLessThan(25_000);
  });

  test("shows each version to who opens it, by epoch, snapshot and time", async () => {
    const { container } = temporaryContainer({ retainCommits: 100 });
    const batch = batchOf({ v: vectorFromArray([1, 2, 3], new Int32()) });
    using table = await Table.create(container, "t", batch.schema);
    const first = await table.append([batch]);
    container.createSnapshot("first");
    await table.append([batch, batch]);
    expect(table.numRows).toBe(9);
    using old = await Table.open(container, "t", { epoch: first });
    using snapshot = await Table.open(container, "t", { snapshot: "first" });
    expect([old.numRows, snapshot.numRows]).toEqual([3, 3]);
    expect(await codeOf(() => old.append([batch]))).toBe("DER_EP_RO");
    expect(await codeOf(() => Table.create(container, "t", batch.schema))).toBe("DER_EXIST");
    await Table.remove(container, "t");
    expect(await codeOf(() => Table.open(container, "t"))).toBe("DER_NONEXIST");
    expect((await rowsOf(old)).length).toBe(3);
  });

  test("adds, drops and renames columns; older rows are null in new ones", async () => {
    const { container } = temporaryContainer();
    const batch = batchOf({
      a: vectorFromArray([1], new Int32()),
      b: vectorFromArray(["x"], new Utf8()),
    });
    using table = await Table.create(container, "t", batch.schema);
    await table.append([batch]);
    await table.addColumn(new Field("c", new Float64(), true));
    await table.renameColumn("b", "text");
    await table.dropColumn("a");
    await table.addColumn(new Field("a", new Utf8(), true));
    const next = {
      a: vectorFromArray(["new"], new Utf8()),
      c: vectorFromArray([1], new Float64()),
    };
    await table.append([batchOf(next)]);
    expect(await rowsOf(table)).toEqual([
      { text: "x", c: null, a: null },
      { text: null, c: 1, a: "new" },
    ]);
    expect(await codeOf(() => table.append([batch]))).toBe("DER_INVAL");
  });

  test("goes on with dictionaries that grow, and with others", async () => {
    const { container } = temporaryContainer();
    const type = new Dictionary(new Utf8(), new Int32(), 7);
    const batches = [["a", "b"], ["c", "a"], ["b"]].map((values) => {
      return batchOf({ v: vectorFromArray(values, type) });
    });
    using table = await Table.create(container, "t", (batches[0] as RecordBatch).schema);
    await table.append(batches);
    expect(await rowsOf(table)).toEqual([..."abcab"].map((v) => ({ v })));
  });

  test("reads only rows that a predicate, a range and a limit ask for", async () => {
    const value = fc.option(fc.integer({ min: -3, max: 3 }), { nil: null });
    const comparison = fc.record({
      op: fc.constantFrom("=", "!=", "<", "<=", ">", ">="),
      column: fc.constantFrom("n", "t", "d"),
      value: fc.integer({ min: -4, max: 4 }),
    });
    const { predicate } = fc.letrec<{ predicate: unknown }>((tie) => ({
      predicate: fc.oneof(
        { depthSize: "small" },
        comparison,
        fc.record({ op: fc.constantFrom("is null", "is not null"), column: fc.constant("n") }),
        fc.record({ op: fc.constant("not"), operand: tie("predicate") }),
        fc.record({
          op: fc.constantFrom("and", "or"),
          operands: fc.array(tie("predicate"), { minLength: 1, maxLength: 3 }),
        }),
      ),
    }));
    const chunks = fc.array(fc.array(value, { minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 4,
    });
    const range = fc.record({ start: fc.nat(20), end: fc.nat(40) });
    let number = 0;
    const { container } = temporaryContainer();
    await fc.assert(
      fc.asyncProperty(chunks, predicate, range, fc.nat(20), async (parts, where, rows, limit) => {
        number += 1;
        const batches = parts.map((values) => {
          const texts = values.map((one) => (one === null ? null : String(one)));
          return batchOf({
            n: vectorFromArray(values, new Float64()),
            t: vectorFromArray(texts, new Utf8()),
            d: vectorFromArray(texts, new Dictionary(new Utf8(), new Int8())),
          });
        });
        using table = await Table.create(
          container,
          `t${number}`,
          (batches[0] as RecordBatch).schema,
        );
        for (const batch of batches) await table.append([batch]);
        const asked = textLiterals(where as Predicate);
        const expected = parts
          .flat()
          .slice(rows.start, Math.max(rows.start, rows.end))
          .filter((one) => holds(where as Predicate, one) === true)
          .slice(0, limit);
        const found = await rowsOf(table, { columns: ["n"], where: asked, rows, limit });
        expect(found).toEqual(expected.map((n) => ({ n })));
        const deleted = await table.deleteRows(asked);
        const kept = parts.flat().filter((one) => holds(where as Predicate, one) !== true);
        expect(deleted).toBe(parts.flat().length - kept.length);
        expect(await rowsOf(table, { columns: ["n"] })).toEqual(kept.map((n) => ({ n })));
        expect(table.numRows).toBe(kept.length);
      }),
      { ...fcOptions(), numRuns: 60 },
    );
  }, 60_000);

  test("refuses predicates and columns that do not fit", async () => {
    const { container } = temporaryContainer();
    const batch = batchOf({ v: vectorFromArray([1], new Int32()) });
    using table = await Table.create(container, "t", batch.schema);
    const bad = [
      { op: "=", column: "w", value: 1 },
      { op: "=", column: "v", value: "x" },
      { op: "like", column: "v", value: 1 },
      { op: "and" },
      null,
    ];
    for (const where of bad) {
      expect(await codeOf(() => table.scan({ where: where as never }))).toBe("DER_INVAL");
    }
    expect(await codeOf(() => table.scan({ columns: ["w"] }))).toBe("DER_INVAL");
    for await (const { path } of listTables(container)) expect(path).toBe("t");
  });
});

/** As the text columns are asked for text. */
function textLiterals(predicate: Predicate): Predicate {
  if ("operands" in predicate) {
    return { ...predicate, operands: predicate.operands.map(textLiterals) };
  }
  if ("operand" in predicate) return { ...predicate, operand: textLiterals(predicate.operand) };
  if (!("value" in predicate) || predicate.column === "n") return predicate;
  return { ...predicate, value: String(predicate.value) };
}

/** What SQL would say; `undefined` for unknown. */
function holds(predicate: Predicate, value: number | null): boolean | undefined {
  switch (predicate.op) {
    case "and":
    case "or": {
      const all = predicate.operands.map((operand) => holds(operand, value));
      const decides = predicate.op === "or";
      if (all.includes(decides)) return decides;
      return all.includes(undefined) ? undefined : !decides;
    }
    case "not": {
      const result = holds(predicate.operand, value);
      return result === undefined ? undefined : !result;
    }
    case "is null":
      return value === null;
    case "is not null":
      return value !== null;
    case "in":
      return undefined;
    default: {
      if (value === null) return undefined;
      const isText = predicate.column !== "n";
      const [a, b] = isText ? [String(value), String(predicate.value)] : [value, predicate.value];
      const order = a < b ? -1 : a > b ? 1 : 0;
      const outcomes = {
        "=": order === 0,
        "!=": order !== 0,
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
      };
      return outcomes[predicate.op];
    }
  }
}

describe("processes", () => {
  const schema = new Schema([
    new Field("writer", new Int32(), false),
    new Field("value", new Float64(), false),
  ]);

  test("append at once; each one's rows stay together", async () => {
    const { pool, container } = temporaryContainer();
    (await Table.create(container, "t", schema)).close();
    const [writers, appends, rows] = [3, 8, 5];
    const children = Array.from({ length: writers }, (_, writer) => {
      const args = [pool.path, "t", String(writer), String(appends), String(rows)];
      return spawn(process.execPath, [join(programs, "append-often.mjs"), ...args], { cwd: root });
    });
    const ends = await Promise.all(children.map((child) => once(child, "exit")));
    expect(ends.map(([status]) => status)).toEqual([0, 0, 0]);
    using table = await Table.open(container, "t");
    const found = (await rowsOf(table)) as { writer: number; value: number }[];
    expect(found.length).toBe(writers * appends * rows * 2);
    const next = new Array(writers).fill(0);
    for (let at = 0; at < found.length; at += rows * 2) {
      const { writer, value } = found[at] as { writer: number; value: number };
      expect(value).toBe(next[writer]);
      next[writer] += 1;
      const same = found.slice(at, at + rows * 2);
      expect(same).toEqual(new Array(rows * 2).fill({ writer, value }));
    }
  }, 60_000);

  test("that are killed leave whole appends", async () => {
    const { pool, container } = temporaryContainer();
    (await Table.create(container, "t", schema)).close();
    const rows = 5000;
    const args = [pool.path, "t", "0", "0", String(rows)];
    const child = spawn(process.execPath, [join(programs, "append-often.mjs"), ...args], {
      cwd: root,
    });
    let told = 0;
    child.stdout.on("data", (text) => {
      told += String(text).split("\n").length - 1;
      if (told >= 3) child.kill("SIGKILL");
    });
    await once(child, "close");
    using table = await Table.open(container, "t");
    expect(table.numRows % (rows * 2)).toBe(0);
    expect(table.numRows / (rows * 2)).toBeGreaterThanOrEqual(told);
    expect((await rowsOf(table, { columns: ["value"] })).length).toBe(table.numRows);
  }, 60_000);

  test("read buffers where they are mapped, without memory of their own", async () => {
    const { pool, container } = temporaryContainer();
    const [batches, length] = [32, 131_072];
    const wide = new Schema(["a", "b"].map((name) => new Field(name, new Float64(), false)));
    using table = await Table.create(container, "t", wide);
    const column = () =>
      makeData({ type: new Float64(), length, data: new Float64Array(length).fill(2) });
    const data = makeData({
      type: new Struct(wide.fields),
      length,
      children: [column(), column()],
    });
    const batch = new RecordBatch(wide, data as never);
    await table.append(new Array(batches).fill(batch));
    // V8 lets short-lived objects take 16 MiB by default before it collects them.
    const heap = "--max-semi-space-size=1";
    const args = [heap, join(programs, "sum-mapped.mjs"), pool.path, "t", "b"];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    expect(stderr).toBe("");
    const seen = JSON.parse(stdout);
    expect(seen).toMatchObject({
      sum: batches * length * 2,
      size: batches * length * 8,
      aligned: true,
      batches,
    });
    // 64 MiB lie in one segment of 256 MiB, or in two; the memory that JavaScript takes for its own is far less.
    expect(seen.shared).toBeLessThanOrEqual(2);
    expect(seen.grown).toBeLessThan(seen.size / 4);
  }, 60_000);
});

describeInterop("pyarrow", () => {
  test("reads the parts of a table, flights of vega-datasets among them", async () => {
    const { container } = temporaryContainer();
    const path = join(root, "node_modules", "vega-datasets", "data", "flights-200k.arrow");
    const { readFileSync } = await import("node:fs");
    const flights = tableFromIPC(readFileSync(path));
    using table = await Table.create(container, "flights", flights.schema);
    await table.append(flights.batches);
    expect(table.numRows).toBe(flights.numRows);
    using view = container.view();
    const [part] = listDirectory({ view }, lookup({ view }, "flights")?.oid as bigint);
    const oid = part?.inode.oid as bigint;
    const folder = temporaryDirectory();
    writeFileSync(join(folder, "part.arrow"), view.readBytes(oid, 0, view.arraySize(oid)));
    const code = [
      "import pyarrow as pa, pyarrow.ipc as ipc, sys",
      "part = ipc.open_file(pa.memory_map(sys.argv[1])).read_all()",
      "part.validate(full=True)",
      "print(part.equals(ipc.open_file(sys.argv[2]).read_all()), part.num_rows, pa.total_allocated_bytes() < 100000)",
    ].join("\n");
    const args = ["-c", code, join(folder, "part.arrow"), path];
    const { stdout, stderr } = spawnSync(interopPython as string, args, { encoding: "utf8" });
    expect([stdout.trim(), stderr]).toEqual([`True ${flights.numRows} True`, ""]);
  }, 60_000);
});

test("what comes out of a table is what apache-arrow made", async () => {
  const { container } = temporaryContainer();
  const given = tableFromArrays({ a: Float64Array.of(1, 2, 3), b: ["x", "y", "x"] });
  using table = await Table.create(container, "t", given.schema);
  await table.append(given.batches);
  for await (const batch of table.scan()) {
    const again = tableFromIPC(tableToIPC(new (await import("apache-arrow")).Table(batch)));
    expect(again.toArray().map(String)).toEqual(given.toArray().map(String));
  }
});
