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
import { NativeGroups, rememberHandle } from "./groups/native-groups.js";
import { NativeMessages } from "./messages/native-messages.js";
import type { Handle, MpiLibrary, NativeMpi } from "./native-mpi.js";

/** A communicator of Open MPI, MPICH or another library. */
export class NativeCommunicator extends BaseCommunicator {
  readonly #library: MpiLibrary;
  readonly #native: NativeMpi;
  readonly #handle: Handle;
  protected override readonly messages: NativeMessages;
  protected override readonly groups: NativeGroups;
  protected override readonly collectives: NativeCollectives;

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
  }

  get name(): string {
    return this.#native.name(this.#handle);
  }

  dup(): Communicator {
    const copy = new NativeCommunicator(this.#library, this.#native.dup(this.#handle));
    this.handDown(copy);
    return copy;
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

  /** Another communicator of the same ranks, as a handle. */
  protected dupHandle(): [MpiLibrary, Handle] {
    return [this.#library, this.#native.dup(this.#handle)];
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

  override dup(): CartCommunicator {
    const copy = new NativeCartCommunicator(...this.dupHandle(), this.#topology);
    this.handDown(copy);
    return copy;
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
