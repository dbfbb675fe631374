/**
 * What all communicators share: the check of every argument, before an implementation sees it.
 *
 * So errors are the same with every library, and implementations fill narrow holes: the transports and the
 * protected methods, whose arguments are sound.
 *
 * The checks cost a few nanoseconds per call; messages are made only for errors.
 *
 * @module
 */

import { CartTopology } from "./cart-topology.js";
import type { CartCommunicator, Communicator } from "./communicator.js";
import type { CommunicatorRequest } from "./communicator-request.js";
import { MpiError } from "./errors.js";
import { type Info, type InfoPairs, infoPairs } from "./info/info.js";
import { Objects } from "./objects/object-collectives.js";
import { ProcessOperations } from "./processes/process-operations.js";
import type { DistGraphCommunicator, GraphCommunicator } from "./topology/graph-communicators.js";
import {
  type GraphEdges,
  type GraphOptions,
  GraphTopology,
  type Neighbors,
  requireEdges,
  requireNeighbors,
  type Topology,
} from "./topology/graph-topology.js";

const INT_MAX = 0x7fffffff;

/** A communicator without its transport. */
export abstract class BaseCommunicator extends ProcessOperations implements Communicator {
  #objects: Objects | undefined;

  abstract get name(): string;
  abstract get topology(): Topology;
  abstract dup(info?: Info): this;
  abstract idup(info?: Info): CommunicatorRequest<this>;
  abstract splitShared(): Communicator;
  abstract free(): void;
  abstract abort(code: number): never;

  protected abstract doSplit(color: number | undefined, key: number): Communicator | undefined;
  protected abstract doCreateCart(
    topology: CartTopology,
    reorder: boolean,
  ): CartCommunicator | undefined;

  protected abstract doCreateGraph(
    topology: GraphTopology,
    reorder: boolean,
  ): GraphCommunicator | undefined;
  protected abstract doCreateDistGraph(
    edges: GraphEdges,
    reorder: boolean,
    info: InfoPairs | undefined,
  ): DistGraphCommunicator;
  protected abstract doCreateDistGraphAdjacent(
    neighbors: Neighbors,
    reorder: boolean,
    info: InfoPairs | undefined,
  ): DistGraphCommunicator;

  /** @internal */
  protected override endJob(code: number): void {
    try {
      this.abort(code);
    } catch {
      process.exit(code); // It has been freed, or MPI has ended.
    }
  }

  get objects(): Objects {
    this.#objects ??= new Objects(this);
    return this.#objects;
  }

  split(color: number | undefined, key = 0): Communicator | undefined {
    const colorIsSound = color === undefined || (Number.isInteger(color) && color >= 0);
    if (!colorIsSound || (color ?? 0) > INT_MAX || (key | 0) !== key) {
      throw new MpiError({
        code: "MPI_ERR_ARG",
        call: "MPI_Comm_split",
        why: `color ${color} or key ${key} is not allowed`,
        remedy: "Use a color from 0 to 2147483647 or undefined, and a 32-bit integer key",
      });
    }
    return this.doSplit(color, key);
  }

  createCart(
    dims: readonly number[],
    periods: readonly boolean[],
    reorder = false,
  ): CartCommunicator | undefined {
    return this.doCreateCart(new CartTopology(dims, periods, this.size), reorder);
  }

  createGraph(
    index: readonly number[],
    edges: readonly number[],
    reorder = false,
  ): GraphCommunicator | undefined {
    return this.doCreateGraph(new GraphTopology(index, edges, this.size), reorder);
  }

  createDistGraph(edges: GraphEdges, options: GraphOptions = {}): DistGraphCommunicator {
    requireEdges(edges, this.size);
    const pairs = infoPairs("MPI_Dist_graph_create", options.info);
    return this.doCreateDistGraph(edges, options.reorder === true, pairs);
  }

  createDistGraphAdjacent(neighbors: Neighbors, options: GraphOptions = {}): DistGraphCommunicator {
    requireNeighbors(neighbors, this.size);
    const pairs = infoPairs("MPI_Dist_graph_create_adjacent", options.info);
    return this.doCreateDistGraphAdjacent(neighbors, options.reorder === true, pairs);
  }
}
