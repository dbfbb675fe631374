/**
 * `Table.createFrom`: a table and its first rows are there together, or neither is.
 */

import { expect, test } from "@jest/globals";
import { Table as ArrowTable, Int32, type RecordBatch, vectorFromArray } from "apache-arrow";
import { batchStream, listTables, Table } from "daos-ts/arrow";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

const rows = new ArrowTable({ step: vectorFromArray([1, 2, 3], new Int32()) });

test("one commit has both", async () => {
  const { container } = temporaryContainer({ retainCommits: 10 });
  const before = container.commits().length;
  const table = await Table.createFrom(container, "a/b", batchStream(rows.schema, rows.batches));
  expect([table.epoch, table.numRows]).toEqual([table.createdAt, 3]);
  expect(container.commits()).toHaveLength(before + 1);
  table.close();
});

test("of batches that fail, nothing stays; a name that is taken is told before they are asked for", async () => {
  const { container } = temporaryContainer({ retainCommits: 10 });
  const before = container.commits().length;
  let asked = 0;
  async function* failing(): AsyncGenerator<RecordBatch> {
    asked += 1;
    yield rows.batches[0] as RecordBatch;
    await new Promise(setImmediate);
    throw Object.assign(new Error("no more"), { code: "ENOMORE" });
  }
  const create = (path: string) =>
    Table.createFrom(container, path, batchStream(rows.schema, failing()));
  expect(await codeOf(() => create("t"))).toBe("ENOMORE");
  expect(container.commits()).toHaveLength(before);
  for await (const listed of listTables(container)) expect(listed).toBeUndefined();
  (await Table.create(container, "t", rows.schema)).close();
  expect(await codeOf(() => create("t"))).toBe("DER_EXIST");
  expect(asked).toBe(1);
});

test("of two creators of one name, one is refused; those of different names both are done", async () => {
  const { container } = temporaryContainer({ retainCommits: 10 });
  const create = async (path: string) => {
    return codeOf(async () => {
      const stream = batchStream(rows.schema, rows.batches);
      (await Table.createFrom(container, path, stream)).close();
    });
  };
  const codes = await Promise.all(["x/a", "x/b", "x/a"].map(create));
  expect(codes.filter((code) => code === "DER_EXIST")).toHaveLength(1);
  const paths: string[] = [];
  for await (const { path } of listTables(container)) paths.push(path);
  expect(paths).toEqual(["x/a", "x/b"]);
});
