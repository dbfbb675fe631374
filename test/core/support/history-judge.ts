/**
 * Judges a history: see history.ts for what must hold.
 *
 * @module
 */

import { isRefused, ModelTransaction } from "./container-model.ts";
import {
  type Commit,
  commitsOf,
  HistoryModel,
  type HistoryTransaction,
  type Operation,
  type Reading,
} from "./history.ts";

/** Codes that a commit of the random operations can be refused with. */
const REFUSALS = ["DER_EXIST", "DER_NONEXIST"];

/** What a history amounts to. */
export interface Judgement {
  /** What cannot be explained, a line each. */
  readonly faults: string[];
  readonly commits: number;
  readonly refused: number;
  readonly readings: number;
  /** Views of old epochs that were gone. */
  readonly gone: number;
  /** Commits that began before another process's commit of an earlier epoch had returned. */
  readonly concurrent: number;
}

/** Epochs that an operation may have found newest: from what it had to see to what it could see. */
interface Window {
  readonly low: bigint;
  readonly high: bigint;
}

/** Largest epochs of the commits that had ended, or begun, by a moment. */
class Timeline {
  readonly #ended: { at: bigint; epoch: bigint }[];
  readonly #begun: { at: bigint; epoch: bigint }[];

  constructor(commits: readonly Commit[]) {
    this.#ended = Timeline.#risen(commits.map(({ to, epoch }) => ({ at: to as bigint, epoch })));
    this.#begun = Timeline.#risen(commits.map(({ from, epoch }) => ({ at: from, epoch })));
  }

  /** In order of time, each with the largest epoch so far. */
  static #risen(moments: { at: bigint; epoch: bigint }[]): { at: bigint; epoch: bigint }[] {
    let epoch = 0n;
    return moments
      .sort((a, b) => (a.at < b.at ? -1 : 1))
      .map((moment) => {
        if (moment.epoch > epoch) epoch = moment.epoch;
        return { at: moment.at, epoch };
      });
  }

  static #before(moments: readonly { at: bigint; epoch: bigint }[], time: bigint): bigint {
    let low = 0;
    let high = moments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((moments[middle]?.at as bigint) < time) low = middle + 1;
      else high = middle;
    }
    return moments[low - 1]?.epoch ?? 0n;
  }

  window({ from, to }: Operation): Window {
    return {
      low: Timeline.#before(this.#ended, from),
      high: Timeline.#before(this.#begun, to as bigint),
    };
  }
}

/** What a transaction can be refused for, one by one: its writes, and each of its conditions. */
function partsOf(transaction: HistoryTransaction): ModelTransaction[] {
  const writing = new ModelTransaction();
  for (const [oid, count] of transaction.incarnations) writing.incarnations.set(oid, count);
  const conditions = transaction.conditions.map((condition) => {
    const part = new ModelTransaction();
    part.conditions.push(condition);
    return part;
  });
  return [writing, ...conditions];
}

/** One judgement in the making. */
class Judge {
  readonly faults: string[] = [];
  readonly #operations: readonly Operation[];
  readonly #commits: readonly Commit[];
  readonly #timeline: Timeline;
  readonly #model: HistoryModel;
  readonly #retainCommits: number;
  refused = 0;
  readings = 0;
  gone = 0;
  concurrent = 0;

  constructor(operations: readonly Operation[], retainCommits: number) {
    this.#operations = operations;
    this.#commits = commitsOf(operations);
    this.#timeline = new Timeline(this.#commits);
    this.#model = new HistoryModel(retainCommits);
    this.#retainCommits = retainCommits;
  }

  get commits(): number {
    return this.#commits.length;
  }

