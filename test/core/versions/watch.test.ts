/**
 * Watching a container: every commit of every process, in order, once; and what ends a watch.
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { type Container, Pool } from "daos-ts";
import { IndexStore } from "../../../dist/core/index/index-store.js";
import { KeyBuilder, KeySpace } from "../../../dist/core/index/key-codec.js";
import { CommitWatch } from "../../../dist/core/pool/watch.js";
import { temporaryDirectory } from "../../support/temporary.ts";
import { Program } from "../support/program.ts";

const KEY = Buffer.from("k");
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

function createPool(retainCommits = 10_000): { pool: Pool; container: Container } {
  const path = `${temporaryDirectory({ medium: "memory" })}/pool`;
  const pool = Pool.create({ path, durability: "process" });
  return { pool, container: pool.createContainer("c", { retainCommits }) };
}

function commit(container: Container, value = "v"): bigint {
  const change = { oid: 1n, dkey: KEY, akey: KEY, value: Buffer.from(value) };
  return container.update((tx) => tx.put({ ...change, condition: "none" })).epoch;
}

/** The lines of a program from an index on, as values. */
function linesOf(program: Program): Record<string, unknown>[] {
  return program.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("Container.watch()", () => {
  test("E2: three processes see exactly the commits of two others, in the order of epochs", async () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const first = commit(container);
    const args = [pool.path, "c"];
    const watchers = [
      new Program("watch-commits", args),
      new Program("watch-commits", args),
      new Program("watch-commits", [...args, String(first)]),
    ];
    await Promise.all(watchers.map((watcher) => watcher.printed(1)));
    const writers = [
      new Program("commit-often", [...args, "300", "0"]),
      new Program("commit-often", [...args, "40", "3"]),
    ];
    await Promise.all(writers.map((writer) => writer.printed(1)));
    await Promise.all(writers.map((writer) => writer.ended()));
    const written = writers.flatMap((writer) => JSON.parse(writer.lines[0] as string) as string[]);
    const expected = written.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
    expect(expected).toHaveLength(340);
    await Promise.all(watchers.map((watcher) => watcher.printed(341)));
    for (const watcher of watchers) {
      watcher.send("end");
      await watcher.ended();
      const [, ...lines] = linesOf(watcher);
      expect(lines.pop()).toEqual({ done: true });
      expect(lines.map(({ epoch }) => BigInt(epoch as string))).toEqual(expected);
      expect(lines.every(({ skipped }) => skipped === false)).toBe(true);
    }
  }, 30_000);

  test("E2: an idle watch in another process looks at the index a few times in two seconds", async () => {
    const { pool, container } = createPool();
    using _pool = pool;
    commit(container);
    const watcher = new Program("watch-commits", [pool.path, "c"]);
    await watcher.printed(1);
    await sleep(100);
    watcher.send("looks");
    await watcher.printed(2);
    await sleep(2000);
    watcher.send("looks");
    await watcher.printed(3);
    const [, before, after] = linesOf(watcher) as { looks: number }[];
    expect((after?.looks as number) - (before?.looks as number)).toBeLessThanOrEqual(3);
    // It still hears, although its pauses have become long.
    commit(container);
    await watcher.printed(4);
    await watcher.kill();
  }, 20_000);

  test("E2: tells of bytes, contributors and the transaction, and starts behind an epoch", async () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const epochs = [commit(container, "1"), commit(container, "2")];
    const transaction = container.begin();
    transaction.put({ oid: 1n, dkey: KEY, akey: KEY, value: KEY, condition: "none" });
    const id = container.newTransactionId();
    const { epoch } = container.publish([transaction.prepare()], id);
    transaction.settle();
    const seen = [];
    for await (const commit of container.watch({ from: epochs[0] as bigint })) {
      seen.push(commit);
      if (seen.length === 2) break;
    }
    const common = { bytes: 0, contributors: 1, skipped: false };
    expect(seen).toEqual([
      { epoch: epochs[1], transactionId: undefined, ...common },
      { epoch, transactionId: id, ...common },
    ]);
  });

  test("E2: says when aggregation was faster, and DER_EPOCH_GONE if it begins behind it", async () => {
    const { pool, container } = createPool(2);
    using _pool = pool;
    const first = commit(container, "0");
    await using watch = container.watch();
    const epochs = ["1", "2", "3", "4"].map((value) => commit(container, value));
    container.aggregate();
    expect((await watch.next()).value).toMatchObject({ epoch: epochs[2], skipped: true });
    expect((await watch.next()).value).toMatchObject({ epoch: epochs[3], skipped: false });
    expect(() => container.watch({ from: first })).toThrow(code("DER_EPOCH_GONE"));
    expect(() => container.watch({ from: epochs[0] as bigint })).toThrow(code("DER_EPOCH_GONE"));
    // Nothing lies between the newest commit that is gone and the oldest one that is there.
    await using rest = container.watch({ from: epochs[1] as bigint });
    expect((await rest.next()).value).toMatchObject({ epoch: epochs[2], skipped: false });
    expect(() => container.watch({ from: -1n })).toThrow(code("DER_INVAL"));
  });

  test("E2: a loop ends when it is aborted, left, or its pool is closed", async () => {
    const { pool, container } = createPool();
    const controller = new AbortController();
    const ends = [container.watch({ signal: controller.signal }), container.watch()];
    const results = ends.map((watch) => watch.next());
    controller.abort();
    await expect(results[0]).resolves.toEqual({ done: true, value: undefined });
    expect(await container.watch({ signal: controller.signal }).next()).toMatchObject({
      done: true,
    });
    pool.close();
    await expect(results[1]).resolves.toEqual({ done: true, value: undefined });
    await expect(ends[1]?.next()).resolves.toEqual({ done: true, value: undefined });
  });

  test("E2: a writer that is killed costs a watch nothing that it committed", async () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const from = commit(container);
    await using watch = container.watch();
    const writer = new Program("commit-often", [pool.path, "c", "100000", "1"]);
    const first = await watch.next();
    await sleep(50);
    await writer.kill();
    const last = commit(container, "last");
    const seen = [first.value?.epoch as bigint];
    while (seen.at(-1) !== last) seen.push((await watch.next()).value?.epoch as bigint);
    const there = container.commits().map(({ epoch }) => epoch);
    expect(seen).toEqual(there.filter((epoch) => epoch > from).reverse());
    expect(seen.length).toBeGreaterThan(2);
  }, 20_000);

  test("E2: without news of the operating system, a watch looks by itself", async () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const from = commit(container);
    const silent = { isLive: false, listen: () => () => {}, close: () => {} };
    const next = ({ after }: { after: bigint }) => {
      const commits = container.commits().filter(({ epoch }) => epoch > after);
      return { commits: commits.reverse(), skipped: false, horizon: 0n };
    };
    const source = { bell: silent, next } as unknown as ConstructorParameters<
      typeof CommitWatch
    >[0];
    await using watch = new CommitWatch(source, from);
    const results = [watch.next(), watch.next()];
    await sleep(30);
    expect(watch.looks).toBeGreaterThan(1);
    const epochs = [commit(container, "1"), commit(container, "2")];
    const found = await Promise.all(results);
    expect(found.map(({ value }) => value?.epoch)).toEqual(epochs);
  }, 20_000);

  test("E2: a destroyed container ends the loop with DER_NONEXIST", async () => {
    const { pool, container } = createPool();
    using _pool = pool;
    commit(container);
    const result = container.watch().next();
    // As another process would.
    const index = IndexStore.open(`${pool.path}/scm/index.mdb`, { durable: false });
    index.transact("Destroying a container", (tx) =>
      tx.remove(new KeyBuilder(KeySpace.container).u32(1).done()),
    );
    index.close();
    await expect(result).rejects.toEqual(code("DER_NONEXIST"));
  });
});

