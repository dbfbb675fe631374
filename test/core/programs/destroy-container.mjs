/**
 * Destroys container "c" of a pool and is killed right before one of the transactions of it; prints "done" if it
 * comes to the end.
 *
 *     node destroy-container.mjs <pool> <number of the transaction, from 1> [force]
 *
 * @module
 */

import { IndexStore } from "../../../dist/core/index/index-store.js";
import { isDaosError, Pool } from "../../../dist/core/index.js";

const [path, at, force] = process.argv.slice(2);
const pool = Pool.connect(path);
const real = IndexStore.prototype.transact;
let calls = 0;
IndexStore.prototype.transact = function transact(...args) {
  calls += 1;
  if (calls === Number(at)) process.kill(process.pid, "SIGKILL");
  return real.apply(this, args);
};
try {
  pool.destroyContainer("c", { force: force === "force" });
  console.log("done");
} catch (error) {
  if (!isDaosError(error)) throw error;
  console.log(error.code);
}
