/**
 * The space of the segments' tier: who gets how much of what is left.
 *
 * The size of every segment file is registered in the index before the file grows, and reduced after
 * it shrank. So the sum of the registered sizes is at least that of the files, whoever is killed when,
 * and a transaction that compares it with the limit is right for all processes.
 *
 * @module
 */

import type { Device } from "../device/device.js";
import type { IndexReader, IndexTransaction } from "../index/index-store.js";
import {
  getSpace,
  noSpace,
  nvmeReserve,
  putSpace,
  reserveLeftBy,
  type SpaceUse,
} from "../index/space-record.js";
import {
  LIMITED_SEGMENTS_MIN,
  NVME_GROWTH_SHARE,
  SEGMENT_DATA_OFFSET,
  SEGMENT_DATA_SIZE_MAX,
  SEGMENT_LIMITED_SIZE_MIN,
  SPACE_UNIT_SIZE,
} from "../limits.js";
import { putSegment, removeSegment, type SegmentRecord } from "./segment-record.js";

/** The file system of a tier, in bytes. */
export interface FileSystemSpace {
  readonly total: number;
  readonly available: number;
}

/** A request for space, in bytes. */
export interface SpaceRequest {
  readonly what: string;
  /** What would be good. */
  readonly wanted: number;
  /** What it cannot do without. */
  readonly needed: number;
  readonly use: SpaceUse;
}

/** What is left of the tier, in bytes, for a use; negative if its reserve is in use. */
function spaceLeft(
  reader: IndexReader,
  fileSystem: FileSystemSpace,
  use: SpaceUse,
): { free: number; limited: boolean } {
  const { nvmeLimit, nvmeSize } = getSpace(reader);
  const reserve = nvmeReserve(nvmeLimit ?? fileSystem.total);
  const inside = nvmeLimit === undefined ? Number.POSITIVE_INFINITY : nvmeLimit - nvmeSize;
  const free = Math.min(inside, fileSystem.available) - reserveLeftBy(use, reserve);
  return { free, limited: inside <= fileSystem.available };
}

/** Bytes that an ordinary write can still get for segment files. */
export function nvmeFree(reader: IndexReader, fileSystem: FileSystemSpace): number {
  return Math.max(0, spaceLeft(reader, fileSystem, "write").free);
}

/**
 * Decides how much of the tier a request gets: what it wants, or less when little is left, so that
 * other writers get some too.
 *
 * @returns From `needed` to `wanted` bytes, in whole units of space.
 * @throws {@link DaosError} `DER_NOSPACE`.
 */
export function grantSpace(
  reader: IndexReader,
  fileSystem: FileSystemSpace,
  { what, wanted, needed, use }: SpaceRequest,
): number {
  const { free, limited } = spaceLeft(reader, fileSystem, use);
  if (free < needed) {
    throw noSpace(what, { tier: "nvme", needed, free: Math.max(0, free), limited });
  }
  const share = Math.floor(free / NVME_GROWTH_SHARE / SPACE_UNIT_SIZE) * SPACE_UNIT_SIZE;
  return Math.max(needed, Math.min(wanted, share));
}

/** Stores the record of a segment whose file size changed, or that is new. */
export function putSized(
  tx: IndexTransaction,
  id: number,
  { record, before }: { record: SegmentRecord; before: number },
): void {
  putSegment(tx, id, record);
  changeSize(tx, record.fileSize - before);
}

/** Removes the record of a segment whose file is gone. */
export function removeSized(tx: IndexTransaction, id: number, record: SegmentRecord): void {
  removeSegment(tx, id);
  changeSize(tx, -record.fileSize);
}

function changeSize(tx: IndexTransaction, change: number): void {
  if (change === 0) return;
  const space = getSpace(tx);
  putSpace(tx, { ...space, nvmeSize: Math.max(0, space.nvmeSize + change) });
}

/**
 * Most data bytes of a segment: less in a pool with a small limit, so that its space comes back in
 * small parts and what is written last fits the reserve.
 */
export function segmentDataSizeMax(reader: IndexReader): number {
  const { nvmeLimit } = getSpace(reader);
  if (nvmeLimit === undefined) return SEGMENT_DATA_SIZE_MAX;
  const share = Math.floor(nvmeLimit / LIMITED_SEGMENTS_MIN / SPACE_UNIT_SIZE) * SPACE_UNIT_SIZE;
  const size = Math.max(SEGMENT_LIMITED_SIZE_MIN, share - SEGMENT_DATA_OFFSET);
  return Math.min(SEGMENT_DATA_SIZE_MAX, size);
}

/** Space of a tier's file system. */
export function fileSystemSpace(device: Device, directory: string): FileSystemSpace {
  const { total, available } = device.space(directory);
  return { total, available };
}
