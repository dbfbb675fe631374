/**
 * A container as a plain program would keep it in memory: the state after each commit, in full.
 *
 * The rules: contributions take effect one after the other, each one's operations in program order. All of
 * a contribution's conditions are met by what the ones before it left, but for keys that it changed
 * itself before it asked. A write to a byte array names the punches that it knew of; one more, by an
 * earlier commit, refuses it.
 *
 * @module
 */

import type { DaosErrorCode, KeyCondition, PatternRange } from "daos-ts";
import { offsetsOf } from "./patterns.ts";

/** One array of bytes: what was written, and where. */
export interface ArrayState {
  readonly bytes: Uint8Array;
  readonly written: Uint8Array;
}

/** The whole container at one moment. */
export interface ContainerState {
  readonly arrays: Map<bigint, ArrayState>;
  /** Single values, by `object/dkey/akey`. */
  readonly values: Map<string, string>;
  /** Arrays of records, likewise: by index. */
  readonly records: Map<string, Map<bigint, number>>;
  /** Whether records were written to an akey that holds a value: such a commit fails. */
  isMixed?: boolean;
}

/** An operation of a transaction. */
export type ModelOperation =
  | { type: "write"; oid: bigint; range: PatternRange; bytes: Uint8Array }
  | { type: "punchRange"; oid: bigint; range: PatternRange }
  | { type: "put"; key: string; value: string | undefined }
  | { type: "records"; key: string; from: bigint; cells: readonly number[] }
  | { type: "punchRecords"; key: string; from: bigint; count: number }
  | { type: "punch"; prefix: string; oid: bigint };

/** What a key must be for a transaction to commit. */
export interface ModelCondition {
  /** Of an akey; of a dkey if it ends with a slash. */
  readonly key: string;
  readonly mustExist: boolean;
}

/** The name of a value in a state. */
export function valueKey(oid: bigint, dkey: string, akey: string): string {
  return `${oid}/${dkey}/${akey}`;
}

/** One past the last byte that was written. */
export function sizeOf({ written }: ArrayState): number {
  return written.lastIndexOf(1) + 1;
}

/** An array that nothing was written to. */
export function empty(arraySize: number): ArrayState {
  return { bytes: new Uint8Array(arraySize), written: new Uint8Array(arraySize) };
}

function copyOf(state: ContainerState): ContainerState {
  return {
    arrays: new Map(state.arrays),
    values: new Map(state.values),
    records: new Map(state.records),
  };
}

function keyExists({ values, records }: Omit<ContainerState, "arrays">, key: string): boolean {
  if (!key.endsWith("/")) return values.has(key) || records.has(key);
  return [...values.keys(), ...records.keys()].some((name) => name.startsWith(key));
}

/** Whether the model says that a commit fails. */
export function isRefused(
  after: ContainerState | readonly DaosErrorCode[],
): after is readonly DaosErrorCode[] {
  return Array.isArray(after);
}

/** What one transaction did. */
export class ModelTransaction {
  readonly operations: ModelOperation[] = [];
  readonly conditions: ModelCondition[] = [];
  /** The punches that its writes to each byte array knew of. */
  readonly incarnations = new Map<bigint, number>();

  /**
   * Asks for a condition.
   *
   * @returns The code that it fails with at once, if the transaction's own changes say so.
   */
  demand(key: string, condition: KeyCondition): DaosErrorCode | undefined {
    if (condition === "none") return undefined;
    const mustExist = condition === "update";
    const known = this.#knows(key);
    if (known === undefined) this.conditions.push({ key, mustExist });
    else if (known !== mustExist) return mustExist ? "DER_NONEXIST" : "DER_EXIST";
    return undefined;
  }

  /** Whether a key exists, as far as the own operations tell. */
  #knows(key: string): boolean | undefined {
    const own: Omit<ContainerState, "arrays"> = { values: new Map(), records: new Map() };
    let known: boolean | undefined;
    for (const operation of this.operations) {
      if (operation.type === "punch") {
        if (key.startsWith(operation.prefix)) known = false;
        forget(own, operation.prefix);
      } else if (operation.type === "put") {
        if (operation.value === undefined) {
          own.values.delete(operation.key);
          own.records.delete(operation.key);
          if (operation.key === key) known = false;
        } else {
          own.values.set(operation.key, operation.value);
          own.records.delete(operation.key);
        }
      } else if (operation.type === "records" || operation.type === "punchRecords") {
        own.records.set(operation.key, new Map());
      }
    }
    return keyExists(own, key) ? true : known;
  }

  /** Whether the own operations made a key a single value. */
  holdsValue(key: string): boolean {
    let holds = false;
    for (const operation of this.operations) {
      if (operation.type === "punch" && key.startsWith(operation.prefix)) holds = false;
      if (operation.type === "put" && operation.key === key) holds = operation.value !== undefined;
    }
    return holds;
  }

  /** A state with this transaction's operations on top. */
  over(state: ContainerState, arraySize: (oid: bigint) => number): ContainerState {
    const after = copyOf(state);
    for (const operation of this.operations) apply(after, operation, arraySize);
    return after;
  }
}

