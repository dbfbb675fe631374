/**
 * What a golden pool must hold, worked out without the store: plain maps that take the same operations.
 *
 * @module
 */

import { show, showRanges } from "../core/programs/contents.mjs";

const latin1 = (bytes) => Buffer.from(bytes).toString("latin1");
const bytesOf = (text) => Buffer.from(text, "latin1");
const sorted = (map) => [...map.keys()].sort((a, b) => (a < b ? -1 : 1));

/** One container: its newest state, and every state that a commit left. */
export class ExpectedContainer {
  /** By object: bytes and which of them were written. */
  #arrays = new Map();
  /** By object, dkey and akey: a value, or records by index. */
  #keys = new Map();
  /** What each epoch shows. */
  versions = new Map();

  write(oid, { start, blockLength, levels }, bytes) {
    const offsets = offsetsOf({ start, blockLength, levels });
    const before = this.#arrays.get(oid) ?? { bytes: Buffer.alloc(0), written: Buffer.alloc(0) };
    const size = Math.max(before.bytes.length, 1 + offsets.at(-1));
    const after = { bytes: Buffer.alloc(size), written: Buffer.alloc(size) };
    before.bytes.copy(after.bytes);
    before.written.copy(after.written);
    for (const [packed, offset] of offsets.entries()) {
      after.bytes[offset] = bytes === undefined ? 0 : bytes[packed];
      after.written[offset] = bytes === undefined ? 0 : 1;
    }
    this.#arrays.set(oid, after);
  }

  #akeys(oid, dkey) {
    if (!this.#keys.has(oid)) this.#keys.set(oid, new Map());
    const dkeys = this.#keys.get(oid);
    if (!dkeys.has(latin1(dkey))) dkeys.set(latin1(dkey), new Map());
    return dkeys.get(latin1(dkey));
  }

  put(oid, dkey, akey, value) {
    this.#akeys(oid, dkey).set(latin1(akey), { value });
  }

  records(oid, dkey, akey, recordSize, index, count, data) {
    const akeys = this.#akeys(oid, dkey);
    const records = new Map(akeys.get(latin1(akey))?.records);
    for (let at = 0; at < count; at++) {
      const cell = BigInt(index) + BigInt(at);
      if (data === undefined) records.delete(cell);
      else records.set(cell, data.subarray(at * recordSize, (at + 1) * recordSize));
    }
    akeys.set(latin1(akey), { recordSize, records });
  }

  punch(oid, dkey, akey) {
    if (dkey === undefined) {
      this.#keys.delete(oid);
      this.#arrays.delete(oid);
    } else if (akey === undefined) {
      this.#keys.get(oid)?.delete(latin1(dkey));
    } else {
      this.#keys.get(oid)?.get(latin1(dkey))?.delete(latin1(akey));
    }
  }

  /** What was done so far is what this epoch shows. */
  commit(epoch) {
    const arrays = new Map([...this.#arrays].filter(([, { written }]) => written.includes(1)));
    const keys = new Map();
    for (const [oid, dkeys] of this.#keys) {
      const present = new Map([...dkeys].filter(([, akeys]) => akeys.size > 0));
      if (present.size > 0) keys.set(oid, present);
    }
    const objects = sorted(new Map([...arrays, ...keys]));
    this.versions.set(`${epoch}`, {
      objects: objects.map(String),
      arrays: Object.fromEntries([...arrays].map(([oid, array]) => [oid, shownArray(array)])),
      keys: Object.fromEntries([...keys].map(([oid, dkeys]) => [oid, shownKeys(dkeys)])),
    });
  }
}

function offsetsOf({ start, blockLength, levels }) {
  let offsets = Array.from({ length: blockLength }, (_, at) => start + at);
  for (const { stride, count } of levels) {
    const inner = offsets;
    offsets = Array.from({ length: count }, (_, at) => at * stride).flatMap((by) =>
      inner.map((offset) => offset + by),
    );
  }
  return offsets;
}

function shownArray({ bytes, written }) {
  const ranges = [];
  for (let at = 0; at < written.length; at++) {
    if (written[at] === 0) continue;
    if (ranges.at(-1)?.[1] === at) ranges.at(-1)[1] = at + 1;
    else ranges.push([at, at + 1]);
  }
  return { size: bytes.length, ...showRanges(ranges), bytes: show(bytes) };
}

function shownKeys(dkeys) {
  const names = sorted(dkeys);
  return {
    edges: "as listed",
    dkeys: names.map((dkey) => {
      const akeys = dkeys.get(dkey);
      const inside = sorted(akeys);
      return {
        dkey: show(bytesOf(dkey)),
        edges: "as listed",
        akeys: inside.map((akey) => shownAkey(akey, akeys.get(akey))),
      };
    }),
  };
}

function shownAkey(akey, { value, recordSize, records }) {
  if (records === undefined) return { akey: show(bytesOf(akey)), value: show(value) };
  const ranges = [];
  const indices = sorted(records);
  for (const index of indices) {
    const last = ranges.at(-1);
    if (last !== undefined && last[0] + last[1] === index) last[1] += 1n;
    else ranges.push([index, 1n]);
  }
  const bytes = Buffer.concat(indices.map((index) => records.get(index)));
  return {
    akey: show(bytesOf(akey)),
    records: {
      recordSize,
      ranges: ranges.map(([index, count]) => [`${index}`, `${count}`]),
      first: `${indices[0]}`,
      last: `${indices.at(-1)}`,
      bytes: show(bytes),
    },
  };
}
