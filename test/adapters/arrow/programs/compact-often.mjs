// Appends rows and compacts the table, over and over, until it is killed; says so line by line.
// Arguments: pool, table.
import { Field, Int32, makeData, RecordBatch, Schema, Struct } from "apache-arrow";
import { Pool } from "daos-ts";
import { Table } from "daos-ts/arrow";

const [path, name] = process.argv.slice(2);
const pool = Pool.connect(path, { mode: "rw" });
const table = await Table.open(pool.openContainer("tests"), name);
const schema = new Schema([new Field("n", new Int32(), false)]);
const length = 1000;
for (let first = table.numRows; ; ) {
  for (let part = 0; part < 3; part++, first += length) {
    const numbers = Int32Array.from({ length }, (_, row) => first + row);
    const children = [makeData({ type: new Int32(), length, data: numbers })];
    const data = makeData({ type: new Struct(schema.fields), length, children });
    await table.append([new RecordBatch(schema, data)]);
  }
  await table.compact();
  console.log(first);
}
