/**
 * The shared file pointer: one place for all ranks that have a file open, in elementary types.
 *
 * @module
 */

import type { Communicator } from "node-mpi-bindings";
import type { SharedCounter } from "../../core/index.js";

const ROOT = 0;

/** A pointer of several ranks on one node. */
export class SharedPointer {
  readonly #comm: Communicator;
  readonly #counter: SharedCounter | undefined;
  /** The pointer of a communicator of one rank, which needs no storage. */
  #own = 0;

  /** @param counter What the ranks share, if there are several. */
  constructor(comm: Communicator, counter: SharedCounter | undefined) {
    this.#comm = comm;
    this.#counter = counter;
  }

  /** Where it is. */
  get position(): number {
    return this.#counter?.value ?? this.#own;
  }

  /** Moves it on, as one step. @returns Where it was. */
  take(count: number): number {
    if (this.#counter !== undefined) return this.#counter.add(count);
    const before = this.#own;
    this.#own += count;
    return before;
  }

  /** Takes the parts of all ranks at once. Collective. @returns Where this rank's part, in rank order, begins. */
  takeOrdered(count: number): number {
    const counts = new Float64Array(this.#comm.size);
    this.#comm.allgather(Float64Array.of(count), counts);
    const total = counts.reduce((sum, each) => sum + each, 0);
    const start = Float64Array.of(this.#comm.rank === ROOT ? this.take(total) : 0);
    this.#comm.bcast(start, ROOT);
    const before = counts.subarray(0, this.#comm.rank).reduce((sum, each) => sum + each, 0);
    return (start[0] as number) + before;
  }

  /** Moves it, for all ranks, and shows it to them before the call returns. Collective. */
  set(place: number): void {
    if (this.#counter === undefined) this.#own = place;
    else if (this.#comm.rank === ROOT) this.#counter.value = place;
    this.#comm.barrier();
  }

  /** Where it is, the same on all ranks. Collective. */
  agreedPosition(): number {
    const place = Float64Array.of(this.#comm.rank === ROOT ? this.position : 0);
    this.#comm.bcast(place, ROOT);
    return place[0] as number;
  }

  /** Lets go of it. */
  close(): void {
    this.#counter?.close();
  }
}
