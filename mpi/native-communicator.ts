/**
 * Communicators of an MPI library: each method is one call of the addon.
 *
 * Arguments have been checked by the base class; the addon checks handles and memory again.
 *
 * @module
 */

import { BaseCommunicator } from "./base-communicator.js";
import type { CartTopology } from "./cart-topology.js";
import { NativeCollectives } from "./collectives/native-collectives.js";
import type { Neighborhood } from "./collectives/regular-checks.js";
import type { CartCommunicator, CartShift, Communicator } from "./communicator.js";
import { CommunicatorRequest } from "./communicator-request.js";
import { NativeGroups, rememberHandle } from "./groups/native-groups.js";
import { NativeIntercommunicator } from "./groups/native-intercommunicator.js";
import { type Info, type InfoPairs, infoPairs } from "./info/info.js";
import type { InfoTransport } from "./info/info-operations.js";
import { NativeMessages } from "./messages/native-messages.js";
import { MakingRequest } from "./messages/native-request.js";
import type { Handle, MpiLibrary, NativeMpi } from "./native-mpi.js";
import { NativeProcesses } from "./processes/native-processes.js";
import type { DistGraphCommunicator, GraphCommunicator } from "./topology/graph-communicators.js";
import {
  type GraphEdges,
  type GraphTopology,
  type Neighbors,
  TOPOLOGIES,
  type Topology,
} from "./topology/graph-topology.js";
import { NativeWindows } from "./windows/native-windows.js";

/** A communicator of Open MPI, MPICH or another library. */
export class NativeCommunicator extends BaseCommunicator {
  readonly #library: MpiLibrary;
  readonly #native: NativeMpi;
  readonly #handle: Handle;
  protected override readonly messages: NativeMessages;
  protected override readonly groups: NativeGroups;
  protected override readonly collectives: NativeCollectives;
  protected override readonly infos: InfoTransport;
  protected override readonly windows: NativeWindows;
  protected override readonly processes: NativeProcesses;

  /** @param handle A live communicator of the library. */
  constructor(library: MpiLibrary, handle: Handle) {
    super(library.native.rank(handle), library.native.size(handle));
    this.#library = library;
    this.#native = library.native;
    this.#handle = handle;
    this.messages = new NativeMessages(library, handle);
    const make = (made: Handle) => new NativeCommunicator(library, made);
    this.groups = new NativeGroups(library, handle, make);
    rememberHandle(this, library, handle);
    this.collectives = new NativeCollectives(library, handle);
    this.infos = {
      setInfo: (pairs) => this.#native.commSetInfo(handle, pairs),
      getInfo: () => this.#native.commGetInfo(handle),
    };
    this.windows = new NativeWindows(library, handle);
    this.processes = new NativeProcesses(
      library,
      handle,
      (made) => new NativeIntercommunicator(library, made, make),
    );
  }

  /** @internal */
  protected override requireLive(call: string): void {
    this.#native.commRequireLive(this.#handle, call);
  }

