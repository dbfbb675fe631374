/**
 * A segment leased for writing: its file, where the next byte goes, and the checksums on the way in.
 *
 *     0            committedSize        size                  allocatedSize
 *     ├─ committed ─────┤─ this writer's ─┤─ allocated, unwritten ─┤
 *
 * Invariants:
 *
 * 1. Bytes below `committedSize` are never written again: readers map and verify them. Nor are those that
 *    were handed out for a commit by another process, which may come late.
 * 2. `crc` is the seeded CRC of the bytes of the last block below `size`.
 * 3. A write never reaches past `allocatedSize`, so that a full disk is found before data moves.
 *
 * @module
 */

import { type Blocks, beginBlocks, checksumBlocks, crc32c, endBlocks } from "../device/crc32c.js";
import type { DeviceFile } from "../device/device.js";
import { assert, storageError } from "../errors.js";
import {
  CHECKSUM_BLOCK_SIZE,
  SEGMENT_DATA_OFFSET,
  SEGMENT_DATA_SIZE_MAX,
  SEGMENT_GROWTH_SIZE_MAX,
  SEGMENT_GROWTH_SIZE_MIN,
} from "../limits.js";
import { blockSeed, CHECKSUM_TABLE_OFFSET } from "./segment-format.js";

const BLOCKS_MAX = SEGMENT_DATA_SIZE_MAX / CHECKSUM_BLOCK_SIZE;

/** What a commit says of a segment that it appended to: `[start, end)` in bytes of data. */
export interface SegmentSpan {
  readonly segment: number;
  readonly generation: number;
  readonly start: number;
  readonly end: number;
  /** Seeded CRC of the last block's bytes below `end`; 0 if `end` is on a block boundary. */
  readonly tailCrc: number;
  /** Whether the writer has finished with the segment. */
  readonly seal: boolean;
}

/** Where a lease starts. */
export interface LeaseState {
  readonly id: number;
  readonly generation: number;
  readonly committedSize: number;
  readonly tailCrc: number;
  readonly allocatedSize: number;
  /** Most bytes of data, less than a segment can have in a pool with a small limit. */
  readonly sizeMax: number;
  /** Allocates the file from one size to the next; see {@link GrowSegment}. */
  readonly grow: GrowSegment;
}

/**
 * Grows a segment's file; all sizes are of the file, in bytes.
 *
 * @returns The size that is allocated then, at least `needed`.
 * @throws {@link DaosError} `DER_NOSPACE` if the tier is full; nothing is changed then.
 */
export type GrowSegment = (allocated: number, wanted: number, needed: number) => number;

/** One leased segment. Not shared: its writer is its only user. */
export class OpenSegment {
  readonly id: number;
  readonly generation: number;
  readonly file: DeviceFile;
  readonly #grow: GrowSegment;
  readonly #sizeMax: number;
  readonly #checksums = new Uint32Array(BLOCKS_MAX);
  #firstUnsavedBlock: number;
  #allocatedSize: number;
  #committedSize: number;
  #committedCrc: number;
  /** Where what may be committed ends, and its CRC: at or behind what is known to be committed. */
  #keptSize: number;
  #keptCrc: number;
  #size: number;
  #crc: number;
  #unsynced = false;
  #failed = false;

  constructor(file: DeviceFile, lease: LeaseState) {
    this.file = file;
    this.id = lease.id;
    this.generation = lease.generation;
    this.#grow = lease.grow;
    this.#sizeMax = lease.sizeMax;
    this.#allocatedSize = lease.allocatedSize;
    this.#committedSize = lease.committedSize;
    this.#size = lease.committedSize;
    const partial = lease.committedSize % CHECKSUM_BLOCK_SIZE !== 0;
    const block = Math.floor(lease.committedSize / CHECKSUM_BLOCK_SIZE);
    this.#committedCrc = partial ? lease.tailCrc : blockSeed(lease.id, block);
    this.#crc = this.#committedCrc;
    this.#keptSize = lease.committedSize;
    this.#keptCrc = this.#committedCrc;
    this.#firstUnsavedBlock = block;
  }

