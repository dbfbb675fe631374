/**
 * Graphs of ranks: topologies of any shape. The check of what describes them.
 *
 * A *distributed graph* is told in parts: each rank lists some edges, or its own. A *graph* is told whole, by all
 * ranks alike: an older form that does not scale.
 *
 * Checks and arithmetic only: no communication.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import type { Info } from "../info/info.js";

/** Kinds of topology, in the order of the addon's table (mpi-topology.c). DO NOT REORDER. */
export const TOPOLOGIES = ["none", "cartesian", "graph", "distributed graph"] as const;

/** What a communicator's ranks are arranged as (MPI_Topo_test). */
export type Topology = (typeof TOPOLOGIES)[number];

/** How a graph is made. */
export interface GraphOptions {
  /** Whether the library may renumber ranks to suit the machine. */
  readonly reorder?: boolean;
  /** Hints to the library. */
  readonly info?: Info;
}

/** Some edges of a graph: of several ranks, which need not be the own one. */
export interface GraphEdges {
  /** Ranks that edges start at. */
  readonly sources: readonly number[];
  /** Edges of each source. */
  readonly degrees: readonly number[];
  /** Ranks that edges end at: those of the first source, then those of the next one. */
  readonly destinations: readonly number[];
  /** Of each edge, as in `destinations`; all ranks give weights, or none. */
  readonly weights?: readonly number[];
}

/** The edges of one rank. */
export interface Neighbors {
  /** Ranks that edges come from. */
  readonly sources: readonly number[];
  /** Of each source; all ranks give weights, or none. */
  readonly sourceWeights?: readonly number[] | undefined;
  /** Ranks that edges go to. */
  readonly destinations: readonly number[];
  /** Of each destination; all ranks give weights, or none. */
  readonly destinationWeights?: readonly number[] | undefined;
}

const isWhole = (value: number) => (value | 0) === value && value >= 0;

function requireList(
  call: string,
  name: string,
  list: readonly number[] | undefined,
  below = 2 ** 31,
): readonly number[] {
  const wrong = Array.isArray(list)
    ? list.find((one) => !isWhole(one) || one >= below)
    : Number.NaN;
  if (wrong === undefined) return list as readonly number[];
  const isRank = below < 2 ** 31;
  throw new MpiError({
    code: isRank ? "MPI_ERR_RANK" : "MPI_ERR_ARG",
    call,
    why: Array.isArray(list) ? `${name} has ${wrong}` : `${name} is no array`,
    remedy: isRank ? `Use ranks from 0 to ${below - 1}` : "Use whole numbers from 0",
  });
}

function requireLength(
  call: string,
  name: string,
  list: readonly number[] | undefined,
  length: number,
): void {
  if (list === undefined) return;
  requireList(call, name, list);
  if (list.length === length) return;
  const why = `${name} has ${list.length} numbers and needs ${length}`;
  throw new MpiError({ code: "MPI_ERR_ARG", call, why });
}

/** @throws {@link MpiError} `MPI_ERR_RANK`, `MPI_ERR_ARG`. */
export function requireEdges(edges: GraphEdges, size: number): void {
  const call = "MPI_Dist_graph_create";
  const { sources, degrees, destinations, weights } = requireObject(call, edges);
  requireList(call, "sources", sources, size);
  requireLength(call, "degrees", degrees ?? [], sources.length);
  requireList(call, "destinations", destinations, size);
  const total = degrees.reduce((sum, degree) => sum + degree, 0);
  if (destinations.length !== total) {
    const why = `degrees count ${total} edges and there are ${destinations.length} destinations`;
    throw new MpiError({ code: "MPI_ERR_ARG", call, why });
  }
  requireLength(call, "weights", weights, total);
}

/** @throws {@link MpiError} `MPI_ERR_RANK`, `MPI_ERR_ARG`. */
export function requireNeighbors(neighbors: Neighbors, size: number): void {
  const call = "MPI_Dist_graph_create_adjacent";
  const { sources, sourceWeights, destinations, destinationWeights } = requireObject(
    call,
    neighbors,
  );
  requireList(call, "sources", sources, size);
  requireList(call, "destinations", destinations, size);
  if ((sourceWeights === undefined) !== (destinationWeights === undefined)) {
    const why = "only one side has weights";
    throw new MpiError({ code: "MPI_ERR_ARG", call, why, remedy: "Give both, or none" });
  }
  requireLength(call, "sourceWeights", sourceWeights, sources.length);
  requireLength(call, "destinationWeights", destinationWeights, destinations.length);
}

function requireObject<T>(call: string, value: T): T {
  if (typeof value === "object" && value !== null) return value;
  throw new MpiError({ code: "MPI_ERR_ARG", call, why: "the edges are no object" });
}

/** A graph that all ranks know. */
export class GraphTopology {
  /** For each node, the number of edges up to and with its own. */
  readonly index: readonly number[];
  /** Nodes that edges lead to: those of node 0, then those of node 1, ... */
  readonly edges: readonly number[];

  /**
   * @param available Ranks that the graph may use.
   * @throws {@link MpiError} `MPI_ERR_ARG`, `MPI_ERR_RANK`, `MPI_ERR_TOPOLOGY` for more nodes than ranks.
   */
  constructor(index: readonly number[], edges: readonly number[], available: number) {
    const call = "MPI_Graph_create";
    requireList(call, "index", index);
    if (index.length > available) {
      const why = `a graph of ${index.length} nodes does not fit ${available} ranks`;
      const remedy = "Give the graph as many nodes as there are ranks, or fewer";
      throw new MpiError({ code: "MPI_ERR_TOPOLOGY", call, why, remedy });
    }
    requireList(call, "edges", edges, Math.max(1, index.length));
    const grows = index.every((count, i) => count >= (index[i - 1] ?? 0));
    if (!grows || (index.at(-1) ?? 0) !== edges.length) {
      const why = `index [${index}] does not count ${edges.length} edges`;
      const remedy = "Let each number be the edges of all nodes up to its own";
      throw new MpiError({ code: "MPI_ERR_ARG", call, why, remedy });
    }
    this.index = [...index];
    this.edges = [...edges];
  }

  /** Ranks that a rank's edges lead to. @throws {@link MpiError} `MPI_ERR_RANK`. */
  neighborsOf(rank: number): number[] {
    if (isWhole(rank) && rank < this.index.length) {
      return this.edges.slice(rank === 0 ? 0 : this.index[rank - 1], this.index[rank]);
    }
    const why = `rank ${rank} is not in a graph of ${this.index.length} nodes`;
    throw new MpiError({ code: "MPI_ERR_RANK", call: "MPI_Graph_neighbors", why });
  }
}
