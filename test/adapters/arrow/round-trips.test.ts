/**
 * Random tables of every type go through tables, IPC and pyarrow as they are; damaged files store nothing by halves.
 */

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Field, Int32, type RecordBatch, Schema, Utf8, vectorFromArray } from "apache-arrow";
import {
  batchStream,
  type FileFormat,
  listTables,
  openTableFile,
  Table,
  writeTableFile,
} from "daos-ts/arrow";
import fc from "fast-check";
import { describeInterop, interopPython } from "../../support/interop.ts";
import { fcOptions } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf, temporaryContainer } from "../temporary-container.ts";
import { arrowBatches, batchOf, plain } from "./support/random-batches.ts";

const FORMATS: readonly FileFormat[] = ["arrow", "arrows", "parquet", "csv", "jsonl"];
const format = fc.constantFrom("arrow", "arrows");
const compression = fc.constantFrom(undefined, "lz4", "zstd");

async function rowsOf(batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>) {
  const rows: unknown[] = [];
  for await (const batch of batches) rows.push(...batch.toArray().map(plain));
  return rows;
}

test("random tables go through a table, a file and another table as they are", async () => {
  const { container } = temporaryContainer();
  const folder = temporaryDirectory();
  let number = 0;
  await fc.assert(
    fc.asyncProperty(arrowBatches(), format, compression, async (given, kind, codec) => {
      number += 1;
      const { schema, batches } = given;
      const options = codec === undefined ? {} : { compression: codec as "lz4" | "zstd" };
      using table = await Table.create(container, `t${number}`, schema, options);
      // Slices begin within their buffers; an empty batch adds nothing.
      const cut = batches.flatMap((batch) => [
        batch.slice(0, 1),
        batch.slice(1),
        batch.slice(0, 0),
      ]);
      await table.append(cut);
      const expected = await rowsOf(batches);
      expect(await rowsOf(table.scan())).toEqual(expected);
      const path = join(folder, `${number}.${kind}`);
      await writeTableFile(table.scan(), path, options);
      const stream = await openTableFile(path);
      expect(stream.schema.metadata.get("made")).toBe("by chance");
      using again = await Table.createFrom(container, `again${number}`, stream);
      expect(again.schema.fields.map(({ metadata }) => metadata.get("unit"))).toEqual(
        schema.fields.map(() => "m"),
      );
      expect(again.schema.fields.map(String)).toEqual(schema.fields.map(String));
      expect(await rowsOf(again.scan())).toEqual(expected);
    }),
    fcOptions(30),
  );
}, 120_000);

describe("damaged files", () => {
  test.each(FORMATS)(
    "of format %s are refused as a whole, or are read",
    async (kind) => {
      const { container } = temporaryContainer();
      const folder = temporaryDirectory();
      const columns = [
        vectorFromArray([1, null, 3, 4], new Int32()),
        vectorFromArray(["a", "", null, "dd"], new Utf8()),
      ];
      const schema = new Schema(columns.map(({ type }, at) => new Field(`c${at}`, type, true)));
      const path = join(folder, `t.${kind}`);
      await writeTableFile(batchStream(schema, [batchOf(schema, columns, 4)]), path);
      const bytes = readFileSync(path);
      const place = fc.nat(bytes.length - 1);
      const byte = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff);
      const damage = fc.record({
        changes: fc.array(fc.tuple(place, byte), { maxLength: 3 }),
        end: fc.option(place, { nil: bytes.length }),
      });
      let refused = 0;
      await fc.assert(
        fc.asyncProperty(damage, async ({ changes, end }) => {
          const bad = Uint8Array.from(bytes.subarray(0, end));
          for (const [at, value] of changes) if (at < end) bad[at] = value;
          writeFileSync(path, bad);
          const store = async () => {
            using table = await Table.createFrom(container, "t", await openTableFile(path));
            await Table.remove(container, table.path);
          };
          const code = await codeOf(store);
          if (code === undefined) return;
          refused += 1;
          expect(code).toMatch(/^DER_(INVAL|NOSYS)$/);
          for await (const { path: name } of listTables(container)) expect(name).toBe("none");
        }),
        fcOptions(kind === "parquet" ? 25 : 60),
      );
      expect(refused).toBeGreaterThan(0);
    },
    60_000,
  );
});

