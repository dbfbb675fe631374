/**
 * Object tables of snapshots: what they list, marks that stay whoever is killed, and that nothing of them is
 * left when the snapshot, or the container, is gone.
 */

import { afterEach, expect, test } from "@jest/globals";
import { type Container, formatOid, type ObjectTable, Pattern, Pool, wholeOf } from "daos-ts";
import fc from "fast-check";
import { IndexStore } from "../../../dist/core/index/index-store.js";
import { KeySpace, prefixEnd } from "../../../dist/core/index/key-codec.js";
import { fcOptions } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { Program } from "../support/program.ts";

const KEY = Buffer.from("k");
const S = { snapshot: "s" };
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });
const mark = (text: string) => Buffer.from(text);

const pools: Pool[] = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

function connect(path: string, mode: "rw" | "ro" = "rw"): Pool {
  const pool = Pool.connect(path, { mode });
  pools.push(pool);
  return pool;
}

function put(container: Container, oids: readonly bigint[]): void {
  container.update((tx) => {
    for (const oid of oids) tx.put({ oid, dkey: KEY, akey: KEY, value: KEY, condition: "none" });
  });
}

/** A container with objects 1 to `count` in snapshot "s". */
function withObjects(count: number): { pool: Pool; container: Container } {
  const path = `${temporaryDirectory({ medium: "memory" })}/pool`;
  const pool = Pool.create({ path, durability: "process" });
  pools.push(pool);
  const container = pool.createContainer("c", { retainCommits: 1 });
  put(
    container,
    Array.from({ length: count }, (_, at) => BigInt(at + 1)),
  );
  container.createSnapshot("s");
  return { pool, container };
}

/** Entries that a table lists, as text. */
function shown(table: ObjectTable, only?: "marked" | "unmarked"): string[] {
  return Array.from(table.entries(only === undefined ? {} : { only }), (entry) => {
    return entry.mark === undefined ? `${entry.oid}` : `${entry.oid}=${Buffer.from(entry.mark)}`;
  });
}

/** Entries of the index that belong to a container; its pool must be closed. */
function entriesOf(path: string, container: number, spaces: readonly number[]): number {
  const index = IndexStore.open(`${path}/scm/index.mdb`, { durable: false });
  let count = 0;
  for (const space of spaces) {
    const start = Uint8Array.of(space, 0, 0, 0, container);
    index.visit({ start, end: prefixEnd(start) }, () => {
      count += 1;
      return true;
    });
  }
  index.close();
  return count;
}
const TABLES = [KeySpace.objectMark, KeySpace.freedTable];
/** Spaces whose keys begin with the id of a container. */
const OF_CONTAINER = Object.entries(KeySpace).flatMap(([name, space]) =>
  ["pool", "writer", "segment", "containerLabel", "commitByTransaction"].includes(name)
    ? []
    : [space],
);

test("O13: the table of a snapshot lists what it shows, keys and byte arrays, whatever comes later", () => {
  const { pool, container } = withObjects(3);
  const range = wholeOf(Pattern.contiguous(0, 10));
  container.update((tx) => tx.write(9n, range, new Uint8Array(10), 0n));
  const { epoch } = container.createSnapshot("bytes");
  container.update((tx) => tx.punch(2n));
  put(container, [4n]);
  container.aggregate();
  using table = container.openObjectTable(S);
  expect([table.snapshot, shown(table)]).toEqual(["s", ["1", "2", "3"]]);
  table.mark(2n, mark("done"));
  table.mark(3n, mark(""));
  expect(shown(table)).toEqual(["1", "2=done", "3="]);
  expect(shown(table, "marked")).toEqual(["2=done", "3="]);
  expect(shown(table, "unmarked")).toEqual(["1"]);
  // By epoch; another snapshot has marks of its own.
  using other = container.openObjectTable({ epoch });
  expect([other.snapshot, other.epoch, shown(other)]).toEqual([
    "bytes",
    epoch,
    ["1", "2", "3", "9"],
  ]);
  other.markMany([
    [9n, mark("x")],
    [1n, mark("y")],
    [1n, mark("z")],
  ]);
  expect(shown(other, "marked")).toEqual(["1=z", "9=x"]);
  expect(other.unmark([9n, 9n, 3n])).toBe(1);
  expect(Buffer.from(other.markOf(1n) as Uint8Array).toString()).toBe("z");
  expect(other.markOf(9n)).toBeUndefined();
  // For other processes too.
  const reader = connect(pool.path, "ro").openContainer("c");
  using again = reader.openObjectTable(S);
  expect(shown(again)).toEqual(["1", "2=done", "3="]);
  expect(() => again.mark(1n, mark("no"))).toThrow(code("DER_NO_PERM"));
  expect(() => again.unmark([2n])).toThrow(code("DER_NO_PERM"));
});

