/**
 * One aggregation of a container at a time: a lock behind the slots of the pins file, a byte for each
 * container. It ends with its process. Two at once would be safe, but each would undo the other's work.
 *
 * @module
 */

import type { Device, DeviceFile } from "../device/device.js";
import { storageError } from "../errors.js";
import { PINS_SIZE } from "./pins.js";

/** A lock that is held; release it. */
export interface AggregationLock {
  /** Ends the lock; later calls do nothing. */
  release(): void;
}

/**
 * Takes the lock of a container without waiting; `undefined` if another aggregation holds it.
 *
 * @param path The pins file.
 */
export function lockAggregation(
  device: Device,
  path: string,
  container: number,
): AggregationLock | undefined {
  let file: DeviceFile | undefined;
  try {
    // An open file of its own: a lock does not conflict with others of the same open file.
    file = device.open(path, "write");
    if (file.lock(PINS_SIZE + container, 1, "exclusive")) {
      const locked = file;
      let isHeld = true;
      return {
        release: () => {
          if (isHeld) locked.close();
          isHeld = false;
        },
      };
    }
    file.close();
    return undefined;
  } catch (error) {
    file?.close();
    throw storageError(error, "Locking a container for aggregation", path);
  }
}
