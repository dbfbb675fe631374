/**
 * CSV, JSON lines and Parquet: what a table holds comes back from them, and what does not fit is refused.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  Float32,
  Float64,
  Int8,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatch,
  Schema,
  SparseUnion,
  Struct,
  Timestamp,
  TimestampNanosecond,
  Uint64,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import {
  type BatchStream,
  type FileFormat,
  openTableFile,
  parseSchema,
  readerOf,
  schemaText,
  typeText,
  writeTableFile,
} from "daos-ts/arrow";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf } from "../temporary-container.ts";

const DATA = join(root, "node_modules/vega-datasets/data");

function streamOf(columns: Record<string, Vector>): BatchStream {
  const names = Object.keys(columns);
  const fields = names.map((name) => new Field(name, (columns[name] as Vector).type, true));
  const children = names.map((name) => (columns[name] as Vector).data[0] as never);
  const length = (columns[names[0] as string] as Vector).length;
  const type = new Struct(fields);
  const data = makeData({ type, length, children }) as never;
  const schema = new Schema(fields);
  const batches = (async function* () {
    yield new RecordBatch(schema, data);
  })();
  return { schema, [Symbol.asyncIterator]: () => batches };
}

/** The rows of a stream as lists of plain values, and its types. */
async function contentOf(stream: BatchStream) {
  const rows: unknown[][] = [];
  for await (const batch of stream) {
    const readers = batch.data.children.map(readerOf);
    for (let row = 0; row < batch.numRows; row++) rows.push(readers.map((read) => read(row)));
  }
  return { schema: schemaText(stream.schema), rows };
}

function file(name: string, text: string | Uint8Array): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, text);
  return path;
}

async function readText(name: string, text: string | Uint8Array, schema?: string) {
  const given = schema === undefined ? undefined : parseSchema(schema);
  return contentOf(await openTableFile(file(name, text), { schema: given }));
}

const COLUMNS: Record<string, [DataType, unknown[]]> = {
  flag: [new Bool(), [true, null, false]],
  small: [new Int8(), [-128, null, 127]],
  wide: [new Int64(), [-(2n ** 63n), null, 2n ** 63n - 1n]],
  unsigned: [new Uint64(), [0n, null, 2n ** 64n - 1n]],
  single: [new Float32(), [0.1, null, -0]],
  double: [new Float64(), [0.1, Number.NaN, Number.NEGATIVE_INFINITY]],
  text: [new Utf8(), ['a "quoted", one', null, ""]],
  lines: [new Utf8(), ["two\nlines", "123", "naïve"]],
  bytes: [new Binary(), [Uint8Array.of(1, 2, 255), null, new Uint8Array()]],
  day: [new DateDay(), [new Date(0), null, new Date(-86_400_000)]],
  word: [new Dictionary(new Utf8(), new Int32()), ["x", null, "x"]],
  money: [
    new Decimal(2, 10, 128),
    [Uint32Array.of(5, 0, 0, 0), null, Uint32Array.of(700, 0, 0, 0)],
  ],
};

function given(): Record<string, Vector> {
  const columns = Object.entries(COLUMNS).map(([name, [type, values]]) => {
    return [name, vectorFromArray(values, type)];
  });
  const times = BigInt64Array.of(-1n, 0n, 1_700_000_000_123_456_789n);
  const at = (type: DataType) => ({
    data: [makeData({ type, length: 3, nullCount: 0, data: times } as never)],
    type,
    length: 3,
  });
  return {
    ...Object.fromEntries(columns),
    at: at(new TimestampNanosecond()),
    zoned: at(new Timestamp(3, "UTC")),
  } as Record<string, Vector>;
}

test.each(["csv", "jsonl", "parquet", "arrow", "arrows"] as const)(
  "all values come back from %s, where a schema says their types",
  async (format) => {
    const path = join(temporaryDirectory(), `t.${format}`);
    const columns = given();
    const hasLists = format !== "csv";
    if (hasLists) {
      const list = new List(new Field("item", new Int32(), true));
      const struct = new Struct([new Field("x", new Int32(), true), new Field("y", list, true)]);
      columns.list = vectorFromArray([[1, null], null, []], list);
      columns.struct = vectorFromArray([{ x: 1, y: [2] }, null, { x: null, y: null }], struct);
    }
    const before = await contentOf(streamOf(columns));
    const written = await writeTableFile(streamOf(columns), path);
    expect(written).toMatchObject({ rows: 3, size: readFileSync(path).length });
    const isText = format === "csv" || format === "jsonl";
    const schema = isText ? parseSchema(before.schema) : undefined;
    expect(await contentOf(await openTableFile(path, { schema }))).toEqual(before);
  },
);

