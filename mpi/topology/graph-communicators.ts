/**
 * Communicators whose ranks form a graph: their interfaces, and the calls that make them.
 *
 * @module
 */

import type { NeighborCalls } from "../collectives/collective-calls.js";
import type { PersistentNeighborCalls } from "../collectives/persistent-collectives.js";
import type { Communicator } from "../communicator.js";
import type { GraphEdges, GraphOptions, Neighbors, Topology } from "./graph-topology.js";

/**
 * A communicator whose ranks form a directed graph, of which each knows its own edges. Collectives of neighbours
 * receive from `sources` and send to `destinations`, in their order.
 */
export interface DistGraphCommunicator
  extends Communicator,
    NeighborCalls,
    PersistentNeighborCalls {
  /**
   * This rank's edges (MPI_Dist_graph_neighbors): without weights if it was made without.
   *
   * @mpi MPI_Dist_graph_neighbors, MPI_Dist_graph_neighbors_count
   */
  readonly neighbors: Neighbors;
  /** Whether edges have weights. */
  readonly isWeighted: boolean;
}

/** A communicator whose ranks form a graph that all of them know. Neighbours both send and receive. */
export interface GraphCommunicator extends Communicator, NeighborCalls, PersistentNeighborCalls {
  /** For each node, the number of edges up to and with its own. @mpi MPI_Graph_get */
  readonly index: readonly number[];
  /** Nodes that edges lead to: those of node 0, then those of node 1, ... @mpi MPI_Graphdims_get */
  readonly edges: readonly number[];
  /**
   * Ranks that a rank's edges lead to.
   *
   * @throws {@link MpiError} `MPI_ERR_RANK`.
   * @mpi MPI_Graph_neighbors, MPI_Graph_neighbors_count
   */
  neighborsOf(rank: number): number[];
}

/** What communicators offer around topologies, apart from grids. */
export interface TopologyCalls {
  /** What the ranks are arranged as. @mpi MPI_Topo_test */
  readonly topology: Topology;
  /**
   * Arranges the ranks in a graph of which each rank tells some edges, in any division (MPI_Dist_graph_create).
   * Collective.
   *
   * @throws {@link MpiError} `MPI_ERR_RANK`, `MPI_ERR_ARG` for edges that make no sense.
   * @mpi MPI_Dist_graph_create
   */
  createDistGraph(edges: GraphEdges, options?: GraphOptions): DistGraphCommunicator;
  /**
   * Arranges the ranks in a graph of which each rank tells its own edges, those that arrive and those that leave
   * (MPI_Dist_graph_create_adjacent). Collective.
   *
   * @mpi MPI_Dist_graph_create_adjacent
   */
  createDistGraphAdjacent(neighbors: Neighbors, options?: GraphOptions): DistGraphCommunicator;
  /**
   * Arranges the ranks in a graph that every rank tells whole (MPI_Graph_create). Collective.
   *
   * @param index For each node, the number of edges up to and with its own.
   * @param edges Nodes that edges lead to; each edge should also be listed in the other direction.
   * @returns Undefined on ranks that the graph has no node for.
   * @mpi MPI_Graph_create
   */
  createGraph(
    index: readonly number[],
    edges: readonly number[],
    reorder?: boolean,
  ): GraphCommunicator | undefined;
}