  get topology(): Topology {
    return TOPOLOGIES[this.#native.topoTest(this.#handle)] as Topology;
  }

  get name(): string {
    return this.#native.name(this.#handle);
  }

  dup(info?: Info): this {
    const pairs = infoPairs("MPI_Comm_dup_with_info", info);
    const handle = pairs
      ? this.#native.commDupWithInfo(this.#handle, pairs)
      : this.#native.dup(this.#handle);
    const copy = this.alike(this.#library, handle) as this;
    this.handDown(copy);
    return copy;
  }

  idup(info?: Info): CommunicatorRequest<this> {
    const pairs = infoPairs("MPI_Comm_idup_with_info", info);
    const library = this.#library;
    const request = new MakingRequest(library, library.native.commIdup(this.#handle, pairs));
    const handDown = this.attributesNow();
    return new CommunicatorRequest(request, () => {
      if (pairs && !library.native.commIdupTakesInfo()) {
        library.native.commSetInfo(request.made, pairs);
      }
      const copy = this.alike(library, request.made) as this;
      handDown(copy);
      return copy;
    });
  }

  /** A communicator of the same ranks, arranged in the same way, of a handle. */
  protected alike(library: MpiLibrary, handle: Handle): NativeCommunicator {
    return new NativeCommunicator(library, handle);
  }

  splitShared(): Communicator {
    return new NativeCommunicator(this.#library, this.#native.splitShared(this.#handle));
  }

  free(): void {
    this.#native.free(this.#handle);
    this.dropAttributes();
  }

  abort(code: number): never {
    this.#native.abort(this.#handle, code);
    process.exit(code); // Not reached: MPI_Abort ends this process, too.
  }

  protected doSplit(color: number | undefined, key: number): Communicator | undefined {
    const handle = this.#native.split(this.#handle, color, key);
    return handle === undefined ? undefined : new NativeCommunicator(this.#library, handle);
  }

  protected doCreateCart(topology: CartTopology, reorder: boolean): CartCommunicator | undefined {
    const dims = Int32Array.from(topology.dims);
    const periods = Int32Array.from(topology.periods, Number);
    const handle = this.#native.cartCreate(this.#handle, dims, periods, reorder ? 1 : 0);
    if (handle === undefined) return undefined;
    return new NativeCartCommunicator(this.#library, handle, topology);
  }

  /** A grid of some of the dimensions, as a handle. */
  protected subHandle(remain: readonly boolean[]): [MpiLibrary, Handle] {
    return [this.#library, this.#native.cartSub(this.#handle, Int32Array.from(remain, Number))];
  }

  protected doCreateGraph(
    topology: GraphTopology,
    reorder: boolean,
  ): GraphCommunicator | undefined {
    const [index, edges] = [Int32Array.from(topology.index), Int32Array.from(topology.edges)];
    const handle = this.#native.graphCreate(this.#handle, index, edges, reorder ? 1 : 0);
    if (handle === undefined) return undefined;
    return new NativeGraphCommunicator(this.#library, handle, topology);
  }

  protected doCreateDistGraph(
    { sources, degrees, destinations, weights }: GraphEdges,
    reorder: boolean,
    info: InfoPairs | undefined,
  ): DistGraphCommunicator {
    const handle = this.#native.distGraphCreate(
      this.#handle,
      Int32Array.from(sources),
      Int32Array.from(degrees),
      Int32Array.from(destinations),
      weights && Int32Array.from(weights),
      info,
      reorder ? 1 : 0,
    );
    return new NativeDistGraphCommunicator(this.#library, handle);
  }

  protected doCreateDistGraphAdjacent(
    { sources, sourceWeights, destinations, destinationWeights }: Neighbors,
    reorder: boolean,
    info: InfoPairs | undefined,
  ): DistGraphCommunicator {
    const handle = this.#native.distGraphCreateAdjacent(
      this.#handle,
      Int32Array.from(sources),
      sourceWeights && Int32Array.from(sourceWeights),
      Int32Array.from(destinations),
      destinationWeights && Int32Array.from(destinationWeights),
      info,
      reorder ? 1 : 0,
    );
    return new NativeDistGraphCommunicator(this.#library, handle);
  }
}

/** A graph of ranks that all of them know. */
class NativeGraphCommunicator extends NativeCommunicator implements GraphCommunicator {
  readonly #topology: GraphTopology;

  constructor(library: MpiLibrary, handle: Handle, topology: GraphTopology) {
    super(library, handle);
    this.#topology = topology;
  }

  get index(): readonly number[] {
    return this.#topology.index;
  }

  get edges(): readonly number[] {
    return this.#topology.edges;
  }

  protected override alike(library: MpiLibrary, handle: Handle): NativeCommunicator {
    return new NativeGraphCommunicator(library, handle, this.#topology);
  }

  neighborsOf(rank: number): number[] {
    return this.#topology.neighborsOf(rank);
  }

  protected override get neighborhood(): Neighborhood {
    const count = this.neighborsOf(this.rank).length;
    return { sources: count, destinations: count };
  }
}

/** A graph of ranks of which each knows its own edges. */
class NativeDistGraphCommunicator extends NativeCommunicator implements DistGraphCommunicator {
  readonly neighbors: Neighbors;
  readonly isWeighted: boolean;

  constructor(library: MpiLibrary, handle: Handle) {
    super(library, handle);
    const { native } = library;
    const counts = new Int32Array(3);
    native.distGraphCounts(handle, counts);
    const [inDegree, outDegree, isWeighted] = [...counts] as [number, number, number];
    const lists = [inDegree, inDegree, outDegree, outDegree].map((size) => new Int32Array(size));
    const [sources, sourceWeights, destinations, destinationWeights] = lists as [
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    native.distGraphNeighbors(handle, sources, sourceWeights, destinations, destinationWeights);
    this.isWeighted = isWeighted !== 0;
    this.neighbors = {
      sources: [...sources],
      destinations: [...destinations],
      ...(this.isWeighted
        ? { sourceWeights: [...sourceWeights], destinationWeights: [...destinationWeights] }
        : {}),
    };
  }

  protected override alike(library: MpiLibrary, handle: Handle): NativeCommunicator {
    return new NativeDistGraphCommunicator(library, handle);
  }

  protected override get neighborhood(): Neighborhood {
    const { sources, destinations } = this.neighbors;
    return { sources: sources.length, destinations: destinations.length };
  }
}

/** A grid of ranks of an MPI library. */
class NativeCartCommunicator extends NativeCommunicator implements CartCommunicator {
  readonly #topology: CartTopology;
  readonly dims: readonly number[];
  readonly periods: readonly boolean[];
  readonly coords: readonly number[];

  constructor(library: MpiLibrary, handle: Handle, topology: CartTopology) {
    super(library, handle);
    this.#topology = topology;
    this.dims = topology.dims;
    this.periods = topology.periods;
    this.coords = topology.coordsOf(this.rank);
  }

  protected override alike(library: MpiLibrary, handle: Handle): NativeCommunicator {
    return new NativeCartCommunicator(library, handle, this.#topology);
  }

  sub(remain: readonly boolean[]): CartCommunicator {
    const topology = this.#topology.sub(remain);
    const [library, handle] = this.subHandle(remain);
    return new NativeCartCommunicator(library, handle, topology);
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
