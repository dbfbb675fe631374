/**
 * Objects by their keys: asynchronous calls, lists as iterators, group commits. Row ids are those of DAOS's
 * features.
 */

import { expect, test } from "@jest/globals";
import { type Container, integerKey, makeObjectId, ObjectType } from "daos-ts";
import {
  A,
  bytes,
  code,
  names,
  newContainer,
  OID,
  put,
  V,
  write,
} from "../support/transaction-container.ts";

async function filled(container: Container, count: number): Promise<void> {
  const object = container.openObject(OID);
  const puts = Array.from({ length: count }, (_, index) =>
    object.update(bytes(`k${String(index).padStart(5, "0")}`), [
      { akey: A, value: bytes(`${index}`) },
    ]),
  );
  await Promise.all(puts);
}

test("O6: an update of many akeys from scattered buffers is fetched into others", async () => {
  const object = newContainer().openObject(OID);
  const source = bytes("0123456789");
  const epoch = await object.update(bytes("d"), [
    { akey: A, value: [bytes("one "), bytes("value")] },
    {
      akey: V,
      recordSize: 2,
      ranges: [
        { index: 0, count: 2 },
        { index: 2n ** 60n, count: 3 },
      ],
      data: [source.subarray(0, 3), source.subarray(3)],
    },
  ]);
  source.fill(0);
  expect(typeof epoch).toBe("bigint");
  const [first, second, cells] = [new Uint8Array(5), new Uint8Array(9), new Uint8Array(6)];
  const found = await object.fetch(bytes("d"), [
    { akey: A, into: [first, second] },
    { akey: V, ranges: [{ index: 2n ** 60n, count: 3 }], into: cells, map: true },
    { akey: bytes("none") },
  ]);
  expect(names([first, cells])).toEqual(["one v", "456789"]);
  expect(found.map(({ size }) => size)).toEqual([9, 2, 0]);
  await expect(object.fetch(bytes("d"), [{ akey: A, into: first }])).rejects.toEqual(
    code("DER_REC2BIG"),
  );
  await expect(object.update(bytes(""), [])).rejects.toEqual(code("DER_INVAL"));
  await expect(
    object.update(bytes("x"), [{ akey: V, recordSize: 0, ranges: [], data: bytes("") }]),
  ).rejects.toEqual(code("DER_INVAL"));
});

test("O9: of updates in one commit a condition that fails fails its own promise only", async () => {
  const container = newContainer();
  const object = container.openObject(OID);
  await object.update(A, [{ akey: A, value: bytes("old") }]);
  const commits = container.commits().length;
  const value = (text: string) => [{ akey: A, value: bytes(text) }];
  const results = await Promise.allSettled([
    object.update(bytes("new"), value("1"), { condition: "insert" }),
    object.update(A, value("2"), { condition: "insert" }),
    object.update(bytes("none"), value("3"), { condition: "update" }),
    object.update(A, value("4"), { condition: "update" }),
    // Sees what the first one did.
    object.update(bytes("new"), value("5"), { condition: "insert" }),
    object.punchDkeys([bytes("gone")], { condition: "update" }),
    object.update(bytes("last"), [
      { akey: V, recordSize: 1, ranges: [{ index: 0, count: 1 }], data: A },
    ]),
  ]);
  const outcomes = results.map((one) => (one.status === "rejected" ? one.reason.code : "done"));
  expect(outcomes).toEqual([
    "done",
    "DER_EXIST",
    "DER_NONEXIST",
    "done",
    "DER_EXIST",
    "DER_NONEXIST",
    "done",
  ]);
  const epochs = results.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(new Set(epochs).size).toBe(1);
  expect(container.commits().length).toBe(commits + 1);
  using view = container.view();
  expect(
    names([
      view.getValue(OID, A, A) as Uint8Array,
      view.getValue(OID, bytes("new"), A) as Uint8Array,
    ]),
  ).toEqual(["4", "1"]);
  // A commit with nothing in it is none.
  await expect(object.update(A, value("6"), { condition: "insert" })).rejects.toEqual(
    code("DER_EXIST"),
  );
  expect(container.commits().length).toBe(commits + 1);
});

test("O9: an update that fails while it is published leaves the others alone", async () => {
  const container = newContainer();
  const object = container.openObject(OID);
  const records = (recordSize: number) => [
    {
      akey: V,
      recordSize,
      ranges: [{ index: 0, count: 1 }],
      data: new Uint8Array(recordSize).fill(7),
    },
  ];
  await object.update(A, records(2));
  const results = await Promise.allSettled([
    object.update(bytes("b"), [{ akey: A, value: A }], { condition: "insert" }),
    object.update(A, records(4)),
    object.update(bytes("b"), [{ akey: A, value: A }], { condition: "insert" }),
    object.update(A, records(2)),
  ]);
  const outcomes = results.map((one) => (one.status === "rejected" ? one.reason.code : "done"));
  expect(outcomes).toEqual(["done", "DER_INVAL", "DER_EXIST", "done"]);
});

