/**
 * Compaction: the same rows in fewer batches, whatever their types, and whoever writes meanwhile.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import {
  Dictionary,
  Field,
  Float64,
  Int8,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import { Table } from "daos-ts/arrow";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { root } from "../../support/root.ts";
import { codeOf, connectAgain, temporaryContainer } from "../temporary-container.ts";
import { arrowBatches, plain } from "./support/random-batches.ts";

const program = join(root, "test", "adapters", "arrow", "programs", "compact-often.mjs");

function batchOf(vector: Vector): RecordBatch {
  const fields = [new Field("v", vector.type, true)];
  const children = [vector.data[0]];
  const data = makeData({ type: new Struct(fields), length: vector.length, children } as never);
  return new RecordBatch(new Schema(fields), data as never);
}

async function valuesOf(table: Table): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const batch of table.scan()) rows.push(...batch.toArray().map(plain));
  return rows;
}

async function tableOf(values: readonly (number | null)[][], retainCommits = 100) {
  const { pool, container } = temporaryContainer({ retainCommits });
  const schema = new Schema([new Field("v", new Float64(), true)]);
  const table = await Table.create(container, "t", schema);
  for (const part of values) await table.append([batchOf(vectorFromArray(part, new Float64()))]);
  return { pool, container, table };
}

const rowsWith = (values: readonly (number | null)[]) => values.map((v) => ({ v }));

describe("compaction", () => {
  test("keeps rows of every type, and their order", async () => {
    let number = 0;
    const { container } = temporaryContainer();
    const parts = fc.record({ given: arrowBatches(), cut: fc.nat(5), compress: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(parts, async ({ given: { schema, batches }, cut, compress }) => {
        number += 1;
        const options = compress ? ({ compression: "lz4" } as const) : {};
        using table = await Table.create(container, `t${number}`, schema, options);
        for (const batch of batches) await table.append([batch.slice(cut), batch]);
        const before = await valuesOf(table);
        const { parts: old } = await table.statistics();
        const compaction = await table.compact();
        expect(await valuesOf(table)).toEqual(before);
        const statistics = await table.statistics();
        expect(statistics.batches).toBe(Math.min(1, before.length));
        expect(old - compaction.replacedParts + compaction.newParts).toBe(statistics.parts);
        expect(await table.compact()).toMatchObject({ replacedParts: 0, epoch: table.epoch });
      }),
      fcOptions(40),
    );
  }, 120_000);

  test("leaves deleted rows out; older versions and snapshots keep theirs", async () => {
    const { container, table } = await tableOf([[1, 2, null], [4, 5], [6]]);
    const first = table.epoch;
    container.createSnapshot("before");
    expect(await table.deleteRows({ op: "in", column: "v", values: [2, 4, 5] })).toBe(3);
    const deleted = table.epoch;
    const scan = table.scan();
    const begun = await scan.next();
    expect(await table.compact()).toMatchObject({
      replacedParts: 3,
      newParts: 1,
      rows: 3,
      removedRows: 3,
    });
    expect(await table.statistics()).toMatchObject({ deletedRows: 0, parts: 1, batches: 1 });
    const seen = begun.value.toArray().map(plain);
    for await (const batch of scan) seen.push(...batch.toArray().map(plain));
    expect(seen).toEqual(rowsWith([1, null, 6]));
    using old = await Table.open(container, "t", { epoch: first });
    using snapshot = await Table.open(container, "t", { snapshot: "before" });
    using later = await Table.open(container, "t", { epoch: deleted });
    const all = rowsWith([1, 2, null, 4, 5, 6]);
    expect([await valuesOf(old), await valuesOf(snapshot)]).toEqual([all, all]);
    expect(await valuesOf(later)).toEqual(rowsWith([1, null, 6]));
    expect(await codeOf(() => old.compact())).toBe("DER_EP_RO");
    await table.deleteRows({ op: "is not null", column: "v" });
    await table.deleteRows({ op: "is null", column: "v" });
    expect(await table.compact()).toMatchObject({ newParts: 0, removedRows: 3 });
    await table.append([batchOf(vectorFromArray([7], new Float64()))]);
    expect(await valuesOf(table)).toEqual(rowsWith([7]));
    table.close();
  });

  test("leaves large batches as they are, and follows changes of the schema", async () => {
    const { table } = await tableOf([[1], [2]]);
    const large = vectorFromArray(new Array(65_536).fill(0), new Float64());
    await table.append([batchOf(large)]);
    await table.addColumn(new Field("w", new Utf8(), true));
    await table.renameColumn("v", "u");
    await table.append([]);
    expect(await table.compact()).toMatchObject({ replacedParts: 2, newParts: 1, rows: 2 });
    expect(await table.statistics()).toMatchObject({ parts: 2, batches: 2, numRows: 65_538 });
    expect((await valuesOf(table)).slice(0, 3)).toEqual([
      { u: 1, w: null },
      { u: 2, w: null },
      { u: 0, w: null },
    ]);
    table.close();
  });

  test("lets aggregation drop the old parts once no version needs them", async () => {
    const { container } = temporaryContainer({ retainCommits: 1 });
    const schema = new Schema([new Field("v", new Float64(), true)]);
    using table = await Table.create(container, "t", schema);
    const batch = batchOf(vectorFromArray(new Array(10_000).fill(1), new Float64()));
    for (let part = 0; part < 5; part++) await table.append([batch]);
    const first = table.epoch;
    await table.deleteRows({ op: "=", column: "v", value: 1 });
    await table.append([batch.slice(0, 2)]);
    await table.compact();
    for (let commit = 0; commit < 3; commit++) await table.append([batch.slice(0, 1)]);
    container.aggregate();
    expect(await valuesOf(table)).toEqual(rowsWith([1, 1, 1, 1, 1]));
    expect(await codeOf(() => Table.open(container, "t", { epoch: first }))).toBe("DER_EPOCH_GONE");
  });

  test("keeps parts apart whose dictionaries cannot be one", async () => {
    const { container } = temporaryContainer();
    const type = new Dictionary(new Utf8(), new Int8(), 0);
    const batches = [0, 100, 0].map((from) => {
      const texts = Array.from({ length: 100 }, (_, row) => `text ${from + row}`);
      return batchOf(vectorFromArray(texts, type));
    });
    using table = await Table.create(container, "t", (batches[0] as RecordBatch).schema);
    for (const batch of batches) await table.append([batch]);
    const before = await valuesOf(table);
    expect(await table.compact()).toMatchObject({ replacedParts: 0 });
    await table.append([(batches[2] as RecordBatch).slice(3, 5)]);
    expect(await table.compact()).toMatchObject({ replacedParts: 4, newParts: 3 });
    expect(await valuesOf(table)).toEqual([...before, ...before.slice(3, 5)]);
  });

  test("loses no append, and no deletion, of others meanwhile", async () => {
    const { pool, table } = await tableOf([]);
    const total = 30;
    const others = [1, 2].map(async (writer) => {
      using own = await Table.open(connectAgain(pool), "t");
      for (let step = 0; step < total; step++) {
        const value = writer * 1000 + step;
        await own.append([batchOf(vectorFromArray([value, -value], new Float64()))]);
        await own.deleteRows({ op: "=", column: "v", value: -value }).catch((error) => {
          if (error.code !== "DER_TX_RESTART") throw error;
        });
      }
    });
    let compacted = 0;
    const compacting = (async () => {
      for (let step = 0; step < 15; step++) {
        const { replacedParts } = await table.compact().catch((error) => {
          if (error.code !== "DER_TX_RESTART") throw error;
          return { replacedParts: 0 };
        });
        compacted += replacedParts;
      }
    })();
    await Promise.all([...others, compacting]);
    await table.deleteRows({ op: "<", column: "v", value: 0 });
    await table.compact();
    const found = ((await valuesOf(table)) as { v: number }[]).map(({ v }) => v);
    const expected = [1, 2].map((writer) => {
      return Array.from({ length: total }, (_, step) => writer * 1000 + step);
    });
    for (const [index, values] of expected.entries()) {
      expect(found.filter((v) => Math.floor(v / 1000) === index + 1)).toEqual(values);
    }
    expect(found.length).toBe(total * 2);
    expect(compacted).toBeGreaterThan(0);
    expect((await table.statistics()).parts).toBe(1);
    table.close();
  }, 60_000);

  test("that is killed leaves the table as it was before, or after", async () => {
    const { pool, container } = temporaryContainer();
    const schema = new Schema([new Field("n", new Int32(), false)]);
    (await Table.create(container, "t", schema)).close();
    let told = 0;
    for (const delayMs of [0, 3, 7]) {
      const child = spawn(process.execPath, [program, pool.path, "t"], { cwd: root });
      let isKilled = false;
      child.stdout.on("data", (text) => {
        told = Number(String(text).trim().split("\n").at(-1));
        if (isKilled) return;
        isKilled = true;
        setTimeout(() => child.kill("SIGKILL"), delayMs);
      });
      const [status, signal] = await once(child, "close");
      expect([status, signal]).toEqual([null, "SIGKILL"]);
      using table = await Table.open(connectAgain(pool), "t");
      expect(table.numRows).toBeGreaterThanOrEqual(told);
      const found = (await valuesOf(table)) as { n: number }[];
      expect(found.every(({ n }, row) => n === row)).toBe(true);
      expect(found.length).toBe(table.numRows);
    }
  }, 60_000);
});
