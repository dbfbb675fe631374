/**
 * Cuts the index of a pool that it has open, then reads or writes twice; prints the codes of the errors. A
 * program of its own, since a page that is not there can end the process.
 *
 *     node cut-index.mjs <pool> reads|writes <size>
 *
 * @module
 */

import { truncateSync } from "node:fs";
import { join } from "node:path";
import { isDaosError, Pool } from "../../../dist/core/index.js";

const KEYS = 1000;
const [path, access, size] = process.argv.slice(2);
const akey = Buffer.from("a");
const pool = Pool.connect(path);
const container = pool.openContainer("c");

/** Touches keys all over the tree. */
function update() {
  container.update((tx) => {
    for (let key = 0; key < KEYS; key++) {
      tx.put({ oid: 1n, dkey: Buffer.from(`k${key}`), akey, value: akey, condition: "none" });
    }
  });
}

function fetch() {
  const view = container.view();
  try {
    for (let key = 0; key < KEYS; key++) view.getValue(1n, Buffer.from(`k${key}`), akey);
  } finally {
    view.close();
  }
}

function codeOf(call) {
  try {
    call();
    return "fine";
  } catch (error) {
    if (!isDaosError(error)) throw error;
    return error.code;
  }
}

update();
fetch();
truncateSync(join(path, "scm", "index.mdb"), Number(size));
const call = access === "reads" ? fetch : update;
console.log(codeOf(call), codeOf(call));
// Closing would take back what the pool's index says about this process: it says nothing any more.
process.exit(0);
