/**
 * Raises a counter of an index, each time by one in a transaction of its own.
 *
 *     node count.mjs <index> <times>
 *
 * @module
 */

import { nextCounter } from "../../../dist/core/index/counters.js";
import { IndexStore } from "../../../dist/core/index/index-store.js";

const [, , path, times] = process.argv;
const index = IndexStore.open(path, { durable: false });
for (let time = 0; time < Number(times); time++) {
  index.transact("Counting", (tx) => {
    nextCounter(tx, "epoch");
  });
}
index.close();
