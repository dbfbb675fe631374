/**
 * What the ranks of a communicator must agree on, so that none of them waits for one that failed.
 *
 * A communicator is whatever can gather and broadcast: `Communicator` of node-mpi-bindings is one, and so
 * is its `SoloCommunicator`. The store itself knows nothing of MPI.
 *
 * Every function here is collective: all ranks call it, also those that failed before.
 *
 * @module
 */

import { DaosError, type DaosErrorCode, isDaosError } from "../errors.js";

/** The ranks of a group that are on one node. */
export interface NodeRanks {
  /** How many. */
  readonly size: number;
  /** Lets go of them. */
  free(): void;
}

/** Processes that do something together; calls block until the others have made them too. */
export interface RankGroup {
  /** This process's rank, from 0. */
  readonly rank: number;
  /** Number of ranks. */
  readonly size: number;
  /** Copies `buf` of `root` to `buf` of all ranks. */
  bcast(buf: Uint8Array | Float64Array, root: number): void;
  /** Collects equal contributions at `root`, in rank order. */
  gather(send: Float64Array, recv: Float64Array | null, root: number): void;
  /** Collects contributions of different lengths at `root`, in rank order. */
  gatherv(
    send: Uint8Array,
    recv: Uint8Array | null,
    counts: ArrayLike<number> | null,
    root: number,
  ): void;
  /** Collects equal contributions at all ranks. */
  allgather(send: Int32Array, recv: Int32Array): void;
  /** The ranks on this node. */
  splitShared(): NodeRanks;
}

/** Sends bytes of any length from one rank to all. */
export function bcastBytes(
  group: RankGroup,
  bytes: Uint8Array | undefined,
  root: number,
): Uint8Array {
  const size = Float64Array.of(bytes?.length ?? 0);
  group.bcast(size, root);
  const received = group.rank === root ? (bytes as Uint8Array) : new Uint8Array(size[0] as number);
  if (received.length > 0) group.bcast(received, root);
  return received;
}

/** Collects bytes of any length at one rank, in rank order; `undefined` on the others. */
export function gatherBytes(
  group: RankGroup,
  bytes: Uint8Array,
  root: number,
): Uint8Array[] | undefined {
  const isRoot = group.rank === root;
  const sizes = isRoot ? new Float64Array(group.size) : null;
  group.gather(Float64Array.of(bytes.length), sizes, root);
  if (sizes === null) {
    group.gatherv(bytes, null, null, root);
    return undefined;
  }
  const counts = [...sizes];
  const all = new Uint8Array(counts.reduce((sum, count) => sum + count, 0));
  group.gatherv(bytes, all, counts, root);
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
export function agree(group: RankGroup, error: unknown): void {
  const failures = new Int32Array(group.size);
  group.allgather(Int32Array.of(error === undefined ? 0 : 1), failures);
  const lowest = failures.indexOf(1);
  if (lowest < 0) return;
  const own = lowest === group.rank ? encodeError(error, group.rank) : undefined;
  const first = bcastBytes(group, own, lowest);
  throw error ?? decodeError(first);
}

/** Runs a step that may fail, then agrees on its success. */
export function attempt<T>(group: RankGroup, step: () => T): T {
  let result: T | undefined;
  let failure: unknown;
  try {
    result = step();
  } catch (error) {
    failure = error;
  }
  agree(group, failure);
  return result as T;
}

/** Runs a step on one rank and gives its bytes to all; its failure is thrown on all. */
export function onRoot(group: RankGroup, root: number, step: () => Uint8Array): Uint8Array {
  let outcome: Uint8Array | undefined;
  let failure: unknown;
  if (group.rank === root) {
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
  const received = bcastBytes(group, outcome, root);
  if (received[0] === 0) return received.subarray(1);
  throw failure ?? decodeError(received.subarray(1));
}

/**
 * Refuses a group that spans nodes: an embedded pool is on one of them. Collective.
 *
 * @throws {@link DaosError} `DER_NOSYS`, on all ranks.
 */
export function requireOneNode(group: RankGroup, what: string): void {
  if (group.size === 1) return;
  const node = group.splitShared();
  const spans = node.size < group.size;
  node.free();
  if (!spans) return;
  const remedy = "start the ranks on one node";
  const why = "the communicator spans several nodes, and an embedded pool serves one";
  throw new DaosError("DER_NOSYS", { what, why, remedy });
}