function forget(state: Omit<ContainerState, "arrays">, prefix: string): void {
  for (const names of [state.values, state.records]) {
    for (const key of [...names.keys()]) if (key.startsWith(prefix)) names.delete(key);
  }
}

function apply(
  state: ContainerState,
  operation: ModelOperation,
  arraySize: (oid: bigint) => number,
): void {
  const { type } = operation;
  if (type === "write" || type === "punchRange") {
    const { oid, range } = operation;
    const before = state.arrays.get(oid) ?? empty(arraySize(oid));
    const after = { bytes: before.bytes.slice(), written: before.written.slice() };
    const offsets = offsetsOf(range.pattern).slice(range.from, range.to);
    for (const [packed, offset] of offsets.entries()) {
      after.bytes[offset] = type === "write" ? (operation.bytes[packed] as number) : 0;
      after.written[offset] = type === "write" ? 1 : 0;
    }
    state.arrays.set(oid, after);
  } else if (type === "put") {
    state.records.delete(operation.key);
    if (operation.value === undefined) state.values.delete(operation.key);
    else state.values.set(operation.key, operation.value);
  } else if (type === "punch") {
    forget(state, operation.prefix);
    if (operation.prefix === `${operation.oid}/`) state.arrays.delete(operation.oid);
  } else {
    if (state.values.has(operation.key)) state.isMixed = true;
    const cells = new Map(state.records.get(operation.key));
    state.records.set(operation.key, cells);
    if (type === "records") {
      for (const [at, value] of operation.cells.entries()) {
        cells.set(operation.from + BigInt(at), value);
      }
    } else {
      for (let at = 0; at < operation.count; at++) cells.delete(operation.from + BigInt(at));
    }
  }
}

/** A container and all of its past. */
export class ContainerModel {
  readonly #arraySize: (oid: bigint) => number;
  readonly #retainCommits: number;
  readonly #states = new Map<bigint, ContainerState>();
  readonly #punchCounts = new Map<bigint, number>();
  /** The same after each commit. */
  readonly #punchCountsAt = new Map<bigint, ReadonlyMap<bigint, number>>();
  #kept: bigint[] = [];
  #head: ContainerState = { arrays: new Map(), values: new Map(), records: new Map() };
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

  /** The state after a commit of these transactions, or the codes of which it fails with one. */
  after(contributions: readonly ModelTransaction[]): ContainerState | readonly DaosErrorCode[] {
    let state = this.#head;
    for (const contribution of contributions) {
      for (const { key, mustExist } of contribution.conditions) {
        if (keyExists(state, key) === mustExist) continue;
        return [mustExist ? "DER_NONEXIST" : "DER_EXIST"];
      }
      const codes: DaosErrorCode[] = [];
      for (const [oid, incarnation] of contribution.incarnations) {
        if (incarnation !== this.incarnation(oid)) codes.push("DER_NONEXIST");
      }
      state = contribution.over(state, this.#arraySize);
      if (state.isMixed === true) codes.push("DER_INVAL");
      if (codes.length > 0) return codes;
    }
    return state;
  }

  /** A commit took effect. */
  commit(epoch: bigint, state: ContainerState, contributions: readonly ModelTransaction[]): void {
    this.#states.set(epoch, state);
    this.#head = state;
    this.#kept.push(epoch);
    const punched = new Set<bigint>();
    for (const { operations } of contributions) {
      for (const operation of operations) {
        if (operation.type !== "punch" || operation.prefix !== `${operation.oid}/`) continue;
        punched.add(operation.oid);
      }
    }
    for (const oid of punched) this.#punchCounts.set(oid, this.incarnation(oid) + 1);
    this.#punchCountsAt.set(epoch, new Map(this.#punchCounts));
  }

  /** A rollback to an epoch took effect; without a commit of its own, the newest one must show the same. */
  rollBack(epoch: bigint | undefined, to: bigint): void {
    const known = this.epochs.filter((candidate) => candidate <= to).at(-1) as bigint;
    const { arrays: left } = this.#head;
    this.#head = this.at(known);
    const isNew = (oid: bigint) => left.has(oid) && !this.#head.arrays.has(oid);
    if (epoch === undefined) {
      this.#states.set(this.epochs.at(-1) as bigint, this.#head);
      return;
    }
    this.#states.set(epoch, this.#head);
    this.#kept.push(epoch);
    // An object that was punched since, or begun, is a new incarnation.
    for (const oid of new Set([...this.#punchCounts.keys(), ...left.keys()])) {
      const count = this.incarnation(oid);
      const before = this.#punchCountsAt.get(known)?.get(oid) ?? 0;
      if (count !== before || isNew(oid)) this.#punchCounts.set(oid, count + 1);
    }
    this.#punchCountsAt.set(epoch, new Map(this.#punchCounts));
  }

  /** Aggregation forgets commits before the newest `retainCommits`. */
  aggregate(): void {
    if (this.#kept.length <= this.#retainCommits) return;
    this.#kept = this.#kept.slice(-this.#retainCommits);
    this.horizon = this.#kept[0] as bigint;
  }
}
