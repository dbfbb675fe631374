/**
 * Reads committed bytes of segments through maps, each block verified before its first use.
 *
 * A mapped block is verified once per process and mapping; a bitmap remembers it. The partial last
 * block of a commit is verified against the checksum that the commit recorded, because later appends
 * of the same writer may be filling it; once a commit is known that filled it, as a full one.
 *
 * A page of a map that is not there any more, because the file was truncated or the device fails, is `DER_CSUM`.
 *
 * @module
 */

import type { Device, DeviceFile, FileMap, Fragments } from "../device/device.js";
import { closedError, DaosError, storageError, systemCode } from "../errors.js";
import { CHECKSUM_BLOCK_SIZE, SEGMENT_DATA_OFFSET, SEGMENT_READERS_MAX } from "../limits.js";
import { events } from "../metrics/events.js";
import { metrics } from "../metrics/process-metrics.js";
import {
  blockSeed,
  CHECKSUM_TABLE_OFFSET,
  checkHeader,
  SEGMENT_HEADER_SIZE,
  segmentSeed,
} from "./segment-format.js";
import { VIEW_LOCK_OFFSET } from "./segment-lock.js";

/** What a commit knows of a segment that its data lies in. */
export interface CommittedExtent {
  readonly segment: number;
  /** Size of the segment's committed data when the commit was made. */
  readonly end: number;
  /** Seeded CRC of the last block's bytes below `end`; 0 if `end` is on a block boundary. */
  readonly tailCrc: number;
}

/** A segment that is gone from under its name: it was recycled, so the reader's index state is old. */
export class SegmentMoved extends Error {}

/** Where a segment lies and what it must say that it is. */
export interface SegmentLocation {
  readonly path: string;
  readonly id: number;
  /** The pool's UUID, 16 bytes. */
  readonly poolUuid: Uint8Array;
}

/**
 * Opens a segment's file for reading, locks it against recycling and checks its header.
 *
 * @throws SegmentMoved if its name is gone or names another file by now.
 * @throws {@link DaosError} if the file is damaged.
 */
export function openSegmentFile(
  device: Device,
  { path, id, poolUuid }: SegmentLocation,
): DeviceFile {
  let file: DeviceFile;
  try {
    file = device.open(path, "read");
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw new SegmentMoved();
    throw storageError(error, `Opening segment ${id}`, path);
  }
  try {
    const locked = file.lock(VIEW_LOCK_OFFSET, 1, "shared");
    if (!locked || device.inodeAt(path) !== file.inode()) throw new SegmentMoved();
    const header = new Uint8Array(SEGMENT_HEADER_SIZE);
    file.read(header, 0);
    checkHeader(header, id, poolUuid);
    return file;
  } catch (error) {
    file.close();
    if (error instanceof SegmentMoved) throw error;
    throw storageError(error, `Opening segment ${id}`, path);
  }
}

/** Counts and tells of damage. */
function noted(error: DaosError): DaosError {
  metrics.checksumErrors.add(1);
  if (events.csum.hasSubscribers) events.csum.publish({ error });
  return error;
}

const ZERO = new Float64Array(1);
/** The fragment that is all of a target; its size is set for each copy. Copies do not nest. */
const whole = { targets: ZERO, positions: ZERO, sizes: new Float64Array(1) };

/** One segment, open for reading. */
export class SegmentReader {
  readonly id: number;
  readonly #file: DeviceFile;
  #map: FileMap;
  /** Whether a block was verified: 1. */
  #verified: Uint8Array;
  /** Checksums of the full blocks below `#committedSize`, copied out of the map. */
  #checksums = new Uint32Array();
  /** Data below this is known to be committed. */
  #committedSize = 0;
  /** Sizes of partial last blocks that were verified, by block. */
  readonly #verifiedTails = new Map<number, number>();
  /** The data as memory for JavaScript, once it was asked for; what is handed out keeps older ones. */
  #memory: ArrayBuffer | undefined;
  /** Whether it was used since the last sweep of the cache. */
  used = true;

