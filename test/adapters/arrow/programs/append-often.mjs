// Appends batches of one row after the other, each with a number of its own, and says so line by line.
// Arguments: pool, table, number of this writer, how many (0: until it is killed), rows of an append.
import { Field, Float64, Int32, makeData, RecordBatch, Schema, Struct } from "apache-arrow";
import { Pool } from "daos-ts";
import { Table } from "daos-ts/arrow";

const [path, name, writer, count, rows] = process.argv.slice(2);
const pool = Pool.connect(path, { mode: "rw" });
const table = await Table.open(pool.openContainer("tests"), name);
const schema = new Schema([
  new Field("writer", new Int32(), false),
  new Field("value", new Float64(), false),
]);
const length = Number(rows);
for (let at = 0; count === "0" || at < Number(count); at++) {
  const children = [
    makeData({ type: new Int32(), length, data: new Int32Array(length).fill(Number(writer)) }),
    makeData({ type: new Float64(), length, data: new Float64Array(length).fill(at) }),
  ];
  const data = makeData({ type: new Struct(schema.fields), length, children });
  // Two batches: all of an append is there, or none.
  const batch = new RecordBatch(schema, data);
  await table.append([batch, batch]);
  console.log(at);
}
pool.close();
