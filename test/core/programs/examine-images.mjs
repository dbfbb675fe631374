/**
 * Opens each pool whose path comes as a line, shows what is in it, works on it, and shows it again: one
 * line of JSON for each. A program of its own, since damage that is not noticed can end the process.
 *
 *     node examine-images.mjs
 *
 *     <path>
 *     {"head": "123", "commits": [...], "snapshots": {...}, "readings": {...}, "after": {...}, ...}
 *     {"error": "DER_NONEXIST", "message": ...}
 *
 * @module
 */

import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { isDaosError, Pattern, Pool, wholeOf } from "../../../dist/core/index.js";
import { arraySize, readAll } from "./operations.mjs";

/** An object that no random operation uses. */
const OWN = 9n;
const SIZE = 40_000;

const readWhole = (view) => readAll(view, (oid) => [0, arraySize(oid)]);

function readAt(container, at) {
  const view = container.view(at);
  try {
    return readWhole(view);
  } finally {
    view.close();
  }
}

function snapshotsOf(container) {
  return Object.fromEntries(container.listSnapshots().map(({ name, epoch }) => [name, `${epoch}`]));
}

function show(container) {
  const view = container.view();
  const head = view.epoch;
  view.close();
  const commits = container.commits().map(({ epoch }) => epoch);
  const snapshots = snapshotsOf(container);
  const epochs = [head, ...commits, ...Object.values(snapshots).map(BigInt)];
  const readings = Object.fromEntries(epochs.map((at) => [`${at}`, readAt(container, at)]));
  return { head: `${head}`, commits: commits.map(String), snapshots, readings };
}

/** Commits to an object of its own and reads it back; returns what is wrong. */
function work(container, tag) {
  const bytes = new Uint8Array(SIZE).fill(tag);
  const { epoch } = container.update((transaction) => {
    const range = wholeOf(Pattern.contiguous(0, SIZE));
    transaction.write(OWN, range, bytes, container.incarnation(OWN));
    const key = { oid: OWN, dkey: Buffer.from("k"), akey: Buffer.from("k") };
    transaction.put({ ...key, value: bytes.subarray(0, 5000), condition: "none" });
  });
  const view = container.view(epoch);
  const value = view.getValue(OWN, Buffer.from("k"), Buffer.from("k"));
  const isRight =
    Buffer.compare(view.readBytes(OWN, 0, SIZE), bytes) === 0 &&
    Buffer.compare(value ?? [], bytes.subarray(0, 5000)) === 0;
  view.close();
  return isRight ? [] : [`what was written at ${epoch} reads back otherwise`];
}

function examine(path) {
  let pool = Pool.connect(path);
  const wrong = [];
  if (!pool.listContainers().includes("c")) {
    wrong.push(...work(pool.createContainer("c"), 1));
    pool.close();
    return { error: "no container", message: wrong.join() };
  }
  const shown = show(pool.openContainer("c"));
  wrong.push(...pool.scrub().damages.map(({ oid, epoch }) => `damage of ${oid} at ${epoch}`));
  const oid = `${pool.openContainer("c").allocateOid(0)}`;
  wrong.push(...work(pool.openContainer("c"), 1));
  pool.close();
  pool = Pool.connect(path);
  pool.recover();
  if (pool.query().segments.leased > 0) wrong.push("a lease is left behind");
  const container = pool.openContainer("c");
  container.aggregate();
  wrong.push(...work(container, 2));
  wrong.push(...pool.scrub().damages.map(({ oid, epoch }) => `later damage of ${oid} at ${epoch}`));
  const after = { reading: readAt(container), snapshots: {} };
  for (const name of Object.keys(snapshotsOf(container))) {
    after.snapshots[name] = readAt(container, { snapshot: name });
  }
  pool.close();
  return { ...shown, oid, wrong, after };
}

for await (const path of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = examine(path);
  } catch (error) {
    // Also what is no DaosError: the image is lost, whatever it did to the program.
    answer = { error: isDaosError(error) ? error.code : error.name, message: error.message };
  }
  writeSync(1, `${JSON.stringify(answer)}\n`);
}
