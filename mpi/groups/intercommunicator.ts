/**
 * Intercommunicator: two groups of ranks that send messages to each other.
 *
 * In collectives, data goes from one group to the other:
 *
 *     with a root      the root passes ROOT, the others of its group PROC_NULL, the other group the root's rank
 *     without          each group gets what the other one contributes
 *
 * @module
 */

import type { CollectiveCalls } from "../collectives/collective-calls.js";
import type { PersistentCollectiveCalls } from "../collectives/persistent-collectives.js";
import type { Communicator } from "../communicator.js";
import type { ErrhandlerCalls } from "../handled.js";
import type { PointToPointCalls } from "../messages/point-to-point.js";
import type { Group } from "./group.js";

/**
 * Two groups: messages go to ranks of the other one, and come from them.
 *
 * Collectives exchange data between the groups: parts are counted by `remoteSize`, and a reduction combines what the
 * other group contributes. Roots are ROOT, PROC_NULL, or a rank of the other group. There is no IN_PLACE
 * (`MPI_ERR_BUFFER`), and no `scan` and `exscan` (`MPI_ERR_COMM`).
 */
export interface Intercommunicator
  extends PointToPointCalls,
    CollectiveCalls,
    PersistentCollectiveCalls,
    ErrhandlerCalls<Intercommunicator> {
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
  /** Same groups, separate messages. Collective over both. */
  dup(): Intercommunicator;
  /** Gives it back. Collective over both. */
  free(): void;
  /**
   * As `free`, after all messages have arrived (MPI_Comm_disconnect): processes that are no longer connected may end
   * without waiting for each other. Collective over both.
   *
   * @mpi MPI_Comm_disconnect
   */
  disconnect(): void;
}
