/**
 * Reads a pool as a user who may not write it, while somebody else overwrites and aggregates it, and compares
 * every answer: each version shows one number everywhere. Prints a line when it is ready and a JSON line at the end.
 *
 *     node read-beside-writer.mjs <pool> <empty directory> <user id> <milliseconds>
 *
 *     {"views": 812, "answers": 9001, "wrong": [], "codes": {"DER_EPOCH_GONE": 12}}
 *
 * Of each version: `keys` dkeys of object 1 and an array of bytes, object 2, all of the version's number; the
 * records of object 3.
 *
 * @module
 */

import { writeSync } from "node:fs";
import { join } from "node:path";
import { isDaosError, Pool } from "../../../dist/core/index.js";

const [path, scratch, user, milliseconds] = process.argv.slice(2);
const KEYS = 40;
const SIZE = 5000;
const akey = Buffer.from("a");

// Loads the native parts, which the other user may not be able to read.
Pool.create({ path: join(scratch, "p"), durability: "process" }).close();
process.setgroups([]);
process.setgid(Number(user));
process.setuid(Number(user));

const pool = Pool.connect(path, { mode: "ro" });
const container = pool.openContainer("c");
const result = { views: 0, answers: 0, wrong: [], codes: {} };
/** One answer: what it must be, or a typed error that says that there is none. */
function ask(what, call, isRight) {
  let answer;
  try {
    answer = call();
  } catch (error) {
    if (!isDaosError(error)) throw error;
    result.codes[error.code] = (result.codes[error.code] ?? 0) + 1;
    return undefined;
  }
  result.answers += 1;
  if (!isRight(answer)) result.wrong.push(`${what}: ${Buffer.from(answer ?? []).subarray(0, 20)}`);
  return answer;
}

function readView(view) {
  const first = ask(
    "first",
    () => view.getValue(1n, Buffer.from("k0"), akey),
    (value) => value?.length === 8,
  );
  if (first === undefined) return;
  const version = Buffer.from(first);
  for (let key = 1; key < KEYS; key++) {
    ask(
      `value ${key}`,
      () => view.getValue(1n, Buffer.from(`k${key}`), akey),
      (value) => version.equals(value ?? []),
    );
  }
  const fill = Number(version) % 251;
  const isFilled = (size) => (bytes) =>
    bytes.length === size && bytes.every((byte) => byte === fill);
  ask("bytes", () => view.readBytes(2n, 0, SIZE), isFilled(SIZE));
  ask(
    "size",
    () => view.arraySize(2n),
    (size) => size === SIZE,
  );
  ask(
    "dkeys",
    () => view.listDkeys(1n).keys,
    (keys) => keys.length === KEYS,
  );
  ask(
    "objects",
    () => view.listObjects().keys,
    (oids) => String(oids) === "1,2,3",
  );
  const records = new Uint8Array(SIZE);
  const fetch = [{ akey, ranges: [{ index: 0, count: SIZE }], into: records }];
  const fetchRecords = () => {
    view.fetch(3n, akey, fetch);
    return records;
  };
  ask("records", fetchRecords, isFilled(SIZE));
}

writeSync(1, "ready\n");
const until = Date.now() + Number(milliseconds);
while (Date.now() < until) {
  let view;
  try {
    view = container.view();
  } catch (error) {
    if (!isDaosError(error)) throw error;
    result.codes[error.code] = (result.codes[error.code] ?? 0) + 1;
    continue;
  }
  result.views += 1;
  for (let turn = 0; turn < 3; turn++) readView(view);
  view.close();
}
pool.close();
writeSync(1, `${JSON.stringify({ ...result, wrong: result.wrong.slice(0, 20) })}\n`);
