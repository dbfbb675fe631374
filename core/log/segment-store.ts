/**
 * The segments of a pool: leasing, recycling, reclaiming what dead writers left.
 *
 * A segment file carries two locks (segment-lock.ts). It gets its final name last (temporary name,
 * lock, registration in the index, space, rename), so that whatever a kill leaves behind is either
 * registered or has a temporary name:
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
import { getSpace, noSpace, type SpaceUse } from "../index/space-record.js";
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
import { SegmentGrowth } from "./segment-growth.js";
import { LEASE_LOCK_OFFSET, lockSegmentFile, VIEW_LOCK_OFFSET } from "./segment-lock.js";
import {
  getSegment,
  listSegments,
  putSegment,
  removeSegment,
  type SegmentRecord,
} from "./segment-record.js";
import {
  fileSystemSpace,
  grantSpace,
  putSized,
  removeSized,
  segmentDataSizeMax,
} from "./segment-space.js";
import { removeWriter } from "./writer-record.js";

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
  /** A file whose owner, group and permissions those of new segments match. */
  readonly pattern: string;
  /** The pool's UUID, 16 bytes. */
  readonly poolUuid: Uint8Array;
  /** Whether flushed data must survive a power cut. */
  readonly durable: boolean;
  /** Closes the segments that this process has open for reading: free ones are needed. */
  readonly dropReaders?: () => void;
}

/** Who leases a segment, and how far it may fill it: bytes of data. */
interface Lessee {
  readonly writer: bigint;
  readonly use: SpaceUse;
  readonly sizeMax: number;
}

/** Which segments a log may lease. */
export interface LeaseOptions {
  /** Whether it may take of the tier's reserve, now and when it grows. */
  readonly use: SpaceUse;
  /** Says of which segments the tail is not leased. */
  readonly avoids: (record: SegmentRecord) => boolean;
}

type Listed = { id: number; record: SegmentRecord };

const EMPTY = { committedSize: 0, tailCrc: 0, liveSize: 0 } as const;

/** The segments of one pool, as one process sees them. */
export class SegmentStore {
  readonly #options: SegmentStoreOptions;
  readonly #growth: SegmentGrowth;

