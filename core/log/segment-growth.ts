/**
 * Growing and shrinking segment files within the space of their tier.
 *
 *     grow   register the new size ─▶ allocate it (on a full disk: as much as is needed, or give back)
 *     trim   cut off or delete what nobody leases ─▶ register the smaller size
 *
 * A file that is killed in between is shorter than registered; its next lease or its reclaim corrects
 * that.
 *
 * @module
 */

import path from "node:path";
import type { Device, DeviceFile } from "../device/device.js";
import { DaosError, storageError, systemCode } from "../errors.js";
import type { IndexStore } from "../index/index-store.js";
import { noSpace, type SpaceUse } from "../index/space-record.js";
import { SEGMENT_DATA_OFFSET, SPACE_UNIT_SIZE } from "../limits.js";
import { segmentFileName } from "./segment-format.js";
import { lockSegmentFile } from "./segment-lock.js";
import { getSegment, listSegments, type SegmentRecord } from "./segment-record.js";
import { fileSystemSpace, grantSpace, nvmeFree, putSized, removeSized } from "./segment-space.js";

/** Sizes are of the file, in bytes. */
export interface GrowthRequest {
  readonly id: number;
  readonly generation: number;
  /** What is allocated. */
  readonly size: number;
  /** What would be good. */
  readonly wanted: number;
  /** What it cannot do without. */
  readonly needed: number;
  readonly use: SpaceUse;
}

function roundUp(size: number): number {
  return Math.ceil(size / SPACE_UNIT_SIZE) * SPACE_UNIT_SIZE;
}

/** The space of a pool's segment files, as one process sees it. */
export class SegmentGrowth {
  readonly #device: Device;
  readonly #index: IndexStore;
  readonly #directory: string;

  constructor(options: { device: Device; index: IndexStore; directory: string }) {
    this.#device = options.device;
    this.#index = options.index;
    this.#directory = options.directory;
  }

  #path(id: number): string {
    return path.join(this.#directory, segmentFileName(id));
  }

  /**
   * Grows the file of a leased segment.
   *
   * @returns The size that is allocated then, from `needed` to `wanted`, or a little more.
   * @throws {@link DaosError} `DER_NOSPACE`; nothing is changed then. `DER_TX_RESTART` if the lease
   *   was lost.
   */
  grow(file: DeviceFile, request: GrowthRequest): number {
    const { size } = request;
    const needed = roundUp(request.needed);
    const end = this.#register(file, { ...request, needed, wanted: roundUp(request.wanted) });
    const full = this.#allocate(file, size, end);
    if (full === undefined) return end;
    // What the file system says that it has may be gone a moment later.
    const still = end === needed ? full : this.#allocate(file, size, needed);
    this.#giveBack(request, still === undefined ? needed : file.size());
    if (still === undefined) return needed;
    const { available } = fileSystemSpace(this.#device, this.#directory);
    const facts = { tier: "nvme", needed: needed - size, free: available, limited: false } as const;
    throw noSpace(`Allocating ${needed - size} bytes of segment ${request.id}`, facts, still);
  }

  #register(
    file: DeviceFile,
    { id, generation, wanted, needed, size, use }: GrowthRequest,
  ): number {
    const what = `Allocating ${needed - size} bytes of segment ${id}`;
    const fileSystem = fileSystemSpace(this.#device, this.#directory);
    let end = needed;
    this.#index.transact(
      what,
      (tx) => {
        const record = getSegment(tx, id);
        if (record?.state !== "leased" || record.generation !== generation) {
          throw leaseLost(what, file.path);
        }
        const before = record.fileSize;
        const asked = { what, wanted: wanted - before, needed: needed - before, use };
        if (asked.needed > 0) end = before + grantSpace(tx, fileSystem, asked);
        putSized(tx, id, { record: { ...record, fileSize: end }, before });
      },
      use,
    );
    return end;
  }

