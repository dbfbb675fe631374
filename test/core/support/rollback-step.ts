/**
 * A rollback of a real container and of its model.
 *
 * @module
 */

import { type Container, isDaosError } from "daos-ts";
import type { ContainerModel } from "./container-model.ts";
import { differs } from "./store-checks.ts";

/** Rolls both back to an epoch that there ever was, or finds that it is gone in both. */
export function rollBackBoth(container: Container, model: ContainerModel, to: bigint): void {
  try {
    const { epoch } = container.rollback(to);
    if (!model.isReadable(to)) throw differs("rollback()", epoch, "gone");
    const head = model.epochs.at(-1) as bigint;
    // Without a commit, nothing may have changed: what comes is compared with the old state.
    model.rollBack(epoch === head ? undefined : epoch, to);
  } catch (error) {
    if (model.isReadable(to) || !isDaosError(error, "DER_EPOCH_GONE")) throw error;
  }
}