  /** Where the next byte goes, in bytes of data. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that still fit. */
  get room(): number {
    return Math.max(0, this.#sizeMax - this.#size);
  }

  /** Whether something was appended that is neither committed nor was handed out for that. */
  get isUncommitted(): boolean {
    return this.#size > this.#keptSize;
  }

  /**
   * Whether a flush failed. The kernel reports a lost page once, so that a second flush would
   * succeed without it: such a segment takes no more data and is given up.
   */
  get failed(): boolean {
    return this.#failed;
  }

  /**
   * Makes sure that `size` more bytes can be written without running out of space.
   *
   * @throws {@link DaosError} `DER_NOSPACE` if the tier is full; nothing is written then.
   */
  reserve(size: number): void {
    const needed = this.#size + size;
    assert(needed <= SEGMENT_DATA_SIZE_MAX, "an append fits its segment");
    if (needed <= this.#allocatedSize) return;
    const step = Math.min(
      SEGMENT_GROWTH_SIZE_MAX,
      Math.max(SEGMENT_GROWTH_SIZE_MIN, this.#allocatedSize),
    );
    const wanted = Math.min(this.#sizeMax, Math.max(needed, this.#allocatedSize + step));
    const allocated = this.#grow(
      SEGMENT_DATA_OFFSET + this.#allocatedSize,
      SEGMENT_DATA_OFFSET + wanted,
      SEGMENT_DATA_OFFSET + needed,
    );
    this.#allocatedSize = allocated - SEGMENT_DATA_OFFSET;
  }

  /**
   * Appends bytes that {@link reserve} made room for.
   *
   * @throws {@link DaosError} `DER_IO` if the device fails; the segment is as before then.
   */
  append(bytes: Uint8Array): void {
    assert(this.#size + bytes.length <= this.#allocatedSize, "an append was reserved");
    const blocks = this.#wholeBlocks(bytes);
    const begun = beginBlocks(blocks);
    try {
      this.file.write(bytes, SEGMENT_DATA_OFFSET + this.#size);
    } catch (error) {
      throw storageError(error, `Writing to segment ${this.id}`, this.file.path);
    } finally {
      if (begun) endBlocks();
    }
    this.#unsynced = true;
    if (!begun) checksumBlocks(blocks);
    this.#advance(blocks);
  }

  /** The checksum blocks that bytes appended next fill from start to end. */
  #wholeBlocks(bytes: Uint8Array): Blocks {
    const size = CHECKSUM_BLOCK_SIZE;
    const first = Math.ceil(this.#size / size);
    const start = first * size - this.#size;
    const count = Math.max(0, Math.floor((bytes.length - start) / size));
    for (let block = first; block < first + count; block++) {
      this.#checksums[block] = blockSeed(this.id, block);
    }
    return { bytes, start, size, count, crcs: this.#checksums, first };
  }

  /** Goes on behind bytes whose whole blocks have their checksums. */
  #advance({ bytes, start, size, count }: Blocks): void {
    if (start > 0) this.#continueBlock(bytes, 0, Math.min(start, bytes.length));
    if (count > 0) {
      this.#size += count * size;
      this.#crc = blockSeed(this.id, this.#size / size);
    }
    const rest = start + count * size;
    if (rest < bytes.length) this.#continueBlock(bytes, rest, bytes.length);
  }

  /** Takes bytes that lie in one block with those before them. */
  #continueBlock(bytes: Uint8Array, start: number, end: number): void {
    this.#crc = crc32c(bytes, start, end, this.#crc);
    this.#size += end - start;
    if (this.#size % CHECKSUM_BLOCK_SIZE > 0) return;
    const block = this.#size / CHECKSUM_BLOCK_SIZE;
    this.#checksums[block - 1] = this.#crc;
    this.#crc = blockSeed(this.id, block);
  }

  /** Writes the checksums of full blocks; with `durable`, returns when everything is on the device. */
  flush(durable: boolean): void {
    if (!this.#unsynced) return;
    if (this.#failed) {
      const error = new Error("an earlier flush of the same data failed");
      throw storageError(error, `Flushing segment ${this.id}`, this.file.path);
    }
    const fullBlocks = Math.floor(this.#size / CHECKSUM_BLOCK_SIZE);
    const first = this.#firstUnsavedBlock;
    try {
      if (fullBlocks > first) {
        const { buffer } = this.#checksums;
        const table = new Uint8Array(buffer, first * 4, (fullBlocks - first) * 4);
        this.file.write(table, CHECKSUM_TABLE_OFFSET + first * 4);
      }
      if (durable) this.file.sync();
    } catch (error) {
      this.#failed = true;
      throw storageError(error, `Flushing segment ${this.id}`, this.file.path);
    }
    this.#firstUnsavedBlock = fullBlocks;
    if (durable) this.#unsynced = false;
  }

  /** What a commit of everything appended so far says of this segment. */
  span(seal: boolean): SegmentSpan {
    return {
      segment: this.id,
      generation: this.generation,
      start: this.#committedSize,
      end: this.#size,
      tailCrc: this.#size % CHECKSUM_BLOCK_SIZE === 0 ? 0 : this.#crc,
      seal,
    };
  }

  /** A commit up to `end` took effect; commits may come in another order than their bytes. */
  committed(span: SegmentSpan): void {
    if (span.end <= this.#committedSize) return;
    this.#committedSize = span.end;
    this.#committedCrc = crcAt(this.id, span);
    this.handedOut(span);
  }

  /** What lies before the end of a span may be committed from now on. */
  handedOut(span: SegmentSpan): void {
    if (span.end <= this.#keptSize) return;
    this.#keptSize = span.end;
    this.#keptCrc = crcAt(this.id, span);
  }

  /** Forgets what was appended since, but for what may be committed; the next append overwrites it. */
  rollback(): void {
    this.#size = this.#keptSize;
    this.#crc = this.#keptCrc;
    this.#firstUnsavedBlock = Math.floor(this.#keptSize / CHECKSUM_BLOCK_SIZE);
  }

  /** Reads back bytes that this writer appended. */
  read(target: Uint8Array, position: number): void {
    const count = this.file.read(target, SEGMENT_DATA_OFFSET + position);
    assert(count === target.length, "a writer reads what it has written");
  }
}

/** The seeded CRC of the last block's bytes before the end of a span. */
function crcAt(segment: number, { end, tailCrc }: SegmentSpan): number {
  const onBoundary = end % CHECKSUM_BLOCK_SIZE === 0;
  return onBoundary ? blockSeed(segment, end / CHECKSUM_BLOCK_SIZE) : tailCrc;
}
