/**
 * Random transactions over a small domain, and a log of what each read and wrote, for a checker of
 * serializability (support/serializability.ts).
 *
 *     node serializable.mjs <pool> <log> '{"process":0,"seed":1,"msMax":1000,...}'
 *
 * Every value is unique: it names its process, transaction and write. A line with what a transaction did is
 * written before its commit, and a line with what came of it afterwards. Each transaction also puts a
 * record of itself, so that a commit whose process was killed is found.
 *
 * @module
 */

import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { isDaosError, Pattern, Pool, wholeOf } from "../../../dist/core/index.js";
import {
  AKEYS,
  CELL_SIZE,
  CELLS,
  cellTag,
  DKEYS,
  KEYS,
  LEDGER,
  tagOfCell,
  VALUES,
} from "./registers.mjs";

const [path, log, text] = process.argv.slice(2);
const options = JSON.parse(text);
let state = options.seed >>> 0;

/** xorshift: the same seed gives the same operations. */
function random(below) {
  state ^= state << 13;
  state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % below;
}

const pick = (list) => list[random(list.length)];
const bytes = (name) => Buffer.from(name);
const cellRange = (first, count) =>
  wholeOf(Pattern.contiguous(first * CELL_SIZE, (first + count) * CELL_SIZE));

/** One transaction: what it reads and writes. */
class Attempt {
  reads = [];
  writes = new Map();
  faults = [];
  #view;
  #own;
  #number;
  #count = 0;

  constructor({ view, own }, number) {
    this.#view = view;
    this.#own = own;
    this.#number = number;
  }

  #tag() {
    this.#count += 1;
    return `${options.process}.${this.#number}.${this.#count}`;
  }

  /** Reads of what the transaction wrote itself must show that; others are logged. */
  #saw(item, value) {
    if (!this.writes.has(item)) this.reads.push([item, value]);
    else if (this.writes.get(item) !== value) this.faults.push(`${item} shows ${value}`);
  }

  readValue() {
    const [dkey, akey] = [pick(DKEYS), pick(AKEYS)];
    const value = this.#view.getValue(VALUES, bytes(dkey), bytes(akey));
    this.#saw(`r/${dkey}/${akey}`, value === undefined ? null : Buffer.from(value).toString());
  }

  readCells() {
    const first = random(CELLS);
    const count = 1 + random(CELLS - first);
    const into = new Uint8Array(count * CELL_SIZE);
    this.#view.readArray(CELLS_OID, cellRange(first, count), into);
    for (let at = 0; at < count; at++) {
      this.#saw(`c/${first + at}`, tagOfCell(into.subarray(at * CELL_SIZE, (at + 1) * CELL_SIZE)));
    }
  }

  readSize() {
    if ([...this.writes.keys()].some((item) => item.startsWith("c/"))) return;
    const size = this.#view.arraySize(CELLS_OID) / CELL_SIZE;
    for (let cell = Math.max(0, size - 1); cell < CELLS; cell++) {
      this.reads.push([`ec/${cell}`, cell < size]);
    }
  }

  list() {
    if ([...this.writes.keys()].some((item) => item.startsWith("r/"))) return;
    const limit = pick([1, 2, 100]);
    const { keys, anchor } = this.#view.listDkeys(VALUES, { limit });
    const found = keys.map((key) => Buffer.from(key).toString());
    const last = anchor === undefined ? undefined : found.at(-1);
    for (const dkey of DKEYS) {
      if (last === undefined || dkey <= last) this.reads.push([`e/${dkey}`, found.includes(dkey)]);
    }
  }

  put() {
    const [dkey, akey, tag] = [pick(DKEYS), pick(AKEYS), this.#tag()];
    const change = { dkey: bytes(dkey), akey: bytes(akey), value: bytes(tag), condition: "none" };
    this.#own.put({ oid: VALUES, ...change });
    this.writes.set(`r/${dkey}/${akey}`, tag);
  }

  writeCells() {
    const first = random(CELLS);
    const count = 1 + random(CELLS - first);
    const tag = this.#tag();
    const cells = Buffer.concat(Array.from({ length: count }, () => cellTag(tag)));
    this.#own.write(CELLS_OID, cellRange(first, count), cells);
    for (let at = 0; at < count; at++) this.writes.set(`c/${first + at}`, tag);
  }

  punch() {
    const what = random(8);
    const dkey = pick(DKEYS);
    const clear = (items) => {
      for (const item of items) this.writes.set(item, null);
    };
    const ofDkey = (name) => AKEYS.map((akey) => `r/${name}/${akey}`);
    if (what < 4) {
      const akey = pick(AKEYS);
      this.#own.punchAkey(VALUES, bytes(dkey), bytes(akey));
      clear([`r/${dkey}/${akey}`]);
    } else if (what < 6) {
      this.#own.punchDkey(VALUES, bytes(dkey));
      clear(ofDkey(dkey));
    } else if (what === 6) {
      this.#own.punch(VALUES);
      clear(DKEYS.flatMap(ofDkey));
    } else {
      const cell = random(CELLS);
      this.#own.punchRange(CELLS_OID, cellRange(cell, 1));
      clear([`c/${cell}`]);
    }
  }

  /** A read whose value decides what is written: what a lost update needs. */
  run() {
    const actions = [
      "readValue",
      "readValue",
      "put",
      "put",
      "readCells",
      "writeCells",
      "list",
      "readSize",
      "punch",
    ];
    for (let count = 1 + random(5); count > 0; count--) this[pick(actions)]();
    const dkey = bytes(`${options.process}.${this.#number}`);
    if (this.writes.size > 0) {
      this.#own.put({ oid: LEDGER, dkey, akey: KEYS, value: dkey, condition: "none" });
    }
  }
}

const CELLS_OID = 2n;
const pool = Pool.connect(path);
const container = pool.openContainer("c");
const note = (line) =>
  appendFileSync(
    log,
    `${JSON.stringify(line, (_, value) => (typeof value === "bigint" ? `${value}` : value))}\n`,
  );
console.log("ready");
// All begin together, so that they meet.
await once(process.stdin, "data");
process.stdin.destroy();
const end = Date.now() + options.msMax;

/** As runTransaction() would do it, and without looking at what was read. */
function unchecked() {
  const view = container.view();
  const own = container.begin();
  return {
    view,
    own,
    epoch: view.epoch,
    commit: () => container.commit(own).epoch,
    abort: () => {
      own.abort();
      view.close();
    },
  };
}

for (let number = 0; Date.now() < end; number++) {
  const transaction = options.validates === false ? unchecked() : container.beginTransaction();
  const attempt = new Attempt(transaction, number);
  attempt.run();
  // Others get a turn between reads and commit.
  if (random(3) === 0) await new Promise((resolve) => setTimeout(resolve, random(4)));
  const { reads, faults, writes } = attempt;
  note({ number, epoch: transaction.epoch, reads, writes: [...writes], faults });
  try {
    // A transaction without writes need not be committed: its reads count all the same.
    note({ number, committed: writes.size === 0 ? null : transaction.commit() });
  } catch (error) {
    if (!isDaosError(error, "DER_TX_RESTART")) throw error;
    note({ number, failed: error.code });
  }
  transaction.abort();
  if (options.aggregates && random(6) === 0) container.aggregate();
}
pool.close();
