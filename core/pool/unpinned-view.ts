/**
 * A view of a user who may only read the pool, and so cannot pin: aggregation does not know of it.
 *
 * Aggregation raises the container's horizon before it removes anything. So each call looks at the horizon
 * when it has its answer: if the epoch can be read then, nothing of it was missing before. Else the answer
 * is dropped, whatever it was, and the call ends in `DER_EPOCH_GONE`. What a writer overtook is read again.
 *
 * @module
 */

import { isDaosError } from "../errors.js";
import { patiently } from "../index/unguarded.js";
import type { Pin } from "../vos/pins.js";
import type { Target } from "../vos/target.js";
import { ContainerView, type ViewOwner } from "./view.js";

/** A view whose epoch may go away under it. */
export class UnpinnedView extends ContainerView {
  readonly #guard: <T>(call: () => T) => T;

  constructor(target: Target, container: number, pin: Pin, owner?: ViewOwner) {
    super(target, container, pin, owner);
    const check = () => target.requireReadable(container, pin.epoch);
    this.#guard = (call) => patiently(() => guarded(call, check));
  }

  override arraySize(...args: Parameters<ContainerView["arraySize"]>): number {
    return this.#guard(() => super.arraySize(...args));
  }

  override readArray(...args: Parameters<ContainerView["readArray"]>): void {
    this.#guard(() => super.readArray(...args));
  }

  override writtenRanges(...args: Parameters<ContainerView["writtenRanges"]>) {
    return this.#guard(() => super.writtenRanges(...args));
  }

  override getValue(...args: Parameters<ContainerView["getValue"]>): Uint8Array | undefined {
    return this.#guard(() => super.getValue(...args));
  }

  override valueSize(...args: Parameters<ContainerView["valueSize"]>): number | undefined {
    return this.#guard(() => super.valueSize(...args));
  }

  override fetch(...args: Parameters<ContainerView["fetch"]>) {
    return this.#guard(() => super.fetch(...args));
  }

  override exists(...args: Parameters<ContainerView["exists"]>): boolean {
    return this.#guard(() => super.exists(...args));
  }

  override listDkeys(...args: Parameters<ContainerView["listDkeys"]>) {
    return this.#guard(() => super.listDkeys(...args));
  }

  override splitDkeys(...args: Parameters<ContainerView["splitDkeys"]>) {
    return this.#guard(() => super.splitDkeys(...args));
  }

  override listAkeys(...args: Parameters<ContainerView["listAkeys"]>) {
    return this.#guard(() => super.listAkeys(...args));
  }

  override listObjects(...args: Parameters<ContainerView["listObjects"]>) {
    return this.#guard(() => super.listObjects(...args));
  }

  override listValues(...args: Parameters<ContainerView["listValues"]>) {
    return this.#guard(() => super.listValues(...args));
  }

  override listRecords(...args: Parameters<ContainerView["listRecords"]>) {
    return this.#guard(() => super.listRecords(...args));
  }

  override queryDkey(...args: Parameters<ContainerView["queryDkey"]>): Uint8Array | undefined {
    return this.#guard(() => super.queryDkey(...args));
  }

  override newestChange(...args: Parameters<ContainerView["newestChange"]>) {
    return this.#guard(() => super.newestChange(...args));
  }

  override queryAkey(...args: Parameters<ContainerView["queryAkey"]>): Uint8Array | undefined {
    return this.#guard(() => super.queryAkey(...args));
  }
}

/** A view of an epoch: one that keeps it, if the user may pin it. */
export function openView(
  target: Target,
  container: number,
  pin: Pin,
  owner?: ViewOwner,
): ContainerView {
  const View = pin.isHeld ? ContainerView : UnpinnedView;
  return new View(target, container, pin, owner);
}

/** Runs a call and checks that its epoch could be read to the end, also if it failed. */
function guarded<T>(call: () => T, check: () => void): T {
  let answer: T;
  try {
    answer = call();
  } catch (error) {
    if (!isDaosError(error, "DER_BUSY")) check();
    throw error;
  }
  check();
  return answer;
}
