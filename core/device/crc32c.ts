/**
 * CRC-32C (Castagnoli), continued from a seed: `crc32c(b, 0, n, crc32c(a, ...))` is that of `a + b`.
 *
 * ISA-L computes 20 to 55 GB/s; without it, eight table look-ups per eight bytes give 1.5 GB/s, and
 * the same values.
 *
 * A writer that has much to write lets another core checksum it meanwhile, if one is free:
 * {@link beginBlocks} before the write, {@link endBlocks} after it.
 *
 * @module
 */

import { CHECKSUM_BLOCK_SIZE, CHECKSUM_SHARED_SIZE_MIN } from "../limits.js";
import { type IsalAddon, loadAddon, type MapHandle, type StorageAddon } from "./addon.js";

/** Checksums `bytes[start, end)`, continuing from `seed` (0 to begin). Returns an unsigned 32-bit number. */
export type Crc32c = (bytes: Uint8Array, start: number, end: number, seed: number) => number;

const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

function makeTables(): Uint32Array {
  const tables = new Uint32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let index = 256; index < tables.length; index++) {
    const previous = tables[index - 256] as number;
    tables[index] = (previous >>> 8) ^ (tables[previous & 0xff] as number);
  }
  return tables;
}

let tables: Uint32Array | undefined;

/** The portable implementation, by slices of eight bytes. */
export const crc32cPortable: Crc32c = (bytes, start, end, seed) => {
  tables ??= makeTables();
  const t = tables;
  let crc = ~seed;
  let at = start;
  for (; at + SLICES <= end; at += SLICES) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    crc =
      (t[1792 + (low & 0xff)] as number) ^
      (t[1536 + ((low >>> 8) & 0xff)] as number) ^
      (t[1280 + ((low >>> 16) & 0xff)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + (bytes[at + 4] as number)] as number) ^
      (t[512 + (bytes[at + 5] as number)] as number) ^
      (t[256 + (bytes[at + 6] as number)] as number) ^
      (t[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
};

const isal = loadAddon<IsalAddon>("isal");

/** Whether ISA-L computes the checksums; otherwise the portable code does. */
export const crc32cAccelerated = !(isal instanceof Error) && "crc32c" in isal;

/** The fastest implementation at hand. */
export const crc32c: Crc32c = crc32cAccelerated ? (isal as IsalAddon).crc32c : crc32cPortable;

/** As {@link Crc32c}, of a map. */
export type MappedCrc32c = (map: MapHandle, start: number, end: number, seed: number) => number;

let mapped: MappedCrc32c | undefined;

function makeMapped(addon: StorageAddon): MappedCrc32c {
  if (crc32cAccelerated) {
    addon.useCrc((isal as IsalAddon).crcFunction);
    return addon.crc32cMapped;
  }
  const copy = new Uint8Array(CHECKSUM_BLOCK_SIZE);
  const at = new Float64Array(2);
  const [zero, size] = [at.subarray(0, 1), at.subarray(1)];
  return (map, start, end, seed) => {
    size[0] = end - start;
    addon.copyMapped(copy, map, start, zero, zero, size, 1);
    return crc32cPortable(copy, 0, end - start, seed);
  };
}

/**
 * What is as {@link crc32c}, of up to a block of a mapped file: where a page of it cannot be read any more, since the
 * file was truncated or the device fails, it throws an error of code `EFAULT`, and the process goes on. From then on
 * the addon can verify what it reads.
 */
export function mappedCrc32c(addon: StorageAddon): MappedCrc32c {
  mapped ??= makeMapped(addon);
  return mapped;
}

/** Blocks that follow each other in memory, and where their checksums go. */
export interface Blocks {
  readonly bytes: Uint8Array;
  /** Where the first block starts in `bytes`. */
  readonly start: number;
  /** Size of a block, in bytes. */
  readonly size: number;
  readonly count: number;
  /** From `first` on, the blocks' seeds; they are replaced by the blocks' CRCs. */
  readonly crcs: Uint32Array;
  readonly first: number;
}

/** Checksums blocks. */
export function checksumBlocks({ bytes, start, size, count, crcs, first }: Blocks): void {
  for (let block = 0; block < count; block++) {
    const at = start + block * size;
    crcs[first + block] = crc32c(bytes, at, at + size, crcs[first + block] as number);
  }
}

/** Whether blocks were begun and not ended. */
let isBegun = false;

/**
 * Begins to checksum blocks beside what the caller does next. `bytes` may be read but not changed, and
 * `crcs` not be touched, until {@link endBlocks}, which must follow in the same call.
 *
 * @returns Whether it began; if not, nothing is to be ended, and {@link checksumBlocks} does it.
 */
export function beginBlocks({ bytes, start, size, count, crcs, first }: Blocks): boolean {
  const pays = crc32cAccelerated && count * size >= CHECKSUM_SHARED_SIZE_MIN;
  // A device may append while it writes, as the one of the tests does: there is one helper.
  if (!pays || isBegun) return false;
  (isal as IsalAddon).beginBlocks(bytes, start, size, crcs, first, count);
  isBegun = true;
  return true;
}

/** Returns when all blocks have their checksums; computes those that were not begun. */
export function endBlocks(): void {
  isBegun = false;
  (isal as IsalAddon).endBlocks();
}
