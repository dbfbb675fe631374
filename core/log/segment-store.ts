/**
 * The segments of a pool: leasing, recycling, reclaiming what dead writers left.
 *
 * A segment file carries two locks, on separate bytes:
 *
 *     byte 0   the writer's lease, exclusive; free when the writer is gone, however it went
 *     byte 1   readers' views, shared, held as long as a descriptor or a map exists
 *
 * Both are taken exclusively to recycle. A file gets its final name last (temporary name, lock,
 * registration in the index, rename), so that whatever a kill leaves behind is either registered or
 * has a temporary name:
 *
 * | killed after            | left behind                          | `recover` does               |
 * |-------------------------|--------------------------------------|------------------------------|
 * | making the file         | an unregistered temporary file       | removes it                   |
 * | renaming a free segment | the same, and a record without file  | removes both                 |
 * | registering             | a registered temporary file          | renames it, then reclaims it |
 * | renaming                | a leased segment without a lease     | reclaims it                  |
 *
 * @module
 */

import path from "node:path";
import { crc32c } from "../device/crc32c.js";
import type { Device, DeviceFile } from "../device/device.js";
import { assert, isDaosError, storageError, systemCode } from "../errors.js";
import { nextCounter } from "../index/counters.js";
import type { IndexStore, IndexTransaction } from "../index/index-store.js";
import {
  CHECKSUM_BLOCK_SIZE,
  FREE_SEGMENTS_MAX,
  SEGMENT_DATA_OFFSET,
  SEGMENT_DATA_SIZE_MAX,
} from "../limits.js";
import { OpenSegment } from "./open-segment.js";
import {
  blockSeed,
  encodeHeader,
  parseFileName,
  segmentFileName,
  temporaryFileName,
} from "./segment-format.js";
import {
  getSegment,
  listSegments,
  putSegment,
  removeSegment,
  type SegmentRecord,
} from "./segment-record.js";
import { removeWriter } from "./writer-record.js";

/** Byte of a segment file that its writer locks. */
export const LEASE_LOCK_OFFSET = 0;
/** Byte of a segment file that its readers lock. */
export const VIEW_LOCK_OFFSET = 1;

/** What a recovery took back. */
export interface RecoveryReport {
  /** Leases of dead writers. */
  readonly reclaimed: number;
  /** Files that nothing referred to. */
  readonly removed: number;
}

/** What the segments of a pool need. */
export interface SegmentStoreOptions {
  readonly device: Device;
  readonly index: IndexStore;
  /** Directory of the segment files. */
  readonly directory: string;
  /** The pool's UUID, 16 bytes. */
  readonly poolUuid: Uint8Array;
  /** Whether flushed data must survive a power cut. */
  readonly durable: boolean;
}

type Listed = { id: number; record: SegmentRecord };

const FREE_RECORD = { committedSize: 0, tailCrc: 0, liveSize: 0 } as const;

/** The segments of one pool, as one process sees them. */
export class SegmentStore {
  readonly #options: SegmentStoreOptions;

  constructor(options: SegmentStoreOptions) {
    this.#options = options;
  }

  /** Whether flushed data must survive a power cut. */
  get durable(): boolean {
    return this.#options.durable;
  }

  /** Path of a registered segment. */
  path(id: number): string {
    return path.join(this.#options.directory, segmentFileName(id));
  }

  /**
   * Leases a segment to a writer: the roomiest tail that nobody leases, else a free segment, else a
   * new one.
   *
   * @param avoids Says of which segments the tail is not leased.
   * @throws {@link DaosError} `DER_NOSPACE` if there is none and no space for a new one.
   */
  lease(writer: bigint, avoids: (record: SegmentRecord) => boolean = () => false): OpenSegment {
    const segments = listSegments(this.#options.index);
    const tails = segments
      .filter(({ record }) => record.state !== "free" && hasRoom(record) && !avoids(record))
      .sort((a, b) => a.record.committedSize - b.record.committedSize);
    for (const candidate of tails) {
      const leased = this.#leaseTail(candidate.id, writer);
      if (leased !== undefined) return leased;
    }
    for (const candidate of segments.filter(({ record }) => record.state === "free")) {
      const recycled = this.#recycle(candidate, writer);
      if (recycled !== undefined) return recycled;
    }
    return this.#create(writer);
  }

  /** Opens a segment file and takes its lease; `undefined` if it is taken or gone. */
  #lockFile(id: number, exclusiveViews: boolean): DeviceFile | undefined {
    return this.#lockNamed(this.path(id), exclusiveViews);
  }

  /** The same for a file of any name. */
  #lockNamed(name: string, exclusiveViews: boolean): DeviceFile | undefined {
    const { device } = this.#options;
    let file: DeviceFile | undefined;
    try {
      file = device.open(name, "write");
      const locked =
        file.lock(LEASE_LOCK_OFFSET, 1, "exclusive") &&
        (!exclusiveViews || file.lock(VIEW_LOCK_OFFSET, 1, "exclusive")) &&
        // Between open and lock the file may have been recycled under another name.
        device.inodeAt(name) === file.inode();
      if (locked) return file;
      file.close();
      return undefined;
    } catch (error) {
      file?.close();
      if (systemCode(error) === "ENOENT") return undefined;
      throw storageError(error, "Locking a segment", name);
    }
  }