test("O13: bad calls are typed errors and change nothing", () => {
  const { container } = withObjects(2);
  put(container, [7n]);
  const table = container.openObjectTable(S);
  table.mark(1n, mark("1"));
  const refused = [
    ["DER_NONEXIST", () => table.mark(7n, mark("later"))],
    [
      "DER_NONEXIST",
      () =>
        table.markMany([
          [2n, mark("2")],
          [8n, mark("8")],
        ]),
    ],
    [
      "DER_INVAL",
      () =>
        table.markMany([
          [2n, mark("2")],
          [1n, new Uint8Array(33)],
        ]),
    ],
    ["DER_INVAL", () => table.unmark(Array.from({ length: 65_537 }, (_, at) => BigInt(at)))],
    ["DER_INVAL", () => table.list({ limit: 0 })],
    ["DER_INVAL", () => table.list({ anchor: Uint8Array.of(1, 2, 3) })],
    ["DER_INVAL", () => table.list({ only: "marked", anchor: Uint8Array.of(1, 2, 3) })],
    ["DER_NONEXIST", () => container.openObjectTable({ snapshot: "none" })],
    ["DER_NONEXIST", () => container.openObjectTable({ epoch: 5n })],
  ] as const;
  for (const [expected, call] of refused) expect(call).toThrow(code(expected));
  expect(shown(table)).toEqual(["1=1", "2"]);
  expect(table.unmark([])).toBe(0);
  table.markMany([]);
  table.mark(2n, new Uint8Array(32));
  expect(table.markOf(2n)).toHaveLength(32);
  const { epoch } = table;
  container.createSnapshot("twin", epoch);
  expect(() => container.openObjectTable({ epoch })).toThrow(code("DER_INVAL"));
  table.close();
  table.close();
  expect(() => table.list()).toThrow(code("DER_NO_HDL"));
  expect(() => table.mark(1n, mark(""))).toThrow(code("DER_NO_HDL"));
});

test("O13: lists in parts, filtered or not, agree with a map of marks", () => {
  const { container } = withObjects(40);
  using table = container.openObjectTable(S);
  const model = new Map<bigint, string>();
  const oid = fc.bigInt({ min: 1n, max: 40n });
  const step = fc.record({
    marks: fc.array(oid),
    unmarks: fc.array(oid),
    limit: fc.nat({ max: 9 }),
  });
  let tag = 0;
  fc.assert(
    fc.property(step, ({ marks, unmarks, limit }) => {
      tag += 1;
      table.markMany(marks.map((id) => [id, mark(`${tag}`)]));
      for (const id of marks) model.set(id, `${tag}`);
      const known = new Set(unmarks.filter((id) => model.has(id)));
      expect(table.unmark(unmarks)).toBe(known.size);
      for (const id of known) model.delete(id);
      for (const only of [undefined, "marked", "unmarked"] as const) {
        const expected = Array.from({ length: 40 }, (_, at) => BigInt(at + 1)).flatMap((id) => {
          const has = model.get(id);
          if (only !== undefined && (has === undefined) !== (only === "unmarked")) return [];
          return [has === undefined ? `${id}` : `${id}=${has}`];
        });
        expect(shown(table, only)).toEqual(expected);
        const found: bigint[] = [];
        let part = table.list({ limit: limit + 1, ...(only && { only }) });
        for (;;) {
          expect(part.entries.length).toBeLessThanOrEqual(limit + 1);
          found.push(...part.entries.map((entry) => entry.oid));
          if (part.anchor === undefined) break;
          part = table.list({ limit: limit + 1, anchor: part.anchor, ...(only && { only }) });
        }
        expect(found.map(String)).toEqual(expected.map((text) => text.split("=")[0]));
      }
    }),
    fcOptions(40),
  );
});

