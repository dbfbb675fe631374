/**
 * Objects: collectives of JavaScript values, beside their messages.
 *
 * First the ranks exchange sizes, then bytes. A rank whose value cannot be serialized takes part with nothing, so that
 * no rank waits for it: it throws its own error, and those that were to get the value throw `MPI_ERR_TYPE`.
 *
 * Reductions run their function at one rank, in the order of the ranks, so that it need be neither commutative nor exact:
 * all ranks see one result.
 *
 * @module
 */

import type { Communicator } from "../communicator.js";
import { MpiError } from "../errors.js";
import { bytesOfObject, objectOfBytes } from "./object-codec.js";
import { ObjectMessages } from "./object-messages.js";

/** A function that reduces two values to one. */
export type Reducer<T> = (left: T, right: T) => T;

/** Bytes of a value; none of one that cannot be serialized. */
interface Serialized {
  readonly bytes: Uint8Array;
  readonly failure?: unknown;
}

const NOTHING = new Uint8Array(0);

function serialized(call: string, makeValue: () => unknown): Serialized {
  try {
    return { bytes: bytesOfObject(call, makeValue()) };
  } catch (failure) {
    return { bytes: NOTHING, failure };
  }
}

/** Parts that lie one after the other. */
function partsOf(bytes: Uint8Array, sizes: Int32Array): Uint8Array[] {
  let end = 0;
  return Array.from(sizes, (size) => {
    end += size;
    return bytes.subarray(end - size, end);
  });
}

function total(sizes: Int32Array): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Objects of a communicator: its member `objects`. Collective calls are made by all ranks, in the same order. */
export class Objects extends ObjectMessages {
  readonly #comm: Communicator;

  /** @internal */
  constructor(comm: Communicator) {
    super(comm);
    this.#comm = comm;
  }

  /** Copies the value of `root` to all ranks; those of others are ignored. Collective. */
  bcast<T = unknown>(value: T, root: number): T {
    return this.#bcast("Broadcasting an object", () => value, root) as T;
  }

  /**
   * Collects values at `root`. Collective.
   *
   * @returns At root: all values, in rank order. Elsewhere undefined.
   */
  gather<T = unknown>(value: T, root: number): T[] | undefined {
    const call = "Gathering objects";
    const own = serialized(call, () => value);
    const sizes = new Int32Array(this.#comm.size);
    this.#comm.gather(Int32Array.of(own.bytes.length), sizes, root);
    const all = new Uint8Array(total(sizes));
    this.#comm.gatherv(own.bytes, all, sizes, root);
    if (own.failure) throw own.failure;
    if (this.#comm.rank !== root) return undefined;
    return partsOf(all, sizes).map((part, rank) => received<T>(call, part, rank));
  }

  /**
   * Deals out values. Collective.
   *
   * @param values At root: one for each rank. Elsewhere ignored.
   */
  scatter<T = unknown>(values: readonly T[] | undefined, root: number): T {
    return this.#scatter("Scattering objects", () => values, root);
  }

  /** All values on all ranks, in rank order. Collective. */
  allgather<T = unknown>(value: T): T[] {
    const call = "Gathering objects";
    const own = serialized(call, () => value);
    const sizes = new Int32Array(this.#comm.size);
    this.#comm.allgather(Int32Array.of(own.bytes.length), sizes);
    const all = new Uint8Array(total(sizes));
    this.#comm.allgatherv(own.bytes, all, sizes);
    if (own.failure) throw own.failure;
    return partsOf(all, sizes).map((part, rank) => received<T>(call, part, rank));
  }

  /**
   * Every rank sends a value to every rank. Collective.
   *
   * @param values One for each rank.
   * @returns One of each rank.
   */
  alltoall<T = unknown>(values: readonly T[]): T[] {
    const call = "Exchanging objects";
    const parts = this.#serializedAll(call, () => values);
    const sendSizes = Int32Array.from(parts, (part) => part.bytes.length);
    const sizes = new Int32Array(this.#comm.size);
    this.#comm.alltoall(sendSizes, sizes);
    const sent = Buffer.concat(parts.map((part) => part.bytes));
    const all = new Uint8Array(total(sizes));
    this.#comm.alltoallv(sent, all, sendSizes, sizes);
    const failure = parts.find((part) => part.failure)?.failure;
    if (failure) throw failure;
    return partsOf(all, sizes).map((part, rank) => received<T>(call, part, rank));
  }

  /**
   * Reduces the values of all ranks to one, at `root`: `reducer(reducer(v0, v1), v2)` ... Collective.
   *
   * @returns At root the result; elsewhere undefined.
   * @throws What the function throws, at root.
   */
  reduce<T>(value: T, reducer: Reducer<T>, root: number): T | undefined {
    const values = this.gather(value, root);
    return values?.reduce((left, right) => reducer(left, right));
  }

  /**
   * As `reduce`, with the result on all ranks. Collective.
   *
   * @throws What the function throws, on rank 0; elsewhere {@link MpiError} `MPI_ERR_TYPE`.
   */
  allreduce<T>(value: T, reducer: Reducer<T>): T {
    const call = "Reducing objects";
    return this.#atFirst(value, (values) => {
      const reduced = () => values().reduce((left, right) => reducer(left, right));
      return this.#bcast(call, reduced, 0) as T;
    });
  }

  /** The reduction of the values of this rank and of all before it. Collective. Errors as of `allreduce`. */
  scan<T>(value: T, reducer: Reducer<T>): T {
    const call = "Reducing objects";
    return this.#atFirst(value, (values) => {
      return this.#scatter(call, () => prefixes(values(), reducer), 0);
    });
  }

