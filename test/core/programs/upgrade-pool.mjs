/**
 * Upgrades a pool to a made-up newer format, in two steps, and is killed right before one of the calls that change
 * the file system; prints the steps that it ran.
 *
 *     node upgrade-pool.mjs <pool> <number of the call, from 1; 0 for none>
 *
 * Each step writes a file that says that it was run; the second one needs the first one's.
 *
 * @module
 */

import fs from "node:fs";
import { join } from "node:path";
import { upgradePool } from "../../../dist/core/pool/pool-upgrade.js";

const [path, at] = process.argv.slice(2);
let calls = 0;
for (const name of ["renameSync", "rmSync", "writeSync", "writeFileSync", "fsyncSync"]) {
  const real = fs[name];
  fs[name] = (...args) => {
    calls += 1;
    if (calls === Number(at)) process.kill(process.pid, "SIGKILL");
    return real(...args);
  };
}
const mark = (directory, step) => fs.writeFileSync(join(directory, "nvme", `step-${step}`), "");
const steps = [
  { to: 2, summary: "first", run: ({ directory }) => mark(directory, 1) },
  {
    to: 3,
    summary: "second",
    run: ({ directory }) => {
      if (!fs.existsSync(join(directory, "nvme", "step-1"))) throw new Error("no first step");
      mark(directory, 2);
    },
  },
];
process.stdout.write(`${JSON.stringify(upgradePool(path, {}, { steps, newest: 3 }).steps)}\n`);
