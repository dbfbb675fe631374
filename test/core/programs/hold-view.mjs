/**
 * Opens a view of the newest version, prints its first byte, waits for a line on stdin, reads the same
 * array through the view and prints its first byte again; ends at the end of stdin.
 *
 *     node hold-view.mjs <pool> <object id>
 *
 * @module
 */

import { createInterface } from "node:readline";
import { Pool } from "../../../dist/core/index.js";

const [path, oid] = process.argv.slice(2);
const view = Pool.connect(path).openContainer("c").view();
console.log(view.arraySize(BigInt(oid)));
for await (const _line of createInterface({ input: process.stdin })) {
  console.log(view.readBytes(BigInt(oid), 0, 1)[0]);
}
