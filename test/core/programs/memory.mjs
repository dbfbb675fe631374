/**
 * Measures what a process that uses a pool takes of memory; prints a line of JSON.
 *
 *     node --expose-gc --min-semi-space-size=128 --max-semi-space-size=128 memory.mjs allocations <pool> <count>
 *     node --expose-gc --min-semi-space-size=8 --max-semi-space-size=8 memory.mjs insert|read <pool> <kind> <keys> [random]
 *
 * `allocations`: bytes of heap per operation of each sort, over `count` of them in which the collector did not
 * run once (`collections` says that it did not). The young generation is as large as it must be for that.
 *
 * `insert`, `read`: the process's own memory (RssAnon, in bytes) after a tenth of the keys, and after all of them,
 * when the collector has run. With a small young generation its size says nothing of what is kept.
 *
 *     kinds      values    values under the dkeys of one object
 *                objects   a value in an object of its own
 *                records   arrays of records under the dkeys of one object
 *                arrays    a byte array in an object of its own
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { GCProfiler } from "node:v8";
import { Pattern, Pool, wholeOf } from "../../../dist/core/index.js";

const [mode, path, ...rest] = process.argv.slice(2);
const SIZE = 64;
const LARGE_SIZE = 65_536;
const BATCH_COUNT = 1000;
const OBJECT = 100n;
const akey = Buffer.from("a");
const range = wholeOf(Pattern.contiguous(0, SIZE));
const value = new Uint8Array(SIZE).fill(7);
const target = new Uint8Array(SIZE);
const large = new Uint8Array(LARGE_SIZE).fill(3);

/** A dkey of 8 bytes, always in the same buffer. */
const dkey = Buffer.alloc(8);
function name(number) {
  dkey.writeUInt32BE(number, 4);
  return dkey;
}

