/**
 * Opens a view of the newest version and prints a hash of an array; prints it again for each line on stdin;
 * ends at the end of stdin.
 *
 *     node hash-view.mjs <pool> <object id>
 *
 * @module
 */

import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { Pool } from "../../../dist/core/index.js";

const [path, oid] = process.argv.slice(2);
const view = Pool.connect(path).openContainer("c").view();
const hash = () => {
  const bytes = view.readBytes(BigInt(oid), 0, view.arraySize(BigInt(oid)));
  return createHash("sha256").update(bytes).digest("hex");
};
console.log(hash());
for await (const _line of createInterface({ input: process.stdin })) console.log(hash());
