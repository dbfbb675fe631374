/**
 * Several processes that change names at once.
 *
 * Method: each logs its calls, what they answered, and at which epoch. Repeated one by one in the order of
 * epochs in a real directory, they must answer the same: what each process saw happened at one moment. In the
 * end both trees are the same, and nothing in the container is without a name or has two.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import * as realFs from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { checkFileSystem, Dfs } from "daos-ts/dfs";
import { plainEnvironment } from "../../support/processes.ts";
import { isNightly, seed } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { temporaryContainer } from "../temporary-container.ts";
import { perform, sideOf, treeOf } from "./programs/calls.mjs";

const PROCESSES = 4;
const CALLS = isNightly ? 1000 : 100;
const PROGRAM = fileURLToPath(new URL("programs/change-names.mjs", import.meta.url));

interface Logged {
  readonly epoch: bigint;
  readonly isChange: boolean;
  readonly call: [string, ...unknown[]];
  readonly answer: unknown;
}

/** Starts a program; `ready` is settled by its first output, `ended` with all of it. */
function started(args: string[]) {
  const child = spawn(process.execPath, args, { env: plainEnvironment() });
  let output = "";
  let errors = "";
  child.stderr.on("data", (data) => {
    errors += data;
  });
  child.stdout.on("data", (data) => {
    output += data;
  });
  const ended = once(child, "close").then(([status]) => {
    if (status !== 0) throw new Error(`it ended with status ${status}: ${errors}`);
    return output;
  });
  return { child, ready: Promise.race([once(child.stdout, "data"), ended]), ended };
}

function parsed(output: string): Logged[] {
  const [, ...lines] = output.trim().split("\n");
  return lines.map((line) => {
    const logged = JSON.parse(line);
    return { ...logged, epoch: BigInt(logged.epoch) };
  });
}

test("DFS: what four processes did to the same names happened one after the other", async () => {
  const { pool, container } = temporaryContainer({ retainCommits: 1_000_000 });
  const children = Array.from({ length: PROCESSES }, (_each, index) =>
    started([PROGRAM, pool.path, String(seed + index), String(CALLS)]),
  );
  for (const { ready } of children) await ready;
  for (const { child } of children) child.stdin?.write("go\n");
  const log = (await Promise.all(children.map(({ ended }) => ended))).flatMap(parsed);
  expect(log).toHaveLength(PROCESSES * CALLS);
  // What a call saw is the version of its epoch: the change that made this version comes before.
  log.sort((a, b) =>
    a.epoch === b.epoch ? Number(b.isChange) - Number(a.isChange) : a.epoch < b.epoch ? -1 : 1,
  );
  const changes = log.filter(({ isChange }) => isChange).map(({ epoch }) => epoch);
  expect(new Set(changes).size).toBe(changes.length);
  expect(changes.length).toBeGreaterThan(PROCESSES);
  const real = sideOf(realFs, temporaryDirectory());
  for (const { call, answer } of log) {
    expect([call, await perform(real, call)]).toEqual([call, answer]);
  }
  expect(await treeOf(sideOf(Dfs.mount(container), ""))).toEqual(await treeOf(real));
  const report = await checkFileSystem(container);
  expect(report.faults).toEqual([]);
});
