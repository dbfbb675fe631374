// Sums a column of a table and says how much memory of its own that took. Arguments: pool, table, column.
import { readFileSync } from "node:fs";
import { Pool } from "daos-ts";
import { Table } from "daos-ts/arrow";

const [path, name, column] = process.argv.slice(2);
const own = () =>
  Number(/RssAnon:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
const pool = Pool.connect(path, { mode: "ro" });
const table = await Table.open(pool.openContainer("tests"), name);
const held = [];
const before = own();
let sum = 0;
for await (const batch of table.scan({ columns: [column] })) {
  const { values } = batch.data.children[0];
  for (const value of values) sum += value;
  held.push(values);
}
const size = held.reduce((total, values) => total + values.byteLength, 0);
const aligned = held.every((values) => values.byteOffset % 64 === 0);
// Views of maps of whole segments, not buffers of their own.
const shared = new Set(held.map((values) => values.buffer)).size;
console.log(
  JSON.stringify({ sum, size, aligned, shared, batches: held.length, grown: own() - before }),
);
pool.close();
