/**
 * Works through the object table of snapshot "s" of container "c", and is killed.
 *
 *     node mark-objects.mjs <pool> mark            marks what is unmarked, an object at a time; prints its id
 *                                                  once the mark is stored; waits at the end
 *     node mark-objects.mjs <pool> destroy <n>     destroys the snapshot, killed right before the n-th
 *                                                  transaction (from 1); prints "done" if it comes to the end
 *
 * @module
 */

import { writeSync } from "node:fs";
import { IndexStore } from "../../../dist/core/index/index-store.js";
import { Pool } from "../../../dist/core/index.js";

const [path, what, at] = process.argv.slice(2);
const container = Pool.connect(path).openContainer("c");
if (what === "mark") {
  const table = container.openObjectTable({ snapshot: "s" });
  for (const { oid } of table.entries({ only: "unmarked" })) {
    table.mark(oid, Buffer.from(`${oid}`));
    writeSync(1, `${oid}\n`);
  }
  setInterval(() => {}, 1000);
} else {
  const real = IndexStore.prototype.transact;
  let calls = 0;
  IndexStore.prototype.transact = function transact(...args) {
    calls += 1;
    if (calls === Number(at)) process.kill(process.pid, "SIGKILL");
    return real.apply(this, args);
  };
  container.destroySnapshot("s");
  writeSync(1, "done\n");
  process.exit(0);
}
