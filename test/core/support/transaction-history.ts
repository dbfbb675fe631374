/**
 * Reads the logs of programs/serializable.mjs and makes a history of them for the checker.
 *
 * The commits are replayed in the order of their epochs, so that each version of an item has its place,
 * absence and existence too. A read must show the version of its epoch; who wrote a value is known from the
 * value itself.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import type { Container } from "daos-ts";
import { AKEYS, DKEYS, KEYS, LEDGER } from "../programs/registers.mjs";
import type { Committed, History, Value } from "./serializability.ts";

/** A transaction as its process logged it. */
export interface LoggedTransaction {
  readonly id: string;
  readonly epoch: bigint;
  readonly reads: readonly (readonly [string, Value])[];
  readonly writes: readonly (readonly [string, string | null])[];
  readonly faults: readonly string[];
  /** Epoch of the commit; `undefined` if it failed or nobody knows, `null` if nothing was written. */
  committed: bigint | null | undefined;
  /** Whether nobody knows what came of it: its process was killed. */
  isUnknown: boolean;
}

/** The transactions of one process. */
export function readTransactions(log: string, process: number): LoggedTransaction[] {
  const found = new Map<number, LoggedTransaction>();
  for (const line of readFileSync(log, "utf8").split("\n")) {
    // A process that is killed may leave a part of a line.
    if (!line.endsWith("}")) continue;
    const entry = JSON.parse(line);
    const known = found.get(entry.number);
    if (known === undefined) {
      const id = `${process}.${entry.number}`;
      const epoch = BigInt(entry.epoch);
      found.set(entry.number, { ...entry, id, epoch, committed: undefined, isUnknown: true });
      continue;
    }
    known.isUnknown = false;
    if (entry.committed !== undefined) {
      known.committed = entry.committed === null ? null : BigInt(entry.committed);
    }
  }
  return [...found.values()];
}

/** Finds the epochs of commits whose processes were killed before they said so; all commits are retained. */
export function findCommits(
  container: Container,
  transactions: readonly LoggedTransaction[],
): void {
  const claimed = new Set(transactions.map(({ committed }) => committed));
  const epochs = container.commits().map(({ epoch }) => epoch);
  const shows = (epoch: bigint, id: string) => {
    using view = container.view(epoch);
    return view.getValue(LEDGER, Buffer.from(id), KEYS) !== undefined;
  };
  for (const transaction of transactions) {
    if (!transaction.isUnknown) continue;
    const { id, writes } = transaction;
    if (writes.length === 0) transaction.committed = null;
    else {
      transaction.committed = epochs.find(
        (epoch) => !claimed.has(epoch) && shows(epoch, id) && !shows(epoch - 1n, id),
      );
    }
    transaction.isUnknown = false;
  }
}

interface Version {
  readonly epoch: bigint;
  readonly writer: string | undefined;
  readonly value: Value;
}

/** The versions of all items, as the commits made them. */
class Items {
  readonly versions = new Map<string, Version[]>();

  at(item: string, epoch: bigint): Version {
    const versions = this.versions.get(item) ?? [];
    const absent = /^ec?\//.test(item) ? false : null;
    const first = { epoch: 0n, writer: undefined, value: absent };
    return versions.findLast((version) => version.epoch <= epoch) ?? first;
  }

  #set(item: string, version: Version): void {
    if (this.at(item, version.epoch).value === version.value) return;
    const versions = this.versions.get(item) ?? [];
    versions.push(version);
    this.versions.set(item, versions);
  }

  apply({ id, committed, writes }: LoggedTransaction): void {
    const epoch = committed as bigint;
    for (const [item, value] of writes) {
      this.#set(item, { epoch, writer: id, value });
      if (item.startsWith("c/")) {
        this.#set(`e${item}`, { epoch, writer: id, value: value !== null });
      }
    }
    for (const dkey of DKEYS) {
      const exists = AKEYS.some((akey) => this.at(`r/${dkey}/${akey}`, epoch).value !== null);
      this.#set(`e/${dkey}`, { epoch, writer: id, value: exists });
    }
  }
}

/** The history of logged transactions, and reads that did not show the version of their epoch. */
export function historyOf(transactions: readonly LoggedTransaction[]): {
  history: History;
  faults: string[];
} {
  const items = new Items();
  const byId = new Map(transactions.map((one) => [one.id, one]));
  const committed = transactions.filter((one) => typeof one.committed === "bigint");
  committed.sort((a, b) => ((a.committed as bigint) < (b.committed as bigint) ? -1 : 1));
  for (const one of committed) items.apply(one);
  const faults = transactions.flatMap(({ id, faults: own }) =>
    own.map((fault) => `${id}: ${fault}`),
  );
  const intermediate: [string, string][] = [];
  const took = transactions.filter((one) => one.committed !== undefined);
  const checked = took.map(({ id, epoch, reads, committed: at }): Committed => {
    const found = reads.map(([item, value]) => {
      const expected = items.at(item, epoch);
      if (expected.value !== value)
        faults.push(`${id}: ${item} shows ${value}, not ${expected.value}`);
      if (typeof value !== "string") {
        // Absence does not tell its writer: what is as it was at the commit may have come and gone since.
        const latest = items.at(item, typeof at === "bigint" ? at - 1n : epoch);
        return { item, writer: (latest.value === value ? latest : expected).writer };
      }
      const writer = value.split(".").slice(0, 2).join(".");
      const final = byId.get(writer)?.writes.find(([written]) => written === item)?.[1];
      if (final !== value) intermediate.push([id, item]);
      return { item, writer };
    });
    return { id, reads: found };
  });
  const versions = new Map<string, string[]>();
  for (const [item, all] of items.versions) {
    versions.set(
      item,
      all.map(({ writer }) => writer as string),
    );
  }
  const aborted = new Set(
    transactions.filter((one) => one.committed === undefined).map(({ id }) => id),
  );
  return { history: { transactions: checked, versions, aborted, intermediate }, faults };
}
