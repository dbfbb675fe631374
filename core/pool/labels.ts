/**
 * Labels of pools and containers, and the errors of pools that cannot be connected to.
 *
 * @module
 */

import fs from "node:fs";
import { DaosError, storageError, systemCode } from "../errors.js";
import { LABEL_SIZE_MAX } from "../limits.js";

const LABEL_PATTERN = /^[A-Za-z0-9._:-]+$/;

/** A UUID as text. */
export const UUID_PATTERN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Refuses what is no label. */
export function checkLabel(label: string, what: string): void {
  const isLabel = LABEL_PATTERN.test(label) && !UUID_PATTERN.test(label);
  if (isLabel && label.length <= LABEL_SIZE_MAX) return;
  throw new DaosError(
    "DER_INVAL",
    {
      what,
      why: `"${label}" is not a label`,
      remedy: `use 1 to ${LABEL_SIZE_MAX} letters, digits and the characters . _ : -`,
    },
    { label },
  );
}

/** The error of a path that holds no pool. */
export function notAPool(directory: string, what: string): DaosError {
  try {
    fs.statSync(`${directory}/.`);
  } catch (error) {
    // There may be one, but not for this user.
    if (systemCode(error) === "EACCES") return storageError(error, what, directory);
  }
  const exists = fs.existsSync(directory);
  const why = exists ? "the directory holds no pool" : "there is no such directory";
  const remedy = exists
    ? "name the directory of a pool, or create one with Pool.create()"
    : "correct the path, or create the pool with Pool.create()";
  return new DaosError("DER_NONEXIST", { what, why, remedy }, { path: directory });
}

/** The error of a user who may not write. */
export function mayOnlyRead(directory: string): DaosError {
  const what = `Connecting to pool ${directory}`;
  const why = "this user may read the pool and not write to it";
  const remedy = 'connect with mode "ro", or give the user access to the pool\'s files';
  return new DaosError("DER_NO_PERM", { what, why, remedy }, { path: directory });
}

/** The error of sharing an exclusive handle. */
export function exclusiveHandle(what: string): DaosError {
  const remedy = 'open it with mode "rw"';
  return new DaosError("DER_BUSY", { what, why: "the handle is exclusive", remedy });
}

/** The error of a shared handle that is of another pool. */
export function otherPool(what: string, directory: string): DaosError {
  const why = `the handle is of another pool than the one in ${directory}`;
  const remedy = "share a handle of this pool";
  return new DaosError("DER_MISMATCH", { what, why, remedy }, { path: directory });
}
