/**
 * Objects, row by row: what the reference says of object ids, keys, values, arrays, conditions, punches, lists and
 * queries, one test a line.
 */

import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import {
  type Container,
  type ContainerView,
  type DaosError,
  ERROR_NUMBERS,
  integerKey,
  integerOfKey,
  isDaosError,
  makeObjectId,
  ObjectType,
  Pool,
} from "daos-ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const key = (text: string) => Buffer.from(text);
const VALUE = key("value");
const CELLS = key("cells");
const oidOf = (type: (typeof ObjectType)[keyof typeof ObjectType]) => makeObjectId(type, 77n);
const OID = oidOf(ObjectType.multiLexical);
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

const pools: Pool[] = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

function newContainer(): Container {
  const pool = Pool.create({ path: join(temporaryDirectory(), "p"), durability: "process" });
  pools.push(pool);
  return pool.createContainer("c", { retainCommits: 100 });
}

function put(container: Container, dkey: Uint8Array, value: string, akey = VALUE): bigint {
  return container.update((tx) => tx.update(OID, dkey, [{ akey, value: key(value) }])).epoch;
}

function write(container: Container, index: number, text: string, dkey = key("d")): bigint {
  const ranges = [{ index, count: text.length }];
  const update = { akey: CELLS, recordSize: 1, ranges, data: key(text) };
  return container.update((tx) => tx.update(OID, dkey, [update])).epoch;
}

