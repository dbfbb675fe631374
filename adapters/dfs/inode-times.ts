/**
 * When a file was modified and changed, and setting that.
 *
 * A write does not touch the inode: its time is that of its commit. What was set after the last write
 * counts, even if it lies in the past. The order of commits decides which was later, for clocks may say
 * that two of them were at one time.
 *
 * @module
 */

import { type ContainerView, timeOfEpoch } from "../../core/index.js";
import type { Inode } from "./inode-format.js";

/** Times in nanoseconds since 1970-01-01 UTC. */
export interface InodeTimes {
  /** Of the newest write, or as it was set after it. */
  readonly modified: bigint;
  /** When attributes or bytes were changed. */
  readonly changed: bigint;
}

/**
 * When a file was modified and changed; of a directory, names in it and what is stored beside them count.
 *
 * Cost: of a directory, about the number of its entries.
 */
export function inodeTimes(inode: Inode, view: ContainerView): InodeTimes {
  const { modified, changed } = inode;
  const newest = inode.kind === "symlink" ? undefined : view.newestChange(inode.oid);
  if (newest === undefined) return { modified, changed };
  const written = timeOfEpoch(newest);
  if (newest <= inode.modifiedEpoch) return { modified, changed };
  if (changed > written) return { modified: written, changed };
  return { modified: written, changed: written };
}

/**
 * An inode whose times are set in a transaction.
 *
 * @param view The version that the transaction reads. A write that is committed meanwhile repeats the
 *   transaction: so all writes after that version are writes after the times.
 */
export function withTimes(
  inode: Inode,
  view: ContainerView,
  times: { readonly accessed: bigint; readonly modified: bigint },
): Inode {
  if (inode.kind !== "symlink") view.newestChange(inode.oid);
  return { ...inode, ...times, modifiedEpoch: view.epoch };
}