  constructor(options: SegmentStoreOptions) {
    this.#options = options;
    this.#growth = new SegmentGrowth(options);
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
   * @throws {@link DaosError} `DER_NOSPACE` if there is none and no space for a new one.
   */
  lease(writer: bigint, { use, avoids }: LeaseOptions): OpenSegment {
    const segments = listSegments(this.#options.index);
    const sizeMax = segmentDataSizeMax(this.#options.index);
    const tails = segments
      .filter(({ record }) => record.state !== "free" && hasRoom(record, sizeMax))
      .filter(({ record }) => !avoids(record))
      .sort((a, b) => a.record.committedSize - b.record.committedSize);
    for (const candidate of tails) {
      const leased = this.#leaseTail(candidate.id, { writer, use, sizeMax });
      if (leased !== undefined) return leased;
    }
    for (const candidate of segments.filter(({ record }) => record.state === "free")) {
      const recycled = this.#recycle(candidate, { writer, use, sizeMax });
      if (recycled !== undefined) return recycled;
    }
    const lessee = { writer, use, sizeMax };
    return this.#withSpace(SEGMENT_DATA_OFFSET, () => this.#create(lessee));
  }

  /** Most data that one segment of the pool has, in bytes. */
  get segmentDataSizeMax(): number {
    return segmentDataSizeMax(this.#options.index);
  }

  /**
   * Makes sure that a writer can get `size` more bytes of segments, before it writes the first.
   *
   * @throws {@link DaosError} `DER_NOSPACE` if it cannot.
   */
  requireSpace(size: number, use: SpaceUse): void {
    if (use !== "write" || this.#growth.hasFree(size)) return;
    this.recover();
    const free = this.#growth.free();
    if (free >= size) return;
    const what = `Writing ${size} bytes`;
    throw noSpace(what, { tier: "nvme", needed: size, free, limited: this.#isLimited() });
  }

  #isLimited(): boolean {
    return getSpace(this.#options.index).nvmeLimit !== undefined;
  }

  /** Tries again after a full tier gave back what nobody uses. */
  #withSpace<T>(size: number, attempt: () => T): T {
    try {
      return attempt();
    } catch (error) {
      if (!isDaosError(error, "DER_NOSPACE")) throw error;
      this.#options.dropReaders?.();
      this.recover();
      if (!this.#growth.trim(size)) throw error;
      return attempt();
    }
  }

  /** A locked and registered segment, open for its writer. */
  #opened(file: DeviceFile, id: number, record: SegmentRecord, lessee: Lessee): OpenSegment {
    const { use, sizeMax } = lessee;
    const { generation } = record;
    const grow = (allocated: number, wanted: number, needed: number) => {
      const sizes = { size: allocated, wanted, needed };
      const request = { id, generation, use, ...sizes };
      return this.#withSpace(needed - allocated, () => this.#growth.grow(file, request));
    };
    const allocatedSize = dataSize(file);
    return new OpenSegment(file, { ...record, id, allocatedSize, sizeMax, grow });
  }

  /** Opens a segment file and takes its lease; `undefined` if it is taken or gone. */
  #lockFile(id: number, exclusiveViews: boolean): DeviceFile | undefined {
    return lockSegmentFile(this.#options.device, this.path(id), exclusiveViews);
  }

  #leaseTail(id: number, lessee: Lessee): OpenSegment | undefined {
    const file = this.#lockFile(id, false);
    if (file === undefined) return undefined;
    try {
      const leased = this.#takeOver(file, id, lessee);
      if (leased !== undefined && this.#tailVerifies(file, id, leased)) {
        return this.#opened(file, id, leased, lessee);
      }
    } catch (error) {
      file.close();
      throw storageError(error, `Leasing segment ${id}`, file.path);
    }
    file.close();
    return undefined;
  }

  /** Registers a new holder of a locked tail; `undefined` if the segment changed too much. */
  #takeOver(file: DeviceFile, id: number, { writer, sizeMax }: Lessee): SegmentRecord | undefined {
    const fileSize = file.size();
    let leased: SegmentRecord | undefined;
    this.#options.index.transact(`Leasing segment ${id}`, (tx) => {
      // What was listed may be old: the last holder can have committed since, and then died.
      const current = getSegment(tx, id);
      if (current === undefined || current.state === "free" || !hasRoom(current, sizeMax)) return;
      const generation = current.generation + 1;
      leased = { ...current, state: "leased", writer, generation, fileSize };
      putSized(tx, id, { record: leased, before: current.fileSize });
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

  #recycle({ id: oldId }: Listed, lessee: Lessee): OpenSegment | undefined {
    const file = this.#lockFile(oldId, true);
    if (file === undefined) return undefined;
    const { device, directory } = this.#options;
    try {
      const id = this.#newId();
      const temporary = path.join(directory, temporaryFileName(id));
      device.rename(this.path(oldId), temporary);
      const segment = this.#register({ file, id, temporary, lessee, replaces: oldId });
      file.unlock(VIEW_LOCK_OFFSET, 1);
      return segment;
    } catch (error) {
      // Whatever was half done looks like a killed recycling, which recovery takes back.
      file.close();
      throw storageError(error, `Recycling segment ${oldId}`, file.path);
    }
  }

  #create(lessee: Lessee, attempts = 3): OpenSegment {
    const { device, directory, pattern } = this.#options;
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
        return this.#create(lessee, attempts - 1);
      }
      device.matchAccess(temporary, pattern);
      return this.#register({ file, id, temporary, lessee });
    } catch (error) {
      // Recovery would take the file too; on a full disk its space is needed now.
      file?.close();
      this.#discard(id, temporary);
      throw storageError(error, "Making a segment", temporary);
    }
  }

  /** Removes a half-made file and its registration; if that fails too, recovery will. */
  #discard(id: number, name: string): void {
    try {
      this.#options.device.unlink(name);
      if (getSegment(this.#options.index, id) === undefined) return;
      this.#options.index.transact(
        `Discarding segment ${id}`,
        (tx) => {
          const record = getSegment(tx, id);
          // Once it has its final name it is as good as any segment whose writer died.
          if (record !== undefined && this.#isGone(id)) removeSized(tx, id, record);
        },
        "reclaim",
      );
    } catch (error) {
      if (systemCode(error) === undefined && !isDaosError(error)) throw error;
    }
  }

  #register(made: {
    file: DeviceFile;
    id: number;
    temporary: string;
    lessee: Lessee;
    replaces?: number;
  }): OpenSegment {
    const { device, directory, index, poolUuid, durable } = this.#options;
    const { file, id, temporary, lessee, replaces } = made;
    const { writer, use } = lessee;
    const fileSystem = fileSystemSpace(device, directory);
    const oldSize = file.size();
    const size = Math.max(oldSize, SEGMENT_DATA_OFFSET);
    const base = { ...EMPTY, state: "leased", writer, generation: 1, fileSize: size } as const;
    const what = `Registering segment ${id}`;
    index.transact(
      what,
      (tx) => {
        const replaced = replaces === undefined ? undefined : getSegment(tx, replaces);
        if (replaces !== undefined) removeSegment(tx, replaces);
        const needed = size - oldSize;
        if (needed > 0) grantSpace(tx, fileSystem, { what, wanted: needed, needed, use });
        putSized(tx, id, { record: base, before: replaced?.fileSize ?? 0 });
      },
      use,
    );
    if (size > oldSize) file.allocate(0, size);
    file.write(encodeHeader(id, poolUuid), 0);
    if (durable) file.sync();
    device.rename(temporary, this.path(id));
    if (durable) device.syncDirectory(directory);
    return this.#opened(file, id, base, lessee);
  }