function readValue(view: ContainerView, dkey: string, akey = VALUE): string | undefined {
  const value = view.getValue(OID, key(dkey), akey);
  return value && Buffer.from(value).toString();
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test("O1: an object id has 128 bits, its type on top, 96 bits of the user below", () => {
  const oid = makeObjectId(ObjectType.arrayByte, (1n << 96n) - 1n);
  expect(oid >> 120n).toBe(13n);
  expect(oid & ((1n << 96n) - 1n)).toBe((1n << 96n) - 1n);
  expect(() => makeObjectId(ObjectType.arrayByte, 1n << 96n)).toThrow(code("DER_INVAL"));
});

test("O1: ids that a container draws are unique, and drawn by no other handle", () => {
  const container = newContainer();
  const again = (pools[0] as Pool).openContainer("c");
  const ids = Array.from({ length: 200 }, (_, at) =>
    (at % 2 === 0 ? container : again).allocateOid(ObjectType.multiHashed),
  );
  expect(new Set(ids).size).toBe(200);
});

test("O2: integer keys are listed as numbers, lexical ones as bytes", () => {
  const container = newContainer();
  const integers = oidOf(ObjectType.dkeyUint64);
  const numbers = [256n, 3n, 2n ** 64n - 1n, 0n, 255n];
  const words = ["b", "a", "ab", "B", "\u00fc"];
  container.update((tx) => {
    for (const number of numbers) {
      tx.update(integers, integerKey(number), [{ akey: VALUE, value: VALUE }]);
    }
    for (const word of words) tx.update(OID, key(word), [{ akey: VALUE, value: VALUE }]);
  });
  using view = container.view();
  expect(view.listDkeys(integers).keys.map(integerOfKey)).toEqual([
    0n,
    3n,
    255n,
    256n,
    2n ** 64n - 1n,
  ]);
  expect(view.listDkeys(OID).keys.map(textOf)).toEqual(["B", "a", "ab", "b", "\u00fc"]);
});

test("O2: a key of an object of integer keys that is no integer is refused", () => {
  const container = newContainer();
  const integers = oidOf(ObjectType.multiUint64);
  const update = (dkey: Uint8Array, akey: Uint8Array) => () =>
    container.update((tx) => tx.update(integers, dkey, [{ akey, value: VALUE }]));
  expect(update(key("short"), integerKey(1))).toThrow(code("DER_INVAL"));
  expect(update(integerKey(1), key("short"))).toThrow(code("DER_INVAL"));
});

test("O5: an object needs no creation: opening one that nothing was written to finds nothing", () => {
  const container = newContainer();
  using before = container.view();
  expect(before.exists(OID)).toBe(false);
  expect(before.listDkeys(OID)).toEqual({ keys: [], anchor: undefined });
  put(container, key("d"), "v");
  using after = container.view();
  expect(after.exists(OID)).toBe(true);
});

test("O6: the akeys of one call become visible together, or none of them", () => {
  const container = newContainer();
  const updates = [
    { akey: VALUE, value: key("v") },
    { akey: CELLS, recordSize: 2, ranges: [{ index: 5, count: 2 }], data: key("abcd") },
  ];
  expect(() =>
    container.update((tx) =>
      tx.update(OID, key("d"), [
        ...updates,
        { akey: key("c"), value: key("w"), condition: "update" },
      ]),
    ),
  ).toThrow(code("DER_NONEXIST"));
  using nothing = container.view();
  expect(nothing.exists(OID)).toBe(false);
  container.update((tx) => tx.update(OID, key("d"), updates));
  using view = container.view();
  expect(view.listAkeys(OID, key("d")).keys.map(textOf)).toEqual(["cells", "value"]);
});

test("O6: one call fetches many akeys into scattered buffers", () => {
  const container = newContainer();
  put(container, key("d"), "scattered");
  write(container, 10, "cells");
  using view = container.view();
  const parts = [Buffer.alloc(4), Buffer.alloc(8)];
  const into = [Buffer.alloc(2), Buffer.alloc(3)];
  const ranges = [{ index: 10, count: 5 }];
  const found = view.fetch(OID, key("d"), [
    { akey: VALUE, into: parts },
    { akey: CELLS, ranges, into },
  ]);
  expect(found.map(({ size }) => size)).toEqual([9, 1]);
  expect(Buffer.concat(parts).subarray(0, 9).toString()).toBe("scattered");
  expect(Buffer.concat(into).toString()).toBe("cells");
});

test("O7: a single value is replaced whole", () => {
  const container = newContainer();
  put(container, key("d"), "a long value");
  put(container, key("d"), "short");
  using view = container.view();
  expect(readValue(view, "d")).toBe("short");
});

test("O7: a fetch without buffers tells the size, and a buffer that is short is DER_REC2BIG", () => {
  const container = newContainer();
  put(container, key("d"), "twelve bytes");
  using view = container.view();
  expect(view.fetch(OID, key("d"), [{ akey: VALUE }])).toEqual([{ size: 12 }]);
  const into = Buffer.alloc(11, 0xcc);
  expect(() => view.fetch(OID, key("d"), [{ akey: VALUE, into }])).toThrow(code("DER_REC2BIG"));
  expect(into.equals(Buffer.alloc(11, 0xcc))).toBe(true);
});

test("O8: records that were never written leave the buffer untouched, and a map tells which were", () => {
  const container = newContainer();
  write(container, 2, "ab");
  using view = container.view();
  const into = Buffer.from("........");
  const ranges = [{ index: 0, count: 8 }];
  const [found] = view.fetch(OID, key("d"), [{ akey: CELLS, ranges, into, map: true }]);
  expect(into.toString()).toBe("..ab....");
  expect(found).toEqual({ size: 1, written: [{ index: 2n, count: 2n }] });
});

test("O8: the index of records has 63 bits", () => {
  const container = newContainer();
  const last = 2n ** 63n - 1n;
  const update = (index: bigint) => () =>
    container.update((tx) =>
      tx.update(OID, key("d"), [
        { akey: CELLS, recordSize: 1, ranges: [{ index, count: 1 }], data: key("z") },
      ]),
    );
  update(last)();
  using view = container.view();
  expect(view.queryRecord(OID, key("d"), CELLS, "max")).toBe(last);
  expect(update(last + 1n)).toThrow(code("DER_INVAL"));
});

test("O8: an update without data punches the records", () => {
  const container = newContainer();
  write(container, 0, "abcdef");
  const ranges = [{ index: 1, count: 3 }];
  container.update((tx) =>
    tx.update(OID, key("d"), [{ akey: CELLS, recordSize: 1, ranges, data: undefined }]),
  );
  using view = container.view();
  const { ranges: found } = view.listRecords(OID, key("d"), CELLS);
  expect(found).toEqual([
    { index: 0n, count: 1n },
    { index: 4n, count: 2n },
  ]);
});

test.each(["dkey", "akey"] as const)(
  "O9: insert refuses a %s that exists, update and punch one that does not",
  (level) => {
    const container = newContainer();
    const change = (condition: "insert" | "update") => () =>
      container.update((tx) =>
        level === "dkey"
          ? tx.update(OID, key("d"), [{ akey: VALUE, value: VALUE }], { condition })
          : tx.update(OID, key("d"), [{ akey: VALUE, value: VALUE, condition }]),
      );
    const punch = () =>
      container.update((tx) =>
        level === "dkey"
          ? tx.punchDkey(OID, key("d"), "update")
          : tx.punchAkey(OID, key("d"), VALUE, "update"),
      );
    expect(change("update")).toThrow(code("DER_NONEXIST"));
    expect(punch).toThrow(code("DER_NONEXIST"));
    change("insert")();
    expect(change("insert")).toThrow(code("DER_EXIST"));
    change("update")();
    punch();
    expect(punch).toThrow(code("DER_NONEXIST"));
    change("insert")();
  },
);

test("O9: a condition is checked with the change, not before: of two writers one fails, whole", () => {
  const container = newContainer();
  const [first, second] = [container.begin(), container.begin()];
  for (const [tx, value] of [
    [first, "one"],
    [second, "two"],
  ] as const) {
    tx.update(OID, key("d"), [{ akey: VALUE, value: key(value), condition: "insert" }]);
  }
  container.commit(first);
  expect(() => container.commit(second)).toThrow(code("DER_EXIST"));
  using view = container.view();
  expect(readValue(view, "d")).toBe("one");
});

test("O10: the punch of the last akey punches its dkey, and never the object's other dkeys", () => {
  const container = newContainer();
  put(container, key("d"), "v");
  put(container, key("e"), "w");
  container.update((tx) => tx.punchAkey(OID, key("d"), VALUE));
  using view = container.view();
  expect(view.exists(OID, key("d"))).toBe(false);
  expect(view.listDkeys(OID).keys.map(textOf)).toEqual(["e"]);
});

test("O10: history below a punch remains, and what comes after it begins anew", () => {
  const container = newContainer();
  const written = put(container, key("d"), "old");
  container.update((tx) => tx.punch(OID));
  const created = put(container, key("e"), "new");
  using before = container.view(written);
  using after = container.view(created);
  expect([readValue(before, "d"), readValue(before, "e")]).toEqual(["old", undefined]);
  expect([readValue(after, "d"), readValue(after, "e")]).toEqual([undefined, "new"]);
});

test("O11: lists go on where their anchor says, also in another view", () => {
  const container = newContainer();
  for (const name of ["a", "b", "c", "d", "e"]) put(container, key(name), "v");
  using first = container.view();
  const part = first.listDkeys(OID, { limit: 2 });
  put(container, key("bb"), "later");
  using second = container.view();
  const rest = second.listDkeys(OID, { anchor: part.anchor });
  expect(part.keys.map(textOf)).toEqual(["a", "b"]);
  expect(rest.keys.map(textOf)).toEqual(["bb", "c", "d", "e"]);
  expect(rest.anchor).toBeUndefined();
  expect(() => second.listAkeys(OID, key("a"), { anchor: part.anchor })).toThrow(code("DER_INVAL"));
});

test("O11: a list that is split has each dkey in exactly one part", () => {
  const container = newContainer();
  const names = Array.from({ length: 300 }, (_, at) => `key ${String(at).padStart(4, "0")}`);
  container.update((tx) => {
    for (const name of names) tx.update(OID, key(name), [{ akey: VALUE, value: VALUE }]);
  });
  using view = container.view();
  const parts = view.splitDkeys(OID, 4).map((anchor) => view.listDkeys(OID, { anchor }).keys);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.flat().map(textOf).sort()).toEqual(names);
});

