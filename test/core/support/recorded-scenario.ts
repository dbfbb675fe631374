/**
 * A scenario that real processes ran while all that they did to the files was recorded, and what a pool
 * must show that a power cut left at any record of it.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Durability } from "daos-ts";
import {
  type Commit,
  commitsOf,
  HistoryModel,
  type Operation,
  type Reading,
  readLog,
} from "./history.ts";
import { type JournalRecord, readJournal, recordedBy } from "./journal.ts";
import { Program } from "./program.ts";

/** What `examine-images.mjs` says of an image. */
export interface Shown {
  readonly error?: string;
  readonly message?: string;
  readonly head: string;
  readonly commits: readonly string[];
  readonly snapshots: Readonly<Record<string, string>>;
  readonly readings: Readonly<Record<string, Reading>>;
  /** A new object id. */
  readonly oid: string;
  /** What went wrong while the pool was worked on. */
  readonly wrong: readonly string[];
  readonly after: { readonly reading: Reading; readonly snapshots: Record<string, Reading> };
}

/** How a scenario is run. */
export interface ScenarioOptions {
  readonly shim: string;
  /** An empty directory. */
  readonly directory: string;
  readonly seed: number;
  readonly durability: Durability;
  /** Processes that work at once. */
  readonly processes: number;
  /** Operations of each. */
  readonly steps: number;
}

const LOG = /^log-(\d+)$/;
const RETAIN_COMMITS = 2;
/** As in examine-images.mjs: the pool is there and takes a container. */
const NO_CONTAINER = "no container";
/** Number of the process that creates the pool. */
const CREATOR = 9;

function keyOf({ process, number }: { process: number; number: number }): string {
  return `${process}/${number}`;
}

/** What processes did, record by record. */
export class RecordedScenario {
  readonly records: readonly JournalRecord[];
  readonly #operations: readonly Operation[];
  readonly #commits: readonly Commit[];
  readonly #model = new HistoryModel(RETAIN_COMMITS);
  /** Index of the record in which an operation was logged to begin, and to have ended. */
  readonly #begun = new Map<string, number>();
  readonly #ended = new Map<string, number>();

