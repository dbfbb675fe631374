/**
 * Opens a pool, commits a value under a key of its own, and closes it, again and again; leaves it open at the
 * end, for the end of the process to close. Prints the number of each commit that has returned.
 *
 *     node reopen-and-commit.mjs <pool> <writer> <count>
 *
 * @module
 */

import { writeSync } from "node:fs";
import { Pool } from "../../../dist/core/index.js";

const [path, writer, count] = process.argv.slice(2);
for (let number = 0; number < Number(count); number++) {
  const pool = Pool.connect(path);
  const dkey = Buffer.from(`${writer}/${number}`);
  pool.openContainer("c").update((tx) => {
    tx.put({ oid: 1n, dkey, akey: Buffer.from("a"), value: dkey, condition: "insert" });
  });
  writeSync(1, `${number}\n`);
  if (number < Number(count) - 1) pool.close();
}
