/**
 * Intercommunicator: two groups of ranks that send messages to each other.
 *
 * @module
 */

import type { Communicator } from "../communicator.js";
import type { PointToPointCalls } from "../messages/point-to-point.js";
import type { Group } from "./group.js";

/** Two groups: messages go to ranks of the other one, and come from them. */
export interface Intercommunicator extends PointToPointCalls {
  /** This process's rank in its own group. */
  readonly rank: number;
  /** Ranks of the own group. */
  readonly size: number;
  /** Ranks of the other group. @mpi MPI_Comm_remote_size */
  readonly remoteSize: number;
  /** The own group. */
  readonly group: Group;
  /** The other group. @mpi MPI_Comm_remote_group */
  readonly remoteGroup: Group;
  /**
   * Makes one communicator of both groups. Collective over both.
   *
   * @param high Whether this group's ranks come last; the groups should differ.
   * @mpi MPI_Intercomm_merge
   */
  merge(high: boolean): Communicator;
  /** Gives it back. Collective over both. */
  free(): void;
}
