/**
 * A history: what several processes asked of one container, when, and what came of it, as
 * `test/core/programs/random-operations.mjs` logs it; and whether commit order explains it.
 *
 *     logs ──▶ readHistory() ──▶ operations ──▶ judge(): commits by epoch, applied to the plain model
 *
 * What must hold:
 *
 * 1. Epochs are unique, and an operation that ended before another one began has the lower epoch.
 * 2. Each commit succeeds on the state that the commits before it left, its conditions included.
 * 3. A commit that was refused would be refused, with that code, on a state between its two ends.
 * 4. A view shows the state of its epoch, all of it; a view of the newest version has an epoch that was
 *    the newest between its two ends. An epoch is gone only if newer commits and aggregation allow it.
 * 5. A process finds its own snapshots as it left them. Object ids are drawn once.
 *
 * @module
 */

import type { DaosErrorCode, KeyCondition } from "daos-ts";
import { arraySize, bytesOf, digest, rangeOf } from "../programs/operations.mjs";
import {
  ContainerModel,
  type ContainerState,
  empty,
  isRefused,
  ModelTransaction,
  sizeOf,
  valueKey,
} from "./container-model.ts";

/** A pattern as a log has it. */
interface LoggedPattern {
  readonly start: number;
  readonly blockLength: number;
  readonly levels: readonly { stride: number; count: number }[];
}

/** What a commit asked for. */
export interface LoggedCommit {
  readonly type: "commit";
  readonly writes: readonly {
    oid: string;
    tag: number;
    pattern: LoggedPattern;
    incarnation: string;
  }[];
  readonly puts: readonly {
    oid: string;
    dkey: string;
    akey: string;
    value?: string;
    condition: KeyCondition;
  }[];
  readonly punches: readonly string[];
}

type LoggedOperation =
  | LoggedCommit
  | { readonly type: "view"; readonly at?: string | { readonly snapshot: string } }
  | {
      readonly type: "createSnapshot" | "destroySnapshot";
      readonly name: string;
    }
  | {
      readonly type: "create" | "createContainer" | "reread" | "aggregate" | "allocate" | "reopen";
    };

/** What a view showed: see `readAll` in operations.mjs. */
export interface Reading {
  readonly arrays: readonly {
    oid: string;
    size: number;
    start: number;
    end: number;
    bytes: string;
  }[];
  readonly values: Readonly<Record<string, string>>;
}

/** What came of an operation. */
export interface Outcome extends Partial<Reading> {
  readonly epoch?: string;
  readonly oid?: string;
  readonly error?: string;
  readonly message?: string;
}

/** One operation of one process. */
export interface Operation {
  readonly process: number;
  readonly number: number;
  readonly asked: LoggedOperation;
  /** When it began, in nanoseconds of the machine's clock. */
  readonly from: bigint;
  /** When it had returned; `undefined` if it never did. */
  readonly to: bigint | undefined;
  readonly outcome: Outcome | undefined;
}

/** A commit that took effect. */
export interface Commit extends Operation {
  readonly asked: LoggedCommit;
  readonly epoch: bigint;
}

interface Line {
  readonly number: number;
  readonly from?: string;
  readonly operation?: LoggedOperation;
  readonly to?: string;
  readonly outcome?: Outcome;
}

/** Reads the log of one process; a last line that was cut off is left out. */
export function readLog(text: string, process: number): Operation[] {
  const found = new Map<number, Operation>();
  for (const line of text.split("\n").slice(0, -1)) {
    const { number, from, operation, to, outcome } = JSON.parse(line) as Line;
    const before = found.get(number);
    if (from !== undefined && operation !== undefined) {
      const asked = operation;
      const begun = { process, number, asked, from: BigInt(from), to: undefined };
      found.set(number, { ...begun, outcome: undefined });
    } else if (before !== undefined && to !== undefined) {
      found.set(number, { ...before, to: BigInt(to), outcome });
    }
  }
  return [...found.values()];
}

