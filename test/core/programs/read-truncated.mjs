/**
 * Reads a pool whose only segment is cut off while it is mapped, and put back; prints what each read gave, a line
 * of JSON each: a byte, or an error's code.
 *
 *     node read-truncated.mjs <pool> <size that the file is cut to>
 *
 * Array 1 of container "c" has 300,000 bytes. With "worker" as a third argument all of it happens in a worker
 * thread; with "unguarded" a fault comes from elsewhere, which ends the process.
 *
 * @module
 */

import {
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { storageAddon } from "../../../dist/core/device/addon.js";
import { isDaosError, Pool } from "../../../dist/core/index.js";

const [path, cutText, how] = process.argv.slice(2);
const [name] = readdirSync(join(path, "nvme"));
const file = join(path, "nvme", name);

function show(read) {
  try {
    writeSync(1, `${JSON.stringify(read())}\n`);
  } catch (error) {
    if (!isDaosError(error)) throw error;
    const { segment, size, start, end } = error.facts;
    writeSync(1, `${JSON.stringify({ code: error.code, segment, size, start, end })}\n`);
  }
}

function run() {
  const pool = Pool.connect(path, { mode: "ro" });
  const view = pool.openContainer("c").view();
  const at = (start, end) => show(() => view.readBytes(1n, start, end).at(-1));
  // The first is verified before the file is cut off, the others are not.
  at(290_000, 300_000);
  const whole = readFileSync(file);
  truncateSync(file, Number(cutText));
  at(290_000, 300_000);
  at(150_000, 150_001);
  at(0, 300_000);
  writeFileSync(file, whole);
  at(0, 300_000);
  pool.close();
}

if (how === "unguarded") {
  storageAddon().map(openSync(file, "r"), 100_000);
  // Of an instruction that faults, the signal comes again when the handler has given it back.
  process.kill(process.pid, "SIGBUS");
  process.kill(process.pid, "SIGBUS");
  await setTimeout(1000);
  writeSync(1, "still here\n");
} else if (how === "worker") {
  new Worker(new URL(import.meta.url), { argv: [path, cutText] });
} else run();
