/**
 * Arrow IPC files and streams: what a table holds comes out as other programs read it, and goes in again.
 */

import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import {
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int8,
  Int32,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  tableFromIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import { openIpcFile, readIpc, Table, writeIpc, writeIpcFile } from "daos-ts/arrow";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

const FLIGHTS = join(root, "node_modules/vega-datasets/data/flights-200k.arrow");

function batchOf(columns: Record<string, Vector>): RecordBatch {
  const names = Object.keys(columns);
  const fields = names.map((name) => new Field(name, (columns[name] as Vector).type, true));
  const children = names.map((name) => (columns[name] as Vector).data[0] as never);
  const length = (columns[names[0] as string] as Vector).length;
  const type = new Struct(fields);
  return new RecordBatch(new Schema(fields), makeData({ type, length, children }) as never);
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function rowsOf(batches: AsyncIterable<RecordBatch>): Promise<string[]> {
  const rows: string[] = [];
  for await (const batch of batches) rows.push(...batch.toArray().map(String));
  return rows;
}

const rowsOfBytes = (bytes: Uint8Array) => tableFromIPC(bytes).toArray().map(String);

test.each(["stream", "file"] as const)("a scan of any version becomes a %s", async (format) => {
  const { container } = temporaryContainer({ retainCommits: 100 });
  const numbers = Array.from({ length: 100 }, (_, index) => (index % 7 === 0 ? null : index));
  const batch = batchOf({
    n: vectorFromArray(numbers, new Int32()),
    t: vectorFromArray(numbers.map(String), new Utf8()),
  });
  using table = await Table.create(container, "t", batch.schema);
  const epoch = await table.append([batch, batch.slice(3, 90)]);
  await table.deleteRows({ op: "<", column: "n", value: 50 });
  using old = await Table.open(container, "t", { epoch });
  const asked = { columns: ["t"], where: { op: ">", column: "n", value: 40 } as const, limit: 60 };
  for (const scan of [() => old.scan(), () => table.scan(), () => old.scan(asked)]) {
    const expected = await rowsOf(scan());
    const bytes = await bytesOf(writeIpc(scan(), { format }));
    expect(rowsOfBytes(bytes)).toEqual(expected);
    expect(await rowsOf(await readIpc([bytes]))).toEqual(expected);
    const path = join(temporaryDirectory(), "t.arrow");
    const written = await writeIpcFile(scan(), path, { format, compression: "lz4" });
    expect(written).toMatchObject({ rows: expected.length, size: readFileSync(path).length });
    expect(await rowsOf(await openIpcFile(path))).toEqual(expected);
  }
});

test("an empty scan becomes an IPC stream and file with a schema and no rows", async () => {
  const { container } = temporaryContainer();
  using table = await Table.create(container, "t", new Schema([new Field("n", new Int32(), true)]));
  for (const format of ["stream", "file"] as const) {
    const read = tableFromIPC(await bytesOf(writeIpc(table.scan(), { format })));
    expect([read.schema.names, read.numRows]).toEqual([["n"], 0]);
  }
});

test("dictionaries of all batches become one in a file, nested ones too", async () => {
  const words = fc.array(fc.constantFrom("a", "b", "c", "d", "e", null), {
    minLength: 1,
    maxLength: 6,
  });
  const index = fc.constantFrom(new Int8(), new Int32());
  const parts = fc.array(words, { minLength: 1, maxLength: 5 });
  let number = 0;
  const { container } = temporaryContainer();
  await fc.assert(
    fc.asyncProperty(parts, index, fc.boolean(), fc.nat(3), async (all, indices, isNested, cut) => {
      number += 1;
      const flat = () => new Dictionary(new Utf8(), indices as Int32);
      const type = isNested ? new List(new Field("item", flat(), true)) : flat();
      const batches = all.map((values) => {
        const given = isNested ? values.map((word) => [word, "z", word]) : values;
        const batch = batchOf({ v: vectorFromArray(given, type as DataType) });
        return batch.slice(Math.min(cut, batch.numRows - 1));
      });
      using table = await Table.create(container, `t${number}`, (batches[0] as RecordBatch).schema);
      for (const batch of batches) await table.append([batch]);
      const expected = await rowsOf(table.scan());
      expect(expected).toEqual(batches.flatMap((batch) => batch.toArray().map(String)));
      for (const format of ["stream", "file"] as const) {
        const bytes = await bytesOf(writeIpc(table.scan(), { format }));
        expect(await rowsOf(await readIpc([bytes]))).toEqual(expected);
        expect(rowsOfBytes(bytes)).toEqual(expected);
      }
    }),
    { ...fcOptions(), numRuns: 40 },
  );
});

test("a dictionary that outgrows its indices is refused in a file, which is not left behind", async () => {
  const { container } = temporaryContainer();
  const column = (first: number) => {
    const words = Array.from({ length: 100 }, (_, at) => `word ${first + at}`);
    return batchOf({ v: vectorFromArray(words, new Dictionary(new Utf8(), new Int8())) });
  };
  using table = await Table.create(container, "t", column(0).schema);
  await table.append([column(0), column(100)]);
  const folder = temporaryDirectory();
  const path = join(folder, "t.arrow");
  expect(await codeOf(() => writeIpcFile(table.scan(), path))).toBe("DER_INVAL");
  expect(readdirSync(folder)).toEqual([]);
  await writeIpcFile(table.scan(), path, { format: "stream" });
  expect(rowsOfBytes(readFileSync(path))).toEqual(await rowsOf(table.scan()));
});

test("the flights of vega-datasets go in from their file and come out equal", async () => {
  const { container } = temporaryContainer();
  let read = 0;
  const advance = (bytes: number) => {
    read += bytes;
  };
  using table = await Table.createFrom(
    container,
    "flights",
    await openIpcFile(FLIGHTS, { advance }),
  );
  expect(read).toBeGreaterThan(readFileSync(FLIGHTS).length - 16);
  const path = join(temporaryDirectory(), "flights.arrow");
  await writeIpcFile(table.scan(), path);
  const [ours, theirs] = [path, FLIGHTS].map((name) => tableFromIPC(readFileSync(name)));
  expect(ours?.numRows).toBe(theirs?.numRows);
  for (const name of theirs?.schema.names ?? []) {
    const [values, expected] = [ours, theirs].map((table) => {
      return Float64Array.from(table?.getChild(name)?.toArray() as Float32Array);
    });
    expect(values?.length).toBe(theirs?.numRows);
    expect(values).toEqual(expected);
  }
});

test("a table appears with all of its rows, or not at all", async () => {
  const { container } = temporaryContainer({ retainCommits: 100 });
  const batch = batchOf({ n: vectorFromArray([1, 2, 3], new Float64()) });
  const { schema } = batch;
  const stream = (count: number, end = () => {}) => {
    const batches = (async function* () {
      for (let at = 0; at < count; at++) yield batch;
      end();
    })();
    return { schema, [Symbol.asyncIterator]: () => batches };
  };
  const before = container.commits().length;
  (await Table.createFrom(container, "a/t", stream(2))).close();
  expect(container.commits().length).toBe(before + 1);
  const failing = () => {
    throw new RangeError("no more");
  };
  await expect(Table.createFrom(container, "a/u", stream(2, failing))).rejects.toThrow(RangeError);
  expect(await codeOf(() => Table.open(container, "a/u"))).toBe("DER_NONEXIST");
  expect(await codeOf(() => Table.createFrom(container, "a/t", stream(1)))).toBe("DER_EXIST");
  const replace = { replace: true };
  await expect(Table.createFrom(container, "a/t", stream(2, failing), replace)).rejects.toThrow(
    RangeError,
  );
  using old = await Table.open(container, "a/t");
  expect(old.numRows).toBe(6);
  using table = await Table.createFrom(container, "a/t", stream(1), replace);
  expect(table.numRows).toBe(3);
  expect(await rowsOf(old.scan())).toHaveLength(6);
  using empty = await Table.createFrom(container, "empty", stream(0));
  expect(empty.numRows).toBe(0);
});

test("files are replaced on request only, as a whole, and cut ones are refused", async () => {
  const { container } = temporaryContainer();
  const batch = batchOf({ n: vectorFromArray([1, 2, 3], new Float64()) });
  using table = await Table.create(container, "t", batch.schema);
  await table.append([batch]);
  const folder = temporaryDirectory();
  const path = join(folder, "t.arrow");
  writeFileSync(path, "before");
  expect(await codeOf(() => writeIpcFile(table.scan(), path))).toBe("DER_EXIST");
  const giveUp = AbortSignal.abort();
  await expect(
    writeIpcFile(table.scan(), path, { replace: true, signal: giveUp }),
  ).rejects.toThrow();
  expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["before", ["t.arrow"]]);
  const { size } = await writeIpcFile(table.scan(), path, { replace: true });
  for (const cut of [size - 1, size - 200, 20, 9, 4, 0]) {
    truncateSync(path, cut);
    expect(await codeOf(async () => rowsOf(await openIpcFile(path)))).toBe("DER_INVAL");
  }
});
