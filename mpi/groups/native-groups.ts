/**
 * Groups through an MPI library.
 *
 * @module
 */

import type { Communicator } from "../communicator.js";
import { MpiError } from "../errors.js";
import type { Handle, MpiLibrary } from "../native-mpi.js";
import type { Group } from "./group.js";
import type { CommunicatorComparison, GroupTransport } from "./group-operations.js";
import type { Intercommunicator } from "./intercommunicator.js";
import { NativeIntercommunicator } from "./native-intercommunicator.js";
import { numberedGroup } from "./numbered-group.js";

const COMPARISONS: readonly CommunicatorComparison[] = [
  "identical",
  "congruent",
  "similar",
  "unequal",
];

/** Makes a communicator of a handle: given, so that this module need not know the class. */
export type MakeCommunicator = (handle: Handle) => Communicator;

/** The handles of communicators, for calls that take two. */
const handles = new WeakMap<object, { readonly library: MpiLibrary; readonly handle: Handle }>();

/** Remembers a communicator's handle. */
export function rememberHandle(comm: object, library: MpiLibrary, handle: Handle): void {
  handles.set(comm, { library, handle });
}

/** The library and the handle of a communicator; undefined if it is none of a library. */
export function handleOf(
  comm: object,
): { readonly library: MpiLibrary; readonly handle: Handle } | undefined {
  return handles.get(comm);
}

/** Groups of a communicator of a library. */
export class NativeGroups implements GroupTransport {
  readonly #library: MpiLibrary;
  readonly #handle: Handle;
  readonly #make: MakeCommunicator;

  constructor(library: MpiLibrary, handle: Handle, make: MakeCommunicator) {
    this.#library = library;
    this.#handle = handle;
    this.#make = make;
  }

  group(): Group {
    const size = this.#library.native.size(this.#handle);
    return numberedGroup(this.#library, this.#handle, size, false);
  }

  create(ranks: readonly number[]): Communicator | undefined {
    const handle = this.#library.native.commCreate(this.#handle, Int32Array.from(ranks));
    return handle === undefined ? undefined : this.#make(handle);
  }

  createGroup(ranks: readonly number[], tag: number): Communicator | undefined {
    const { native } = this.#library;
    const handle = native.commCreateGroup(this.#handle, Int32Array.from(ranks), tag);
    return handle === undefined ? undefined : this.#make(handle);
  }

  compare(other: Communicator): CommunicatorComparison {
    const known = this.#handleOf("MPI_Comm_compare", other);
    const index = this.#library.native.commCompare(this.#handle, known);
    return COMPARISONS[index] as CommunicatorComparison;
  }

  setName(name: string): void {
    this.#library.native.commSetName(this.#handle, name);
  }

  attribute(index: number): number | undefined {
    return this.#library.native.commAttribute(this.#handle, index);
  }

  intercommunicator(
    localLeader: number,
    peer: Communicator,
    remoteLeader: number,
    tag: number,
  ): Intercommunicator {
    const known = this.#handleOf("MPI_Intercomm_create", peer);
    const { native } = this.#library;
    const handle = native.intercommCreate(this.#handle, localLeader, known, remoteLeader, tag);
    return new NativeIntercommunicator(this.#library, handle, this.#make);
  }

  #handleOf(call: string, comm: Communicator): Handle {
    const known = handles.get(comm);
    if (known?.library.native === this.#library.native) return known.handle;
    const why = "the other communicator is not one of the same library";
    throw new MpiError({ code: "MPI_ERR_COMM", call, why });
  }
}