  private constructor(file: DeviceFile, id: number) {
    this.#file = file;
    this.id = id;
    [this.#map, this.#verified] = this.#mapFile();
  }

  /**
   * Opens a segment and locks it against recycling.
   *
   * @throws SegmentMoved if its name is gone or names another file by now.
   * @throws {@link DaosError} if the file is damaged.
   */
  static open(device: Device, location: SegmentLocation): SegmentReader {
    const file = openSegmentFile(device, location);
    try {
      return new SegmentReader(file, location.id);
    } catch (error) {
      file.close();
      throw storageError(error, `Opening segment ${location.id}`, location.path);
    }
  }

  #mapFile(): [FileMap, Uint8Array] {
    const size = this.#file.size();
    if (size < SEGMENT_DATA_OFFSET) throw this.#truncated(SEGMENT_DATA_OFFSET, size);
    const blocks = Math.ceil((size - SEGMENT_DATA_OFFSET) / CHECKSUM_BLOCK_SIZE);
    return [this.#file.map(size), new Uint8Array(blocks)];
  }

  #truncated(needed: number, size: number): DaosError {
    const error = new DaosError(
      "DER_CSUM",
      {
        what: `Reading segment ${this.id}`,
        why: `${this.#file.path} has ${size} bytes where ${needed} were committed`,
        remedy: "the file was truncated: restore the pool from a copy",
      },
      { segment: this.id, path: this.#file.path, size, needed },
    );
    return noted(error);
  }

  #cover(end: number): void {
    if (SEGMENT_DATA_OFFSET + end <= this.#map.size) return;
    // The file has grown since it was mapped.
    const size = this.#file.size() - SEGMENT_DATA_OFFSET;
    if (end > size) throw this.#truncated(end, Math.max(0, size));
    const verified = this.#verified;
    const old = this.#map;
    [this.#map, this.#verified] = this.#mapFile();
    old.close();
    this.#verified.set(verified);
  }

  /** Learns that data is committed, and copies the checksums of the blocks that it fills. */
  #commitTo(end: number): void {
    this.#cover(end);
    const known = this.#checksums.length;
    const count = Math.floor(end / CHECKSUM_BLOCK_SIZE);
    if (count > known) {
      const checksums = new Uint32Array(count);
      checksums.set(this.#checksums);
      const source = CHECKSUM_TABLE_OFFSET + known * 4;
      const bytes = new Uint8Array(checksums.buffer, known * 4);
      this.#copyOne(bytes, source);
      this.#checksums = checksums;
    }
    this.#committedSize = end;
  }

  /** Fills `target` with bytes of the file. */
  #copyOne(target: Uint8Array, position: number): void {
    whole.sizes[0] = target.length;
    try {
      this.#map.copy(target, position, whole, 1);
    } catch (error) {
      throw this.#unreadable(error, position + target.length - SEGMENT_DATA_OFFSET);
    }
  }

  /**
   * What a fault of a map is to who reads; other errors are returned as they are.
   *
   * @param end Up to where data was to be read.
   */
  #unreadable(error: unknown, end: number): unknown {
    if (systemCode(error) !== "EFAULT") return error;
    // What is there again later may be something else.
    this.#verified.fill(0);
    this.#verifiedTails.clear();
    this.#checksums = new Uint32Array();
    this.#committedSize = 0;
    const size = this.#file.size() - SEGMENT_DATA_OFFSET;
    if (size < end) return this.#truncated(Math.max(end, 0), Math.max(size, 0));
    const text = {
      what: `Reading segment ${this.id}`,
      why: "the device does not give back all of it",
      remedy: "see the system's log of device errors; restore the data from a copy",
    };
    return noted(new DaosError("DER_CSUM", text, { segment: this.id, path: this.#file.path }));
  }

  /** Copies `count` verified fragments into `target`; offsets and sizes in bytes. */
  copy(target: Uint8Array, fragments: Fragments, count: number): void {
    try {
      this.#map.copy(target, SEGMENT_DATA_OFFSET, fragments, count);
    } catch (error) {
      const { positions, sizes } = fragments;
      let end = 0;
      for (let at = 0; at < count; at++) {
        end = Math.max(end, (positions[at] as number) + (sizes[at] as number));
      }
      throw this.#unreadable(error, end);
    }
  }

  /**
   * Copies bytes from `position` on into `target`, each block verified: of many bytes, faster than to verify
   * them and then to copy them.
   *
   * @throws {@link DaosError} `DER_CSUM`.
   */
  read(target: Uint8Array, position: number, extent: CommittedExtent): void {
    this.used = true;
    if (extent.end > this.#committedSize) this.#commitTo(extent.end);
    const end = position + target.length;
    for (let at = position; at < end; ) {
      const rest = at === position ? target : target.subarray(at - position);
      at += this.#readFull(rest, at, extent);
      if (at === end) return;
      // A partial last block, or damage.
      const blockEnd = (Math.floor(at / CHECKSUM_BLOCK_SIZE) + 1) * CHECKSUM_BLOCK_SIZE;
      const stop = Math.min(blockEnd, end);
      this.verify(at, stop, extent);
      this.#copyOne(target.subarray(at - position, stop - position), SEGMENT_DATA_OFFSET + at);
      at = stop;
    }
  }

  /** Reads up to the first block that is not full, or damaged. Returns how many bytes it read. */
  #readFull(target: Uint8Array, position: number, extent: CommittedExtent): number {
    const size = CHECKSUM_BLOCK_SIZE;
    const [verified, checksums] = [this.#verified, this.#checksums];
    const blocks = { size, verified, checksums, seed: segmentSeed(this.id) };
    try {
      return this.#map.readVerified(target, SEGMENT_DATA_OFFSET, position, blocks);
    } catch (error) {
      throw this.#unreadable(error, Math.min(position + target.length, extent.end));
    }
  }

  /**
   * Makes sure that every block of `[start, end)` of the segment's data was verified.
   *
   * @throws {@link DaosError} `DER_CSUM` if a block does not match its checksum.
   */
  verify(start: number, end: number, extent: CommittedExtent): void {
    this.used = true;
    const firstBlock = Math.floor(start / CHECKSUM_BLOCK_SIZE);
    const lastBlock = Math.floor((end - 1) / CHECKSUM_BLOCK_SIZE);
    // Where all is verified, as in the long run, the extent is not even looked at.
    let block = firstBlock;
    while (block <= lastBlock && this.#verified[block] === 1) block += 1;
    if (block <= lastBlock) this.#verifyBlocks(block, lastBlock, extent);
  }

  /** Verifies blocks `[first, last]` of an extent. */
  #verifyBlocks(first: number, last: number, extent: CommittedExtent): void {
    if (extent.end > this.#committedSize) this.#commitTo(extent.end);
    for (let block = first; block <= last; block++) {
      if (this.#verified[block] === 1) continue;
      const blockEnd = (block + 1) * CHECKSUM_BLOCK_SIZE;
      // A later commit may have filled the block: then one look serves all that lies in it.
      if (blockEnd <= this.#committedSize && this.#isBlockIntact(block, blockEnd)) {
        this.#verified[block] = 1;
      } else if (blockEnd <= extent.end) {
        throw this.#mismatch(block);
      } else {
        // What is damaged may be what came later.
        this.#verifyTail(block, extent);
      }
    }
  }

  /**
   * Bytes `[start, end)` of the segment's data as they lie in its map, each block verified. The memory stays
   * valid, and the segment is not recycled, as long as something refers to it.
   *
   * @throws {@link DaosError} `DER_CSUM`.
   */
  memory(start: number, end: number, extent: CommittedExtent): Uint8Array {
    this.verify(start, end, extent);
    const base = SEGMENT_DATA_OFFSET;
    if (this.#memory === undefined || this.#memory.byteLength < base + end) {
      this.#cover(end);
      this.#memory = this.#file.mapMemory(this.#map.size);
    }
    return new Uint8Array(this.#memory, base + start, end - start);
  }

  #isBlockIntact(block: number, end: number): boolean {
    return this.#crc(end - CHECKSUM_BLOCK_SIZE, end, block) === this.#checksums[block];
  }

  #crc(start: number, end: number, block: number): number {
    try {
      const base = SEGMENT_DATA_OFFSET;
      return this.#map.crc32c(base + start, base + end, blockSeed(this.id, block));
    } catch (error) {
      throw this.#unreadable(error, end);
    }
  }

  #verifyTail(block: number, { end, tailCrc }: CommittedExtent): void {
    if ((this.#verifiedTails.get(block) ?? 0) >= end) return;
    const start = block * CHECKSUM_BLOCK_SIZE;
    if (this.#crc(start, end, block) !== tailCrc) throw this.#mismatch(block);
    this.#verifiedTails.set(block, end);
  }

  #mismatch(block: number): DaosError {
    const start = block * CHECKSUM_BLOCK_SIZE;
    const error = new DaosError(
      "DER_CSUM",
      {
        what: `Reading segment ${this.id}`,
        why: `bytes ${start} to ${start + CHECKSUM_BLOCK_SIZE} do not match their checksum`,
        remedy: "the device returned other bytes than were written: restore the data from a copy",
      },
      { segment: this.id, path: this.#file.path, block, position: start },
    );
    return noted(error);
  }

  /** Unmaps and closes the segment. */
  close(): void {
    this.#map.close();
    this.#file.close();
  }
}

/** The segments that a process has open for reading. */
export class SegmentCache {
  readonly #device: Device;
  readonly #poolUuid: Uint8Array;
  readonly #pathOf: (id: number) => string;
  readonly #readers = new Map<number, SegmentReader>();
  #open = true;

  constructor(device: Device, poolUuid: Uint8Array, pathOf: (id: number) => string) {
    this.#device = device;
    this.#poolUuid = poolUuid;
    this.#pathOf = pathOf;
  }

  /**
   * The reader of a segment, opened if need be.
   *
   * @throws {@link DaosError} `DER_NO_HDL` after {@link close}.
   */
  get(id: number): SegmentReader {
    if (!this.#open) throw closedError(`Reading segment ${id}`);
    const known = this.#readers.get(id);
    if (known !== undefined) return known;
    if (this.#readers.size >= SEGMENT_READERS_MAX) this.#evictOldest();
    const options = { path: this.#pathOf(id), id, poolUuid: this.#poolUuid };
    metrics.segmentOpens.add(1);
    const reader = SegmentReader.open(this.#device, options);
    this.#readers.set(id, reader);
    return reader;
  }

  #evictOldest(): void {
    const [oldest] = this.#readers.keys();
    if (oldest !== undefined) this.#close(oldest);
  }

  #close(id: number): void {
    this.#readers.get(id)?.close();
    this.#readers.delete(id);
  }

  /** Closes segments that no read has used since the last sweep, so that they can be recycled. */
  sweep(): void {
    for (const [id, reader] of this.#readers) {
      if (reader.used) reader.used = false;
      else this.#close(id);
    }
  }

  /** Closes all segments, so that what is free among them can be taken back; the next read opens anew. */
  drop(): void {
    for (const id of [...this.#readers.keys()]) this.#close(id);
  }

  /** Closes all segments, for good. */
  close(): void {
    this.#open = false;
    this.drop();
  }
}
