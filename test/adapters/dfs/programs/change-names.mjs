/**
 * Changes names in a small domain, beside other processes that do the same, and logs each call: what it
 * answered, and the epoch at which it happened.
 *
 *     node change-names.mjs <pool> <seed> <calls>
 *
 * Prints "ready" and waits for a line, so that all begin at once. Then one line of JSON a call: { epoch, isChange, call, answer }. A call that changed something happened at the
 * epoch of its commit; one that failed saw the version of that epoch.
 *
 * @module
 */

import { once } from "node:events";
import { Pool } from "daos-ts";
import { Dfs } from "daos-ts/dfs";
import { perform, sideOf } from "./calls.mjs";

const [, , path, seed, count] = process.argv;
let state = Number(seed) >>> 0;
/** A whole number from 0 to below `bound`. */
function random(bound) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}
const pick = (list) => list[random(list.length)];
const name = () => pick(["a", "b", "c"]);
const place = () => (random(3) === 0 ? name() : `${name()}/${name()}`);

let number = 0;
const CALLS = [
  () => ["writeFile", place(), `${seed}:${number++}`, { flag: "wx" }],
  () => ["writeFile", place(), `${seed}:${number++}`],
  () => ["mkdir", place(), { recursive: random(2) === 0 }],
  () => ["rename", place(), place()],
  () => ["rename", place(), place()],
  () => ["rmdir", place()],
  () => ["rm", place(), { recursive: random(3) === 0, force: random(2) === 0 }],
  () => ["symlink", name(), place()],
  () => ["unlink", place()],
];

const pool = Pool.connect(path);
const container = pool.openContainer("tests");
let at;
const run = container.runTransaction.bind(container);
container.runTransaction = (body, options) => {
  const result = run(({ view, own }) => {
    at = { epoch: view.epoch, isChange: false };
    const value = body({ view, own });
    at.isChange = !own.isEmpty;
    return value;
  }, options);
  at.epoch = result.epoch;
  return result;
};
console.log("ready");
await once(process.stdin, "data");
const side = sideOf(Dfs.mount(container), "");
const lines = [];
for (let done = 0; done < Number(count); done++) {
  const call = pick(CALLS)();
  const answer = await perform(side, call);
  if (at.isChange && "code" in answer)
    throw new Error(`${call} failed at its commit: ${answer.code}`);
  lines.push({ epoch: String(at.epoch), isChange: at.isChange, call, answer });
}
pool.close();
process.stdin.destroy();
console.log(lines.map((line) => JSON.stringify(line)).join("\n"));
