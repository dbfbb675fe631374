/**
 * The locks of a segment file, on separate bytes:
 *
 *     byte 0   the lease: exclusive, held by the segment's writer; it ends with the writer
 *     byte 1   the view: shared, held by each reader as long as a descriptor or a map exists
 *
 * Both are taken exclusively to recycle or delete a segment.
 *
 * @module
 */

import type { Device, DeviceFile } from "../device/device.js";
import { storageError, systemCode } from "../errors.js";

/** Byte of a segment file that its writer locks. */
export const LEASE_LOCK_OFFSET = 0;
/** Byte of a segment file that its readers lock. */
export const VIEW_LOCK_OFFSET = 1;

/**
 * Opens a segment file and takes its lease, and with `exclusiveViews` the right to take it from its
 * readers; `undefined` if either is taken, or the file is gone.
 */
export function lockSegmentFile(
  device: Device,
  name: string,
  exclusiveViews: boolean,
): DeviceFile | undefined {
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
