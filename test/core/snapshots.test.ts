/**
 * Named snapshots: what they keep, what they refuse, and that aggregation beside them, in this process
 * or another one, never takes what they show. The model test covers the rest.
 *
 * @module
 */

import { describe, expect, test } from "@jest/globals";
import { ByteWriter, type Container, Pattern, Pool, wholeOf } from "daos-ts";
import { IndexStore } from "../../dist/core/index/index-store.js";
import { KeyBuilder, KeySpace } from "../../dist/core/index/key-codec.js";
import { SNAPSHOT_NAME_SIZE_MAX, SNAPSHOTS_MAX } from "../../dist/core/limits.js";
import { temporaryDirectory } from "../support/temporary.ts";
import { Program } from "./support/program.ts";

const SIZE = 100_000;
const KEY = Buffer.from("k");
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

function createPool(): { pool: Pool; container: Container } {
  const path = `${temporaryDirectory({ medium: "memory" })}/pool`;
  const pool = Pool.create({ path, durability: "process" });
  return { pool, container: pool.createContainer("c", { retainCommits: 1 }) };
}

/** Commits version `n`: an array filled with it, and a value that says it. */
function commit(container: Container, version: number): bigint {
  return container.update((tx) => {
    const bytes = new Uint8Array(SIZE).fill(version);
    tx.write(1n, wholeOf(Pattern.contiguous(0, SIZE)), bytes, 0n);
    const value = Buffer.from(`${version}`);
    tx.put({ oid: 2n, dkey: KEY, akey: KEY, value, condition: "none" });
  }).epoch;
}

/** The version that a view shows; fails if it is not whole. */
function versionAt(container: Container, at?: bigint | { snapshot: string }): number {
  using view = container.view(at);
  const version = Number(Buffer.from(view.getValue(2n, KEY, KEY) ?? "0").toString());
  expect(Buffer.from(view.readBytes(1n, 0, SIZE)).every((byte) => byte === version)).toBe(true);
  return version;
}

describe("Container", () => {
  test("createSnapshot() keeps a version whatever is aggregated, until it is destroyed", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const epochs = [1, 2, 3].map((version) => commit(container, version));
    const { epoch, created } = container.createSnapshot("three");
    expect(epoch).toBe(epochs[2]);
    expect(Number(created / 1_000_000n)).toBeCloseTo(Date.now(), -5);
    for (const version of [4, 5]) commit(container, version);
    container.aggregate();
    expect(versionAt(container, { snapshot: "three" })).toBe(3);
    expect(versionAt(container, epoch)).toBe(3);
    // Neither the epochs beside it nor its commit are there any more.
    expect(() => container.view(epoch - 1n)).toThrow(code("DER_EPOCH_GONE"));
    expect(() => container.view(epoch + 1n)).toThrow(code("DER_EPOCH_GONE"));
    expect(container.commits()).toHaveLength(1);
    const live = pool.query().nvme.live;
    container.destroySnapshot("three");
    expect(container.aggregate()).toMatchObject({ runs: 1, values: 1, bytes: SIZE });
    expect(pool.query().nvme.live).toBe(live - SIZE);
    expect(() => container.view(epoch)).toThrow(code("DER_EPOCH_GONE"));
  });

  test("a view of a snapshot outlives it", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    commit(container, 1);
    container.createSnapshot("one");
    commit(container, 2);
    container.aggregate();
    const view = container.view({ snapshot: "one" });
    container.destroySnapshot("one");
    container.aggregate();
    expect(view.readBytes(1n, 0, 1)).toEqual(Uint8Array.of(1));
    view.close();
    container.aggregate();
    expect(() => container.view(view.epoch)).toThrow(code("DER_EPOCH_GONE"));
  });

  test("snapshots of other containers do not count, and reopening keeps one's own", () => {
    const { pool, container } = createPool();
    const other = pool.createContainer("other");
    commit(other, 9);
    other.createSnapshot("s");
    commit(container, 1);
    expect(container.listSnapshots()).toEqual([]);
    const record = container.createSnapshot("s");
    pool.close();
    using again = Pool.connect(pool.path, { mode: "ro" });
    const reopened = again.openContainer("c");
    expect(reopened.listSnapshots()).toEqual([record]);
    expect(versionAt(reopened, { snapshot: "s" })).toBe(1);
    expect(() => reopened.createSnapshot("t")).toThrow(code("DER_NO_PERM"));
    expect(() => reopened.destroySnapshot("s")).toThrow(code("DER_NO_PERM"));
  });

  test("a snapshot of the future shows the present", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    commit(container, 1);
    container.createSnapshot("s", 2n ** 63n);
    commit(container, 2);
    expect(versionAt(container, { snapshot: "s" })).toBe(1);
  });

  test.each([
    ["no name", ""],
    ["a space", "a b"],
    ["a zero byte", "a\0"],
    ["a long name", "x".repeat(SNAPSHOT_NAME_SIZE_MAX + 1)],
  ])("%s is DER_INVAL to create and DER_NONEXIST to use", (_what, name) => {
    const { pool, container } = createPool();
    using _pool = pool;
    expect(() => container.createSnapshot(name)).toThrow(code("DER_INVAL"));
    expect(() => container.view({ snapshot: name })).toThrow(code("DER_NONEXIST"));
    expect(() => container.destroySnapshot(name)).toThrow(code("DER_NONEXIST"));
  });

  test("createSnapshot() refuses an epoch that is none", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    expect(() => container.createSnapshot("s", -1n)).toThrow(code("DER_INVAL"));
    expect(container.listSnapshots()).toEqual([]);
  });
});