test("O10: punches of objects, dkeys, akeys and records", async () => {
  const object = newContainer().openObject(OID);
  const update = (dkey: string) =>
    object.update(bytes(dkey), [
      { akey: A, value: A },
      { akey: V, recordSize: 1, ranges: [{ index: 0, count: 4 }], data: bytes("0123") },
    ]);
  await Promise.all(["x", "y", "z"].map(update));
  await object.punchRecords(bytes("x"), {
    akey: V,
    recordSize: 1,
    ranges: [{ index: 1, count: 2 }],
  });
  expect(await object.listRecords(bytes("x"), V).toArray()).toEqual([
    { index: 0n, count: 1n },
    { index: 3n, count: 1n },
  ]);
  await object.punchAkeys(bytes("y"), [A, V]);
  expect(await object.exists(bytes("y"))).toBe(false);
  await expect(object.punchAkeys(bytes("x"), [A, bytes("")])).rejects.toEqual(code("DER_INVAL"));
  expect(names(await object.listAkeys(bytes("x")).toArray())).toEqual(["a", "v"]);
  await object.punchDkeys([bytes("x"), bytes("none")]);
  expect(names(await object.listDkeys().toArray())).toEqual(["z"]);
  await object.punch({ condition: "update" });
  expect(await object.exists()).toBe(false);
  await expect(object.punch({ condition: "update" })).rejects.toEqual(code("DER_NONEXIST"));
});

test("O11: lists go on from an anchor, show one version, and can be split", async () => {
  const container = newContainer();
  await filled(container, 2500);
  const object = container.openObject(OID);
  const list = object.listDkeys();
  const seen: Uint8Array[] = [];
  for await (const dkey of list) {
    seen.push(dkey);
    if (seen.length === 10) container.update(put("k99999"));
    if (seen.length === 1100) break;
  }
  expect(await list.next()).toEqual({ done: true, value: undefined });
  for await (const dkey of object.listDkeys({ anchor: list.anchor })) seen.push(dkey);
  expect(seen.length).toBe(2501);
  expect(names(seen)).toEqual([...names(seen)].sort());
  const one = object.listDkeys();
  await one.next();
  container.update(put("k999999"));
  expect((await one.toArray()).length).toBe(2500);
  const parts = await object.splitDkeys(4);
  expect(parts.length).toBe(4);
  const listed = await Promise.all(
    parts.map(async (anchor) => {
      const part = object.listDkeys({ anchor });
      const [head] = [await part.next()];
      // A part that is resumed ends where it would have ended.
      const rest = await object.listDkeys({ anchor: part.anchor }).toArray();
      return head.value === undefined ? rest : [head.value, ...rest];
    }),
  );
  expect(names(listed.flat()).length).toBe(2502);
  expect(new Set(names(listed.flat())).size).toBe(2502);
  await expect(object.splitDkeys(0)).rejects.toEqual(code("DER_INVAL"));
  const wrong = object.listDkeys({ anchor: bytes("no anchor") });
  await expect(wrong.next()).rejects.toEqual(code("DER_INVAL"));
});

test("O11: a list of records goes on from each range, in both directions", async () => {
  const object = newContainer().openObject(OID);
  const ranges = [0n, 10n, 2n ** 49n - 1n, 2n ** 61n].map((index) => ({ index, count: 3n }));
  await object.update(A, [{ akey: V, recordSize: 8, ranges, data: new Uint8Array(96) }]);
  const whole = await object.listRecords(A, V).toArray();
  expect(whole).toEqual(ranges);
  for (const reverse of [false, true]) {
    const expected = reverse ? [...ranges].reverse() : ranges;
    for (let count = 0; count < ranges.length; count++) {
      const list = object.listRecords(A, V, { reverse });
      for (let at = 0; at < count; at++) await list.next();
      const rest = await object.listRecords(A, V, { reverse, anchor: list.anchor }).toArray();
      expect(rest).toEqual(expected.slice(count));
    }
  }
});

