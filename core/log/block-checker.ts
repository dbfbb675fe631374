/**
 * Verifies blocks of segments by reading them through the device, whatever was verified before.
 *
 * A full block is compared with the checksum table and remembered for the checker's life: segment ids
 * are never used twice and committed bytes never change, so that its outcome stays. A partial last
 * block is compared with the checksum that the commit recorded, for each commit anew.
 *
 * What the kernel caches is read from the cache: damage below it shows when the page was dropped.
 *
 * @module
 */

import { crc32c } from "../device/crc32c.js";
import type { Device, DeviceFile } from "../device/device.js";
import { isDaosError, storageError, systemCode } from "../errors.js";
import { CHECKSUM_BLOCK_SIZE, SCRUB_FILES_MAX, SEGMENT_DATA_OFFSET } from "../limits.js";
import { blockSeed, CHECKSUM_TABLE_OFFSET } from "./segment-format.js";
import { type CommittedExtent, openSegmentFile, SegmentMoved } from "./segment-reader.js";

/** Where the segments of a pool are. */
export interface SegmentPlace {
  readonly device: Device;
  /** The pool's UUID, 16 bytes. */
  readonly poolUuid: Uint8Array;
  /** Path of a segment. */
  readonly pathOf: (id: number) => string;
}

/** Outcomes of a segment's full blocks, by block: 0 not checked yet. */
const GOOD = 1;
const DAMAGED = 2;

/** One byte per block, grown as blocks are met. */
class Outcomes {
  #bytes = new Uint8Array(64);

  get(block: number): number {
    return this.#bytes[block] ?? 0;
  }

  set(block: number, outcome: number): void {
    if (block >= this.#bytes.length) {
      const larger = new Uint8Array(Math.max(block + 1, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[block] = outcome;
  }
}

/** Checks blocks and counts them. */
export class BlockChecker {
  /** Blocks read so far; a partial last block counts for each commit that ends in it. */
  blocks = 0;
  /** Bytes read so far, without the checksum tables. */
  bytes = 0;
  readonly #place: SegmentPlace;
  readonly #outcomes = new Map<number, Outcomes>();
  /** Open segments; `undefined` for one that is not there or is not what it should be. */
  readonly #files = new Map<number, DeviceFile | undefined>();
  readonly #block = new Uint8Array(CHECKSUM_BLOCK_SIZE);
  readonly #entry = Buffer.alloc(4);

  constructor(place: SegmentPlace) {
    this.#place = place;
  }

  /**
   * Whether the bytes of a block below `extent.end` are what was written. Wrong too for a segment that
   * is gone: the caller looks whether anything still refers to it.
   *
   * @throws {@link DaosError} `DER_NO_PERM` or `DER_IO` if the device fails otherwise than by damage.
   */
  isIntact(block: number, extent: CommittedExtent): boolean {
    const start = block * CHECKSUM_BLOCK_SIZE;
    const size = Math.min(CHECKSUM_BLOCK_SIZE, extent.end - start);
    if (size < CHECKSUM_BLOCK_SIZE) return this.#matches(block, extent, size);
    const { segment } = extent;
    let outcomes = this.#outcomes.get(segment);
    if (outcomes === undefined) {
      outcomes = new Outcomes();
      this.#outcomes.set(segment, outcomes);
    }
    const known = outcomes.get(block);
    if (known !== 0) return known === GOOD;
    const intact = this.#matches(block, extent, size);
    outcomes.set(block, intact ? GOOD : DAMAGED);
    return intact;
  }

  #matches(block: number, { segment, tailCrc }: CommittedExtent, size: number): boolean {
    const file = this.#file(segment);
    if (file === undefined) return false;
    this.blocks += 1;
    this.bytes += size;
    const bytes = this.#block.subarray(0, size);
    const start = SEGMENT_DATA_OFFSET + block * CHECKSUM_BLOCK_SIZE;
    try {
      if (file.read(bytes, start) < size) return false;
      const crc = crc32c(bytes, 0, size, blockSeed(segment, block));
      if (size < CHECKSUM_BLOCK_SIZE) return crc === tailCrc;
      if (file.read(this.#entry, CHECKSUM_TABLE_OFFSET + block * 4) < 4) return false;
      return crc === this.#entry.readUInt32LE(0);
    } catch (error) {
      // The device gives these bytes up: that is damage, and the next block may be well.
      if (systemCode(error) === "EIO") return false;
      throw storageError(error, `Checking segment ${segment}`, file.path);
    }
  }

  #file(id: number): DeviceFile | undefined {
    if (this.#files.has(id)) return this.#files.get(id);
    if (this.#files.size >= SCRUB_FILES_MAX) this.release();
    const file = this.#open(id);
    this.#files.set(id, file);
    return file;
  }

  #open(id: number): DeviceFile | undefined {
    const { device, poolUuid, pathOf } = this.#place;
    try {
      return openSegmentFile(device, { path: pathOf(id), id, poolUuid });
    } catch (error) {
      const gone = error instanceof SegmentMoved;
      const damaged = isDaosError(error, "DER_DF_INVAL") || isDaosError(error, "DER_DF_INCOMPT");
      if (gone || damaged) return undefined;
      throw error;
    }
  }

  /** Closes the segments, so that they can be recycled; the next check opens them again. */
  release(): void {
    for (const file of this.#files.values()) file?.close();
    this.#files.clear();
  }
}
