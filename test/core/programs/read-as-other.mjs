/**
 * Uses a pool as a user who may read it and not write it; prints a line of JSON for each line that it reads, and
 * one at first.
 *
 *     node read-as-other.mjs <pool> <empty directory> <user id, or 0 to stay who it is>
 *
 *     {"rw": "DER_NO_PERM", "contents": {...}, "errors": {"createContainer": "DER_NO_PERM", ...}}
 *
 * @module
 */

import { writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isDaosError, Pool } from "../../../dist/core/index.js";
import { contentsOf } from "./contents.mjs";

const [path, scratch, user] = process.argv.slice(2);

// Loads the native parts, which the other user may not be able to read.
Pool.create({ path: join(scratch, "p"), durability: "process" }).close();
if (Number(user) !== 0) {
  process.setgroups([]);
  process.setgid(Number(user));
  process.setuid(Number(user));
}

function codeOf(run) {
  try {
    run();
    return "none";
  } catch (error) {
    if (isDaosError(error)) return error.code;
    throw error;
  }
}

function use() {
  const rw = codeOf(() => Pool.connect(path).close());
  const pool = Pool.connect(path, { mode: "ro" });
  try {
    const contents = contentsOf(pool);
    const { segments } = pool.query();
    const { damages } = pool.scrub();
    const container = pool.openContainer("main");
    const errors = {
      createContainer: codeOf(() => pool.createContainer("d")),
      setSize: codeOf(() => pool.setSize({})),
      recover: codeOf(() => pool.recover()),
      begin: codeOf(() => container.begin()),
      update: codeOf(() => container.update(() => {})),
      aggregate: codeOf(() => container.aggregate()),
      createSnapshot: codeOf(() => container.createSnapshot("s")),
      destroySnapshot: codeOf(() => container.destroySnapshot("first")),
      allocateOid: codeOf(() => container.allocateOid(13)),
      publish: codeOf(() => container.publish([], new Uint8Array(16))),
    };
    return { rw, contents, segments, damages: damages.length, errors };
  } finally {
    pool.close();
  }
}

writeSync(1, `${JSON.stringify(use())}\n`);
for await (const _line of createInterface({ input: process.stdin })) {
  writeSync(1, `${JSON.stringify(use())}\n`);
}
