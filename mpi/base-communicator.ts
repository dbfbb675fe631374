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
import { MpiError } from "./errors.js";
import { GroupOperations } from "./groups/group-operations.js";
import { Objects } from "./objects/object-collectives.js";

const INT_MAX = 0x7fffffff;

/** A communicator without its transport. */
export abstract class BaseCommunicator extends GroupOperations implements Communicator {
  #objects: Objects | undefined;

  abstract get name(): string;
  abstract dup(): Communicator;
  abstract splitShared(): Communicator;
  abstract free(): void;
  abstract abort(code: number): never;

  protected abstract doSplit(color: number | undefined, key: number): Communicator | undefined;
  protected abstract doCreateCart(
    topology: CartTopology,
    reorder: boolean,
  ): CartCommunicator | undefined;

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
}
