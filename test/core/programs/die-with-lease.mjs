/**
 * Commits a byte, prints its epoch, waits until a file appears, commits another byte, appends one more
 * without committing it, and kills itself: its lease is left behind.
 *
 *     node die-with-lease.mjs <pool> <file to wait for>
 *
 * @module
 */

import { existsSync, writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Pattern, Pool, wholeOf } from "../../../dist/core/index.js";

const [path, signal] = process.argv.slice(2);
const container = Pool.connect(path).openContainer("c");
const write = (tx, byte) =>
  tx.write(1n, wholeOf(Pattern.contiguous(byte, byte + 1)), Uint8Array.of(byte), 0n);

const { epoch } = container.update((tx) => write(tx, 1));
writeSync(1, `${epoch}\n`);
while (!existsSync(signal)) await setTimeout(2);
container.update((tx) => write(tx, 2));
write(container.begin(), 3);
process.kill(process.pid, "SIGKILL");