test("text of any kind comes back from CSV and JSON lines", async () => {
  const text = fc.option(fc.string({ unit: "grapheme", maxLength: 12 }), { nil: null });
  const number = fc.option(fc.double(), { nil: null });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, number), { minLength: 1 }), async (rows) => {
      const columns = () => ({
        'a "name", quoted': vectorFromArray(
          rows.map(([one]) => one),
          new Utf8(),
        ),
        n: vectorFromArray(
          rows.map(([, one]) => one),
          new Float64(),
        ),
      });
      const before = await contentOf(streamOf(columns()));
      for (const format of ["csv", "jsonl"] as const) {
        const path = join(temporaryDirectory(), `t.${format}`);
        await writeTableFile(streamOf(columns()), path);
        const schema = parseSchema(before.schema);
        expect(await contentOf(await openTableFile(path, { schema }))).toEqual(before);
      }
    }),
    { ...fcOptions(), numRuns: 40 },
  );
});

test("types of CSV are inferred from its values", async () => {
  const csv = [
    "flag,count,ratio,zip,day,at,zoned,word,nothing",
    "true,1,1,01234,2026-02-03,2026-02-03T04:05:06,2026-02-03T04:05:06+01:00,x,",
    'FALSE,-9223372036854775808,.5,99999,2024-02-29,2026-02-03 04:05:06.789,2026-02-03 04:05Z,"",',
    ",,nan,,,,,,",
    "",
  ].join("\r\n");
  expect(await readText("t.csv", `\ufeff${csv}`)).toEqual({
    schema:
      "flag: bool, count: int64, ratio: float64, zip: utf8, day: date32, at: timestamp[us], zoned: timestamp[us, tz=UTC], word: utf8, nothing: utf8",
    rows: [
      [
        true,
        1n,
        1,
        "01234",
        "2026-02-03",
        "2026-02-03T04:05:06.000000",
        "2026-02-03T03:05:06.000000Z",
        "x",
        null,
      ],
      [
        false,
        -(2n ** 63n),
        0.5,
        "99999",
        "2024-02-29",
        "2026-02-03T04:05:06.789000",
        "2026-02-03T04:05:00.000000Z",
        "",
        null,
      ],
      [null, null, Number.NaN, null, null, null, null, null, null],
    ],
  });
});

test("types of JSON lines are inferred from their values", async () => {
  const lines = [
    '{"n": 9007199254740993, "x": 1, "t": "9007199254740993", "tags": ["a", null], "at": {"p": 0.1234567890123456}}',
    "",
    '{"x": 2.5, "tags": [], "at": {"q": true}, "n": -1}',
  ].join("\n");
  expect(await readText("t.jsonl", lines)).toEqual({
    schema: "n: int64, x: float64, t: utf8, tags: list<utf8>, at: struct<p: float64, q: bool>",
    rows: [
      [9007199254740993n, 1, "9007199254740993", ["a", null], { p: 0.1234567890123456, q: null }],
      [-1n, 2.5, null, [], { p: null, q: true }],
    ],
  });
});

test.each([
  ["a value of another type", "t.csv", "a\n1\n2\nx\n", "a: int64"],
  ["a number that is too large", "t.csv", "a\n300\n", "a: int8"],
  ["digits that a decimal lacks", "t.csv", "a\n1.234\n", "a: decimal(5, 2)"],
  ["a day that is none", "t.csv", "a\n2026-02-30\n", "a: date32"],
  ["digits below the unit", "t.csv", "a\n2026-02-03T04:05:06.7891\n", "a: timestamp[ms]"],
  ["a null where there is to be none", "t.csv", "a,b\n,1\n", "a: int8 not null, b: int8"],
  ["rows of other lengths", "t.csv", "a,b\n1\n", undefined],
  ["two columns of one name", "t.csv", "a,a\n1,2\n", undefined],
  ["a column that is missing", "t.csv", "a\n1\n", "b: int8"],
  ["an open quote", "t.csv", 'a\n"1\n', undefined],
  ["nothing", "t.csv", "", undefined],
  ["bytes that are no text", "t.csv", Uint8Array.of(0x61, 0x0a, 0xff, 0x0a), undefined],
  ["no JSON", "t.jsonl", '{"a": 1}\n{"a": \n', undefined],
  ["no object", "t.jsonl", "[1]\n", undefined],
  ["kinds that differ", "t.jsonl", '{"a": 1}\n{"a": "x"}\n', undefined],
  ["a name that the schema lacks", "t.jsonl", '{"a": 1, "b": 2}\n', "a: int8"],
  ["nothing to infer from", "t.jsonl", "\n", undefined],
  ["no Parquet", "t.parquet", "PAR1 and more than that PAR1", undefined],
  ["no Arrow", "t.arrow", "ARROW1\0\0", undefined],
  ["an unknown name", "t.txt", "a", undefined],
] as const)("%s is refused", async (_, name, text, schema) => {
  expect(await codeOf(() => readText(name, text, schema))).toBe("DER_INVAL");
});

test("says in which row and column a value does not fit", async () => {
  const text = `${'{"b": 2}\n'.repeat(70_000)}{"b": "x"}\n`;
  await expect(readText("t.jsonl", text)).rejects.toMatchObject({
    code: "DER_INVAL",
    facts: { row: 70_001, column: "b" },
  });
});

