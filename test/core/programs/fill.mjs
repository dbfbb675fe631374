/**
 * Fills a pool with commits of one array each until it is full; prints a line when it is ready, begins
 * when it is sent one, and prints a JSON line with what it committed and how it ended.
 *
 *     node fill.mjs <pool> <first oid> <bytes of a commit>
 *
 * @module
 */

import { once } from "node:events";
import { Pattern, Pool, wholeOf } from "../../../dist/core/index.js";

const [, , path, first, size] = process.argv;
const pool = Pool.connect(path);
const container = pool.openContainer("c");
const range = wholeOf(Pattern.contiguous(0, Number(size)));
console.log("ready");
await once(process.stdin, "data");
const oids = [];
let code;
while (code === undefined) {
  const oid = BigInt(first) + BigInt(oids.length);
  const bytes = new Uint8Array(Number(size)).fill(Number(oid % 251n));
  try {
    container.update((tx) => tx.write(oid, range, bytes, 0n));
    oids.push(String(oid));
  } catch (error) {
    code = error.code ?? String(error);
  }
}
pool.close();
console.log(JSON.stringify({ oids, code }));
process.stdin.destroy();
