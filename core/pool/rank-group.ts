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

/** Bytes of the first message of an exchange: a length, and what fits behind it. Most exchanges need no second one. */
const FIRST_SIZE = 1024;
const LENGTH_SIZE = 8;
const FIRST_ROOM = FIRST_SIZE - LENGTH_SIZE;

/** Answers of a root that was asked. */
const ANSWERED = 0;
const TOO_LONG = 1;

/** The first message of some bytes. */
function firstOf(bytes: Uint8Array): Float64Array {
  const message = new Float64Array(FIRST_SIZE / Float64Array.BYTES_PER_ELEMENT);
  message[0] = bytes.length;
  new Uint8Array(message.buffer).set(bytes.subarray(0, FIRST_ROOM), LENGTH_SIZE);
  return message;
}

/** What first messages hold, one behind the other; `undefined` if one of them is not all. */
function heldBy(messages: Float64Array): Uint8Array[] | undefined {
  const step = FIRST_SIZE / Float64Array.BYTES_PER_ELEMENT;
  const held: Uint8Array[] = [];
  for (let at = 0; at < messages.length; at += step) {
    const length = messages[at] as number;
    if (length > FIRST_ROOM) return undefined;
    held.push(new Uint8Array(messages.buffer, at * 8 + LENGTH_SIZE, length));
  }
  return held;
}

/** Sends bytes of any length from one rank to all. */
export function bcastBytes(
  group: RankGroup,
  bytes: Uint8Array | undefined,
  root: number,
): Uint8Array {
  const message = firstOf(bytes ?? new Uint8Array());
  group.bcast(message, root);
  const [held] = heldBy(message) ?? [];
  if (held !== undefined) return bytes ?? held;
  const received = bytes ?? new Uint8Array(message[0] as number);
  if (bytes === undefined) received.set(new Uint8Array(message.buffer, LENGTH_SIZE));
  group.bcast(received.subarray(FIRST_ROOM), root);
  return received;
}

/** Collects bytes of any length at one rank, in rank order; `undefined` on the others. */
function gatherBytes(group: RankGroup, bytes: Uint8Array, root: number): Uint8Array[] | undefined {
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

/**
 * Tells one rank what each has to say, and all ranks what that one answers.
 *
 * @param answer Runs on the root; the contributions are in rank order. Its failure is thrown on all.
 */
export function askRoot(
  group: RankGroup,
  { root, own }: { readonly root: number; readonly own: Uint8Array },
  answer: (contributions: readonly Uint8Array[]) => Uint8Array,
): Uint8Array {
  const message = firstOf(own);
  const messages = group.rank === root ? new Float64Array(message.length * group.size) : null;
  group.gather(message, messages, root);
  const first = onRoot(group, root, () => {
    const contributions = heldBy(messages as Float64Array);
    if (contributions === undefined) return Uint8Array.of(TOO_LONG);
    return Buffer.concat([Uint8Array.of(ANSWERED), answer(contributions)]);
  });
  if (first[0] === ANSWERED) return first.subarray(1);
  const contributions = gatherBytes(group, own, root);
  return onRoot(group, root, () => answer(contributions as Uint8Array[]));
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

/** Groups that are known to be on one node: asking costs more than all else that begins a transaction. */
const onOneNode = new WeakSet<RankGroup>();

/**
 * Refuses a group that spans nodes: an embedded pool is on one of them. Collective the first time.
 *
 * @throws {@link DaosError} `DER_NOSYS`, on all ranks.
 */
export function requireOneNode(group: RankGroup, what: string): void {
  if (group.size === 1 || onOneNode.has(group)) return;
  const node = group.splitShared();
  const spans = node.size < group.size;
  node.free();
  if (!spans) {
    onOneNode.add(group);
    return;
  }
  const remedy = "start the ranks on one node";
  const why = "the communicator spans several nodes, and an embedded pool serves one";
  throw new DaosError("DER_NOSYS", { what, why, remedy });
}
