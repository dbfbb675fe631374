/**
 * Commits one version after the other until it is killed; prints `epoch version` of each when the
 * commit has returned. Now and then it aggregates, aborts and opens the pool anew.
 *
 *     node write-versions.mjs <pool> <writer> <first version>
 *
 * @module
 */

import { writeSync } from "node:fs";
import { Pattern, Pool, wholeOf } from "../../../dist/core/index.js";
import { BYTES_KEY, bytesOf, KEY, objectsOf } from "./versions.mjs";

const [path, writerText, firstText] = process.argv.slice(2);
const writer = Number(writerText);
const { array, value } = objectsOf(writer);

let pool = Pool.connect(path);
for (let version = Number(firstText); ; version++) {
  const container = pool.openContainer("c");
  const bytes = bytesOf(writer, version);
  const transaction = container.begin();
  const half = bytes.length >> 1;
  transaction.write(array, wholeOf(Pattern.contiguous(0, half)), bytes.subarray(0, half), 0n);
  const rest = wholeOf(Pattern.contiguous(half, bytes.length));
  transaction.write(array, rest, bytes.subarray(half), 0n);
  const text = Buffer.from(String(version));
  transaction.put({ oid: value, dkey: KEY, akey: KEY, value: text, condition: "none" });
  transaction.put({ oid: value, dkey: KEY, akey: BYTES_KEY, value: bytes, condition: "none" });
  if (version % 11 === 5) {
    transaction.abort();
    continue;
  }
  const { epoch } = container.commit(transaction);
  // Straight to the descriptor: a buffered line would be lost with the process.
  writeSync(1, `${epoch} ${version}\n`);
  if (version % 5 === 0) container.aggregate();
  if (version % 13 === 0) {
    pool.close();
    pool = Pool.connect(path);
  }
}
