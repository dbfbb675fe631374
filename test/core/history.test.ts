/**
 * Four processes at once do random operations on one container: commits of ranges, values under
 * conditions and punches, views of new, old and named versions, aggregation, snapshots, reopening. Each
 * logs what it asked and what came of it; commit order must explain all of it (support/history.ts).
 *
 * The gate gives it some rounds of a second or two; the nightly run more and longer ones. Two forged
 * histories must be found out.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { isNightly, seed } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { arraySize, readAll } from "./programs/operations.mjs";
import {
  commitsOf,
  HistoryModel,
  type Operation,
  type Reading,
  readLog,
} from "./support/history.ts";
import { type Judgement, judge } from "./support/history-judge.ts";
import { Program } from "./support/program.ts";
import { randomFrom } from "./support/random.ts";

const PROCESSES = 4;
const ROUNDS = isNightly ? 40 : 1;
const ROUNDS_MAX = 8 * ROUNDS;
const ROUND_MS = isNightly ? 6000 : 1200;
/** Long enough for a forgery of each kind. */
const FORGED_MS = 800;
const STEPS_MAX = 100_000;

interface Round {
  readonly path: string;
  readonly retainCommits: number;
  readonly operations: Operation[];
}

/** Runs the processes on a new pool. */
async function run(random: () => number, msMax: number): Promise<Round> {
  const directory = temporaryDirectory();
  const path = join(directory, "p");
  const retainCommits = 1 + Math.floor(random() * 4);
  const durability = random() < 0.3 ? "power" : "process";
  Pool.create({ path, durability }).createContainer("c", { retainCommits });
  const logs = Array.from({ length: PROCESSES }, (_, process) => join(directory, `log-${process}`));
  const programs = logs.map((log, process) => {
    const common = { process, steps: STEPS_MAX, msMax };
    const options = { ...common, seed: Math.floor(random() * 2 ** 31) };
    return new Program("random-operations", [path, log, JSON.stringify(options)]);
  });
  await Promise.all(programs.map((program) => program.ended()));
  expect(programs.map(({ errors }) => errors).join("")).toBe("");
  const operations = logs.flatMap((log, process) => readLog(readFileSync(log, "utf8"), process));
  return { path, retainCommits, operations };
}

/** What is left when all have ended: the newest version, a sound pool, and space taken back. */
function checkRest({ path, retainCommits, operations }: Round): void {
  const model = new HistoryModel(retainCommits);
  for (const commit of commitsOf(operations)) model.apply(commit);
  using pool = Pool.connect(path);
  const container = pool.openContainer("c");
  for (const aggregates of [false, true]) {
    if (aggregates) container.aggregate();
    for (const at of [undefined, ...container.commits().map(({ epoch }) => epoch)]) {
      using view = container.view(at);
      if (at === undefined) expect(view.epoch).toBe(model.epochs.at(-1));
      const read: Reading = readAll(view, (oid: bigint) => [0, arraySize(oid)]);
      expect(model.difference(view.epoch, read)).toBeUndefined();
    }
    expect(pool.scrub().damages).toEqual([]);
    expect(pool.query().segments.leased).toBe(0);
  }
}

test(
  "what four processes do at once is explained by the order of their commits",
  async () => {
    const random = randomFrom(seed);
    const total = { commits: 0, refused: 0, readings: 0, gone: 0, concurrent: 0 };
    // A history in which nothing meets proves nothing.
    const least: Omit<Judgement, "faults"> = {
      commits: 30 * ROUNDS,
      refused: 5 * ROUNDS,
      readings: 15 * ROUNDS,
      gone: 1,
      concurrent: 5 * ROUNDS,
    };
    const keys = Object.keys(least) as (keyof typeof least)[];
    const missing = () => keys.filter((key) => total[key] < least[key]);
    // A machine that is slow, or busy, needs more rounds for that.
    const isDue = (number: number) =>
      number < ROUNDS || (number < ROUNDS_MAX && missing().length > 0);
    for (let number = 0; isDue(number); number++) {
      const round = await run(random, ROUND_MS);
      const { faults, ...counts } = judge(round.operations, round.retainCommits);
      expect({ seed, number, faults: faults.slice(0, 9) }).toEqual({ seed, number, faults: [] });
      checkRest(round);
      for (const key of keys) total[key] += counts[key];
    }
    expect(missing()).toEqual([]);
  },
  isNightly ? 1_800_000 : 120_000,
);

test("a forged history is found out", async () => {
  const { operations, retainCommits } = await run(randomFrom(seed + 1), FORGED_MS);
  const faultsWith = (forge: (operation: Operation) => Operation) =>
    judge(operations.map(forge), retainCommits).faults.length;
  expect(faultsWith((operation) => operation)).toBe(0);
  const commits = commitsOf(operations);
  const victim = commits[commits.length >> 1] as (typeof commits)[number];
  const isVictim = ({ process, number }: Operation) =>
    process === victim.process && number === victim.number;
  const lost = (operation: Operation): Operation => {
    const isOne = operation.asked.type === "commit" && operation.process === victim.process;
    const nothing = { ...victim.asked, writes: [], puts: [], punches: [] };
    return isOne ? { ...operation, asked: nothing } : operation;
  };
  const late = (operation: Operation): Operation => {
    const epoch = `${(commits.at(-1) as typeof victim).epoch + 1n}`;
    return isVictim(operation) ? { ...operation, outcome: { epoch } } : operation;
  };
  const refused = (operation: Operation): Operation => {
    const isRefused = operation.outcome?.error === "DER_EXIST";
    return isRefused ? { ...operation, outcome: { error: "DER_NONEXIST" } } : operation;
  };
  const stale = (operation: Operation): Operation => {
    const isView = operation.asked.type === "view" && operation.asked.at === undefined;
    if (!isView || operation.outcome?.arrays === undefined) return operation;
    const seen = model.epochs.indexOf(BigInt(operation.outcome.epoch as string));
    const epoch = `${model.epochs[Math.max(0, seen - 9)]}`;
    return { ...operation, outcome: { ...operation.outcome, epoch } };
  };
  const model = new HistoryModel(retainCommits);
  for (const commit of commits) model.apply(commit);
  for (const forge of [lost, late, refused, stale]) {
    expect([forge.name, faultsWith(forge) > 0]).toEqual([forge.name, true]);
  }
});
