/**
 * Rollback: what it shows, what it keeps, what it refuses, and that it is all or nothing. The model test
 * (store-model.test.ts) rolls back at random between all other operations.
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { type Container, Pattern, Pool, wholeOf } from "daos-ts";
import { Dfs } from "daos-ts/dfs";
import { temporaryDirectory } from "../../support/temporary.ts";
import { Program } from "../support/program.ts";
import { checkLiveSizes } from "../support/scattered-array.ts";

const KEY = Buffer.from("k");
const KEYS = 4000;
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

function createPool(retainCommits = 100): { pool: Pool; container: Container } {
  const path = `${temporaryDirectory({ medium: "memory" })}/pool`;
  const pool = Pool.create({ path, durability: "process" });
  return { pool, container: pool.createContainer("c", { retainCommits }) };
}

/** Sets `count` values, and the bytes of an array in a pattern, to a version. */
function commit(container: Container, version: number, count = 10): bigint {
  return container.update((tx) => {
    for (let key = 0; key < count; key++) {
      const [dkey, value] = [Buffer.from(`${key}`), Buffer.from(`${version}`)];
      tx.put({ oid: 2n, dkey, akey: KEY, value, condition: "none" });
    }
    const pattern = new Pattern({
      start: version,
      blockLength: 10,
      levels: [{ stride: 1000, count: 50 }],
    });
    tx.write(1n, wholeOf(pattern), new Uint8Array(500).fill(version), 0n);
  }).epoch;
}

/** All that a version shows. */
function contentsOf(container: Container, at?: bigint | { snapshot: string }): unknown {
  using view = container.view(at);
  const values = view.listValues(2n, { akey: KEY }).map(({ dkey, value }) => `${dkey} ${value}`);
  const size = view.arraySize(1n);
  const bytes = Buffer.from(view.readBytes(1n, 0, size)).toString("hex");
  return { objects: view.listObjects().keys.map(String), values, size, bytes };
}

describe("Container.rollback()", () => {
  test("E3: shows an old version again, keeps history and newer snapshots, and moves no data", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const epochs = [1, 2, 3, 4].map((version) => commit(container, version));
    container.createSnapshot("newer", epochs[2] as bigint);
    container.update((tx) => {
      tx.punch(2n);
      tx.punchRange(1n, wholeOf(Pattern.contiguous(0, 20_000)), 0n);
    });
    const versions = epochs.map((epoch) => contentsOf(container, epoch));
    const head = contentsOf(container);
    const { segments } = pool.query();
    const { epoch, keys, bytes } = container.rollback(epochs[1] as bigint);
    expect(epoch > (epochs[3] as bigint)).toBe(true);
    expect([keys, bytes]).toEqual([10, 1000]);
    expect(pool.query().segments).toEqual(segments);
    expect(contentsOf(container)).toEqual(versions[1]);
    expect(epochs.map((each) => contentsOf(container, each))).toEqual(versions);
    expect(contentsOf(container, { snapshot: "newer" })).toEqual(versions[2]);
    expect(contentsOf(container, epoch - 1n)).toEqual(head);
    // Rolling back what was rolled back, and what shows the same already.
    expect(container.rollback({ snapshot: "newer" }).epoch > epoch).toBe(true);
    expect(contentsOf(container)).toEqual(versions[2]);
    const newest = container.commits()[0]?.epoch;
    expect(container.rollback(newest as bigint)).toEqual({
      epoch: newest,
      keys: 0,
      runs: 0,
      bytes: 0,
    });
    container.aggregate();
    expect(contentsOf(container)).toEqual(versions[2]);
    checkLiveSizes(pool);
  });

  test("E3: finds what changed since a snapshot that is older than the retained commits", () => {
    const { pool, container } = createPool(1);
    using _pool = pool;
    commit(container, 1);
    container.createSnapshot("s");
    const expected = contentsOf(container);
    // A key that comes and stays is in no list of changes that is left.
    container.update((tx) =>
      tx.put({ oid: 9n, dkey: KEY, akey: KEY, value: KEY, condition: "none" }),
    );
    for (const version of [2, 3]) commit(container, version, 5);
    container.aggregate();
    container.rollback({ snapshot: "s" });
    expect(contentsOf(container)).toEqual(expected);
    container.aggregate();
    expect(contentsOf(container)).toEqual(expected);
    checkLiveSizes(pool);
  });

  test("E3: a writer of an object that was removed since must open it again", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const first = commit(container, 1);
    container.update((tx) => tx.punch(1n));
    const transaction = container.begin();
    const range = wholeOf(Pattern.contiguous(0, 3));
    transaction.write(1n, range, Buffer.from("new"), container.incarnation(1n));
    container.rollback(first);
    expect(() => container.commit(transaction)).toThrow(code("DER_NONEXIST"));
    container.update((tx) => tx.write(1n, range, Buffer.from("new"), container.incarnation(1n)));
    using view = container.view();
    expect(Buffer.from(view.readBytes(1n, 0, 3)).toString()).toBe("new");
  });

  test("E3: brings back files and directories", async () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const dfs = Dfs.mount(container);
    await dfs.mkdir("runs");
    await dfs.writeFile("runs/a", "one");
    await dfs.writeFile("gone", "still here");
    container.createSnapshot("s");
    await dfs.writeFile("runs/a", "another, longer");
    await dfs.writeFile("runs/b", "new");
    await dfs.rm("gone");
    container.rollback({ snapshot: "s" });
    expect(await dfs.readFile("runs/a", "utf8")).toBe("one");
    expect(await dfs.readFile("gone", "utf8")).toBe("still here");
    expect(await dfs.readdir("runs")).toEqual(["a"]);
    await dfs.writeFile("runs/b", "again");
    expect(await dfs.readFile("runs/b", "utf8")).toBe("again");
  });

  test("E3: refuses what is gone, what is none, and a reader", () => {
    const { pool, container } = createPool(1);
    using _pool = pool;
    const first = commit(container, 1);
    commit(container, 2);
    commit(container, 3);
    container.aggregate();
    expect(() => container.rollback(first)).toThrow(code("DER_EPOCH_GONE"));
    expect(() => container.rollback(-1n)).toThrow(code("DER_INVAL"));
    expect(() => container.rollback({ snapshot: "none" })).toThrow(code("DER_NONEXIST"));
    using reader = Pool.connect(pool.path, { mode: "ro" });
    expect(() => reader.openContainer("c").rollback(0n)).toThrow(code("DER_NO_PERM"));
    expect(container.commits()).toHaveLength(1);
  });

  test("E3: a killed rollback leaves all or nothing", async () => {
    const { pool, container } = createPool();
    using _pool = pool;
    commit(container, 1, KEYS);
    container.createSnapshot("s");
    const old = contentsOf(container);
    for (let round = 0; round < 6; round++) {
      const epoch = commit(container, 2 + round, KEYS);
      const changed = contentsOf(container);
      const program = new Program("roll-back", [pool.path, "s"]);
      await program.printed(1);
      await sleep(round * 15);
      await program.kill();
      const isDone = container.commits()[0]?.epoch !== epoch;
      if (program.lines.includes("done")) expect(isDone).toBe(true);
      expect(contentsOf(container)).toEqual(isDone ? old : changed);
    }
    container.rollback({ snapshot: "s" });
    expect(contentsOf(container)).toEqual(old);
  }, 60_000);
});
