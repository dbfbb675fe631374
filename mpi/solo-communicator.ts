/**
 * Solo: a communicator of one rank in plain TypeScript, so that everything runs without MPI.
 *
 * It passes the same conformance suite as the libraries. One difference is a kindness: where the only
 * rank would wait for a message that it alone could send, it throws `MPI_DEADLOCK` instead of hanging.
 *
 * @module
 */

import { BaseCommunicator } from "./base-communicator.js";
import type { CartTopology } from "./cart-topology.js";
import type { Neighborhood } from "./collectives/regular-checks.js";
import {
  edgesOfGrid,
  FinishedRequest,
  SoloCollectives,
  type SoloEdges,
} from "./collectives/solo-collectives.js";
import type { CartCommunicator, CartShift, Communicator } from "./communicator.js";
import { CommunicatorRequest } from "./communicator-request.js";
import { MpiError } from "./errors.js";
import { SoloGroups } from "./groups/solo-groups.js";
import { type Info, type InfoPairs, infoPairs } from "./info/info.js";
import { SoloInfos } from "./info/info-operations.js";
import { isFinalized } from "./lifecycle.js";
import { SoloMessages } from "./messages/solo-messages.js";
import { SoloProcesses } from "./processes/solo-processes.js";
import type { DistGraphCommunicator, GraphCommunicator } from "./topology/graph-communicators.js";
import type { GraphEdges, GraphTopology, Neighbors, Topology } from "./topology/graph-topology.js";
import { SoloWindows } from "./windows/solo-windows.js";

/** A communicator of one rank. */
export class SoloCommunicator extends BaseCommunicator implements Communicator {
  #name: string;
  readonly #predefined: boolean;
  protected override readonly messages = new SoloMessages((call) => this.requireLive(call));
  protected override readonly groups = new SoloGroups({
    requireLive: (call) => this.requireLive(call),
    make: () => new SoloCommunicator(),
    rename: (name) => {
      this.#name = name;
    },
    isSelf: (other) => other === this,
  });
  protected override readonly collectives: SoloCollectives;
  protected override readonly infos: SoloInfos;
  protected override readonly windows: SoloWindows;
  protected override readonly processes: SoloProcesses;
  #freed = false;

  /**
   * @param name Name for debugging.
   * @param predefined Whether `free` is refused, as for world.
   * @param edges Of a topology: how the rank is its own neighbour.
   * @param info What it was told of its use.
   */
  constructor(name = "", predefined = false, edges: SoloEdges = [], info?: Info) {
    super(0, 1);
    const requireLive = (call: string) => this.requireLive(call);
    this.collectives = new SoloCollectives(requireLive, edges);
    this.infos = new SoloInfos(requireLive, infoPairs("MPI_Comm_dup_with_info", info));
    this.windows = new SoloWindows(requireLive, isFinalized);
    this.processes = new SoloProcesses(requireLive, () => this.free());
    this.#name = name;
    this.#predefined = predefined;
  }

  get name(): string {
    this.requireLive("MPI_Comm_get_name");
    return this.#name;
  }

  get topology(): Topology {
    this.requireLive("MPI_Topo_test");
    return this.arrangement;
  }

  /** What the only rank is arranged as. @internal */
  protected get arrangement(): Topology {
    return "none";
  }

  dup(info?: Info): this {
    this.requireLive("MPI_Comm_dup");
    const copy = this.alike(info ?? this.getInfo()) as this;
    this.handDown(copy);
    return copy;
  }

  idup(info?: Info): CommunicatorRequest<this> {
    const copy = this.dup(info);
    return new CommunicatorRequest(new FinishedRequest(), () => copy);
  }

  /** A communicator that is arranged in the same way. @internal */
  protected alike(info: Info): SoloCommunicator {
    return new SoloCommunicator("", false, [], info);
  }

  splitShared(): Communicator {
    this.requireLive("MPI_Comm_split_type");
    return new SoloCommunicator();
  }

  free(): void {
    this.requireLive("MPI_Comm_free");
    if (this.#predefined) {
      const why = "a predefined communicator cannot be freed";
      throw new MpiError({ code: "MPI_ERR_COMM", call: "MPI_Comm_free", why });
    }
    this.#freed = true;
    this.dropAttributes();
  }

  abort(code: number): never {
    process.exit(code);
  }

  /** @internal */
  protected doSplit(color: number | undefined): Communicator | undefined {
    this.requireLive("MPI_Comm_split");
    return color === undefined ? undefined : new SoloCommunicator();
  }

  /** @internal */
  protected doCreateCart(topology: CartTopology): CartCommunicator {
    this.requireLive("MPI_Cart_create");
    return new SoloCartCommunicator(topology);
  }

  /** @internal */
  protected doCreateGraph(topology: GraphTopology): GraphCommunicator | undefined {
    this.requireLive("MPI_Graph_create");
    return topology.index.length === 0 ? undefined : new SoloGraphCommunicator(topology);
  }

