/**
 * Communicator: a group of ranks that exchange messages. The interface that all code is written to.
 *
 * Three implementations pass one conformance suite: Open MPI and MPICH through their addons, and a
 * one-rank communicator in plain TypeScript that needs no MPI at all.
 *
 * Calls block the thread, as in MPI, unless their name starts with `i`. Buffers are used in place and
 * belong to the caller. A *collective* call must be made by every rank of the communicator, in the
 * same order; an error that one rank finds in its own arguments is thrown on that rank only.
 *
 * @module
 */

import type { CollectiveCalls, NeighborCalls } from "./collectives/collective-calls.js";
import type {
  PersistentCollectiveCalls,
  PersistentNeighborCalls,
} from "./collectives/persistent-collectives.js";
import type { CommunicatorRequest } from "./communicator-request.js";
import type { GroupCalls } from "./groups/group-operations.js";
import type { ErrhandlerCalls } from "./handled.js";
import type { Info } from "./info/info.js";
import type { InfoCalls } from "./info/info-operations.js";
import type { PointToPointCalls } from "./messages/point-to-point.js";
import type { Objects } from "./objects/object-collectives.js";
import type { ProcessCalls } from "./processes/process-operations.js";
import type { TopologyCalls } from "./topology/graph-communicators.js";
import type { WindowCalls } from "./windows/window-operations.js";

/**
 * A group of ranks.
 *
 * Every method throws an {@link MpiError}: `MPI_ERR_COMM` after `free`, `MPI_FINALIZED` after
 * finalize, `MPI_ERR_RANK`, `MPI_ERR_ROOT`, `MPI_ERR_TAG`, `MPI_ERR_TYPE` for wrong arguments,
 * `MPI_ERR_BUFFER` for a short buffer; nothing has then been sent. `MPI_ERR_TRUNCATE` is thrown by a
 * receive whose message is longer than its buffer; the message is lost.
 */
export interface Communicator
  extends PointToPointCalls,
    CollectiveCalls,
    PersistentCollectiveCalls,
    GroupCalls,
    InfoCalls,
    WindowCalls,
    ProcessCalls,
    TopologyCalls,
    ErrhandlerCalls<Communicator> {
  /** This process's rank, from 0. @mpi MPI_Comm_rank */
  readonly rank: number;
  /** Number of ranks. @mpi MPI_Comm_size */
  readonly size: number;
  /** Name for debugging, such as "MPI_COMM_WORLD". @mpi MPI_Comm_get_name */
  readonly name: string;
  /** Messages and collectives of JavaScript values in place of buffers. */
  readonly objects: Objects;

  /**
   * Same ranks, separate messages. Collective.
   *
   * @param info What the library is told of the copy's use (MPI_Comm_dup_with_info); by default that of this one.
   * @mpi MPI_Comm_dup, MPI_Comm_dup_with_info
   */
  dup(info?: Info): this;
  /**
   * As `dup`, without waiting for the other ranks: the communicator is that of the request, once it has completed.
   * Attributes are copied now. It must complete on all ranks before this communicator is freed. Collective.
   *
   * @param info As of `dup`. Open MPI 4 is told of it when the request completes.
   * @mpi MPI_Comm_idup, MPI_Comm_idup_with_info
   */
  idup(info?: Info): CommunicatorRequest<this>;
  /**
   * Divides the ranks by color. Collective.
   *
   * @param color Ranks of one color (>= 0) form a communicator; undefined: this rank joins none.
   * @param key Ranks are ordered by key, then by their old rank.
   * @returns This rank's part; undefined if it has no color.
   * @mpi MPI_Comm_split
   */
  split(color: number | undefined, key?: number): Communicator | undefined;
  /**
   * The ranks that share memory with this one, in most cases those of its node. Collective.
   *
   * @mpi MPI_Comm_split_type
   */
  splitShared(): Communicator;
  /**
   * Arranges the ranks in a grid, row-major. Collective.
   *
   * @param dims Number of ranks along each dimension; their product is at most `size`.
   * @param periods Whether each dimension wraps around.
   * @param reorder Whether the library may renumber ranks to suit the machine.
   * @returns Undefined on ranks that the grid has no place for.
   * @mpi MPI_Cart_create
   */
  createCart(
    dims: readonly number[],
    periods: readonly boolean[],
    reorder?: boolean,
  ): CartCommunicator | undefined;
  /** Gives the communicator back; world() and self() cannot be freed. Collective. @mpi MPI_Comm_free */
  free(): void;

  /** Ends all processes of the job at once, with this exit status. @mpi MPI_Abort */
  abort(code: number): never;
}

/** Neighbours along one dimension: receive from `source`, send to `dest`. */
export interface CartShift {
  /** Rank whose shift ends here, or PROC_NULL at the edge. */
  readonly source: number;
  /** Rank where this rank's shift ends, or PROC_NULL at the edge. */
  readonly dest: number;
}

/** A communicator whose ranks form a grid, numbered row-major. */
export interface CartCommunicator extends Communicator, NeighborCalls, PersistentNeighborCalls {
  /** Number of ranks along each dimension. @mpi MPI_Cartdim_get, MPI_Cart_get */
  readonly dims: readonly number[];
  /** Whether each dimension wraps around. */
  readonly periods: readonly boolean[];
  /** This rank's place in the grid. */
  readonly coords: readonly number[];
  /**
   * The grid of fewer dimensions that this rank is in. Collective.
   *
   * @param remain Which dimensions stay.
   * @mpi MPI_Cart_sub
   */
  sub(remain: readonly boolean[]): CartCommunicator;
  /** The place of a rank in the grid. @mpi MPI_Cart_coords */
  coordsOf(rank: number): number[];
  /**
   * The rank at a place; periodic coordinates wrap around.
   *
   * @throws {@link MpiError} `MPI_ERR_ARG` for a place outside the grid.
   * @mpi MPI_Cart_rank
   */
  rankOf(coords: readonly number[]): number;
  /**
   * The neighbours at a distance along one dimension.
   *
   * @param dimension From 0.
   * @param displacement Distance; negative: the other way.
   * @mpi MPI_Cart_shift
   */
  shift(dimension: number, displacement: number): CartShift;
}
