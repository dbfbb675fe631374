/**
 * Uses a pool as another user, and prints a line of JSON: the error codes, or `none`.
 *
 *     node use-as-other.mjs <pool> <empty directory> <user id> <group id>
 *
 *     {"write": "none", "read": "none", "files": "none"}
 *
 * `files` is what the file system says to who reads the pool's files beside the library.
 *
 * @module
 */

import { readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isDaosError, Pattern, Pool, wholeOf } from "../../../dist/core/index.js";

const [path, scratch, user, group] = process.argv.slice(2);
const OID = 1n;
const SIZE = 100_000;
const rangeOf = (start, size) => wholeOf(Pattern.contiguous(start, start + size));

// Loads the native parts, which the other user may not be able to read.
const warm = Pool.create({ path: join(scratch, `${process.pid}`), durability: "process" });
warm.createContainer("warm").update((tx) => tx.write(OID, rangeOf(0, 1), new Uint8Array(1)));
warm.close();
process.umask(0o077);
process.setgroups([]);
process.setgid(Number(group));
process.setuid(Number(user));

function codeOf(run) {
  try {
    run();
    return "none";
  } catch (error) {
    if (isDaosError(error)) return error.code;
    if (error.syscall !== undefined) return error.code;
    throw error;
  }
}

/** Writes more than fits into the index, behind what others wrote. */
function write() {
  const pool = Pool.connect(path, { mode: "rw" });
  try {
    pool.openContainer("main").update((tx) => {
      tx.write(OID, rangeOf(Number(user) * SIZE, SIZE), new Uint8Array(SIZE).fill(7));
    });
  } finally {
    pool.close();
  }
}

function read() {
  const pool = Pool.connect(path, { mode: "ro" });
  try {
    const view = pool.openContainer("main", { mode: "ro" }).view();
    view.readArray(OID, rangeOf(0, SIZE), new Uint8Array(SIZE));
    view.close();
  } finally {
    pool.close();
  }
}

function files() {
  for (const name of readdirSync(join(path, "nvme"))) readFileSync(join(path, "nvme", name));
}

const answer = { write: codeOf(write), read: codeOf(read), files: codeOf(files) };
writeSync(1, `${JSON.stringify(answer)}\n`);