  #fault({ process, number, asked }: Operation, why: string): void {
    this.faults.push(`operation ${number} of process ${process} (${asked.type}): ${why}`);
  }

  run(): void {
    for (const operation of this.#operations) {
      if (operation.outcome === undefined) this.#fault(operation, "it never returned");
    }
    if (this.faults.length > 0) return;
    this.#judgeOrder();
    this.#judgeCommits();
    for (const operation of this.#operations) this.#judgeReading(operation);
    for (const process of new Set(this.#operations.map((operation) => operation.process))) {
      this.#judgeSnapshots(this.#operations.filter((operation) => operation.process === process));
    }
    this.#judgeIds();
  }

  #judgeOrder(): void {
    let previous: Commit | undefined;
    for (const commit of this.#commits) {
      if (commit.epoch === previous?.epoch) this.#fault(commit, `epoch ${commit.epoch} came twice`);
      const { low, high } = this.#timeline.window(commit);
      if (commit.epoch <= low) this.#fault(commit, `epoch ${commit.epoch} comes after ${low}`);
      if (commit.epoch > high) this.#fault(commit, `epoch ${commit.epoch} has no time`);
      const overlaps = previous !== undefined && commit.from < (previous.to as bigint);
      if (overlaps && commit.process !== previous?.process) this.concurrent += 1;
      previous = commit;
    }
  }

  /** Applies the commits in order; looks for a state that explains each refusal on the way. */
  #judgeCommits(): void {
    let refused = this.#operations.filter(
      ({ asked, outcome }) => asked.type === "commit" && outcome?.error !== undefined,
    );
    this.refused = refused.length;
    for (const operation of refused) {
      const code = operation.outcome?.error as string;
      if (!REFUSALS.includes(code)) this.#fault(operation, `${operation.outcome?.message}`);
    }
    const explain = (head: bigint) => {
      refused = refused.filter((operation) => !this.#explains(head, operation));
    };
    explain(0n);
    for (const commit of this.#commits) {
      try {
        this.#model.apply(commit);
      } catch (error) {
        this.#fault(commit, `${error}`);
        return;
      }
      explain(commit.epoch);
    }
    for (const operation of refused) this.#fault(operation, `${operation.outcome?.error} is wrong`);
  }

  #explains(head: bigint, operation: Operation): boolean {
    const { asked, outcome } = operation;
    const { low, high } = this.#timeline.window(operation);
    if (asked.type !== "commit" || head < low || head > high) return false;
    // Which of several reasons is found first is the store's own affair.
    const transaction = this.#model.transaction(asked);
    if (transaction.refusal !== undefined) return transaction.refusal === outcome?.error;
    return partsOf(transaction).some((part) => {
      const after = this.#model.container.after([part]);
      return isRefused(after) && after.some((code) => code === outcome?.error);
    });
  }

  #judgeReading(operation: Operation): void {
    const { asked, outcome } = operation;
    if (asked.type === "view" && outcome?.error !== undefined) this.#judgeRefusedView(operation);
    if (outcome?.epoch === undefined || outcome.arrays === undefined) return;
    const epoch = BigInt(outcome.epoch);
    const difference = this.#model.difference(epoch, outcome as Reading);
    this.readings += 1;
    if (difference !== undefined) this.#fault(operation, `at epoch ${epoch} ${difference}`);
    if (asked.type !== "view" || typeof asked.at === "object") return;
    if (asked.at !== undefined) {
      if (BigInt(asked.at) !== epoch) this.#fault(operation, `it shows ${epoch}, not ${asked.at}`);
      return;
    }
    this.#judgeNewest(operation, epoch);
  }

  #judgeNewest(operation: Operation, epoch: bigint): void {
    const { low, high } = this.#timeline.window(operation);
    if (epoch < low) this.#fault(operation, `it shows ${epoch} after commit ${low} had returned`);
    if (epoch > high) this.#fault(operation, `it shows ${epoch}, which had not begun`);
  }

  #judgeRefusedView(operation: Operation): void {
    const { asked, outcome, from } = operation;
    if (asked.type !== "view" || typeof asked.at === "object") return;
    const isOld = asked.at !== undefined && outcome?.error === "DER_EPOCH_GONE";
    if (!isOld) {
      this.#fault(operation, `${outcome?.message}`);
      return;
    }
    this.gone += 1;
    const epoch = BigInt(asked.at as string);
    const { high } = this.#timeline.window(operation);
    const newer = this.#model.epochs.filter((other) => other > epoch && other <= high).length;
    if (newer < this.#retainCommits) this.#fault(operation, "its epoch is one of the newest");
    const aggregated = this.#operations.some(
      (other) => other.asked.type === "aggregate" && other.from < (operation.to as bigint),
    );
    if (!aggregated) this.#fault(operation, `nothing was aggregated before ${from}`);
  }

  /** A process's own snapshots: nobody else changes them. */
  #judgeSnapshots(operations: readonly Operation[]): void {
    const names = new Map<string, string>();
    for (const operation of operations) {
      const { asked, outcome } = operation;
      if (asked.type === "createSnapshot") {
        const expected = names.has(asked.name) ? "DER_EXIST" : undefined;
        if (outcome?.error !== expected) this.#fault(operation, `${outcome?.message}`);
        if (outcome?.epoch === undefined) continue;
        names.set(asked.name, outcome.epoch);
        this.#judgeNewest(operation, BigInt(outcome.epoch));
      } else if (asked.type === "destroySnapshot") {
        const expected = names.delete(asked.name) ? undefined : "DER_NONEXIST";
        if (outcome?.error !== expected) this.#fault(operation, `${outcome?.message}`);
      } else if (asked.type === "view" && typeof asked.at === "object") {
        const epoch = names.get(asked.at.snapshot);
        const expected = epoch === undefined ? "DER_NONEXIST" : undefined;
        const isRight = outcome?.epoch === epoch && outcome?.error === expected;
        if (!isRight) this.#fault(operation, `${outcome?.message ?? outcome?.epoch}`);
      } else if (outcome?.error !== undefined && !["commit", "view"].includes(asked.type)) {
        this.#fault(operation, `${outcome.message}`);
      }
    }
  }

  #judgeIds(): void {
    const drawn = this.#operations.flatMap(({ outcome }) => outcome?.oid ?? []);
    if (new Set(drawn).size < drawn.length) this.faults.push("an object id was drawn twice");
  }
}

/** Judges the history of some processes on one container. */
export function judge(operations: readonly Operation[], retainCommits: number): Judgement {
  const inCharge = new Judge(operations, retainCommits);
  inCharge.run();
  const { faults, commits, refused, readings, gone, concurrent } = inCharge;
  return { faults, commits, refused, readings, gone, concurrent };
}
