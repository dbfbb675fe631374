/**
 * Removing a file of a container.
 *
 * @module
 */

import { Pool } from "../../core/index.js";
import { parseLocation, remove } from "../dfs/index.js";

/**
 * Removes a file; versions that were committed before stay readable as long as they are kept.
 *
 * @throws `DaosError` `DER_NONEXIST`, `DER_NO_PERM`.
 */
export function removeFile(path: string): void {
  const location = parseLocation(path);
  using pool = Pool.connect(location.pool);
  const container = pool.openContainer(location.container);
  container.runTransaction((state) => remove(state, location.path));
}
