/**
 * Giving a pool or a container another label.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { renameContainer } from "../vos/containers.js";
import { POOL_SCOPE, putProperty } from "../vos/metadata.js";
import type { Target } from "../vos/target.js";
import { checkLabel } from "./labels.js";

/**
 * Gives a container another label, in one transaction with the check that no other one has it.
 *
 * @throws {@link DaosError} `DER_INVAL`, `DER_EXIST`, `DER_NONEXIST` if it was destroyed.
 */
export function relabel(target: Target, id: number, label: string): void {
  const what = `Changing the label of a container to "${label}"`;
  checkLabel(label, what);
  target.metadata.transact(what, (tx) => {
    const now = target.getContainer(id);
    if (now === undefined || target.findContainer(label) !== undefined) {
      const code = now === undefined ? "DER_NONEXIST" : "DER_EXIST";
      const why = now === undefined ? "it was destroyed" : "another one has that label";
      throw new DaosError(code, { what, why, remedy: "choose another" }, { label });
    }
    renameContainer(tx, now, label);
  });
}

/**
 * Gives the pool another label.
 *
 * @throws {@link DaosError} `DER_INVAL`.
 */
export function relabelPool(target: Target, label: string): void {
  const what = `Changing the label of a pool to "${label}"`;
  checkLabel(label, what);
  target.metadata.transact(what, (tx) => putProperty(tx, POOL_SCOPE, "label", label));
}
