/**
 * Writers that live for one commit: each connects, commits one array and goes.
 *
 *     node commit-once.mjs <pool> <first oid> <writers> <bytes>
 *
 * @module
 */

import { Pattern, Pool, wholeOf } from "../../../dist/core/index.js";

const [, , path, first, writers, size] = process.argv;
const range = wholeOf(Pattern.contiguous(0, Number(size)));
for (let writer = 0; writer < Number(writers); writer++) {
  const pool = Pool.connect(path);
  const oid = BigInt(first) + BigInt(writer);
  const bytes = new Uint8Array(Number(size)).fill(Number(oid % 251n));
  pool.openContainer("c").update((tx) => tx.write(oid, range, bytes, 0n));
  pool.close();
}
