/**
 * Damages one file of a pool that nobody has open: what a disk, a copy or a hand can do to it. The same seed does
 * the same.
 *
 * @module
 */

import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const SECTOR_SIZE = 512;
const PAGE_SIZE = 4096;
/** Both pages of LMDB's header, and the header and the table of checksums of a segment. */
const HEADER_PAGES = 2;
const HEADER_SIZE = 192;
/** The files, the index as often as the segments. */
const FILES = ["POOL", "scm/index.mdb-lock", "scm/pins"];

/** A generator of whole numbers below a bound (mulberry32). */
export function integersFrom(seed) {
  let state = seed | 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** A position; often in the headers and where tables begin, which are small and matter most. */
function position(random, size) {
  if (random(2) === 0) return random(size);
  return Math.min(size - 1, random(HEADER_PAGES) * PAGE_SIZE + random(HEADER_SIZE));
}

/** What the bytes of a sector may become. */
function fill(random, bytes) {
  const kind = random(4);
  if (kind < 2) return bytes.fill([0, 0xff][kind]);
  if (kind === 2) for (const at of bytes.keys()) bytes[at] = random(256);
  else for (const at of bytes.keys()) bytes[at] = 0x41 + (at % 26);
  return bytes;
}

const KINDS = {
  flips(random, bytes) {
    const count = 1 + random(4);
    for (let at = 0; at < count; at++) bytes[position(random, bytes.length)] ^= 1 << random(8);
    return bytes;
  },
  /** A number in the file becomes another one. */
  numbers(random, bytes) {
    const size = [1, 2, 4, 8][random(4)];
    const at = Math.floor(position(random, bytes.length) / size) * size;
    const kind = random(3);
    const end = Math.min(bytes.length, at + size);
    for (let index = at; index < end; index++) bytes[index] = [0, 0xff, random(256)][kind];
    if (random(2) === 0 && at < bytes.length) bytes[at] = random(4);
    return bytes;
  },
  sectors(random, bytes) {
    const count = 1 + random(4);
    for (let sector = 0; sector < count; sector++) {
      const start = Math.floor(position(random, bytes.length) / SECTOR_SIZE) * SECTOR_SIZE;
      fill(random, bytes.subarray(start, start + SECTOR_SIZE));
    }
    return bytes;
  },
  swap(random, bytes) {
    const pages = Math.max(1, Math.floor(bytes.length / PAGE_SIZE));
    const [a, b] = [0, 0].map(
      () => random(random(3) === 0 ? Math.min(pages, 4) : pages) * PAGE_SIZE,
    );
    const held = Buffer.from(bytes.subarray(a, a + PAGE_SIZE));
    bytes.copy(bytes, a, b, b + PAGE_SIZE);
    held.copy(bytes, b);
    return bytes;
  },
  /** A page is written in the place of another one. */
  misplaced(random, bytes) {
    const pages = Math.max(1, Math.floor(bytes.length / PAGE_SIZE));
    const [a, b] = [random(pages) * PAGE_SIZE, random(pages) * PAGE_SIZE];
    bytes.copy(bytes, a, b, b + PAGE_SIZE);
    return bytes;
  },
  cut(random, bytes) {
    const size = position(random, bytes.length);
    return bytes.subarray(0, random(2) === 0 ? size : Math.floor(size / PAGE_SIZE) * PAGE_SIZE);
  },
  extended(random, bytes) {
    return Buffer.concat([bytes, fill(random, Buffer.alloc(1 + random(100_000)))]);
  },
  garbage(random, bytes) {
    return fill(random, Buffer.alloc(bytes.length));
  },
  empty() {
    return Buffer.alloc(0);
  },
  missing() {
    return undefined;
  },
};

/** Kinds by how often they come. */
const OFTEN = ["flips", "numbers", "sectors", "swap", "misplaced", "cut"];
const SELDOM = ["extended", "garbage", "empty", "missing"];

function chooseFile(random, path) {
  const kind = random(8);
  if (kind === 0) return FILES[random(FILES.length)];
  if (kind < 4) return "scm/index.mdb";
  const segments = readdirSync(join(path, "nvme")).sort();
  return join("nvme", segments[random(segments.length)]);
}

/**
 * Damages a pool.
 *
 * @param {string} path Directory of the pool.
 * @param {number} seed What it does.
 * @returns {string} What it did.
 */
export function damagePool(path, seed) {
  const random = integersFrom(seed);
  const file = chooseFile(random, path);
  const kinds = random(8) === 0 ? SELDOM : OFTEN;
  const kind = kinds[random(kinds.length)];
  const name = join(path, file);
  if (!existsSync(name)) writeFileSync(name, Buffer.alloc(PAGE_SIZE));
  const before = readFileSync(name);
  const after = KINDS[kind](random, Buffer.from(before));
  if (after === undefined) rmSync(name);
  else if (kind === "cut") truncateSync(name, after.length);
  else writeFileSync(name, after);
  const size = existsSync(name) ? statSync(name).size : 0;
  return `${kind} of ${file}: ${before.length} to ${size} bytes`;
}
