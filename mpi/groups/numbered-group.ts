/**
 * Groups of a library's communicators, whose processes are known by numbers.
 *
 * @module
 */

import type { Handle, MpiLibrary } from "../native-mpi.js";
import { Group } from "./group.js";

/** This process's rank in the job, by library: it never changes. */
const ownRanks = new WeakMap<MpiLibrary, number>();

function ownRank(library: MpiLibrary): number {
  const known = ownRanks.get(library);
  if (known !== undefined) return known;
  const rank = library.native.rank(library.native.world());
  ownRanks.set(library, rank);
  return rank;
}

/**
 * A communicator's own group, or the other one of an intercommunicator. Processes of other jobs have numbers after
 * those of this one, in the order in which they were met.
 */
export function numberedGroup(
  library: MpiLibrary,
  handle: Handle,
  size: number,
  isRemote: boolean,
): Group {
  const numbers = new Int32Array(size);
  library.native.commWorldRanks(handle, numbers, isRemote ? 1 : 0);
  return new Group([...numbers], ownRank(library));
}
