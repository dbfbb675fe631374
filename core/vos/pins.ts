/**
 * Pins: the epochs that readers use, so that aggregation keeps what they see.
 *
 * A file of slots beside the index. A reader takes a slot by an exclusive lock on its bytes and
 * writes container and epoch into it; the lock ends with the reader, however it ends, so that a slot
 * is in use exactly while it is locked. No long index transaction is needed, which would keep dead
 * pages alive.
 *
 *     slot, 16 bytes: u32 container, 4 bytes zero, u64 epoch (big-endian)
 *
 * Readers of one process that pin the same epoch share a slot. It is free with the last of them, at once:
 * a program that computes for an hour must not keep a version that it looked at before.
 *
 * A reader pins first and checks the container's horizon afterwards; aggregation raises the horizon
 * first and reads the pins afterwards. Whichever comes second sees the other. Behind the slots lie the
 * locks of aggregation, a byte for each container; see aggregation-lock.ts.
 *
 * @module
 */

import type { Device, DeviceFile } from "../device/device.js";
import { DaosError, storageError, systemCode } from "../errors.js";
import { PIN_SLOTS_MAX } from "../limits.js";
import type { Epoch } from "./epoch.js";

const SLOT_SIZE = 16;
/** Bytes of the file, which are all slots; locks of other kinds lie behind them. */
export const PINS_SIZE = SLOT_SIZE * PIN_SLOTS_MAX;

/** A pinned epoch; release it when the reader is done. */
export interface Pin {
  readonly container: number;
  readonly epoch: Epoch;
  /** Whether aggregation sees it: a user who may only read cannot pin. */
  readonly isHeld: boolean;
  /** Ends the pin; later calls do nothing. */
  release(): void;
}

/** A slot that this process has locked. */
interface HeldSlot {
  readonly slot: number;
  readonly container: number;
  readonly epoch: Epoch;
  readers: number;
}

/** The pins of a pool, as one process sees them. */
export class PinTable {
  readonly #device: Device;
  readonly #path: string;
  #file: DeviceFile | undefined;
  readonly #taken = new Map<number, HeldSlot>();

  constructor(device: Device, path: string) {
    this.#device = device;
    this.#path = path;
  }

  /** Makes the file, once, when the pool is created. */
  static create(device: Device, path: string): void {
    const file = device.open(path, "create");
    file.write(new Uint8Array(PINS_SIZE), 0);
    file.sync();
    file.close();
  }

  /**
   * Pins an epoch of a container. A user who may only read the pool cannot pin: such a reader may
   * find that its epoch is gone, and never finds wrong data.
   *
   * @throws {@link DaosError} `DER_BUSY` if all slots are taken.
   */
  pin(container: number, epoch: Epoch): Pin {
    const file = this.#openFile();
    if (file === undefined) return { container, epoch, isHeld: false, release: () => {} };
    const shared = this.#sharedSlot(container, epoch);
    if (shared !== undefined) return this.#pinOf(file, shared);
    try {
      const slot = this.#takeSlot(file);
      const bytes = Buffer.alloc(SLOT_SIZE);
      bytes.writeUInt32BE(container, 0);
      bytes.writeBigUInt64BE(epoch, 8);
      const held = { slot, container, epoch, readers: 0 };
      try {
        file.write(bytes, slot * SLOT_SIZE);
      } catch (error) {
        this.#free(file, held);
        throw error;
      }
      this.#taken.set(slot, held);
      return this.#pinOf(file, held);
    } catch (error) {
      throw storageError(error, "Pinning an epoch", this.#path);
    }
  }

  /** A pin of an epoch that this process holds already; `undefined` if it does not. */
  share(container: number, epoch: Epoch): Pin | undefined {
    const shared = this.#sharedSlot(container, epoch);
    return shared === undefined || this.#file === undefined
      ? undefined
      : this.#pinOf(this.#file, shared);
  }

  #sharedSlot(container: number, epoch: Epoch): HeldSlot | undefined {
    for (const held of this.#taken.values()) {
      if (held.epoch === epoch && held.container === container) return held;
    }
    return undefined;
  }

  #pinOf(file: DeviceFile, held: HeldSlot): Pin {
    held.readers += 1;
    let taken = true;
    const release = () => {
      // Once: the slot may be another's by the second call.
      if (!taken || this.#file !== file) return;
      taken = false;
      held.readers -= 1;
      if (held.readers === 0) this.#free(file, held);
    };
    return { container: held.container, epoch: held.epoch, isHeld: true, release };
  }

  #free(file: DeviceFile, { slot }: HeldSlot): void {
    this.#taken.delete(slot);
    file.unlock(slot * SLOT_SIZE, SLOT_SIZE);
  }

  #openFile(): DeviceFile | undefined {
    try {
      this.#file ??= this.#device.open(this.#path, "write");
      return this.#file;
    } catch (error) {
      const code = systemCode(error);
      if (code === "EACCES" || code === "EROFS" || code === "EPERM") return undefined;
      throw storageError(error, "Pinning an epoch", this.#path);
    }
  }

  #takeSlot(file: DeviceFile): number {
    for (let slot = 0; slot < PIN_SLOTS_MAX; slot++) {
      // A lock does not conflict with the same open file's own: remember those.
      if (this.#taken.has(slot)) continue;
      if (!file.lock(slot * SLOT_SIZE, SLOT_SIZE, "exclusive")) continue;
      return slot;
    }
    throw new DaosError("DER_BUSY", {
      what: "Pinning an epoch",
      why: `all ${PIN_SLOTS_MAX} pins of the pool are in use`,
      remedy: "close containers that were opened for reading",
    });
  }

  /** The epochs of a container that any process pins now. */
  epochsOf(container: number): Epoch[] {
    let file: DeviceFile | undefined;
    try {
      // A second open file sees this process's own locks as somebody else's.
      file = this.#device.open(this.#path, "read");
      const bytes = Buffer.alloc(PINS_SIZE);
      file.read(bytes, 0);
      const epochs: Epoch[] = [];
      for (let start = 0; start < bytes.length; start += SLOT_SIZE) {
        if (bytes.readUInt32BE(start) !== container || !file.isLocked(start, SLOT_SIZE)) continue;
        epochs.push(bytes.readBigUInt64BE(start + 8));
      }
      return epochs;
    } catch (error) {
      throw storageError(error, "Reading the pinned epochs", this.#path);
    } finally {
      file?.close();
    }
  }

  /** Ends all pins of this process. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#taken.clear();
  }
}
