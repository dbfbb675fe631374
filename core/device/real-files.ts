/**
 * What copying real files needs and Node lacks: extended attributes, times to the nanosecond, and
 * where the data of a sparse file is. No call follows a symbolic link.
 *
 * @module
 */

import { storageAddon } from "./addon.js";

/** A part of a file that is not a hole. */
export interface DataRange {
  /** First byte. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

const NS_PER_S = 1_000_000_000n;

/**
 * The extended attributes of a file, by name. Empty on a file system that has none.
 *
 * @param path The file, directory or link.
 * @throws An `Error` with a POSIX `code`.
 */
export function listXattrs(path: string): Map<string, Uint8Array> {
  const addon = storageAddon();
  const names = Buffer.from(addon.listXattrs(path)).toString().split("\0").filter(Boolean);
  const found = new Map<string, Uint8Array>();
  for (const name of names) {
    // It may have been removed since it was listed.
    const value = addon.getXattr(path, name);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

/**
 * Creates or replaces an extended attribute.
 *
 * @param path The file, directory or link.
 * @param name With its namespace: `user.comment`.
 * @param value Its bytes.
 * @throws An `Error` with a POSIX `code`: `ENOTSUP`, `EPERM`, `ENOSPC`.
 */
export function setXattr(path: string, name: string, value: Uint8Array): void {
  storageAddon().setXattr(path, name, value);
}

/**
 * Removes an extended attribute, if it is there.
 *
 * @throws An `Error` with a POSIX `code`.
 */
export function removeXattr(path: string, name: string): void {
  storageAddon().removeXattr(path, name);
}

/** Seconds, rounded down, and the nanoseconds above them. */
function parts(time: bigint): [seconds: number, nanoseconds: number] {
  const ns = ((time % NS_PER_S) + NS_PER_S) % NS_PER_S;
  return [Number((time - ns) / NS_PER_S), Number(ns)];
}

/**
 * Sets when a file was accessed and modified.
 *
 * @param path The file, directory or link.
 * @param times In nanoseconds since 1970-01-01 UTC.
 * @throws An `Error` with a POSIX `code`.
 */
export function setTimes(path: string, times: { accessed: bigint; modified: bigint }): void {
  storageAddon().setTimes(path, ...parts(times.accessed), ...parts(times.modified));
}

/**
 * The parts `[start, end)` of a file that are not holes, in order. All of it on a file system that
 * does not tell.
 *
 * @param fd An open file.
 * @param size Its size, in bytes.
 * @throws An `Error` with a POSIX `code`.
 */
export function* dataRanges(fd: number, size: number): Generator<DataRange, void, undefined> {
  const addon = storageAddon();
  for (let at = 0; at < size; ) {
    const start = addon.seekData(fd, at, false);
    if (start < 0 || start >= size) return;
    const hole = addon.seekData(fd, start, true);
    const end = hole < 0 ? size : Math.min(hole, size);
    yield { start, end };
    at = end;
  }
}