test("O12: the first and last dkey, akey and record", async () => {
  const container = newContainer();
  const oid = makeObjectId(ObjectType.multiUint64, 5n);
  const object = container.openObject(oid);
  for (const dkey of [3, 2 ** 40, 7]) {
    const akey = integerKey(dkey + 1);
    await object.update(integerKey(dkey), [
      { akey, recordSize: 1, ranges: [{ index: dkey, count: 2 }], data: bytes("xy") },
    ]);
  }
  expect(await object.queryDkey("max")).toEqual(integerKey(2 ** 40));
  expect(await object.queryDkey("min")).toEqual(integerKey(3));
  expect(await object.queryAkey(integerKey(7), "max")).toEqual(integerKey(8));
  expect(await object.queryRecord(integerKey(7), integerKey(8), "max")).toBe(8n);
  expect(await object.queryRecord(integerKey(7), integerKey(8), "min")).toBe(7n);
  expect(await object.queryRecord(integerKey(7), integerKey(9), "min")).toBeUndefined();
  await expect(object.update(bytes("text"), [{ akey: integerKey(1), value: A }])).rejects.toEqual(
    code("DER_INVAL"),
  );
});

test("O12: the epoch of the newest change of an object", async () => {
  const container = newContainer(9);
  const object = container.openObject(OID);
  expect(await object.newestChange()).toBeUndefined();
  const epochs: (bigint | undefined)[] = [];
  epochs.push(await object.update(A, [{ akey: A, value: A }]));
  epochs.push(container.update(write(0, "bytes")).epoch);
  const records = { akey: V, recordSize: 1, ranges: [{ index: 2n ** 60n, count: 1 }], data: A };
  epochs.push(await object.update(A, [records]));
  epochs.push(await object.update(A, [{ ...records, ranges: [{ index: 0, count: 1 }] }]));
  epochs.push(await object.punchDkeys([A]));
  epochs.push(await object.punch());
  container.update(put("other", "x", OID + 1n));
  for (const epoch of epochs) {
    using tx = container.beginTransaction({ epoch: epoch as bigint });
    expect(await object.newestChange({ tx })).toBe(epoch);
  }
  const transaction = container.beginTransaction();
  transaction.view.newestChange(OID);
  put("out", "x", OID + 1n)(transaction.own);
  container.update(write(0, "bytes"));
  expect(() => transaction.commit()).toThrow(code("DER_TX_RESTART"));
});

test("O14: an aborted signal rejects before anything is done", async () => {
  const container = newContainer();
  await filled(container, 3000);
  const object = container.openObject(OID);
  const kv = container.createKeyValue();
  const signal = AbortSignal.abort();
  const commits = container.commits().length;
  const calls = [
    object.update(A, [{ akey: A, value: A }], { signal }),
    object.fetch(A, [{ akey: A }], { signal }),
    object.punch({ signal }),
    object.listDkeys({ signal }).next(),
    kv.put("a", A, { signal }),
    kv.get("a", { signal }),
    container.createArray({ signal }),
  ];
  const results = await Promise.allSettled(calls);
  const reasons = results.map((one) => (one.status === "rejected" ? one.reason.name : "done"));
  expect(new Set(reasons)).toEqual(new Set(["AbortError"]));
  expect(container.commits().length).toBe(commits);
  const controller = new AbortController();
  let count = 0;
  const listing = (async () => {
    for await (const _ of object.listDkeys({ signal: controller.signal })) {
      count += 1;
      if (count === 5) controller.abort();
    }
  })();
  await expect(listing).rejects.toThrow("aborted");
  expect(count).toBeLessThan(3000);
});

test("T2: calls take part in a transaction", async () => {
  const container = newContainer();
  const object = container.openObject(OID);
  const kv = container.createKeyValue();
  const array = await container.createArray({ cellSize: 2 });
  const commits = container.commits().length;
  const { epoch } = await container.runTransactionAsync(async (tx) => {
    expect(await object.update(bytes("d"), [{ akey: A, value: A }], { tx })).toBeUndefined();
    await kv.putMany(
      [
        ["x", A],
        ["y", V],
      ],
      { tx },
    );
    await array.write({ index: 3, count: 1 }, bytes("ab"), { tx });
    await array.setSize(10, { tx });
    expect(await kv.get("x", { tx })).toEqual(A);
    expect(await kv.get("x")).toBeUndefined();
    expect(await array.getSize({ tx })).toBe(10);
    expect(await array.getSize()).toBe(0);
    expect(names(await object.listDkeys({ tx }).toArray())).toEqual(["d"]);
    expect((await kv.entries({ tx }).toArray()).length).toBe(2);
  });
  expect(container.commits().length).toBe(commits + 1);
  expect(container.commits()[0]?.epoch).toBe(epoch);
  expect(await array.getSize()).toBe(10);
  // Updates that go on after their pool was closed are refused.
  const closing = newContainer();
  const late = closing.openObject(OID).update(A, [{ akey: A, value: A }]);
  const { pools } = await import("../support/transaction-container.ts");
  pools.at(-1)?.close();
  await expect(late).rejects.toEqual(code("DER_NO_HDL"));
});
