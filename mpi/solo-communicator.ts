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
import { SoloCollectives } from "./collectives/solo-collectives.js";
import type { CartCommunicator, CartShift, Communicator } from "./communicator.js";
import { MpiError } from "./errors.js";
import { SoloGroups } from "./groups/solo-groups.js";
import { isFinalized } from "./lifecycle.js";
import { SoloMessages } from "./messages/solo-messages.js";

/** A communicator of one rank. */
export class SoloCommunicator extends BaseCommunicator implements Communicator {
  #name: string;
  readonly #predefined: boolean;
  protected override readonly messages = new SoloMessages((call) => this.#requireLive(call));
  protected override readonly groups = new SoloGroups({
    requireLive: (call) => this.#requireLive(call),
    make: () => new SoloCommunicator(),
    rename: (name) => {
      this.#name = name;
    },
    isSelf: (other) => other === this,
  });
  protected override readonly collectives: SoloCollectives;
  #freed = false;

  /**
   * @param name Name for debugging.
   * @param predefined Whether `free` is refused, as for world.
   * @param periods Of a grid: whether each dimension wraps around.
   */
  constructor(name = "", predefined = false, periods: readonly boolean[] = []) {
    super(0, 1);
    this.collectives = new SoloCollectives((call) => this.#requireLive(call), periods);
    this.#name = name;
    this.#predefined = predefined;
  }

  get name(): string {
    this.#requireLive("MPI_Comm_get_name");
    return this.#name;
  }

  dup(): Communicator {
    this.#requireLive("MPI_Comm_dup");
    const copy = new SoloCommunicator();
    this.handDown(copy);
    return copy;
  }

  splitShared(): Communicator {
    this.#requireLive("MPI_Comm_split_type");
    return new SoloCommunicator();
  }

  free(): void {
    this.#requireLive("MPI_Comm_free");
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
    this.#requireLive("MPI_Comm_split");
    return color === undefined ? undefined : new SoloCommunicator();
  }

  /** @internal */
  protected doCreateCart(topology: CartTopology): CartCommunicator {
    this.#requireLive("MPI_Cart_create");
    return new SoloCartCommunicator(topology);
  }

  #requireLive(call: string): void {
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

  constructor(topology: CartTopology) {
    super("", false, topology.periods);
    this.#topology = topology;
    this.dims = topology.dims;
    this.periods = topology.periods;
    this.coords = topology.coordsOf(0);
  }

  override dup(): CartCommunicator {
    const copy = new SoloCartCommunicator(this.#topology);
    super.dup();
    this.handDown(copy);
    return copy;
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