  #leaseTail(id: number, writer: bigint): OpenSegment | undefined {
    const file = this.#lockFile(id, false);
    if (file === undefined) return undefined;
    try {
      const leased = this.#takeOver(id, writer);
      if (leased !== undefined && this.#tailVerifies(file, id, leased)) {
        return new OpenSegment(file, { ...leased, id, allocatedSize: allocatedSize(file) });
      }
    } catch (error) {
      file.close();
      throw storageError(error, `Leasing segment ${id}`, file.path);
    }
    file.close();
    return undefined;
  }

  /** Registers a new holder of a locked tail; `undefined` if the segment changed too much. */
  #takeOver(id: number, writer: bigint): SegmentRecord | undefined {
    let leased: SegmentRecord | undefined;
    this.#options.index.transact(`Leasing segment ${id}`, (tx) => {
      // What was listed may be old: the last holder can have committed since, and then died.
      const current = getSegment(tx, id);
      if (current === undefined || current.state === "free" || !hasRoom(current)) return;
      leased = { ...current, state: "leased", writer, generation: current.generation + 1 };
      putSegment(tx, id, leased);
    });
    return leased;
  }

  /** Whether the partial block that appends would continue is what the last commit said. */
  #tailVerifies(file: DeviceFile, id: number, record: SegmentRecord): boolean {
    const size = record.committedSize % CHECKSUM_BLOCK_SIZE;
    if (size === 0) return true;
    const start = record.committedSize - size;
    const prefix = new Uint8Array(size);
    if (file.read(prefix, SEGMENT_DATA_OFFSET + start) < size) return false;
    const seed = blockSeed(id, start / CHECKSUM_BLOCK_SIZE);
    return crc32c(prefix, 0, size, seed) === record.tailCrc;
  }

  #recycle({ id: oldId }: Listed, writer: bigint): OpenSegment | undefined {
    const file = this.#lockFile(oldId, true);
    if (file === undefined) return undefined;
    const { device, directory } = this.#options;
    try {
      const id = this.#newId();
      const temporary = path.join(directory, temporaryFileName(id));
      device.rename(this.path(oldId), temporary);
      const segment = this.#register({ file, id, temporary, writer, replaces: oldId });
      file.unlock(VIEW_LOCK_OFFSET, 1);
      return segment;
    } catch (error) {
      // Whatever was half done looks like a killed recycling, which recovery takes back.
      file.close();
      throw storageError(error, `Recycling segment ${oldId}`, file.path);
    }
  }

  #create(writer: bigint, attempts = 3): OpenSegment {
    const { device, directory } = this.#options;
    const id = this.#newId();
    const temporary = path.join(directory, temporaryFileName(id));
    let file: DeviceFile | undefined;
    try {
      file = device.open(temporary, "create");
      const locked =
        file.lock(LEASE_LOCK_OFFSET, 1, "exclusive") && device.inodeAt(temporary) === file.inode();
      if (!locked) {
        // A recovery in another process took the new file for a dead writer's.
        assert(attempts > 1, "recoveries do not take every new file");
        file.close();
        return this.#create(writer, attempts - 1);
      }
      file.allocate(0, SEGMENT_DATA_OFFSET);
      return this.#register({ file, id, temporary, writer });
    } catch (error) {
      // Recovery would take the file too; on a full disk its space is needed now.
      file?.close();
      this.#discard(temporary);
      throw storageError(error, "Making a segment", temporary);
    }
  }

  /** Removes a half-made file; if that fails too, recovery will. */
  #discard(name: string): void {
    try {
      this.#options.device.unlink(name);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }

  #register(made: {
    file: DeviceFile;
    id: number;
    temporary: string;
    writer: bigint;
    replaces?: number;
  }): OpenSegment {
    const { device, directory, index, poolUuid, durable } = this.#options;
    const { file, id, temporary, writer, replaces } = made;
    file.write(encodeHeader(id, poolUuid), 0);
    if (durable) file.sync();
    const record: SegmentRecord = { ...FREE_RECORD, state: "leased", writer, generation: 1 };
    index.transact(`Registering segment ${id}`, (tx) => {
      if (replaces !== undefined) removeSegment(tx, replaces);
      putSegment(tx, id, record);
    });
    device.rename(temporary, this.path(id));
    if (durable) device.syncDirectory(directory);
    return new OpenSegment(file, { ...record, id, allocatedSize: allocatedSize(file) });
  }

  /** A segment id that was never used before. */
  #newId(): number {
    let id = 0;
    this.#options.index.transact("Drawing a segment id", (tx) => {
      id = Number(nextCounter(tx, "segment"));
    });
    return id;
  }

  /** Ends a writer's leases; what it did not commit is dropped. */
  release(segments: readonly OpenSegment[]): void {
    if (segments.length === 0) return;
    try {
      this.#options.index.transact("Sealing a writer's segments", (tx) => {
        for (const { id, generation } of segments) sealSegment(tx, id, generation);
      });
    } catch (error) {
      // The lease ends with its lock; recovery seals what a full disk kept this from sealing.
      if (!isDaosError(error)) throw error;
    } finally {
      for (const segment of segments) segment.file.close();
    }
  }

  /**
   * Takes back what dead writers left: their leases, half-made files, and free segments above the
   * bound. Safe at any time, beside any number of writers and readers.
   *
   * @returns How many leases were reclaimed and files removed.
   */
  recover(): RecoveryReport {
    try {
      return this.#recover();
    } catch (error) {
      throw storageError(error, "Recovering segments", this.#options.directory);
    }
  }

  #recover(): RecoveryReport {
    const { device, directory, index } = this.#options;
    // Names are listed before records are read: a file that was registered by then has a record.
    const files = device.list(directory).map(parseFileName);
    const known = new Map(listSegments(index).map(({ id, record }) => [id, record]));
    let removed = 0;
    for (const file of files) {
      if (file !== undefined && this.#recoverFile(file, known)) removed += 1;
    }
    let reclaimed = 0;
    for (const { id, record } of listSegments(index)) {
      if (record.state === "leased" && this.#reclaim(id, record)) reclaimed += 1;
    }
    removed += this.#trimFree();
    return { reclaimed, removed };
  }

  #recoverFile(
    { id, kind }: { id: number; kind: "segment" | "temporary" },
    known: ReadonlyMap<number, SegmentRecord>,
  ): boolean {
    if (kind === "segment" && known.has(id)) return false;
    const { device, directory } = this.#options;
    const name = kind === "segment" ? segmentFileName(id) : temporaryFileName(id);
    const file = this.#lockNamed(path.join(directory, name), true);
    if (file === undefined) return false;
    try {
      const registered = getSegment(this.#options.index, id) !== undefined;
      if (registered && kind === "temporary") device.rename(file.path, this.path(id));
      if (!registered) device.unlink(file.path);
      return !registered;
    } finally {
      file.close();
    }
  }

  /** Whether a registered segment has no file, under neither of its names. */
  #isGone(id: number): boolean {
    const { device, directory } = this.#options;
    // In the order in which a file takes its names, so that a rename in between hides nothing.
    const temporary = device.inodeAt(path.join(directory, temporaryFileName(id)));
    return temporary === undefined && device.inodeAt(this.path(id)) === undefined;
  }

  #reclaim(id: number, record: SegmentRecord): boolean {
    const gone = this.#isGone(id);
    const file = gone ? undefined : this.#lockFile(id, false);
    if (file === undefined && !gone) return false;
    let reclaimed = false;
    try {
      this.#options.index.transact(`Reclaiming segment ${id}`, (tx) => {
        const current = getSegment(tx, id);
        if (current?.state !== "leased" || current.generation !== record.generation) return;
        if (gone && current.committedSize > 0) return;
        reclaimed = true;
        removeWriter(tx, current.writer);
        if (gone) removeSegment(tx, id);
        else sealSegment(tx, id, record.generation);
      });
    } finally {
      file?.close();
    }
    return reclaimed;
  }

  /** Deletes free segments above the bound, and records of free segments whose file is gone. */
  #trimFree(): number {
    const { device, index } = this.#options;
    const free = listSegments(index).filter(({ record }) => record.state === "free");
    let removed = 0;
    for (const [position, { id }] of free.entries()) {
      const present = device.inodeAt(this.path(id)) !== undefined;
      if (present && position < FREE_SEGMENTS_MAX) continue;
      const file = present ? this.#lockFile(id, true) : undefined;
      if (present && file === undefined) continue;
      try {
        index.transact(`Deleting segment ${id}`, (tx) => {
          if (getSegment(tx, id)?.state === "free") removeSegment(tx, id);
        });
        device.unlink(this.path(id));
      } finally {
        file?.close();
      }
      removed += 1;
    }
    return removed;
  }
}

function hasRoom(record: SegmentRecord): boolean {
  return record.committedSize + CHECKSUM_BLOCK_SIZE <= SEGMENT_DATA_SIZE_MAX;
}

function allocatedSize(file: DeviceFile): number {
  return Math.min(SEGMENT_DATA_SIZE_MAX, Math.max(0, file.size() - SEGMENT_DATA_OFFSET));
}

/** Ends the lease of one generation: sealed if something refers to it, else free. */
export function sealSegment(tx: IndexTransaction, id: number, generation: number): void {
  const record = getSegment(tx, id);
  if (record?.state !== "leased" || record.generation !== generation) return;
  const state = record.liveSize > 0 ? "sealed" : "free";
  putSegment(tx, id, { ...record, state, generation: generation + 1 });
}