  private constructor(records: readonly JournalRecord[], logs: ReadonlyMap<number, string>) {
    this.records = records;
    this.#operations = [...logs].flatMap(([process, text]) => readLog(text, process));
    this.#commits = commitsOf(this.#operations);
    for (const commit of this.#commits) this.#model.apply(commit);
    for (const [index, record] of records.entries()) {
      const process = LOG.exec(record.name)?.[1];
      if (process === undefined || record.kind !== "write") continue;
      const line = JSON.parse(Buffer.from(record.bytes).toString()) as {
        number: number;
        to?: string;
      };
      const known = line.to === undefined ? this.#begun : this.#ended;
      known.set(keyOf({ process: Number(process), number: line.number }), index);
    }
  }

  /** Runs the processes to their ends. The pool is `p` in the directory. */
  static async run(options: ScenarioOptions): Promise<RecordedScenario> {
    const { shim, directory, seed, durability, processes, steps } = options;
    const journal = `${directory}.journal`;
    const env = recordedBy(shim, { directory, journal });
    const start = (process: number, more: object) => {
      const log = join(directory, `log-${process}`);
      const given = JSON.stringify({ process, seed: seed + process, handles: 2, ...more });
      return new Program("random-operations", [join(directory, "p"), log, given], env);
    };
    const end = async (programs: readonly Program[]) => {
      await Promise.all(programs.map((program) => program.ended()));
      const errors = programs.map((program) => program.errors).join("");
      if (errors !== "") throw new Error(`seed ${seed}: ${errors}`);
    };
    await end([
      start(CREATOR, { steps: 0, create: { durability, retainCommits: RETAIN_COMMITS } }),
    ]);
    const numbers = Array.from({ length: processes }, (_, process) => process);
    await end(numbers.map((process) => start(process, { steps })));
    const logs = [CREATOR, ...numbers].map(
      (process) => [process, readFileSync(join(directory, `log-${process}`), "utf8")] as const,
    );
    return new RecordedScenario(readJournal(journal), new Map(logs));
  }

  /** How often something happened, for the test that it did. */
  count(isIt: (record: JournalRecord) => boolean): number {
    return this.records.filter(isIt).length;
  }

  #hasBegun(operation: Operation, cut: number): boolean {
    return (this.#begun.get(keyOf(operation)) ?? Number.POSITIVE_INFINITY) < cut;
  }

  #hasEnded(operation: Operation, cut: number): boolean {
    return (this.#ended.get(keyOf(operation)) ?? Number.POSITIVE_INFINITY) < cut;
  }

  #isDone(type: Operation["asked"]["type"], cut: number): boolean {
    return this.#operations.some(
      (operation) => operation.asked.type === type && this.#hasEnded(operation, cut),
    );
  }

  /** What is wrong with what a pool shows that lost its power while record `cut` was being done. */
  faults(cut: number, shown: Shown): string[] {
    if (shown.error !== undefined) {
      const isExpected =
        (shown.error === "DER_NONEXIST" && !this.#isDone("create", cut)) ||
        (shown.error === NO_CONTAINER && !this.#isDone("createContainer", cut));
      return isExpected ? [] : [`${shown.error}: ${shown.message}`];
    }
    return [
      ...this.#faultsOfCommits(cut, shown),
      ...this.#faultsOfSnapshots(cut, shown),
      ...this.#faultsOfReadings(shown),
      ...this.#faultsOfIds(cut, shown),
      ...shown.wrong,
    ];
  }

  #faultsOfCommits(cut: number, { head, commits }: Shown): string[] {
    const faults: string[] = [];
    const newest = BigInt(head);
    for (const commit of this.#commits) {
      const isShown = commit.epoch <= newest;
      const name = `commit ${commit.epoch} of process ${commit.process}`;
      if (!isShown && this.#hasEnded(commit, cut)) faults.push(`${name} is lost`);
      if (isShown && !this.#hasBegun(commit, cut)) faults.push(`${name} had not begun`);
    }
    const all = this.#model.epochs.filter((epoch) => epoch > 0n && epoch <= newest);
    const listed = all.slice(all.length - commits.length).reverse();
    const isSuffix = String(listed) === String(commits);
    const isEnough = commits.length >= Math.min(RETAIN_COMMITS, all.length);
    if (!isSuffix || !isEnough) faults.push(`the commits up to ${head} are listed as ${commits}`);
    return faults;
  }

  /** A name of which an operation was in flight may be as before it or as after it. */
  #faultsOfSnapshots(cut: number, { snapshots }: Shown): string[] {
    const before = new Map<string, string>();
    const allowed = new Map<string, (string | undefined)[]>();
    for (const operation of this.#operations) {
      const { asked, outcome } = operation;
      if (asked.type !== "createSnapshot" && asked.type !== "destroySnapshot") continue;
      if (outcome?.error !== undefined || !this.#hasBegun(operation, cut)) continue;
      const after = asked.type === "createSnapshot" ? outcome?.epoch : undefined;
      const hasEnded = this.#hasEnded(operation, cut);
      allowed.set(asked.name, hasEnded ? [after] : [before.get(asked.name), after]);
      if (after === undefined) before.delete(asked.name);
      else before.set(asked.name, after);
    }
    return [...new Set([...allowed.keys(), ...Object.keys(snapshots)])]
      .filter((name) => !(allowed.get(name) ?? [undefined]).includes(snapshots[name]))
      .map((name) => `snapshot ${name} is of ${snapshots[name]}, not ${allowed.get(name)}`);
  }

  #faultsOfReadings({ head, readings, snapshots, after }: Shown): string[] {
    const pairs: [string, string, Reading][] = [
      ...Object.entries(readings).map(([at, reading]): [string, string, Reading] => [
        "",
        at,
        reading,
      ]),
      ["later, ", head, after.reading],
      ...Object.entries(after.snapshots).map(([name, reading]): [string, string, Reading] => [
        "later, ",
        snapshots[name] as string,
        reading,
      ]),
    ];
    return pairs.flatMap(([when, at, reading]) => {
      const difference = this.#model.difference(BigInt(at), reading);
      return difference === undefined ? [] : [`${when}at epoch ${at} ${difference}`];
    });
  }

  #faultsOfIds(cut: number, { oid }: Shown): string[] {
    const isDrawn = this.#operations.some(
      (operation) => operation.outcome?.oid === oid && this.#hasEnded(operation, cut),
    );
    return isDrawn ? [`object id ${oid} is drawn again`] : [];
  }
}
