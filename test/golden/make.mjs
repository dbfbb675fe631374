/**
 * Makes a golden pool: a pool with something of everything, and what it holds.
 *
 *     npm run build && node test/golden/make.mjs <name>
 *
 *     test/golden/<name>/pool.tar.gz     the files of the pool
 *     test/golden/<name>/contents.json   what every later version must find in them
 *
 * A pool whose name ends in "-process" has that durability: its index is written in another way.
 *
 * The contents are the same each time: clock, randomness and order are fixed, and what they must be is worked out
 * by expected.mjs. A pool that was stored is never made again: a new format gets a new name, beside the old ones.
 *
 * @module
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  integerKey,
  makeObjectId,
  NodeDevice,
  ObjectType,
  Pattern,
  Pool,
  wholeOf,
} from "../../dist/core/index.js";
import { contentsOf } from "../core/programs/contents.mjs";
import { ExpectedContainer } from "./expected.mjs";

const KIB = 1024;
/** Small limits make small segments, so that there are several. */
const SIZE = { scm: 4096 * KIB, nvme: 4096 * KIB };
const START_NS = BigInt(Date.UTC(2025, 0, 1)) * 1_000_000n;
const STEP_NS = 1_000_000_000n;

/** The machine, with a clock and randomness of its own. */
class FixedDevice extends NodeDevice {
  #ticks;

  constructor(ticks) {
    super();
    this.#ticks = BigInt(ticks);
  }

  now() {
    this.#ticks += 1n;
    return START_NS + this.#ticks * STEP_NS;
  }

  random(size) {
    this.#ticks += 1n;
    return createHash("sha512").update(`${this.#ticks}`).digest().subarray(0, size);
  }
}

/** Bytes that compress well and differ from their neighbours'. */
function filled(size, tag) {
  return Buffer.from(Array.from({ length: size }, (_, at) => at * 7 + (at >> 8) + tag));
}

const key = (text) => Buffer.from(text, "latin1");
const LONG = "L".repeat(300);
const NAMES = ["a", "ab", "b\0", "b\0c", `${LONG}x`, `${LONG}a`, "z".repeat(65_536)].map(key);

const VALUES = makeObjectId(ObjectType.multiHashed, 1n);
const INTEGERS = makeObjectId(ObjectType.multiUint64, 2n);
const RECORDS = makeObjectId(ObjectType.multiLexical, 3n);
const PUNCHED = makeObjectId(ObjectType.kvHashed, 4n);
const BYTES = makeObjectId(ObjectType.arrayByte, 5n);
const STRIDED = makeObjectId(ObjectType.arrayByte, 6n);
const LARGE = makeObjectId(ObjectType.arrayByte, 7n);
const SCATTERED = makeObjectId(ObjectType.arrayByte, 8n);
/** Of the writer that dies. */
const LAST = makeObjectId(ObjectType.arrayByte, 9n);

/** A container and what is expected of it, changed together. */
class Pair {
  constructor(container) {
    this.container = container;
    this.expected = new ExpectedContainer();
  }

  /** One commit of operations, each a call of the functions below. */
  commit(...operations) {
    const { epoch } = this.container.update((tx) => {
      for (const operation of operations) operation(tx, this);
    });
    this.expected.commit(epoch);
    return epoch;
  }
}

const shapeOf = (start, blockLength, levels = []) => ({ start, blockLength, levels });

const write = (oid, shape, tag) => (tx, { container, expected }) => {
  const range = wholeOf(new Pattern(shape));
  const bytes = tag === undefined ? undefined : filled(range.to, tag);
  const incarnation = container.incarnation(oid);
  if (bytes === undefined) tx.punchRange(oid, range, incarnation);
  else tx.write(oid, range, bytes, incarnation);
  expected.write(oid, shape, bytes);
};

const put = (oid, dkey, akey, value) => (tx, { expected }) => {
  tx.put({ oid, dkey, akey, value, condition: "none" });
  expected.put(oid, dkey, akey, value);
};

const records = (oid, dkey, akey, { recordSize, index, count, tag }) => (tx, { expected }) => {
  const data = tag === undefined ? undefined : filled(recordSize * count, tag);
  tx.update(oid, dkey, [{ akey, recordSize, ranges: [{ index, count }], data }]);
  expected.records(oid, dkey, akey, recordSize, index, count, data);
};

