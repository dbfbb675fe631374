/**
 * All that a pool says of itself, as plain values that can be compared and stored as JSON.
 *
 *     { label, durability, containers: { <label>: {
 *         commits: [epoch ...], snapshots: { <name>: epoch },
 *         versions: { <epoch>: { objects: [...], arrays: { <oid>: ... }, keys: { <oid>: ... } } } } } }
 *
 * Short text is shown as it is, other bytes by their size and hash. A part that cannot be read is
 * `{ error: code }` for who asks for that; else the error is thrown.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { isDaosError } from "../../../dist/core/index.js";

const SHOWN_SIZE_MAX = 40;
/** Larger than any array of these tests: a damaged pool must not make this program fill the memory. */
const ARRAY_SIZE_MAX = 1 << 26;
const PAGE = 3;

/** Bytes as text. */
export function show(bytes) {
  if (bytes === undefined) return undefined;
  if (bytes.length <= SHOWN_SIZE_MAX) {
    const text = Buffer.from(bytes).toString("latin1");
    if (/^[ -~]*$/.test(text)) return text;
  }
  return `${bytes.length}:${createHash("sha256").update(bytes).digest("hex").slice(0, 24)}`;
}

/** Ranges of an array: how many, and all of them. */
export function showRanges(ranges) {
  return { ranges: ranges.length, written: show(Buffer.from(JSON.stringify(ranges))) };
}

/** The least and the greatest key; not again if the list says the same. */
function showEdges(keys, least, greatest) {
  const agree = (a, b) => a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
  if (keys.length === 0 && least === undefined && greatest === undefined) return "none";
  if (agree(keys[0], least) && agree(keys.at(-1), greatest)) return "as listed";
  return [show(least), show(greatest)];
}

/** Runs `read`; its typed errors become parts of what is shown if `tolerant`. */
function part(tolerant, read) {
  try {
    return read();
  } catch (error) {
    if (tolerant && isDaosError(error)) return { error: error.code };
    throw error;
  }
}

function arrayOf(view, oid) {
  const size = view.arraySize(oid);
  if (size > ARRAY_SIZE_MAX) return { size };
  const written = view.writtenRanges(oid, { start: 0, end: size });
  return {
    size,
    ...showRanges(written.map(({ start, end }) => [start, end])),
    bytes: show(view.readBytes(oid, 0, size)),
  };
}

function recordsOf(view, oid, dkey, akey) {
  const { recordSize, ranges } = view.listRecords(oid, dkey, akey);
  if (recordSize === 0) return undefined;
  const count = ranges.reduce((sum, range) => sum + range.count, 0n);
  if (count > ARRAY_SIZE_MAX / recordSize) return { recordSize, count: `${count}` };
  const into = Buffer.alloc(Number(count) * recordSize);
  if (ranges.length > 0) view.fetch(oid, dkey, [{ akey, ranges, into }]);
  return {
    recordSize,
    ranges: ranges.map(({ index, count }) => [`${index}`, `${count}`]),
    first: `${view.queryRecord(oid, dkey, akey, "min")}`,
    last: `${view.queryRecord(oid, dkey, akey, "max")}`,
    bytes: show(into),
  };
}

/** A list, read in parts. */
function paged(list) {
  const keys = [];
  let anchor;
  do {
    const found = list({ limit: PAGE, anchor });
    keys.push(...found.keys);
    anchor = found.anchor;
  } while (anchor !== undefined);
  return keys;
}

function keysOf(view, oid, tolerant) {
  const dkeys = paged((options) => view.listDkeys(oid, options));
  const [least, greatest] = ["min", "max"].map((which) => view.queryDkey(oid, which));
  const shown = { edges: showEdges(dkeys, least, greatest), dkeys: [] };
  for (const dkey of dkeys) {
    const akeys = paged((options) => view.listAkeys(oid, dkey, options));
    const [first, last] = ["min", "max"].map((which) => view.queryAkey(oid, dkey, which));
    shown.dkeys.push({
      dkey: show(dkey),
      edges: showEdges(akeys, first, last),
      akeys: akeys.map((akey) => ({
        akey: show(akey),
        value: show(view.getValue(oid, dkey, akey)),
        records: part(tolerant, () => recordsOf(view, oid, dkey, akey)),
      })),
    });
  }
  return shown;
}

/** Everything at one epoch but the objects in `without`. */
function versionOf(container, epoch, { tolerant, without }) {
  const view = container.view(epoch);
  try {
    const objects = paged((options) => view.listObjects(options)).filter(
      (oid) => !without.includes(oid),
    );
    const shown = { objects: objects.map(String), arrays: {}, keys: {} };
    for (const oid of objects) {
      const array = part(tolerant, () => arrayOf(view, oid));
      if (array.size !== 0) shown.arrays[oid] = array;
      const keys = part(tolerant, () => keysOf(view, oid, tolerant));
      if (keys.error !== undefined || keys.dkeys.length > 0) shown.keys[oid] = keys;
    }
    return shown;
  } finally {
    view.close();
  }
}

/** The marks of the objects of snapshots, if there are any. */
function marksOf(container, snapshots) {
  const marks = {};
  for (const { name } of snapshots) {
    const table = container.openObjectTable({ snapshot: name });
    try {
      const shown = [...table.entries({ only: "marked" })].map(({ oid, mark }) => {
        return [String(oid), Buffer.from(mark).toString("latin1")];
      });
      if (shown.length > 0) marks[name] = Object.fromEntries(shown);
    } finally {
      table.close();
    }
  }
  return marks;
}

function containerOf(container, options) {
  const { tolerant } = options;
  const commits = container.commits().map(({ epoch }) => epoch);
  const snapshots = container.listSnapshots();
  const epochs = new Set([...commits, ...snapshots.map(({ epoch }) => epoch)]);
  const shown = {
    commits: commits.map(String),
    snapshots: Object.fromEntries(snapshots.map(({ name, epoch }) => [name, `${epoch}`])),
    versions: {},
  };
  for (const epoch of epochs) {
    shown.versions[epoch] = part(tolerant, () => versionOf(container, epoch, options));
  }
  const marks = part(tolerant, () => marksOf(container, snapshots));
  if (Object.keys(marks).length > 0) shown.marks = marks;
  return shown;
}

/**
 * What an open pool holds.
 *
 * @param {{tolerant?: boolean, without?: bigint[]}} [options] `tolerant`: show what can be read; `without`: objects
 *   that are left out.
 */
export function contentsOf(pool, { tolerant = false, without = [] } = {}) {
  const containers = {};
  for (const label of pool.listContainers()) {
    const read = () => containerOf(pool.openContainer(label), { tolerant, without });
    containers[label] = part(tolerant, read);
  }
  // As JSON has it: what is undefined is left out.
  const { label, durability } = pool;
  return JSON.parse(JSON.stringify({ label, durability, containers }));
}

/**
 * Where two contents differ, or `undefined`. A part that could not be read differs from nothing.
 */
export function difference(expected, found, where = "pool") {
  if (found?.error !== undefined && expected?.error === undefined) return undefined;
  if (typeof expected !== "object" || typeof found !== "object" || !expected || !found) {
    return expected === found ? undefined : `${where}: ${found}, expected ${expected}`;
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const differs = difference(expected[key], found[key], `${where}.${key}`);
    if (differs !== undefined) return differs;
  }
  return undefined;
}

/** The errors in contents, each once. */
export function errorsIn(contents, codes = new Set()) {
  if (typeof contents !== "object" || contents === null) return codes;
  if (typeof contents.error === "string") codes.add(contents.error);
  for (const value of Object.values(contents)) errorsIn(value, codes);
  return codes;
}
