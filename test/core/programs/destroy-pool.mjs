/**
 * Destroys a pool and is killed right before one of the calls that change the file system; prints "done" if it
 * comes to the end.
 *
 *     node destroy-pool.mjs <pool> <number of the call, from 1>
 *
 * @module
 */

import fs from "node:fs";
import { Pool } from "../../../dist/core/index.js";

const [path, at] = process.argv.slice(2);
let calls = 0;
for (const name of ["renameSync", "rmSync", "unlinkSync", "rmdirSync", "fsyncSync"]) {
  const real = fs[name];
  fs[name] = (...args) => {
    calls += 1;
    if (calls === Number(at)) process.kill(process.pid, "SIGKILL");
    return real(...args);
  };
}
Pool.destroy(path, { recursive: true });
console.log("done");
