/**
 * Anchors: where an enumeration goes on, as bytes that a program can keep and pass on.
 *
 *     anchor = u8 version, u8 level, bytes start, bytes end
 *
 * `start` is the first key that may come (empty: any), `end` the one before which the part ends (empty:
 * at the last). Of objects it is an oid of 16 bytes, of ranges u64 window, u64 offset. An anchor says nothing of the epoch: with views of different epochs it
 * goes on in the other one.
 *
 * @module
 */

import { DaosError, isDaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import { LIST_PARTS_MAX } from "../limits.js";

const ANCHOR_VERSION = 1;
/** What is enumerated. */
const LEVELS = ["dkey", "akey", "object", "range"] as const;

/** What an anchor is of. */
export type AnchorLevel = (typeof LEVELS)[number];

/** Where an enumeration goes on; opaque. */
export type Anchor = Uint8Array;

/** The rest of an enumeration: keys in `[start, end)`. */
export interface Rest {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

const NO_KEY = new Uint8Array();
/** Bytes of where a list of objects or of ranges goes on. */
const FIXED_SIZE = 16;

/** Encodes an anchor. */
export function encodeAnchor(level: AnchorLevel, { start, end }: Rest): Anchor {
  const writer = new ByteWriter(start.length + end.length + 8).u8(ANCHOR_VERSION);
  return writer.u8(LEVELS.indexOf(level)).bytes(start).bytes(end).finish();
}

/**
 * The rest that an anchor stands for; all of it without one.
 *
 * @throws {@link DaosError} `DER_INVAL` if it is not an anchor of this level.
 */
export function decodeAnchor(level: AnchorLevel, anchor: Anchor | undefined): Rest {
  if (anchor === undefined) return { start: NO_KEY, end: NO_KEY };
  try {
    const reader = new ByteReader(anchor, "an anchor");
    const version = reader.u8();
    const found = LEVELS[reader.u8()];
    const rest = { start: reader.bytes().slice(), end: reader.bytes().slice() };
    reader.end();
    const isOfLevel = version === ANCHOR_VERSION && found === level;
    if (isOfLevel && (isOfKeys(level) || rest.start.length === FIXED_SIZE)) return rest;
  } catch (error) {
    if (!isDaosError(error, "DER_DF_INVAL")) throw error;
  }
  throw badAnchor(level);
}

function isOfKeys(level: AnchorLevel): boolean {
  return level === "dkey" || level === "akey";
}

/** The error of an anchor that its list did not come with. */
export function badAnchor(level: AnchorLevel): DaosError {
  return new DaosError("DER_INVAL", {
    what: `Listing ${level}s`,
    why: "the anchor is not one of this kind of list",
    remedy: "pass the anchor that the last part of the same list came with",
  });
}

/** The key that comes next after `key`, whatever keys there are. */
export function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

/** Bytes of a key that a split is computed from. */
const SPLIT_SIZE = 6;

function numberAt(key: Uint8Array, at: number): number {
  let value = 0;
  for (let index = 0; index < SPLIT_SIZE; index++) value = value * 256 + (key[at + index] ?? 0);
  return value;
}

/**
 * Keys that cut the space between two keys in about equal parts, if keys are spread evenly: at most
 * `parts - 1` of them, increasing.
 */
export function splitKeys(first: Uint8Array, last: Uint8Array, parts: number): Uint8Array[] {
  let common = 0;
  while (common < first.length && first[common] === last[common]) common += 1;
  const low = numberAt(first, common);
  const high = numberAt(last, common);
  const cuts: Uint8Array[] = [];
  const count = Math.min(parts, LIST_PARTS_MAX);
  let before = low;
  for (let part = 1; part < count; part++) {
    const at = Math.floor(low + ((high - low) * part) / count);
    if (at <= before) continue;
    before = at;
    const cut = new Uint8Array(common + SPLIT_SIZE);
    cut.set(first.subarray(0, common));
    for (let index = SPLIT_SIZE - 1, rest = at; index >= 0; index--) {
      cut[common + index] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    cuts.push(cut);
  }
  return cuts;
}