const punch = (oid, dkey, akey) => (tx, { expected }) => {
  if (dkey === undefined) tx.punch(oid);
  else if (akey === undefined) tx.punchDkey(oid, dkey);
  else tx.punchAkey(oid, dkey, akey);
  expected.punch(oid, dkey, akey);
};

/** 24 divides no window: the records below lie on its border. */
const WINDOW_BORDER = { recordSize: 24, index: 2n ** 52n / 24n - 2n, count: 5 };

function firstCommits(main) {
  main.commit(
    ...NAMES.map((name, at) => put(VALUES, name, key("v"), filled(at * 3, at))),
    ...NAMES.map((name, at) => put(VALUES, key("d"), name, filled(at + 1, at))),
    put(VALUES, NAMES[4], NAMES[5], filled(5000, 1)),
    put(VALUES, key("long"), key("v"), filled(70_000, 13)),
    put(VALUES, key("long"), key("w"), filled(4097, 14)),
    put(VALUES, key("long"), key("x"), filled(4096, 15)),
    put(PUNCHED, key("k"), key("v"), key("before")),
    write(BYTES, shapeOf(0, 110_000), 1),
  );
  main.commit(
    ...[1n, 2n ** 63n, 2n ** 64n - 1n].map((number, at) =>
      put(INTEGERS, integerKey(number), integerKey(number / 2n), filled(8, at)),
    ),
    records(RECORDS, key("r"), key("cells"), { recordSize: 24, index: 0, count: 10, tag: 2 }),
    records(RECORDS, key("r"), key("cells"), { ...WINDOW_BORDER, tag: 3 }),
    records(RECORDS, NAMES[4], NAMES[5], { recordSize: 3, index: 2n ** 60n, count: 100, tag: 4 }),
    records(RECORDS, key("r"), key("ends"), { recordSize: 1, index: 2n ** 63n - 4n, count: 4, tag: 5 }),
    write(STRIDED, shapeOf(50, 100, [{ stride: 300, count: 20 }, { stride: 9000, count: 8 }]), 6),
  );
  main.container.createSnapshot("first");
}

function punches(main) {
  main.commit(
    punch(PUNCHED),
    punch(VALUES, key("ab")),
    punch(VALUES, key("d"), NAMES[4]),
    put(VALUES, key("long"), key("v"), filled(6000, 16)),
    put(VALUES, key("long"), key("w"), filled(40, 17)),
    punch(VALUES, key("long"), key("x")),
    records(VALUES, key("long"), key("x"), { recordSize: 7, index: 1, count: 900, tag: 18 }),
    write(BYTES, shapeOf(10_000, 5000)),
    write(STRIDED, shapeOf(0, 50, [{ stride: 600, count: 30 }])),
    records(RECORDS, key("r"), key("cells"), { recordSize: 24, index: 3, count: 4 }),
    records(RECORDS, key("r"), key("cells"), { recordSize: 24, index: WINDOW_BORDER.index + 1n, count: 2 }),
  );
  main.container.createSnapshot("punched");
  main.commit(
    put(PUNCHED, key("k"), key("w"), key("after")),
    put(VALUES, key("ab"), key("v"), key("again")),
    put(VALUES, key("long"), key("x"), filled(9000, 19)),
  );
}

/** Marks of the objects of a snapshot: one at a time, several at once, replaced, taken away. */
function marks({ container }) {
  const table = container.openObjectTable({ snapshot: "first" });
  table.mark(BYTES, key("done"));
  table.markMany([[VALUES, key("\0\xff")], [PUNCHED, key("")], [RECORDS, key("r")], [BYTES, key("x".repeat(32))]]);
  table.unmark([RECORDS]);
  table.close();
  container.createSnapshot("freed");
  const freed = container.openObjectTable({ snapshot: "freed" });
  freed.mark(VALUES, key("gone"));
  freed.close();
  container.destroySnapshot("freed");
}
const MARKED = { first: { [BYTES]: "x".repeat(32), [VALUES]: "\0\xff", [PUNCHED]: "" } };

/** Large ones that are punched: their segments become free. */
function freed(main) {
  for (let round = 0; round < 3; round++) main.commit(write(LARGE, shapeOf(0, 400_000), round));
  main.commit(punch(LARGE), write(BYTES, shapeOf(100_000, 10), 9));
  main.commit(put(VALUES, key("a"), key("v"), key("new")));
  main.container.aggregate();
}