/** The commits that took effect, in order of their epochs. */
export function commitsOf(operations: readonly Operation[]): Commit[] {
  return operations
    .flatMap((operation) => {
      const { asked, outcome } = operation;
      if (asked.type !== "commit" || outcome?.epoch === undefined) return [];
      return [{ ...operation, asked, epoch: BigInt(outcome.epoch) }];
    })
    .sort((a, b) => (a.epoch < b.epoch ? -1 : 1));
}

/** A transaction, and the code that it was refused with before it was committed. */
export class HistoryTransaction extends ModelTransaction {
  refusal: DaosErrorCode | undefined;
}

/** A container of the domain in operations.mjs, and its past by epoch. */
export class HistoryModel {
  readonly container: ContainerModel;
  readonly #punches = new Map<bigint, bigint[]>();
  /** Epochs so far, in order, from 0 on. */
  readonly epochs: bigint[] = [0n];
  readonly #states = new Map<bigint, ContainerState>();

  constructor(retainCommits: number) {
    this.container = new ContainerModel({ arraySize, retainCommits });
    this.#states.set(0n, this.container.at(0n));
  }

  /** A logged commit as the model has it. */
  transaction({ writes, puts, punches }: LoggedCommit): HistoryTransaction {
    const transaction = new HistoryTransaction();
    for (const { oid: text, tag, pattern, incarnation } of writes) {
      const oid = BigInt(text);
      const range = rangeOf(pattern);
      // A transaction keeps what its first write to an object knew of it.
      if (!transaction.incarnations.has(oid)) {
        const known = (this.#punches.get(oid) ?? []).filter((at) => at <= BigInt(incarnation));
        transaction.incarnations.set(oid, known.length);
      }
      const bytes = bytesOf(tag, range.to - range.from);
      transaction.operations.push({ type: "write", oid, range, bytes });
    }
    for (const { oid, dkey, akey, value, condition } of puts) {
      const key = valueKey(BigInt(oid), dkey, akey);
      transaction.refusal ??= transaction.demand(key, condition);
      transaction.operations.push({ type: "put", key, value });
    }
    for (const text of punches) {
      const oid = BigInt(text);
      transaction.operations.push({ type: "punch", prefix: `${oid}/`, oid });
    }
    return transaction;
  }

  /** Applies the next commit; throws if the model refuses it. */
  apply({ asked, epoch }: Commit): void {
    const transaction = this.transaction(asked);
    if (transaction.refusal !== undefined) throw new Error("a commit that contradicts itself");
    const state = this.container.after([transaction]);
    if (isRefused(state)) throw new Error(`a commit that must be refused with ${state}`);
    this.container.commit(epoch, state, [transaction]);
    this.epochs.push(epoch);
    this.#states.set(epoch, state);
    for (const oid of asked.punches.map(BigInt)) {
      this.#punches.set(oid, [...(this.#punches.get(oid) ?? []), epoch]);
    }
  }

  /** How a reading at an epoch differs from the state there; `undefined` if it does not. */
  difference(epoch: bigint, { arrays, values }: Reading): string | undefined {
    const state = this.#states.get(epoch);
    if (state === undefined) return `nothing was committed at epoch ${epoch}`;
    for (const { oid, size, start, end, bytes } of arrays) {
      const expected = state.arrays.get(BigInt(oid)) ?? empty(arraySize(BigInt(oid)));
      const wantedSize = sizeOf(expected);
      if (size !== wantedSize) return `array ${oid} has ${size} bytes, not ${wantedSize}`;
      const wanted = digest(expected.bytes.subarray(start, end));
      if (bytes !== wanted) return `array ${oid} [${start}, ${end}) is ${bytes}, not ${wanted}`;
    }
    for (const key of new Set([...Object.keys(values), ...state.values.keys()])) {
      const wanted = state.values.get(key);
      if (values[key] !== wanted) return `value ${key} is ${values[key]}, not ${wanted}`;
    }
    return undefined;
  }
}
