/**
 * Pools, row by row: what the reference says of queries, one test a line. The suites of administration go into the
 * rest.
 */

import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { Pattern, Pool, wholeOf } from "daos-ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const MIB = 1 << 20;

const pools: Pool[] = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

function newPool(): Pool {
  const path = join(temporaryDirectory(), "p");
  const size = { scm: 16 * MIB, nvme: 64 * MIB };
  const pool = Pool.create({ path, durability: "process", label: "rows", size });
  pools.push(pool);
  return pool;
}

test("P8: a query tells the space of each tier: its limit, what is used, live and free", () => {
  const pool = newPool();
  const before = pool.query();
  expect([before.scm.limit, before.nvme.limit]).toEqual([16 * MIB, 64 * MIB]);
  expect([before.nvme.used, before.nvme.live]).toEqual([0, 0]);
  const container = pool.createContainer("c");
  const range = wholeOf(Pattern.contiguous(0, MIB));
  container.update((tx) => tx.write(1n, range, new Uint8Array(MIB), container.incarnation(1n)));
  const after = pool.query();
  expect(after.nvme.live).toBe(MIB);
  expect(after.nvme.used).toBeGreaterThanOrEqual(MIB);
  expect(after.nvme.free).toBeLessThanOrEqual(before.nvme.free - MIB);
});

test("P8: a query counts containers, handles of all kinds, writers and segments", () => {
  const pool = newPool();
  pool.createContainer("a");
  pool.createContainer("b");
  const second = Pool.connect(pool.path, { mode: "ro" });
  pools.push(second);
  const container = pool.openContainer("a");
  const range = wholeOf(Pattern.contiguous(0, 10));
  container.update((tx) => tx.write(1n, range, new Uint8Array(10), 0n));
  const { label, uuid, containers, openHandles, writers, segments, unclean } = second.query();
  expect({ label, uuid, containers, openHandles }).toEqual({
    label: "rows",
    uuid: pool.uuid,
    containers: 2,
    openHandles: 2,
  });
  expect([writers.length, segments.leased, unclean]).toEqual([1, 1, []]);
});

test("P8: the containers of a pool can be listed, with labels and UUIDs", () => {
  const pool = newPool();
  const uuids = ["b", "a"].map((label) => pool.createContainer(label).uuid);
  expect(pool.listContainers()).toEqual(["b", "a"]);
  const listed = pool.listContainers({ records: true });
  expect(listed.map(({ label, uuid }) => [label, uuid])).toEqual([
    ["b", uuids[0]],
    ["a", uuids[1]],
  ]);
});