  /** As `scan`, without this rank; undefined on rank 0. Collective. */
  exscan<T>(value: T, reducer: Reducer<T>): T | undefined {
    const call = "Reducing objects";
    return this.#atFirst<T, T | undefined>(value, (values) => {
      return this.#scatter(call, () => [undefined, ...prefixes(values().slice(0, -1), reducer)], 0);
    });
  }

  #bcast(call: string, makeValue: () => unknown, root: number): unknown {
    const isRoot = this.#comm.rank === root;
    const { bytes, failure } = isRoot ? serialized(call, makeValue) : { bytes: NOTHING };
    const size = Int32Array.of(bytes.length);
    this.#comm.bcast(size, root);
    const into = isRoot ? bytes : new Uint8Array(size[0] as number);
    this.#comm.bcast(into, root);
    if (failure) throw failure;
    return received(call, into, root);
  }

  #scatter<T>(call: string, makeValues: () => readonly T[] | undefined, root: number): T {
    const { size, rank } = this.#comm;
    const isRoot = rank === root;
    const parts = isRoot ? this.#serializedAll(call, makeValues) : [];
    const failure = parts.find((part) => part.failure)?.failure;
    const sizes = Int32Array.from({ length: size }, (_, i) => parts[i]?.bytes.length ?? 0);
    const own = new Int32Array(1);
    this.#comm.scatter(sizes, own, root);
    const bytes = new Uint8Array(own[0] as number);
    const all = isRoot ? Buffer.concat(parts.map((part) => part.bytes)) : null;
    this.#comm.scatterv(all, bytes, isRoot ? sizes : null, root);
    if (failure) throw failure;
    return received<T>(call, bytes, root);
  }

  /**
   * Collects values at rank 0, and hands out what is made of them there.
   *
   * @param handOut Given the values, which throw at rank 0 what was wrong with one of them.
   */
  #atFirst<T, R>(value: T, handOut: (values: () => T[]) => R): R {
    let values: T[] = [];
    let failure: unknown;
    try {
      values = this.gather(value, 0) ?? [];
    } catch (error) {
      failure = error;
    }
    try {
      return handOut(() => {
        if (failure) throw failure;
        return values;
      });
    } catch (error) {
      throw failure ?? error;
    }
  }

  /** One value for each rank; all without bytes if one of them cannot be serialized. */
  #serializedAll(call: string, makeValues: () => readonly unknown[] | undefined): Serialized[] {
    const { size } = this.#comm;
    let values: readonly unknown[] | undefined;
    const nothing = (failure: unknown) =>
      Array.from({ length: size }, () => {
        return { bytes: NOTHING, failure };
      });
    try {
      values = makeValues();
    } catch (failure) {
      return nothing(failure);
    }
    if (!Array.isArray(values) || values.length !== size) {
      const why = `there are not ${size} values`;
      const remedy = "Pass an array of one value for each rank";
      return nothing(new MpiError({ code: "MPI_ERR_COUNT", call, why, remedy }));
    }
    const parts = values.map((value) => serialized(call, () => value));
    const failed = parts.find((part) => part.failure);
    return failed ? nothing(failed.failure) : parts;
  }
}

/** Reductions of the first one, two, three ... values. */
function prefixes<T>(values: readonly T[], reducer: Reducer<T>): T[] {
  const made: T[] = [];
  for (const value of values) {
    made.push(made.length === 0 ? value : reducer(made.at(-1) as T, value));
  }
  return made;
}

/** A value that a rank sent; it sent no bytes if it had none. */
function received<T>(call: string, bytes: Uint8Array, rank: number): T {
  if (bytes.length > 0) return objectOfBytes(call, bytes) as T;
  const why = `rank ${rank} had no value that can be sent`;
  const remedy = `See the error of rank ${rank}`;
  throw new MpiError({ code: "MPI_ERR_TYPE", call, why, remedy });
}
