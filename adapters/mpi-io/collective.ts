/**
 * What the ranks of a communicator must agree on, so that none of them waits for one that failed.
 *
 * Every function here is collective: all ranks call it, also those that failed before.
 *
 * @module
 */

import { type Communicator, Op } from "node-mpi-bindings";
import { DaosError, type DaosErrorCode, isDaosError } from "../../core/index.js";

/** Sends bytes of any length from one rank to all. */
export function bcastBytes(
  comm: Communicator,
  bytes: Uint8Array | undefined,
  root: number,
): Uint8Array {
  const size = Float64Array.of(bytes?.length ?? 0);
  comm.bcast(size, root);
  const received = comm.rank === root ? (bytes as Uint8Array) : new Uint8Array(size[0] as number);
  if (received.length > 0) comm.bcast(received, root);
  return received;
}

/** Collects bytes of any length at one rank, in rank order; `undefined` on the others. */
export function gatherBytes(
  comm: Communicator,
  bytes: Uint8Array,
  root: number,
): Uint8Array[] | undefined {
  const isRoot = comm.rank === root;
  const sizes = isRoot ? new Float64Array(comm.size) : null;
  comm.gather(Float64Array.of(bytes.length), sizes, root);
  if (sizes === null) {
    comm.gatherv(bytes, null, null, root);
    return undefined;
  }
  const counts = [...sizes];
  const all = new Uint8Array(counts.reduce((sum, count) => sum + count, 0));
  comm.gatherv(bytes, all, counts, root);
  let end = 0;
  return counts.map((count) => {
    end += count;
    return all.subarray(end - count, end);
  });
}

/** An error as bytes, to be thrown on another rank. */
export function encodeError(error: unknown, rank: number): Uint8Array {
  const known = isDaosError(error);
  const text = known
    ? error.text
    : { what: "A collective operation", why: String(error), remedy: "see the first error" };
  const code = known ? error.code : "DER_MISC";
  return Buffer.from(JSON.stringify({ code, text, rank }));
}

/** The error of another rank. */
export function decodeError(bytes: Uint8Array): DaosError {
  const { code, text, rank } = JSON.parse(Buffer.from(bytes).toString()) as {
    code: DaosErrorCode;
    text: { what: string; why: string; remedy: string };
    rank: number;
  };
  return new DaosError(code, { ...text, what: `${text.what} (on rank ${rank})` }, { rank });
}

/**
 * Finds out whether a step worked on all ranks.
 *
 * @param error What went wrong on this rank, if anything did.
 * @throws On every rank, if it failed on one: the own error, or that of the lowest rank that failed.
 */
export function agree(comm: Communicator, error: unknown): void {
  const failed = new Int32Array(1);
  comm.allreduce(Int32Array.of(error === undefined ? comm.size : comm.rank), failed, Op.MIN);
  const [lowest] = failed as unknown as [number];
  if (lowest === comm.size) return;
  const own = lowest === comm.rank ? encodeError(error, comm.rank) : undefined;
  const first = bcastBytes(comm, own, lowest);
  throw error ?? decodeError(first);
}

/** Runs a step that may fail, then agrees on its success. */
export function attempt<T>(comm: Communicator, step: () => T): T {
  let result: T | undefined;
  let failure: unknown;
  try {
    result = step();
  } catch (error) {
    failure = error;
  }
  agree(comm, failure);
  return result as T;
}

/** Runs a step on one rank and gives its bytes to all; its failure is thrown on all. */
export function onRoot(comm: Communicator, root: number, step: () => Uint8Array): Uint8Array {
  let outcome: Uint8Array | undefined;
  let failure: unknown;
  if (comm.rank === root) {
    try {
      const result = step();
      outcome = new Uint8Array(result.length + 1);
      outcome.set(result, 1);
    } catch (error) {
      failure = error;
      const encoded = encodeError(error, root);
      outcome = new Uint8Array(encoded.length + 1).fill(1, 0, 1);
      outcome.set(encoded, 1);
    }
  }
  const received = bcastBytes(comm, outcome, root);
  if (received[0] === 0) return received.subarray(1);
  throw failure ?? decodeError(received.subarray(1));
}
