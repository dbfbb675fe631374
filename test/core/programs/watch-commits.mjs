/**
 * Watches a container and prints a JSON line for each commit, with the looks that it took so far.
 *
 *     node watch-commits.mjs <pool> <container> [<from>]
 *
 * A line "looks" on stdin prints the number of looks; "end" aborts the watch.
 */

import { createInterface } from "node:readline";
import { Pool } from "daos-ts";

const [path, label, from] = process.argv.slice(2);
const pool = Pool.connect(path, { mode: "ro" });
const container = pool.openContainer(label);
const controller = new AbortController();
const options = {
  signal: controller.signal,
  ...(from === undefined ? {} : { from: BigInt(from) }),
};
const watch = container.watch(options);
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "looks") print({ looks: watch.looks });
  else controller.abort();
});

print({ ready: true });
for await (const { epoch, transactionId, contributors, skipped } of watch) {
  const id = transactionId && Buffer.from(transactionId).toString("hex");
  print({ epoch: String(epoch), id, contributors, skipped });
}
print({ done: true });
pool.close();
process.stdin.destroy();
