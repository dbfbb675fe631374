/**
 * Commits values to a container and prints the epochs, one JSON array at the end.
 *
 *     node commit-often.mjs <pool> <container> <count> <pause in ms>
 */

import { setTimeout } from "node:timers/promises";
import { Pool } from "daos-ts";

const [path, label, count, pause] = process.argv.slice(2);
const pool = Pool.connect(path);
const container = pool.openContainer(label);
const key = Buffer.from("k");
const epochs = [];
for (let step = 0; step < Number(count); step++) {
  const change = {
    oid: 1n,
    dkey: key,
    akey: key,
    value: Buffer.from(`${step}`),
    condition: "none",
  };
  epochs.push(String(container.update((tx) => tx.put(change)).epoch));
  if (Number(pause) > 0) await setTimeout(Number(pause));
}
pool.close();
process.stdout.write(`${JSON.stringify(epochs)}\n`);
