/**
 * A container as a plain program would keep it in memory: the state after each commit, in full.
 *
 * The rules, in a commit's order: each contribution's array writes, then its values (whose conditions
 * look at the state so far), then its punches. A punch empties the object as of this commit,
 * also of what the same commit wrote. A write names the punch that it knew of; a later one refuses it.
 *
 * @module
 */

import type { DaosErrorCode, PatternRange, ValueCondition } from "daos-ts";
import { offsetsOf } from "./patterns.ts";

/** One array: bytes and the size that writes gave it. */
export interface ArrayState {
  readonly bytes: Uint8Array;
  readonly size: number;
}

/** The whole container at one moment. */
export interface ContainerState {
  readonly arrays: ReadonlyMap<bigint, ArrayState>;
  /** By `object/dkey/akey`. */
  readonly values: ReadonlyMap<string, string>;
}

/** A write of one transaction. */
export interface ModelWrite {
  readonly oid: bigint;
  readonly range: PatternRange;
  readonly bytes: Uint8Array;
  /** Times that the object had been punched when it was opened. */
  readonly incarnation: number;
}

/** A change of a single value; the first change of a key in a transaction sets the condition. */
export interface ModelChange {
  readonly key: string;
  readonly value: string | undefined;
  readonly condition: ValueCondition;
}

/** What one transaction did. */
export class ModelTransaction {
  readonly writes: ModelWrite[] = [];
  readonly changes = new Map<string, ModelChange>();
  readonly punches = new Set<bigint>();

  put(change: ModelChange): void {
    const condition = this.changes.get(change.key)?.condition ?? change.condition;
    this.changes.set(change.key, { ...change, condition });
  }

  /** An array with this transaction's writes on top. */
  over(state: ContainerState, oid: bigint, arraySize: number): ArrayState {
    const writes = this.writes.filter((write) => write.oid === oid);
    return writes.reduce(written, state.arrays.get(oid) ?? empty(arraySize));
  }
}

/** An array that nothing was written to. */
export function empty(arraySize: number): ArrayState {
  return { bytes: new Uint8Array(arraySize), size: 0 };
}

function written({ bytes, size }: ArrayState, write: ModelWrite): ArrayState {
  const { pattern, from, to } = write.range;
  const offsets = offsetsOf(pattern).slice(from, to);
  const after = Uint8Array.from(bytes);
  for (const [packed, offset] of offsets.entries()) after[offset] = write.bytes[packed] as number;
  return { bytes: after, size: Math.max(size, (offsets.at(-1) as number) + 1) };
}

/** The name of a value in a state. */
export function valueKey(oid: bigint, dkey: string, akey: string): string {
  return `${oid}/${dkey}/${akey}`;
}

/** A container and all of its past. */
export class ContainerModel {
  readonly #arraySize: (oid: bigint) => number;
  readonly #retainCommits: number;
  readonly #states = new Map<bigint, ContainerState>();
  readonly #punchCounts = new Map<bigint, number>();
  #kept: bigint[] = [];
  #head: ContainerState = { arrays: new Map(), values: new Map() };
  /** Epochs before this one are gone, but for those of snapshots. */
  horizon = 0n;
  /** Epochs of the named snapshots. */
  readonly snapshots = new Map<string, bigint>();

  constructor(options: { arraySize: (oid: bigint) => number; retainCommits: number }) {
    this.#arraySize = options.arraySize;
    this.#retainCommits = options.retainCommits;
    this.#states.set(0n, this.#head);
  }

  /** Every epoch there ever was, 0 first. */
  get epochs(): bigint[] {
    return [...this.#states.keys()];
  }

  /** Epochs of the commits that can be listed, newest first. */
  get commits(): bigint[] {
    return [...this.#kept].reverse();
  }

  /** Whether a reader may open `epoch`. */
  isReadable(epoch: bigint): boolean {
    return epoch >= this.horizon || [...this.snapshots.values()].includes(epoch);
  }

  /** What a reader at `epoch` sees. */
  at(epoch: bigint): ContainerState {
    const newest = this.epochs.filter((candidate) => candidate <= epoch).at(-1);
    return this.#states.get(newest as bigint) as ContainerState;
  }

  /** Times that an object was punched. */
  incarnation(oid: bigint): number {
    return this.#punchCounts.get(oid) ?? 0;
  }

  /** The state after a commit of these transactions, or the code that it fails with. */
  after(contributions: readonly ModelTransaction[]): ContainerState | DaosErrorCode {
    const arrays = new Map(this.#head.arrays);
    const values = new Map(this.#head.values);
    const punched = new Set<bigint>();
    const isHidden = (key: string) => [...punched].some((oid) => key.startsWith(`${oid}/`));
    for (const { writes, changes, punches } of contributions) {
      for (const write of writes) {
        const stale = punched.has(write.oid) || write.incarnation !== this.incarnation(write.oid);
        if (stale) return "DER_NONEXIST";
        const before = arrays.get(write.oid) ?? empty(this.#arraySize(write.oid));
        arrays.set(write.oid, written(before, write));
      }
      for (const { key, value, condition } of changes.values()) {
        const exists = values.has(key) && !isHidden(key);
        if (condition === "insert" && exists) return "DER_EXIST";
        if (condition === "update" && !exists) return "DER_NONEXIST";
        if (value === undefined) values.delete(key);
        else values.set(key, value);
      }
      for (const oid of punches) punched.add(oid);
    }
    for (const oid of punched) arrays.delete(oid);
    for (const key of [...values.keys()]) if (isHidden(key)) values.delete(key);
    return { arrays, values };
  }

  /** A commit took effect. */
  commit(epoch: bigint, state: ContainerState, contributions: readonly ModelTransaction[]): void {
    this.#states.set(epoch, state);
    this.#head = state;
    this.#kept.push(epoch);
    const punched = new Set(contributions.flatMap(({ punches }) => [...punches]));
    for (const oid of punched) this.#punchCounts.set(oid, this.incarnation(oid) + 1);
  }

  /** Aggregation forgets commits before the newest `retainCommits`. */
  aggregate(): void {
    if (this.#kept.length <= this.#retainCommits) return;
    this.#kept = this.#kept.slice(-this.#retainCommits);
    this.horizon = this.#kept[0] as bigint;
  }
}
