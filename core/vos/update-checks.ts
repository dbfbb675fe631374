/**
 * What an update asks for, checked before anything of it is taken.
 *
 * @module
 */

import { VALUE_INDEX_SIZE_MAX } from "../limits.js";
import { checkKey } from "./names.js";
import { formatOid, type ObjectId } from "./object-id.js";
import {
  type AkeyUpdate,
  type Bytes,
  checkDataSize,
  checkRanges,
  checkRecordSize,
  type ExactRange,
  sizeOf,
} from "./records.js";
import { checkValueSize } from "./versions.js";

/** An update of records of an array. */
export type RecordsUpdate = Extract<AkeyUpdate, { recordSize: number }>;

/** The checked ranges of an update of records. */
export function rangesOf(oid: ObjectId, { recordSize, ranges, data }: RecordsUpdate): ExactRange[] {
  const what = `Updating akeys of object ${formatOid(oid)}`;
  checkRecordSize(what, recordSize);
  const exact = checkRanges(what, ranges);
  if (data) checkDataSize(what, exact, recordSize, data);
  return exact;
}

/** @throws {@link DaosError} if an akey cannot be updated so. */
export function checkUpdate(oid: ObjectId, update: AkeyUpdate): void {
  checkKey(oid, "akey", update.akey);
  if ("value" in update) checkValueSize(oid, sizeOf(update.value));
  else rangesOf(oid, update);
}

/** Bytes of a value that go to the log. */
export function longSize(value: Bytes | undefined): number {
  const size = value === undefined ? 0 : sizeOf(value);
  return size > VALUE_INDEX_SIZE_MAX ? size : 0;
}

/** Likewise of the values of an update. */
export function longSizes(updates: readonly AkeyUpdate[]): number {
  return updates.reduce((sum, update) => sum + ("value" in update ? longSize(update.value) : 0), 0);
}

/** Whether two keys are the same. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
