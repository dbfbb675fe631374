/**
 * Four processes run random transactions on a small domain at once: registers, lists with bounds, cells and
 * the size of an array, punches; with aggregation in between, and in another round with processes that are
 * killed. Their logs are checked for cycles of dependencies (support/serializability.ts).
 *
 * The checker must find planted anomalies of each kind, and those of the same transactions when their commits
 * do not look at what was read.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { isNightly, seed } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { Program } from "../support/program.ts";
import { randomFrom } from "../support/random.ts";
import {
  type Anomaly,
  anomaliesOf,
  type Committed,
  type History,
} from "../support/serializability.ts";
import {
  findCommits,
  historyOf,
  type LoggedTransaction,
  readTransactions,
} from "../support/transaction-history.ts";

const PROCESSES = 4;
const ROUNDS = isNightly ? 20 : 1;
const ROUND_MS = isNightly ? 6000 : 1000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface RoundOptions {
  readonly random: () => number;
  readonly retainCommits: number;
  readonly validates?: boolean;
  readonly kills?: boolean;
}

/** Runs the processes on a new pool; returns what they logged. */
async function run(options: RoundOptions): Promise<LoggedTransaction[]> {
  const { random, retainCommits, validates = true, kills = false } = options;
  const directory = temporaryDirectory();
  const path = join(directory, "p");
  using pool = Pool.create({ path, durability: "process" });
  const container = pool.createContainer("c", { retainCommits });
  const start = (process: number) => {
    const log = join(directory, `log-${process}`);
    const common = { process, msMax: ROUND_MS, aggregates: !kills, validates };
    const text = JSON.stringify({ ...common, seed: 1 + Math.floor(random() * 2 ** 31) });
    return { process, log, program: new Program("serializable", [path, log, text]) };
  };
  const all = Array.from({ length: PROCESSES }, (_, process) => start(process));
  const begin = async ({ program }: (typeof all)[number]) => {
    await program.printed(1);
    program.send("begin");
  };
  await Promise.all(all.map(({ program }) => program.printed(1)));
  await Promise.all(all.map(begin));
  const killed: typeof all = [];
  if (kills) {
    for (const one of all.slice(0, 2)) {
      await pause(ROUND_MS * (0.2 + 0.2 * random()));
      await one.program.kill();
      killed.push(one);
      const next = start(PROCESSES + one.process);
      all.push(next);
      await begin(next);
    }
  }
  await Promise.all(all.map(({ program }) => program.ended()));
  const living = all.filter((one) => !killed.includes(one));
  expect(living.map(({ program }) => program.errors).join("")).toBe("");
  const transactions = all.flatMap(({ log, process }) => readTransactions(log, process));
  if (kills) findCommits(container, transactions);
  expect(transactions.filter(({ isUnknown }) => isUnknown)).toEqual([]);
  return transactions;
}

function countsOf(transactions: readonly LoggedTransaction[]): Record<string, number> {
  const committed = transactions.filter((one) => typeof one.committed === "bigint").length;
  const failed = transactions.filter((one) => one.committed === undefined).length;
  const lists = transactions.filter((one) => one.reads.some(([item]) => item.startsWith("e/")));
  const absent = transactions.filter((one) => one.reads.some(([, value]) => value === null));
  return { committed, failed, lists: lists.length, absent: absent.length };
}

describe("T2: transactions of four processes", () => {
  test("are serializable while the container is aggregated", async () => {
    const random = randomFrom(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const retainCommits = 1 + Math.floor(random() * 3);
      const transactions = await run({ random, retainCommits });
      const { history, faults } = historyOf(transactions);
      expect(faults).toEqual([]);
      expect(anomaliesOf(history)).toEqual([]);
      for (const [key, count] of Object.entries(countsOf(transactions))) {
        expect([key, count > 0]).toEqual([key, true]);
      }
    }
  });

  test("are serializable while processes are killed", async () => {
    const random = randomFrom(seed + 1);
    for (let round = 0; round < ROUNDS; round++) {
      const transactions = await run({ random, retainCommits: 1_000_000, kills: true });
      const { history, faults } = historyOf(transactions);
      expect(faults).toEqual([]);
      expect(anomaliesOf(history)).toEqual([]);
      expect(countsOf(transactions).committed).toBeGreaterThan(10);
    }
  });

  test("would not be if commits did not look at what was read", async () => {
    const random = randomFrom(seed + 2);
    const transactions = await run({ random, retainCommits: 3, validates: false });
    const { history } = historyOf(transactions);
    const kinds = anomaliesOf(history).map(({ kind }) => kind);
    expect(kinds.some((kind) => kind === "G-single" || kind === "G2")).toBe(true);
  });
});

