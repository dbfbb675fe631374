/**
 * Does random operations on a container and logs each one twice: what is asked for and since when, before
 * it begins; what came of it and until when, after it has returned. Several processes work on one pool.
 *
 *     node random-operations.mjs <pool> <log> '{"process": 0, "seed": 1, "steps": 100, "handles": 1}'
 *
 *     {"number": 3, "from": "<ns>", "operation": {"type": "commit", "writes": [], ...}}
 *     {"number": 3, "to": "<ns>", "outcome": {"epoch": "123"}}
 *
 * Options: `create` makes the pool first (`create` holds the options of pool and container), `msMax`
 * ends the run early, `handles` opens the pool that many times at once.
 *
 * A line is one write to the log's descriptor, so that a log below a recorded directory is ordered with
 * all else that is done there. Expected errors are outcomes; anything else ends the program.
 *
 * @module
 */

import { openSync, writeSync } from "node:fs";
import { isDaosError, Pool } from "../../../dist/core/index.js";
import {
  ARRAYS,
  arraySize,
  bytesOf,
  bytesOfValue,
  KEYS,
  OFFSETS,
  rangeOf,
  readAll,
  VALUE_OBJECTS,
} from "./operations.mjs";

const [path, logPath, optionsText] = process.argv.slice(2);
const options = JSON.parse(optionsText);
const log = openSync(logPath, "a");
/** Tags of different processes differ. */
const TAGS = 1_000_000;
let tag = (options.process + 1) * TAGS;
let number = 0;
let state = options.seed | 0;

/** A whole number in `[0, end)`: as in test/core/support/random.ts. */
function below(end) {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
}

const oneOf = (list) => list[below(list.length)];

function writeLine(line) {
  const text = `${JSON.stringify(line, (_, value) => (typeof value === "bigint" ? `${value}` : value))}\n`;
  writeSync(log, text);
}

/** Logs an operation around doing it. */
function perform(from, operation, work) {
  number += 1;
  writeLine({ number, from, operation });
  let outcome;
  try {
    outcome = work() ?? {};
  } catch (error) {
    if (!isDaosError(error)) throw error;
    outcome = { error: error.code, message: error.message };
  }
  writeLine({ number, to: process.hrtime.bigint(), outcome });
}

/** A handle of the pool, and the views that are open through it. */
class Handle {
  views = [];
  /** Epochs that there were, of which some are gone by now. */
  epochs = [];

  connect() {
    this.pool?.close();
    this.views = [];
    this.pool = Pool.connect(path);
    this.container = this.pool.openContainer("c");
  }
}

function randomPattern(unit) {
  const blockLength = 1 + below(below(4) === 0 ? OFFSETS / 2 : 12);
  const start = below(OFFSETS - blockLength + 1);
  const stride = blockLength + 1 + below(8);
  const count = 1 + Math.min(below(6), Math.floor((OFFSETS - start - blockLength) / stride));
  const isWhole = below(8) === 0;
  if (isWhole) return { start: 0, blockLength: OFFSETS * unit, levels: [] };
  const levels = count > 1 && below(3) === 0 ? [{ stride: stride * unit, count }] : [];
  return { start: start * unit, blockLength: blockLength * unit, levels };
}

function randomPut() {
  const condition = oneOf(["none", "none", "insert", "update"]);
  const size = 16 + oneOf([0, 30, 300, 3000, 6000, 70_000]);
  tag += 1;
  const value = below(5) === 0 ? undefined : `${tag}*${size}`;
  return { oid: oneOf(VALUE_OBJECTS), dkey: oneOf(KEYS), akey: oneOf(KEYS), value, condition };
}

/** A commit: never a punch of what it writes too, of which the order would have to be told. */
function randomCommit({ container }) {
  const punches = below(12) === 0 ? [oneOf([1n, 2n, 3n, 4n])] : [];
  const puts = Array.from({ length: below(4) }, randomPut);
  const writes = Array.from({ length: 1 + below(3) }, () => {
    const { oid, unit } = oneOf(ARRAYS);
    tag += 1;
    return { oid, tag, pattern: randomPattern(unit), incarnation: container.incarnation(oid) };
  });
  const isFree = ({ oid }) => !punches.includes(oid);
  // The newest of a transaction's knowledge of an object is not asked for: the first write's counts.
  return { type: "commit", writes: writes.filter(isFree), puts: puts.filter(isFree), punches };
}