describeInterop("pyarrow", () => {
  test("reads files of random tables, and finds them sound", async () => {
    const folder = temporaryDirectory();
    const expected: Record<string, number> = {};
    for (const [index, { schema, batches }] of fc.sample(arrowBatches(), fcOptions(15)).entries()) {
      const name = `${index}.arrow`;
      const options = index % 2 === 0 ? ({ compression: "zstd" } as const) : {};
      await writeTableFile(batchStream(schema, batches), join(folder, name), options);
      expected[name] = batches.reduce((sum, { numRows }) => sum + numRows, 0);
    }
    const code = [
      "import json, os, sys, pyarrow as pa",
      "found = {}",
      "for name in os.listdir(sys.argv[1]):",
      "    table = pa.ipc.open_file(os.path.join(sys.argv[1], name)).read_all()",
      "    table.validate(full=True)",
      "    assert table.schema.metadata == {b'made': b'by chance'}",
      "    found[name] = table.num_rows",
      "print(json.dumps(found))",
    ].join("\n");
    const run = spawnSync(interopPython as string, ["-c", code, folder], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(JSON.parse(run.stdout)).toEqual(expected);
  }, 60_000);

  test("writes deltas, other dictionaries and extension types, which are kept", async () => {
    const folder = temporaryDirectory();
    const code = [
      "import sys, pyarrow as pa",
      "folder = sys.argv[1] + '/'",
      "def write(name, batches, **options):",
      "    with pa.ipc.new_stream(folder + name, batches[0].schema, options=pa.ipc.IpcWriteOptions(**options)) as out:",
      "        for batch in batches: out.write_batch(batch)",
      "def words(values, indices):",
      "    return pa.record_batch([pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(values))], ['v'])",
      "write('delta.arrows', [words(['a'], [0]), words(['a', 'b'], [1, 0, None])], emit_dictionary_deltas=True)",
      "write('other.arrows', [words(['a'], [0]), words(['c', 'b'], [1, 0])])",
      "tensor = pa.fixed_shape_tensor(pa.int32(), [2])",
      "storage = pa.array([[1, 2], None], pa.list_(pa.int32(), 2))",
      "write('tensor.arrows', [pa.record_batch([pa.ExtensionArray.from_storage(tensor, storage)], ['v'])])",
      "write('view.arrows', [pa.record_batch([pa.array([[1], [2]], pa.list_view(pa.int32()))], ['v'])])",
      "ends = pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([7]))",
      "write('runs.arrows', [pa.record_batch([ends], ['v'])])",
    ].join("\n");
    const run = spawnSync(interopPython as string, ["-c", code, folder], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    const { container } = temporaryContainer();
    const store = async (name: string) => {
      return Table.createFrom(container, name, await openTableFile(join(folder, `${name}.arrows`)));
    };
    using delta = await store("delta");
    expect(await rowsOf(delta.scan())).toEqual(["a", "b", "a", null].map((v) => ({ v })));
    using other = await store("other");
    expect(await rowsOf(other.scan())).toEqual(["a", "b", "c"].map((v) => ({ v })));
    using tensor = await store("tensor");
    expect(await rowsOf(tensor.scan())).toEqual([{ v: [1, 2] }, { v: null }]);
    const metadata = tensor.schema.fields[0]?.metadata;
    expect(metadata?.get("ARROW:extension:name")).toBe("arrow.fixed_shape_tensor");
    expect(metadata?.get("ARROW:extension:metadata")).toContain('"shape":[2]');
    expect(await codeOf(() => store("view"))).toBe("DER_NOSYS");
    expect(await codeOf(() => store("runs"))).toBe("DER_NOSYS");
  }, 60_000);
});