  /** @internal */
  protected doCreateDistGraph(
    { destinations, weights }: GraphEdges,
    _reorder: boolean,
    info: InfoPairs | undefined,
  ): DistGraphCommunicator {
    const neighbors = weights
      ? { sources: destinations, sourceWeights: weights, destinations, destinationWeights: weights }
      : { sources: destinations, destinations };
    return this.doCreateDistGraphAdjacent(neighbors, false, info);
  }

  /** @internal */
  protected doCreateDistGraphAdjacent(
    neighbors: Neighbors,
    _reorder: boolean,
    _info: InfoPairs | undefined,
  ): DistGraphCommunicator {
    const call = "MPI_Dist_graph_create_adjacent";
    this.requireLive(call);
    if (neighbors.sources.length !== neighbors.destinations.length) {
      const why = "not every edge that leaves the only rank arrives there";
      throw new MpiError({ code: "MPI_ERR_TOPOLOGY", call, why, remedy: "List each edge twice" });
    }
    return new SoloDistGraphCommunicator(neighbors);
  }

  /** @internal */
  protected override requireLive(call: string): void {
    if (this.#freed) {
      const why = "the communicator has been freed or is none";
      throw new MpiError({ code: "MPI_ERR_COMM", call, why });
    }
    if (isFinalized()) {
      throw new MpiError({ code: "MPI_FINALIZED", call, why: "MPI has been finalized" });
    }
  }
}

/** A grid of one rank. */
class SoloCartCommunicator extends SoloCommunicator implements CartCommunicator {
  readonly #topology: CartTopology;
  readonly dims: readonly number[];
  readonly periods: readonly boolean[];
  readonly coords: readonly number[];

  constructor(topology: CartTopology, info?: Info) {
    super("", false, edgesOfGrid(topology.periods), info);
    this.#topology = topology;
    this.dims = topology.dims;
    this.periods = topology.periods;
    this.coords = topology.coordsOf(0);
  }

  protected override get arrangement(): Topology {
    return "cartesian";
  }

  protected override alike(info: Info): SoloCommunicator {
    return new SoloCartCommunicator(this.#topology, info);
  }

  sub(remain: readonly boolean[]): CartCommunicator {
    return new SoloCartCommunicator(this.#topology.sub(remain));
  }

  protected override get neighborhood(): Neighborhood {
    return this.#topology.neighborhood;
  }

  coordsOf(rank: number): number[] {
    return this.#topology.coordsOf(rank);
  }

  rankOf(coords: readonly number[]): number {
    return this.#topology.rankOf(coords);
  }

  shift(dimension: number, displacement: number): CartShift {
    return this.#topology.shift(this.rank, dimension, displacement);
  }
}

/** Each edge of the only rank leads to itself: the first that leaves arrives first. */
function loops(count: number): SoloEdges {
  return Array.from({ length: count }, (_, i) => i);
}

/** A graph of one rank. */
class SoloGraphCommunicator extends SoloCommunicator implements GraphCommunicator {
  readonly #topology: GraphTopology;

  constructor(topology: GraphTopology, info?: Info) {
    super("", false, loops(topology.edges.length), info);
    this.#topology = topology;
  }

  get index(): readonly number[] {
    return this.#topology.index;
  }

  get edges(): readonly number[] {
    return this.#topology.edges;
  }

  protected override get arrangement(): Topology {
    return "graph";
  }

  protected override alike(info: Info): SoloCommunicator {
    return new SoloGraphCommunicator(this.#topology, info);
  }

  neighborsOf(rank: number): number[] {
    return this.#topology.neighborsOf(rank);
  }

  protected override get neighborhood(): Neighborhood {
    const { length } = this.#topology.edges;
    return { sources: length, destinations: length };
  }
}

/** A distributed graph of one rank. */
class SoloDistGraphCommunicator extends SoloCommunicator implements DistGraphCommunicator {
  readonly neighbors: Neighbors;
  readonly isWeighted: boolean;

  constructor(neighbors: Neighbors, info?: Info) {
    super("", false, loops(neighbors.sources.length), info);
    const { sources, sourceWeights, destinations, destinationWeights } = neighbors;
    this.isWeighted = sourceWeights !== undefined;
    this.neighbors = {
      sources: [...sources],
      destinations: [...destinations],
      ...(sourceWeights && destinationWeights
        ? { sourceWeights: [...sourceWeights], destinationWeights: [...destinationWeights] }
        : {}),
    };
  }

  protected override get arrangement(): Topology {
    return "distributed graph";
  }

  protected override alike(info: Info): SoloCommunicator {
    return new SoloDistGraphCommunicator(this.neighbors, info);
  }

  protected override get neighborhood(): Neighborhood {
    const { sources, destinations } = this.neighbors;
    return { sources: sources.length, destinations: destinations.length };
  }
}