function fill(transaction, { writes, puts, punches }) {
  for (const { oid, tag: seed, pattern, incarnation } of writes) {
    const range = rangeOf(pattern);
    transaction.write(oid, range, bytesOf(seed, range.to - range.from), incarnation);
  }
  for (const { oid, dkey, akey, value, condition } of puts) {
    const key = { oid, dkey: Buffer.from(dkey), akey: Buffer.from(akey) };
    transaction.put({ ...key, value: value && bytesOfValue(value), condition });
  }
  for (const oid of punches) transaction.punch(oid);
}

function commit(handle, given) {
  const from = process.hrtime.bigint();
  const operation = given ?? randomCommit(handle);
  perform(from, operation, () => {
    const { epoch } = handle.container.update((transaction) => fill(transaction, operation));
    handle.epochs = [...handle.epochs.slice(-9), epoch];
    return { epoch };
  });
}

function randomRange(oid) {
  const start = below(arraySize(oid));
  return [start, start + 1 + below(arraySize(oid) - start)];
}

function read(handle, at) {
  const from = process.hrtime.bigint();
  perform(from, { type: "view", at }, () => {
    const view = handle.container.view(at);
    handle.views.push(view);
    return { epoch: view.epoch, ...readAll(view, randomRange) };
  });
  if (handle.views.length > 2) handle.views.shift().close();
}

function readAgain(handle) {
  const view = oneOf(handle.views);
  if (view === undefined) return;
  const from = process.hrtime.bigint();
  perform(from, { type: "reread" }, () => ({ epoch: view.epoch, ...readAll(view, randomRange) }));
}

/** Names of snapshots are a process's own, so that it knows which ones exist. */
const NAMES = [0, 1, 2].map((index) => `p${options.process}.${index}`);

function changeSnapshot(handle) {
  const name = oneOf(NAMES);
  const { container } = handle;
  const from = process.hrtime.bigint();
  const type = oneOf(["createSnapshot", "createSnapshot", "destroySnapshot", "viewSnapshot"]);
  if (type === "viewSnapshot") read(handle, { snapshot: name });
  else if (type === "destroySnapshot") {
    perform(from, { type, name }, () => container.destroySnapshot(name));
  } else perform(from, { type, name }, () => ({ epoch: container.createSnapshot(name).epoch }));
}

function readOld(handle) {
  const listed = handle.container.commits().map(({ epoch }) => epoch);
  const epochs = below(2) === 0 ? listed : handle.epochs;
  if (epochs.length > 0) read(handle, oneOf(epochs));
}

const aggregate = (handle) => simple("aggregate", () => void handle.container.aggregate());
const reopen = (handle) => simple("reopen", () => handle.connect());

/** Empties the container and gives up a handle's segment, which its next commit finds free and recycles. */
function recycle(keeper, giver) {
  for (const { views } of [keeper, giver]) for (const view of views.splice(0)) view.close();
  for (const name of NAMES) {
    perform(process.hrtime.bigint(), { type: "destroySnapshot", name }, () =>
      keeper.container.destroySnapshot(name),
    );
  }
  commit(keeper, { type: "commit", writes: [], puts: [], punches: [1n, 2n, 3n, 4n] });
  for (let again = 0; again < 4; again++) commit(keeper);
  aggregate(keeper);
  reopen(giver);
  for (let again = 0; again < 3; again++) commit(giver);
}

function simple(type, work) {
  perform(process.hrtime.bigint(), { type }, work);
}

function step(handle) {
  const choice = below(100);
  if (choice < 50) commit(handle);
  else if (choice < 64) read(handle);
  else if (choice < 70) readAgain(handle);
  else if (choice < 76) readOld(handle);
  else if (choice < 84) changeSnapshot(handle);
  else if (choice < 92) aggregate(handle);
  else if (choice < 94) simple("allocate", () => ({ oid: handle.container.allocateOid(0) }));
  else if (choice < 99 || handles.length === 1) reopen(handle);
  else recycle(handle, oneOf(handles.filter((other) => other !== handle)));
}

if (options.create !== undefined) {
  simple("create", () => {
    const { durability } = options.create;
    const pool = Pool.create({ path, durability });
    pool.close();
  });
  simple("createContainer", () => {
    const pool = Pool.connect(path);
    pool.createContainer("c", { retainCommits: options.create.retainCommits });
    pool.close();
  });
}
const handles = Array.from({ length: options.handles ?? 1 }, () => new Handle());
for (const handle of handles) handle.connect();
const end = Date.now() + (options.msMax ?? Number.POSITIVE_INFINITY);
for (let done = 0; done < options.steps && Date.now() < end; done++) {
  if (handles.length > 1 && done === Math.floor(options.steps / 3)) recycle(handles[0], handles[1]);
  step(oneOf(handles));
}
for (const { pool } of handles) pool.close();