  /** A segment id that was never used before. */
  #newId(): number {
    let id = 0;
    // It stores nothing but a number; whether there is space for a segment is asked later.
    const draw = (tx: IndexTransaction) => {
      id = Number(nextCounter(tx, "segment"));
    };
    this.#options.index.transact("Drawing a segment id", draw, "reclaim");
    return id;
  }

  /** Ends a writer's leases; what it did not commit is dropped. */
  release(segments: readonly OpenSegment[]): void {
    if (segments.length === 0) return;
    try {
      const seal = (tx: IndexTransaction) => {
        for (const { id, generation } of segments) sealSegment(tx, id, generation);
      };
      this.#options.index.transact("Sealing a writer's segments", seal, "reclaim");
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
    const file = lockSegmentFile(device, path.join(directory, name), true);
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
    const fileSize = file?.size() ?? 0;
    const reclaim = (tx: IndexTransaction) => {
      const current = getSegment(tx, id);
      if (current?.state !== "leased" || current.generation !== record.generation) return;
      if (gone && current.committedSize > 0) return;
      reclaimed = true;
      removeWriter(tx, current.writer);
      if (gone) {
        removeSized(tx, id, current);
        return;
      }
      putSized(tx, id, { record: { ...current, fileSize }, before: current.fileSize });
      sealSegment(tx, id, record.generation);
    };
    try {
      this.#options.index.transact(`Reclaiming segment ${id}`, reclaim, "reclaim");
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
      if (this.#growth.delete(id) > 0) removed += 1;
    }
    return removed;
  }
}

function hasRoom(record: SegmentRecord, sizeMax: number): boolean {
  return record.committedSize + CHECKSUM_BLOCK_SIZE <= sizeMax;
}

/** Bytes of data that a file has space for. */
function dataSize(file: DeviceFile): number {
  return Math.min(SEGMENT_DATA_SIZE_MAX, Math.max(0, file.size() - SEGMENT_DATA_OFFSET));
}

/** Ends the lease of one generation: sealed if something refers to it, else free. */
export function sealSegment(tx: IndexTransaction, id: number, generation: number): void {
  const record = getSegment(tx, id);
  if (record?.state !== "leased" || record.generation !== generation) return;
  const state = record.liveSize > 0 ? "sealed" : "free";
  putSegment(tx, id, { ...record, state, generation: generation + 1 });
}