describe("Container.waitFor()", () => {
  test("E2: resolves at once for what is there, and with the first commit at or after an epoch", async () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const [first, second] = [commit(container, "1"), commit(container, "2")];
    expect((await container.waitFor(first)).epoch).toBe(first);
    expect((await container.waitFor(first + 1n)).epoch).toBe(second);
    expect((await container.waitFor(0n)).epoch).toBe(first);
    const next = container.waitFor(second + 1n);
    const writer = new Program("commit-often", [pool.path, "c", "3", "20"]);
    await writer.printed(1);
    const [third] = JSON.parse(writer.lines[0] as string) as string[];
    expect((await next).epoch).toBe(BigInt(third as string));
  });

  test("E2: gives up in time, when it is aborted, and when the pool is closed", async () => {
    const { pool, container } = createPool();
    const after = commit(container) + 1n;
    await expect(container.waitFor(after, { timeoutMs: 20 })).rejects.toEqual(code("DER_TIMEDOUT"));
    const controller = new AbortController();
    const aborted = container.waitFor(after, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    await expect(container.waitFor(after, { timeoutMs: -1 })).rejects.toEqual(code("DER_INVAL"));
    await expect(container.waitFor(-1n)).rejects.toEqual(code("DER_INVAL"));
    const waiting = container.waitFor(after);
    pool.close();
    await expect(waiting).rejects.toEqual(code("DER_NO_HDL"));
  });
});