function heap() {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/**
 * Rounds of which the least counts. What V8 compiles on another core comes earlier or later, by what else the
 * machine does, and code that is not yet compiled allocates more.
 */
const ROUNDS = 4;

/** Bytes of heap and buffers that each of `count` operations takes, which `run` makes. */
function measureRound(count, run) {
  globalThis.gc();
  const profiler = new GCProfiler();
  profiler.start();
  const before = heap();
  run();
  const after = heap();
  const { statistics } = profiler.stop();
  return { bytes: (after - before) / count, collections: statistics.length };
}

function least(rounds) {
  return rounds.reduce((best, round) => (round.bytes < best.bytes ? round : best));
}

function bytesEach(count, operate) {
  const run = () => {
    for (let number = 0; number < count; number++) operate(number);
  };
  run();
  return least(Array.from({ length: ROUNDS }, () => measureRound(count, run)));
}

function measureAllocations(count) {
  const pool = Pool.create({ path, durability: "process" });
  const container = pool.createContainer("c");
  container.update((tx) => {
    for (let number = 0; number < count; number++) {
      tx.put({ oid: OBJECT, dkey: name(number), akey, value, condition: "none" });
      tx.update(OBJECT + 1n, name(number % 16), [
        { akey, recordSize: SIZE, ranges: [{ index: 0, count: 1 }], data: value },
      ]);
    }
    tx.write(OBJECT + 2n, range, value, 0n);
    tx.put({ oid: OBJECT + 3n, dkey: name(0), akey, value: large, condition: "none" });
    tx.update(OBJECT + 3n, name(1), [
      { akey, recordSize: 1, ranges: [{ index: 0, count: LARGE_SIZE }], data: large },
    ]);
  });
  const view = container.view();
  const fetches = [{ akey, into: target }];
  const records = [{ akey, ranges: [{ index: 0, count: 1 }], into: target }];
  const manyRecords = [{ akey, ranges: [{ index: 0, count: LARGE_SIZE }], into: large }];
  const measured = {
    nothing: bytesEach(count, () => {}),
    getValue: bytesEach(count, (number) => view.getValue(OBJECT, name(number), akey)),
    fetch: bytesEach(count, (number) => view.fetch(OBJECT, name(number), fetches)),
    fetchRecords: bytesEach(count, (number) => view.fetch(OBJECT + 1n, name(number % 16), records)),
    fetchLarge: bytesEach(1000, () => view.fetch(OBJECT + 3n, name(0), [{ akey, into: large }])),
    fetchManyRecords: bytesEach(1000, () => view.fetch(OBJECT + 3n, name(1), manyRecords)),
    readArray: bytesEach(count, () => view.readArray(OBJECT + 2n, range, target)),
  };
  view.close();
  const tx = container.begin();
  measured.put = bytesEach(count, (number) =>
    tx.put({ oid: OBJECT, dkey: name(number), akey, value, condition: "none" }),
  );
  const updates = [{ akey, value }];
  measured.update = bytesEach(count, (number) => tx.update(OBJECT, name(number), updates));
  tx.abort();
  const commitBytes = () => {
    const before = container.begin();
    for (let number = 0; number < count; number++) before.update(OBJECT, name(number), updates);
    return measureRound(count, () => container.commit(before));
  };
  commitBytes();
  measured.commit = least(Array.from({ length: ROUNDS }, commitBytes));
  pool.close();
  return measured;
}

const write = {
  values: (tx, number) =>
    tx.put({ oid: OBJECT, dkey: name(number), akey, value, condition: "none" }),
  objects: (tx, number) =>
    tx.put({ oid: OBJECT + BigInt(number), dkey: name(0), akey, value, condition: "none" }),
  records: (tx, number) =>
    tx.update(OBJECT, name(number), [
      { akey, recordSize: SIZE, ranges: [{ index: 0, count: 1 }], data: value },
    ]),
  arrays: (tx, number) => tx.write(OBJECT + BigInt(number), range, value, 0n),
};
const fetches = [{ akey, into: target }];
const records = [{ akey, ranges: [{ index: 0, count: 1 }], into: target }];
const read = {
  values: (view, number) => view.fetch(OBJECT, name(number), fetches),
  objects: (view, number) => view.fetch(OBJECT + BigInt(number), name(0), fetches),
  records: (view, number) => view.fetch(OBJECT, name(number), records),
  arrays: (view, number) => view.readArray(OBJECT + BigInt(number), range, target),
};

function residentSize() {
  globalThis.gc();
  globalThis.gc();
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)[1]) * 1024;
}

/** The numbers below `count` in order, or in one that visits each once and jumps about. */
function* numbers(count, isRandom) {
  // A step that shares no divisor with the count.
  const step = isRandom ? 7_654_321 : 1;
  for (let index = 0; index < count; index++) yield (index * step) % count;
}

/** The process's own memory after a tenth of the keys, and after all. */
function measureResident(kind, count, isRandom) {
  const pool = Pool.connect(path);
  const container = pool.openContainer(kind);
  const sizes = [];
  const view = mode === "read" ? container.view() : undefined;
  let done = 0;
  let tx;
  for (const number of numbers(count, isRandom)) {
    done += 1;
    if (view !== undefined) {
      target.fill(0);
      read[kind](view, number);
      if (target[SIZE - 1] !== 7) throw new Error(`key ${number} was not read`);
    } else {
      tx ??= container.begin();
      write[kind](tx, number);
    }
    const isMark = done === Math.floor(count / 10) || done === count;
    if (tx !== undefined && (isMark || done % BATCH_COUNT === 0)) {
      container.commit(tx);
      tx = undefined;
    }
    if (isMark) sizes.push(residentSize());
  }
  view?.close();
  pool.close();
  return sizes;
}

const result =
  mode === "allocations"
    ? measureAllocations(Number(rest[0]))
    : measureResident(rest[0], Number(rest[1]), rest[2] === "random");
console.log(JSON.stringify(result));
