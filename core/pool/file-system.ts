/**
 * What the file system under a pool can do.
 *
 * @module
 */

import type { Device } from "../device/device.js";
import { DaosError } from "../errors.js";
import type { Durability } from "./superblock-format.js";

const TMPFS = 0x01021994;

/** File systems on which a shared memory map is not coherent between nodes, by `statfs` type. */
const NETWORK_FILE_SYSTEMS = new Map<number, string>([
  [0x6969, "NFS"],
  [0x0bd00bd0, "Lustre"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x47504653, "GPFS"],
  [0x19830326, "BeeGFS"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x01021997, "9P"],
]);

/**
 * Refuses an index on a network file system, where LMDB is not safe.
 *
 * @throws {@link DaosError} `DER_NOSYS`.
 */
export function requireLocal(device: Device, directory: string): void {
  const name = NETWORK_FILE_SYSTEMS.get(device.space(directory).type);
  if (name === undefined) return;
  throw new DaosError(
    "DER_NOSYS",
    {
      what: `Putting a pool's index at ${directory}`,
      why: `it lies on ${name}, on which the index is not safe`,
      remedy:
        "give the pool an scm directory on a local disk or tmpfs; its nvme directory may stay",
    },
    { directory, fileSystem: name },
  );
}

/** What a user should know of the durability of a pool; empty if it is what it says. */
export function durabilityNotes(
  device: Device,
  { durability, scm, nvme }: { durability: Durability; scm: string; nvme: string },
): string[] {
  const notes: string[] = [];
  if (durability === "process") {
    notes.push(
      "This pool survives killed processes, not a power cut: that may cost the whole pool.",
    );
  }
  const volatile = [scm, nvme].filter((directory) => device.space(directory).type === TMPFS);
  if (durability === "power" && volatile.length > 0) {
    notes.push(
      `A power cut or reboot loses this pool: in memory (tmpfs) is ${volatile.join(", ")}.`,
    );
  }
  return notes;
}