describe("the checker", () => {
  const transaction = (id: string, ...reads: [string, string?][]): Committed => {
    return { id, reads: reads.map(([item, writer]) => ({ item, writer })) };
  };
  const history = (
    transactions: Committed[],
    versions: Record<string, string[]>,
    rest: Partial<History> = {},
  ): History => ({ transactions, versions: new Map(Object.entries(versions)), ...rest });
  const kindsOf = (found: readonly Anomaly[]) => found.map(({ kind }) => kind);

  const planted: [string, History, Anomaly["kind"][]][] = [
    [
      "nothing in a serial history",
      history([transaction("1"), transaction("2", ["x", "1"]), transaction("3", ["x", "2"])], {
        x: ["1", "2", "3"],
      }),
      [],
    ],
    [
      "nothing where a reader comes before a later commit",
      history([transaction("1"), transaction("2", ["y"]), transaction("3", ["x", "2"])], {
        x: ["1", "2"],
        y: ["3"],
      }),
      [],
    ],
    ["G0: two writes in two orders", history([], { x: ["1", "2"], y: ["2", "1"] }), ["G0"]],
    [
      "G1a: a read of an aborted write",
      history([transaction("2", ["x", "1"])], {}, { aborted: new Set(["1"]) }),
      ["G1a"],
    ],
    [
      "G1b: a read of an intermediate write",
      history([transaction("2", ["x", "1"])], { x: ["1"] }, { intermediate: [["2", "x"]] }),
      ["G1b"],
    ],
    [
      "G1c: two that read each other",
      history([transaction("1", ["y", "2"]), transaction("2", ["x", "1"])], { x: ["1"], y: ["2"] }),
      ["G1c"],
    ],
    [
      "G-single: a lost update",
      history([transaction("1"), transaction("2", ["x", "1"]), transaction("3", ["x", "1"])], {
        x: ["1", "2", "3"],
      }),
      ["G-single"],
    ],
    [
      "G-single: a torn read",
      history([transaction("2"), transaction("3", ["x", "2"], ["y", "1"])], {
        x: ["1", "2"],
        y: ["1", "2"],
      }),
      ["G-single"],
    ],
    [
      "G2: a write skew",
      history([transaction("1", ["x"]), transaction("2", ["y"])], { x: ["2"], y: ["1"] }),
      ["G2"],
    ],
    [
      "G2: a write skew of three",
      history([transaction("1", ["x"]), transaction("2", ["y"]), transaction("3", ["z"])], {
        x: ["2"],
        y: ["3"],
        z: ["1"],
      }),
      ["G2"],
    ],
  ];
  test.each(planted)("finds %s", (_name, forged, kinds) => {
    expect(kindsOf(anomaliesOf(forged))).toEqual(kinds);
  });

  test("finds reads that do not show the version of their epoch", () => {
    const logged = (id: string, rest: Partial<LoggedTransaction>): LoggedTransaction => {
      const nothing = { epoch: 0n, reads: [], writes: [], faults: [], committed: null };
      return { id, isUnknown: false, ...nothing, ...rest };
    };
    const writes = [["r/a/x", "0.0.1"]] as const;
    const writer = logged("0.0", { writes, committed: 5n });
    const reader = (epoch: bigint, value: string | null) =>
      historyOf([
        writer,
        logged("1.0", {
          epoch,
          reads: [
            ["r/a/x", value],
            ["e/a", value !== null],
          ],
        }),
      ]);
    expect(reader(5n, "0.0.1").faults).toEqual([]);
    expect(reader(4n, null).faults).toEqual([]);
    expect(reader(4n, "0.0.1").faults).toHaveLength(2);
    expect(reader(5n, null).faults).toHaveLength(2);
  });
});
