/**
 * What the program of random operations does and logs, and how a reader of the log understands it: a
 * small domain of arrays and keys, bytes that follow from a tag, and what a view shows, in short.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { Pattern, wholeOf } from "../../../dist/core/index.js";

/** Offsets of an array, in units. */
export const OFFSETS = 64;
/** Arrays by object id, with what an offset stands for in each, in bytes. */
export const ARRAYS = [
  { oid: 1n, unit: 1 },
  { oid: 2n, unit: 1 },
  { oid: 3n, unit: 600 },
];
/** Objects with single values; the first is an array too. */
export const VALUE_OBJECTS = [1n, 4n];
/** Distribution and attribute keys. */
export const KEYS = ["a", "ab", "b\0"];

/** Bytes of a whole array. */
export function arraySize(oid) {
  return OFFSETS * (ARRAYS.find((array) => array.oid === oid)?.unit ?? 1);
}

/** The bytes that a write with a tag writes. */
export function bytesOf(tag, size) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = (tag * 2654435761 + at * 40503 + (at >> 6)) >>> 8;
  return bytes;
}

/** A range as a log has it: a pattern, all of it. */
export function rangeOf(pattern) {
  return wholeOf(new Pattern(pattern));
}

/** A value of a name such as `12*3000`: that tag, in 3000 bytes. */
export function bytesOfValue(name) {
  const size = Number(name.split("*")[1]);
  return Buffer.from(`${name};`.repeat(Math.ceil(size / (name.length + 1)))).subarray(0, size);
}

/** The name of a value; what is no value of any name gets a name that nothing wrote. */
export function nameOfValue(bytes) {
  const text = Buffer.from(bytes);
  const name = /^\d+\*\d+(?=;)/.exec(text.toString("latin1"))?.[0];
  return name !== undefined && bytesOfValue(name).equals(text) ? name : `damaged, ${digest(bytes)}`;
}

/** Bytes in short. */
export function digest(bytes) {
  if (bytes.length <= 64) return Buffer.from(bytes).toString("hex");
  return createHash("sha1").update(bytes).digest("hex");
}

/**
 * All that a view shows of the values; of each array its size and the digest of a range.
 *
 * @returns {import("../support/history.ts").Reading} What a log holds of it.
 */
export function readAll(view, rangeOfArray) {
  const arrays = ARRAYS.map(({ oid }) => {
    const [start, end] = rangeOfArray(oid);
    const bytes = digest(view.readBytes(oid, start, end));
    return { oid: `${oid}`, size: view.arraySize(oid), start, end, bytes };
  });
  const values = {};
  for (const oid of VALUE_OBJECTS) {
    for (const dkey of KEYS) {
      for (const akey of KEYS) {
        const value = view.getValue(oid, Buffer.from(dkey), Buffer.from(akey));
        if (value !== undefined) values[`${oid}/${dkey}/${akey}`] = nameOfValue(value);
      }
    }
  }
  return { arrays, values };
}