/** Stores snapshots `s0`, `s1`, ... of epoch 0 as the documentation of the format says. */
function putRecords(pool: Pool, count: number, version: number): void {
  const index = IndexStore.open(`${pool.path}/scm/index.mdb`, { durable: false });
  index.transact("Storing snapshots", (tx) => {
    for (let number = 0; number < count; number++) {
      const name = Buffer.from(`s${number}`);
      const key = new KeyBuilder(KeySpace.snapshot).u32(1).component(name).done();
      tx.put(key, new ByteWriter().u8(version).u64(0n).u64(BigInt(number)).finish());
    }
  });
  index.close();
}

describe("stored snapshots", () => {
  test("are limited in number", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    putRecords(pool, SNAPSHOTS_MAX, 1);
    expect(container.listSnapshots()).toHaveLength(SNAPSHOTS_MAX);
    expect(container.listSnapshots()).toContainEqual({ name: "s7", epoch: 0n, created: 7n });
    expect(() => container.createSnapshot("new")).toThrow(code("DER_NOSPACE"));
    container.destroySnapshot("s7");
    container.createSnapshot("new");
    expect(container.listSnapshots()).toHaveLength(SNAPSHOTS_MAX);
  });

  test("of an unknown version are DER_DF_INVAL, and nothing is aggregated then", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    commit(container, 1);
    const { nvme } = pool.query();
    commit(container, 2);
    putRecords(pool, 1, 9);
    expect(() => container.view({ snapshot: "s0" })).toThrow(code("DER_DF_INVAL"));
    expect(() => container.aggregate()).toThrow(code("DER_DF_INVAL"));
    expect(pool.query().nvme.live).toBe(2 * nvme.live);
  });
});

test("a process that aggregates never takes what snapshots and their views show", async () => {
  const { pool, container } = createPool();
  using _pool = pool;
  let version = 1;
  commit(container, version);
  const aggregator = new Program("aggregate", [pool.path]);
  await aggregator.printed(1);
  for (let round = 0; round < 150; round++) {
    version = (version % 250) + 1;
    const epoch = commit(container, version);
    let created = true;
    try {
      container.createSnapshot("s", round % 2 === 0 ? epoch : epoch - 1n);
    } catch (error) {
      // The version before may be gone by now; the newest is not.
      expect(error).toEqual(code("DER_EPOCH_GONE"));
      expect(round % 2).toBe(1);
      created = false;
    }
    commit(container, (version % 250) + 1);
    if (!created) continue;
    const shown = versionAt(container, { snapshot: "s" });
    using held = container.view({ snapshot: "s" });
    container.destroySnapshot("s");
    commit(container, version);
    const bytes = held.readBytes(1n, 0, SIZE);
    expect(Buffer.from(bytes).every((byte) => byte === shown)).toBe(true);
  }
  expect(aggregator.isRunning).toBe(true);
  await aggregator.kill();
}, 60_000);