test("O11: extents are listed in either order", () => {
  const container = newContainer();
  for (const index of [0, 10, 20]) write(container, index, "xyz");
  using view = container.view();
  const indices = (reverse: boolean) =>
    view.listRecords(OID, key("d"), CELLS, { reverse }).ranges.map(({ index }) => index);
  expect(indices(false)).toEqual([0n, 10n, 20n]);
  expect(indices(true)).toEqual([20n, 10n, 0n]);
});

test("O12: the largest and the smallest dkey, akey and record can be asked for", () => {
  const container = newContainer();
  for (const name of ["m", "z", "a"]) put(container, key(name), "v", key(`akey of ${name}`));
  write(container, 7, "xyz", key("z"));
  using view = container.view();
  const asked = (["min", "max"] as const).map((which) => [
    textOf(view.queryDkey(OID, which) as Uint8Array),
    textOf(view.queryAkey(OID, key("z"), which) as Uint8Array),
    view.queryRecord(OID, key("z"), CELLS, which),
  ]);
  expect(asked).toEqual([
    ["a", "akey of z", 7n],
    ["z", "cells", 9n],
  ]);
  expect(view.queryDkey(1n, "max")).toBeUndefined();
});

test("O15: errors have DAOS's codes and numbers, and say what failed, why and what to do", () => {
  const container = newContainer();
  let met: unknown;
  try {
    container.update((tx) =>
      tx.update(OID, new Uint8Array(70_000), [{ akey: VALUE, value: VALUE }]),
    );
  } catch (error) {
    met = error;
  }
  expect(isDaosError(met, "DER_KEY2BIG")).toBe(true);
  const { errno, text, message } = met as DaosError;
  expect(errno).toBe(2012);
  for (const part of [text.what, text.why]) expect(message).toContain(part);
  expect(message.toLowerCase()).toContain(text.remedy.toLowerCase());
  const numbers = Object.values(ERROR_NUMBERS);
  expect(new Set(numbers).size).toBe(numbers.length);
});