test.each([
  ["step: int32, energy: float64 not null", undefined],
  ["at: timestamp[us, tz=Europe/Berlin], t: time64[ns], d: duration[ms]", undefined],
  ['"a b": list<struct<x: float32, y: dictionary<utf8, int8>>>, d: decimal256(40, 3)', undefined],
  ["a: double, b: string", "a: float64, b: utf8"],
])("parseSchema() reads what schemaText() writes: %s", (text, canonical) => {
  expect(schemaText(parseSchema(text))).toBe(canonical ?? text);
});

test.each([
  "",
  "a",
  "a: int7",
  "a: int8,",
  "a: list<int8",
  "a: int8 b: int8",
  "a: dictionary<utf8, utf8>",
])('parseSchema() refuses "%s"', async (text) => {
  expect(await codeOf(async () => parseSchema(text))).toBe("DER_INVAL");
});

test("what a format cannot hold is refused, and leaves nothing behind", async () => {
  const union = new SparseUnion([0], [new Field("n", new Int32(), true)]);
  const children = [vectorFromArray([1], new Int32()).data[0]];
  const data = makeData({ type: union, length: 1, typeIds: Int8Array.of(0), children } as never);
  const columns = { u: { data: [data], type: union, length: 1 } as unknown as Vector };
  const folder = temporaryDirectory();
  const write = (format: FileFormat, options = {}) => {
    return codeOf(() => writeTableFile(streamOf(columns), join(folder, `t.${format}`), options));
  };
  expect(await write("parquet")).toBe("DER_NOSYS");
  expect(await write("csv", { compression: "zstd" })).toBe("DER_INVAL");
  expect(await write("arrow", { compression: "snappy" })).toBe("DER_INVAL");
  expect(readdirSync(folder)).toEqual([]);
  expect(typeText(union)).toBe("sparse_union<n: int32>");
});

test("a Parquet file that is broken off leaves nothing behind, and the next one is whole", async () => {
  const columns = () => ({ n: vectorFromArray([1, 2, 3], new Int32()) });
  const { schema } = streamOf(columns());
  const batches = (async function* () {
    yield* streamOf(columns());
    throw new RangeError("no more");
  })();
  const folder = temporaryDirectory();
  const path = join(folder, "t.parquet");
  const failing = { schema, [Symbol.asyncIterator]: () => batches };
  await expect(writeTableFile(failing, path)).rejects.toThrow(RangeError);
  const signal = AbortSignal.abort();
  await expect(writeTableFile(streamOf(columns()), path, { signal })).rejects.toThrow();
  expect(readdirSync(folder)).toEqual([]);
  await writeTableFile(streamOf(columns()), path);
  expect((await contentOf(await openTableFile(path))).rows).toEqual([[1], [2], [3]]);
});

test("an empty table becomes an empty Parquet file, and an empty CSV one", async () => {
  const schema = parseSchema("a: int32, b: list<utf8>");
  const empty = () => {
    const batches = (async function* (): AsyncGenerator<RecordBatch> {})();
    return { schema, [Symbol.asyncIterator]: () => batches };
  };
  for (const format of ["parquet", "csv"] as const) {
    const path = join(temporaryDirectory(), `t.${format}`);
    expect(await writeTableFile(empty(), path)).toMatchObject({ rows: 0, batches: 0 });
    const options = format === "csv" ? { schema } : {};
    expect(await contentOf(await openTableFile(path, options))).toMatchObject({ rows: [] });
  }
});

test("the 3 million flights of vega-datasets are read from Parquet by row groups", async () => {
  let read = 0;
  const advance = (bytes: number) => {
    read += bytes;
  };
  const stream = await openTableFile(join(DATA, "flights-3m.parquet"), { advance });
  expect(schemaText(stream.schema)).toContain("date: timestamp[us], delay: int64");
  let rows = 0;
  for await (const batch of stream) {
    rows += batch.numRows;
    // One row group of eleven was read, not the file.
    if (rows === batch.numRows) expect(read).toBeLessThan(3_000_000);
    if (rows > 600_000) break;
  }
  expect(rows).toBeGreaterThan(600_000);
});

test("flights-2k.json and flights-airport.csv of vega-datasets are read as they are", async () => {
  const flights = JSON.parse(readFileSync(join(DATA, "flights-2k.json"), "utf8")) as object[];
  const lines = flights.map((row) => JSON.stringify(row)).join("\n");
  const { rows, schema } = await readText("flights.jsonl", lines);
  expect(schema).toMatch(/delay: int64, distance: int64, origin: utf8, destination: utf8/);
  expect(rows.length).toBe(flights.length);
  const airports = await readText("a.csv", readFileSync(join(DATA, "flights-airport.csv"), "utf8"));
  expect(airports.schema).toBe("origin: utf8, destination: utf8, count: int64");
  expect(airports.rows.length).toBe(5366);
});