/** Layers that nothing has merged. */
function layers(main) {
  for (let round = 0; round < 5; round++) {
    const shape = shapeOf((round * 37) % 100, 60, [{ stride: 701 + round, count: 40 }]);
    main.commit(write(SCATTERED, shape, round), put(VALUES, key("round"), key("v"), key(`${round}`)));
  }
}

const LAST_SHAPE = shapeOf(0, 40_000);

/** Commits, appends what it does not commit, and dies: its lease and its writer's record stay. */
function dieWithLease(path) {
  const pool = Pool.connect(path, { device: new FixedDevice(1_000_000), owner: "golden" });
  const main = new Pair(pool.openContainer("main"));
  process.stdout.write(`${main.commit(write(LAST, LAST_SHAPE, 11))}`, () => {
    const range = wholeOf(Pattern.contiguous(0, 70_000));
    main.container.begin().write(LAST, range, filled(70_000, 12), 0n);
    process.kill(process.pid, "SIGKILL");
  });
}

function build(path, durability) {
  const options = { path, label: "golden", size: SIZE, owner: "golden", durability };
  const device = new FixedDevice(0);
  const pool = Pool.create({ ...options, device });
  const main = new Pair(pool.createContainer("main", { retainCommits: 3 }));
  firstCommits(main);
  punches(main);
  marks(main);
  freed(main);
  layers(main);
  const other = new Pair(pool.createContainer("a.b:c_d-1", { retainCommits: 1 }));
  other.commit(put(VALUES, key("k"), key("v"), filled(100_000, 3)));
  pool.createContainer("empty");
  pool.close();
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--die", path]);
  assert.equal(child.signal, "SIGKILL", `${child.stderr}`);
  main.expected.write(LAST, LAST_SHAPE, filled(40_000, 11));
  main.expected.commit(`${child.stdout}`);
  return { main, other };
}

/** Compares what the pool shows with what is expected, for every version that it keeps. */
function verify(contents, label, { expected }) {
  const { versions } = contents.containers[label];
  assert.ok(Object.keys(versions).length > 0);
  for (const [epoch, shown] of Object.entries(versions)) {
    assert.deepEqual(shown, JSON.parse(JSON.stringify(expected.versions.get(epoch))), `${label} at ${epoch}`);
  }
}

function make(name) {
  const target = join(dirname(fileURLToPath(import.meta.url)), name);
  if (existsSync(target)) throw new Error(`${target} is there already: choose a new name`);
  const folder = mkdtempSync(join(tmpdir(), "golden-"));
  try {
    const path = join(folder, "pool");
    const pairs = build(path, name.endsWith("-process") ? "process" : "power");
    // Reading takes pins and a place in the reader table: a copy is read, the original stored.
    spawnSync("cp", ["-r", path, `${path}-read`]);
    const pool = Pool.connect(`${path}-read`, { mode: "ro" });
    const contents = contentsOf(pool);
    const { segments } = pool.query();
    pool.close();
    verify(contents, "main", pairs.main);
    verify(contents, "a.b:c_d-1", pairs.other);
    assert.deepEqual(contents.containers.main.marks, MARKED);
    for (const state of ["leased", "sealed", "free"]) assert.ok(segments[state] > 0, `a ${state} segment`);
    mkdirSync(target);
    writeFileSync(join(target, "contents.json"), `${JSON.stringify(contents)}\n`);
    rmSync(join(path, "scm", "index.mdb-lock"));
    const archive = join(target, "pool.tar.gz");
    const sameEachTime = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    const packed = spawnSync("tar", [...sameEachTime, "-cSf", "-", "-C", folder, "pool"], { maxBuffer: 2 ** 28 });
    assert.equal(packed.status, 0, `${packed.stderr}`);
    const gzip = spawnSync("gzip", ["-9n"], { input: packed.stdout, maxBuffer: 2 ** 28 });
    writeFileSync(archive, gzip.stdout);
    console.log(`${archive}: ${statSync(archive).size} bytes, segments ${JSON.stringify(segments)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [first, second] = process.argv.slice(2);
if (first === "--die") dieWithLease(second);
else if (first === undefined) throw new Error("usage: node test/golden/make.mjs <name>");
else make(first);