test("O13: marks go with their snapshot, and one of the same name begins without any", () => {
  const { pool, container } = withObjects(1500);
  const old = container.openObjectTable(S);
  old.markMany(Array.from(old.entries(), ({ oid }) => [oid, mark("m")] as const));
  expect(shown(old, "unmarked")).toEqual([]);
  container.destroySnapshot("s");
  for (const call of [
    () => old.list(),
    () => old.list({ only: "marked" }),
    () => old.markOf(1n),
    () => old.mark(1n, mark("late")),
    () => old.unmark([1n]),
  ]) {
    expect(call).toThrow(code("DER_NONEXIST"));
  }
  container.createSnapshot("s");
  using table = container.openObjectTable(S);
  expect(shown(table, "marked")).toEqual([]);
  expect(() => old.markOf(1n)).toThrow(code("DER_NONEXIST"));
  expect(table.list({ limit: 2 }).entries.map(({ oid }) => formatOid(oid))).toEqual([
    formatOid(1n),
    formatOid(2n),
  ]);
  pool.close();
  expect(entriesOf(pool.path, 1, TABLES)).toBe(0);
});

test("O13: who is killed has stored each mark that it told of, and the next one goes on behind them", async () => {
  const { pool } = withObjects(60);
  pool.close();
  const done = new Set<string>();
  while (done.size < 60) {
    const worker = new Program("mark-objects", [pool.path, "mark"]);
    await worker.printed(Math.min(25, 60 - done.size));
    await worker.kill();
    expect(worker.errors).toBe("");
    using found = Pool.connect(pool.path);
    using table = found.openContainer("c").openObjectTable(S);
    const marked = shown(table, "marked");
    for (const line of worker.lines) {
      expect(done.has(line)).toBe(false);
      expect(marked).toContain(`${line}=${line}`);
    }
    // What was stored and not told of any more is one at most.
    expect(marked.length - done.size - worker.lines.length).toBeLessThanOrEqual(1);
    for (const text of marked) done.add(text.split("=")[0] as string);
    expect(shown(table, "unmarked")).toHaveLength(60 - done.size);
  }
});

test("O13: a destruction of the snapshot that is killed anywhere leaves marks, or frees them by aggregation", async () => {
  let killed = 0;
  for (let at = 1; ; at++) {
    const { pool, container } = withObjects(1200);
    {
      using table = container.openObjectTable(S);
      table.markMany(Array.from(table.entries(), ({ oid }) => [oid, mark(`${oid}`)] as const));
    }
    pool.close();
    const destroyer = new Program("mark-objects", [pool.path, "destroy", `${at}`]);
    await destroyer.ended();
    expect(destroyer.errors).toBe("");
    const isDone = destroyer.lines[0] === "done";
    if (!isDone) killed += 1;
    const again = connect(pool.path);
    const reopened = again.openContainer("c");
    const names = reopened.listSnapshots().map(({ name }) => name);
    expect(names).toEqual(at === 1 ? ["s"] : []);
    if (at === 1) {
      using table = reopened.openObjectTable(S);
      expect(shown(table, "marked")).toHaveLength(1200);
    }
    reopened.aggregate();
    again.close();
    expect(entriesOf(pool.path, 1, TABLES)).toBe(at === 1 ? 1200 : 0);
    if (isDone) break;
  }
  // Three steps of marks between the snapshot and the record of its table.
  expect(killed).toBe(5);
});

test("O13: nothing of marks, or of removed objects, is left of a destroyed container", () => {
  const { pool, container } = withObjects(30);
  using table = container.openObjectTable(S);
  table.markMany(Array.from(table.entries(), ({ oid }) => [oid, mark("m")] as const));
  put(container, [100n, 101n]);
  for (const oid of [100n, 101n]) container.update((tx) => tx.punch(oid));
  for (const tag of [200n, 201n]) {
    put(container, [tag]);
    container.aggregate();
  }
  table.close();
  pool.close();
  expect(entriesOf(pool.path, 1, [KeySpace.removed])).toBeGreaterThan(0);
  const again = connect(pool.path);
  again.destroyContainer("c");
  again.recover();
  again.close();
  expect(entriesOf(pool.path, 1, OF_CONTAINER)).toBe(0);
});
