/**
 * Random accesses, made alike to a file in a container and to a native one, which says what is right.
 *
 *     random-accesses.mjs <address> <path> <seed> <operations> [solo] [past-end] [to-be-killed]
 *
 * All ranks draw what happens from one series of numbers, and what they access from series of their own. Views give
 * each rank bytes that are no other rank's, so that one outcome is right; what others have written is read after
 * `sync`, `barrier` and `sync`. Every result, buffer, position and size is compared, and all bytes in the end. The
 * files are kept: a later run, of other ranks, begins by comparing them.
 *
 * With "past-end", reads may go beyond the end of the file: ROMIO has faults of its own there.
 *
 * A job that is to be killed keeps what the native file holds, as <path>.<number>, before it commits just that to the
 * container, and makes no commits between: what is found afterwards must be one of these. It also prints { rank, pid }
 * from each rank, and { acknowledged: number } behind each commit.
 *
 * Prints one JSON line per rank: { rank, operations, differences }.
 *
 * @module
 */

import { copyFileSync, renameSync } from "node:fs";
import { Datatype, File, Mode, MpiError, Seek, SoloCommunicator, world } from "daos-ts/mpi-io";

const [, , address, path, seedText, operationsText, ...options] = process.argv;
const comm = options.includes("solo") ? new SoloCommunicator() : world();
const readsPastEnd = options.includes("past-end");
const isToBeKilled = options.includes("to-be-killed");
const { rank, size: ranks } = comm;
const TILES = 12;
const differences = [];

