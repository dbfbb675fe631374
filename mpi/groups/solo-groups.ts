/**
 * Groups of the only rank.
 *
 * @module
 */

import type { Communicator } from "../communicator.js";
import { MpiError } from "../errors.js";
import { PREDEFINED_ATTRIBUTES } from "./attributes.js";
import { Group } from "./group.js";
import type { CommunicatorComparison, GroupTransport } from "./group-operations.js";
import type { Intercommunicator } from "./intercommunicator.js";

/** What the one-rank communicator lends to its groups. */
export interface SoloGroupOwner {
  /** Throws if the communicator has been freed, or MPI finalized. */
  requireLive(call: string): void;
  make(): Communicator;
  rename(name: string): void;
  isSelf(other: Communicator): boolean;
}

/** Largest tag, and no other ranks could be started: what a library would say. */
const ATTRIBUTES: Readonly<Record<string, number>> = {
  TAG_UB: 0x7fffffff,
  UNIVERSE_SIZE: 1,
  WTIME_IS_GLOBAL: 1,
};

/** Groups of a communicator of one rank. */
export class SoloGroups implements GroupTransport {
  readonly #owner: SoloGroupOwner;

  constructor(owner: SoloGroupOwner) {
    this.#owner = owner;
  }

  group(): Group {
    this.#owner.requireLive("MPI_Comm_group");
    return new Group([0], 0);
  }

  create(ranks: readonly number[]): Communicator | undefined {
    this.#owner.requireLive("MPI_Comm_create");
    return ranks.length === 0 ? undefined : this.#owner.make();
  }

  createGroup(ranks: readonly number[]): Communicator | undefined {
    return this.create(ranks);
  }

  compare(other: Communicator): CommunicatorComparison {
    this.#owner.requireLive("MPI_Comm_compare");
    return this.#owner.isSelf(other) ? "identical" : "congruent";
  }

  setName(name: string): void {
    this.#owner.requireLive("MPI_Comm_set_name");
    this.#owner.rename(name);
  }

  attribute(index: number): number | undefined {
    this.#owner.requireLive("MPI_Comm_get_attr");
    return ATTRIBUTES[PREDEFINED_ATTRIBUTES[index] as string];
  }

  intercommunicator(): Intercommunicator {
    const why = "the only rank has no other group to connect with";
    throw new MpiError({
      code: "MPI_ERR_COMM",
      call: "MPI_Intercomm_create",
      why,
      remedy: "Start the program with a launcher, with two ranks or more",
    });
  }
}