  /** Allocates a file up to `end`; returns the error of a full disk. */
  #allocate(file: DeviceFile, start: number, end: number): unknown {
    try {
      file.allocate(start, end - start);
      return undefined;
    } catch (error) {
      const code = systemCode(error);
      if (code === "ENOSPC" || code === "EDQUOT") return error;
      throw storageError(error, "Allocating space for a segment", file.path);
    }
  }

  /** Registers that less was allocated than asked for. */
  #giveBack({ id, generation }: GrowthRequest, fileSize: number): void {
    this.#index.transact(
      `Registering the size of segment ${id}`,
      (tx) => {
        const record = getSegment(tx, id);
        if (record?.state !== "leased" || record.generation !== generation) return;
        putSized(tx, id, { record: { ...record, fileSize }, before: record.fileSize });
      },
      "reclaim",
    );
  }

  /** Bytes that a writer can get: never given to a segment, or held by nobody and dead. */
  free(): number {
    const fileSystem = fileSystemSpace(this.#device, this.#directory);
    return nvmeFree(this.#index, fileSystem) + this.#unused();
  }

  /** Whether a writer can get `size` bytes. Asks first what is quickly known. */
  hasFree(size: number): boolean {
    const fileSystem = fileSystemSpace(this.#device, this.#directory);
    const free = nvmeFree(this.#index, fileSystem);
    return free >= size || free + this.#unused() >= size;
  }

  /** Bytes of segments that nobody leases and that hold nothing, or whose tails do not. */
  #unused(): number {
    let size = 0;
    for (const { record } of listSegments(this.#index)) {
      if (record.state !== "leased") size += record.fileSize - sizeInUse(record);
    }
    return size;
  }

  /**
   * Gives back what nobody leases: free segments, and the unwritten tails of others, until `size`
   * bytes came back.
   *
   * @returns Whether anything came back.
   */
  trim(size: number): boolean {
    let freed = 0;
    const segments = listSegments(this.#index).filter(({ record }) => record.state !== "leased");
    for (const { id, record } of segments) {
      if (freed >= size) break;
      if (record.fileSize <= sizeInUse(record)) continue;
      freed += record.state === "free" ? this.delete(id) : this.#cutOff(id);
    }
    return freed > 0;
  }

  /** Deletes a free segment that no reader has open; returns the bytes that came back. */
  delete(id: number): number {
    const name = this.#path(id);
    const present = this.#device.inodeAt(name) !== undefined;
    const file = present ? lockSegmentFile(this.#device, name, true) : undefined;
    if (present && file === undefined) return 0;
    let freed = 0;
    try {
      // Under its locks it stays free. The file goes first: what is registered is never too little.
      if (getSegment(this.#index, id)?.state !== "free") return 0;
      this.#device.unlink(name);
      this.#index.transact(
        `Deleting segment ${id}`,
        (tx) => {
          const record = getSegment(tx, id);
          if (record?.state !== "free") return;
          removeSized(tx, id, record);
          freed = Math.max(1, record.fileSize);
        },
        "reclaim",
      );
    } finally {
      file?.close();
    }
    return freed;
  }

  /** Cuts a segment off behind its committed data; returns the bytes that came back. */
  #cutOff(id: number): number {
    const file = lockSegmentFile(this.#device, this.#path(id), false);
    if (file === undefined) return 0;
    let freed = 0;
    try {
      const record = getSegment(this.#index, id);
      if (record?.state !== "sealed") return 0;
      const fileSize = sizeInUse(record);
      if (file.size() > fileSize) file.truncate(fileSize);
      this.#index.transact(
        `Cutting off segment ${id}`,
        (tx) => {
          const current = getSegment(tx, id);
          if (current === undefined || current.fileSize <= fileSize) return;
          putSized(tx, id, { record: { ...current, fileSize }, before: current.fileSize });
          freed = current.fileSize - fileSize;
        },
        "reclaim",
      );
      return freed;
    } catch (error) {
      throw storageError(error, `Cutting off segment ${id}`, file.path);
    } finally {
      file.close();
    }
  }
}

/** The part of a segment's file that must stay. */
function sizeInUse(record: SegmentRecord): number {
  return record.state === "free" ? 0 : roundUp(SEGMENT_DATA_OFFSET + record.committedSize);
}

function leaseLost(what: string, name: string): DaosError {
  const why = "the writer no longer holds the lease of the segment";
  const remedy = "write the data again and commit";
  return new DaosError("DER_TX_RESTART", { what, why, remedy }, { path: name });
}