/** Numbers below 1, the same for the same seed (mulberry32). */
function series(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const common = series(Number(seedText));
const own = series(Number(seedText) * 31 + rank + 1);
const below = (draw, limit) => Math.floor(draw() * limit);
const oneOf = (draw, choices) => choices[below(draw, choices.length)];

/** A tile of blocks, each of which is of one rank: what rank r has of it, as a file type. */
function randomView() {
  const [unit, etype] = oneOf(common, [
    [1, Datatype.BYTE],
    [4, Datatype.INT],
    [8, Datatype.DOUBLE],
  ]);
  const displacement = unit * below(common, 9);
  const regular = below(common, 3);
  if (regular === 0) {
    // Blocks in turn, as a strided checkpoint has them.
    const length = 1 + below(common, 600);
    const count = 1 + below(common, 5);
    const vector = Datatype.vector(count, length, length * ranks, etype);
    const filetype = Datatype.resized(vector, 0, unit * length * ranks * count);
    const start = displacement + rank * length * unit;
    return { displacement: start, etype, filetype, elements: length * count };
  }
  if (regular === 1) {
    const rows = ranks * (1 + below(common, 4));
    const columns = 1 + below(common, 40);
    const sizes = [rows, columns];
    const share = [rows / ranks, columns];
    const start = [(rank * rows) / ranks, 0];
    const filetype = Datatype.subarray(sizes, share, start, "C", etype);
    return { displacement, etype, filetype, elements: share[0] * share[1] };
  }
  const lengths = [];
  const places = [];
  let place = 0;
  for (let i = 0; i < 3 + below(common, 9); i += 1) {
    place += below(common, 5);
    const length = 1 + below(common, 90);
    if (below(common, ranks) === rank || i === rank) {
      lengths.push(length);
      places.push(place);
    }
    // The draws of other ranks are made too, so that all stay together; a block is of one rank only.
    place += length * ranks;
  }
  if (lengths.length === 0) {
    lengths.push(1);
    places.push(place);
  }
  const shifted = places.map((at, i) => at + rank * lengths[i]);
  const indexed = Datatype.indexed(lengths, shifted, etype);
  const filetype = Datatype.resized(indexed, 0, (place + 100 * ranks) * unit);
  return { displacement, etype, filetype, elements: lengths.reduce((sum, each) => sum + each, 0) };
}

/** Memory of some elements, with or without gaps; both files get equal ones. */
function randomMemory(etype, count) {
  const unit = etype.size;
  if (count === 0 || own() < 0.7) {
    const make = () => new Uint8Array(count * unit);
    if (own() < 0.5) return { make, message: (bytes) => bytes };
    return { make, message: (bytes) => [bytes, count, etype] };
  }
  const length = 1 + below(own, Math.min(count, 50));
  const whole = Math.floor(count / length);
  const type = Datatype.vector(whole, length, length + 1 + below(own, 3), etype);
  const make = () => new Uint8Array(type.trueExtent + 16);
  return { make, message: (bytes) => [bytes, 1, type], count: whole * length };
}

function fill(bytes) {
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = below(own, 256);
}

/** What a call gives: a value, or the class of its error. */
function outcome(call) {
  try {
    const result = call();
    return typeof result?.count === "number" ? { count: result.count } : (result ?? null);
  } catch (error) {
    if (error instanceof MpiError) return { error: error.code };
    throw error;
  }
}

let files;
/** The view of a file that has just been opened. */
const ALL_BYTES = { displacement: 0, etype: Datatype.BYTE, filetype: Datatype.BYTE, elements: 1 };
let view = ALL_BYTES;
let step = 0;

function differ(what, ours, theirs) {
  const [left, right] = [ours, theirs].map((value) => JSON.stringify(value));
  if (left !== right && differences.length < 5) differences.push({ step, what, ours, theirs });
}

/** Makes a call of both files. */
function both(what, call) {
  const [ours, theirs] = files.map((file, i) => outcome(() => call(file, i)));
  differ(what, ours, theirs);
}

function compareAll() {
  for (const file of files) file.setView(0, Datatype.BYTE, Datatype.BYTE);
  view = ALL_BYTES;
  both("size", (file) => file.getSize());
  const all = files.map((file) => {
    const bytes = new Uint8Array(file.getSize());
    file.readAtAll(0, bytes);
    return Buffer.from(bytes);
  });
  const at = all[0].findIndex((byte, i) => byte !== all[1][i]);
  if (at >= 0) differ("bytes", { at, byte: all[0][at] }, { at, byte: all[1][at] });
}

/** Number of the version that was kept last. */
let kept = 0;

/** Keeps what the native file holds; the file in the container holds it from the next commit on. */
function keepVersion() {
  kept += 1;
  files[1].sync();
  comm.barrier();
  if (rank === 0) {
    copyFileSync(path, `${path}.part`);
    renameSync(`${path}.part`, `${path}.${kept}`);
  }
  comm.barrier();
}

/** What others have written becomes visible. */
function exchange() {
  if (isToBeKilled) keepVersion();
  for (const file of files) {
    file.sync();
    comm.barrier();
    file.sync();
  }
  if (isToBeKilled && rank === 0) console.log(JSON.stringify({ acknowledged: kept }));
}

function open() {
  files = [address, path].map((name) => File.open(comm, name, Mode.CREATE | Mode.RDWR));
  view = ALL_BYTES;
}

/** The forms of an access. */
const FORMS = {
  blocking: (file, name, args) => file[name](...args),
  nonblocking: (file, name, args) => file[`i${name}`](...args).wait(),
  split: (file, name, args) => {
    file[`${name}Begin`](...args);
    return file[`${name}End`]();
  },
};

function transfer(name, { at, isCollective }) {
  const form = oneOf(common, ["blocking", "blocking", isCollective ? "split" : "nonblocking"]);
  const isWrite = name.startsWith("write");
  const isSeries = below(common, 4) === 0;
  // A series of equal records, as programs make them: one call each.
  const times = isSeries ? 2 + below(isCollective ? common : own, 12) : 1;
  const limit = Math.max(1, isSeries ? view.elements : TILES * view.elements);
  const count = below(own, Math.min(limit, 3000) + 1);
  const memory = randomMemory(view.etype, count);
  const moved = memory.count ?? count;
  const stride = moved + below(own, 3) * view.elements;
  const first = below(own, TILES * view.elements);
  for (let i = 0; i < times; i += 1) {
    const place = first + i * stride;
    const isOut = (isWrite || !readsPastEnd) && place + moved > TILES * view.elements;
    if (isOut && !isCollective) continue;
    const buffers = [memory.make(), memory.make()];
    fill(buffers[0]);
    buffers[1].set(buffers[0]);
    both(`${form} ${name} ${moved} at ${at ? place : "pointer"}`, (file, of) => {
      const message = isOut ? new Uint8Array() : memory.message(buffers[of]);
      if (!at) file.seek(isOut ? 0 : place, Seek.SET);
      const status = FORMS[form](file, name, at ? [place, message] : [message]);
      // ROMIO tells the count of an access before, where a split one moves nothing.
      return isOut || count === 0 ? null : status;
    });
    if (!at) both("position", (file) => file.getPosition());
    const differing = buffers[0].findIndex((byte, j) => byte !== buffers[1][j]);
    if (differing >= 0) {
      differ(`${name} buffer`, buffers[0][differing], buffers[1][differing]);
    }
  }
}

/** Reads records one after the other, some of which are written shortly before. */
function readBehindWrites() {
  const unit = view.etype.size;
  const count = 1 + below(own, view.elements);
  const size = count * unit;
  for (let place = 0; place + count <= TILES * view.elements; place += count) {
    if (below(own, 4) === 0) {
      const record = new Uint8Array(size);
      fill(record);
      const ahead = place + count * below(own, 3);
      if (ahead + count <= TILES * view.elements)
        both("write", (file) => file.writeAt(ahead, record));
    }
    const buffers = files.map(() => new Uint8Array(size));
    both("read", (file, of) => file.readAt(place, buffers[of]));
    differ("record", Buffer.compare(...buffers), 0);
  }
}

const OPERATIONS = {
  writeAt: () => transfer("writeAt", { at: true }),
  readAt: () => transfer("readAt", { at: true }),
  write: () => transfer("write", { at: false }),
  read: () => transfer("read", { at: false }),
  writeAtAll: () => transfer("writeAtAll", { at: true, isCollective: true }),
  readAtAll: () => transfer("readAtAll", { at: true, isCollective: true }),
  writeAll: () => transfer("writeAll", { at: false, isCollective: true }),
  readBehindWrites,
  readAll: () => transfer("readAll", { at: false, isCollective: true }),
  view: () => {
    exchange();
    view = randomView();
    const { displacement, etype, filetype } = view;
    for (const file of files) file.setView(displacement, etype, filetype);
    // All that is written lies in the file already: when it grows must not depend on which rank is first.
    const end = filetype.extent * (TILES + 2);
    for (const file of files) file.setSize(Math.max(end, file.getSize()));
  },
  size: () => {
    exchange();
    const more = below(common, 5000);
    both("set size", (file) => file.setSize(file.getSize() + more));
    both("size", (file) => file.getSize());
  },
  atomicity: () => {
    exchange();
    const isAtomic = below(common, 3) === 0;
    for (const file of files) file.setAtomicity(isAtomic);
    both("atomicity", (file) => file.getAtomicity());
  },
  offset: () => {
    const place = below(own, TILES * view.elements);
    both("byte offset", (file) => file.getByteOffset(place));
  },
  exchange,
  compare: () => {
    exchange();
    compareAll();
    OPERATIONS.view();
  },
  reopen: () => {
    exchange();
    for (const file of files) file.close();
    comm.barrier();
    open();
    compareAll();
    OPERATIONS.view();
  },
};
// In atomic mode each write is a commit of its own.
const NAMES = Object.keys(OPERATIONS).filter((name) => !isToBeKilled || name !== "atomicity");
/** Accesses are drawn more often than what goes on around them. */
const DRAWN = [...NAMES, ...NAMES.slice(0, 9), ...NAMES.slice(0, 9)];

if (isToBeKilled) console.log(JSON.stringify({ rank, pid: process.pid }));
open();
compareAll();
OPERATIONS.view();
for (step = 1; step <= Number(operationsText); step += 1) {
  OPERATIONS[oneOf(common, DRAWN)]();
}
exchange();
compareAll();
for (const file of files) file.close();
console.log(JSON.stringify({ rank, operations: step - 1, differences }));
