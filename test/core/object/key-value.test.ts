/**
 * Key-value stores. Row ids are those of DAOS's features.
 */

import { expect, test } from "@jest/globals";
import { makeObjectId, ObjectType } from "daos-ts";
import { A, bytes, code, names, newContainer, put } from "../support/transaction-container.ts";

test("O17: put, get, size and remove, with conditions", async () => {
  const container = newContainer();
  const kv = container.createKeyValue();
  await kv.put("k", bytes("one"), { condition: "insert" });
  await expect(kv.put("k", A, { condition: "insert" })).rejects.toEqual(code("DER_EXIST"));
  await expect(kv.put("l", A, { condition: "update" })).rejects.toEqual(code("DER_NONEXIST"));
  await kv.put(Buffer.from([0, 255]), bytes("bytes"));
  expect(names([(await kv.get("k")) as Uint8Array])).toEqual(["one"]);
  expect([await kv.size("k"), await kv.size("l"), await kv.get("l")]).toEqual([
    3,
    undefined,
    undefined,
  ]);
  expect((await kv.list().toArray()).map((key) => kv.keyOf(key))).toEqual(
    [Buffer.from([0, 255]), "k"].map((key) =>
      typeof key === "string" ? key : new Uint8Array(key),
    ),
  );
  await kv.remove("k");
  await kv.remove("k");
  await expect(kv.remove("k", { condition: "update" })).rejects.toEqual(code("DER_NONEXIST"));
  expect((await kv.list().toArray()).length).toBe(1);
  const again = container.openKeyValue(kv.oid);
  expect(await again.get(Buffer.from([0, 255]))).toEqual(bytes("bytes"));
  await again.clear();
  expect(await kv.list().toArray()).toEqual([]);
});

test("O17: batches are atomic, and read one version", async () => {
  const container = newContainer();
  const kv = container.createKeyValue("hashed");
  await kv.put("taken", A);
  const commits = container.commits().length;
  const entries = [
    ["a", A],
    ["taken", A],
    ["b", A],
  ] as const;
  await expect(kv.putMany(entries, { condition: "insert" })).rejects.toEqual(code("DER_EXIST"));
  await expect(
    kv.putMany([
      ["a", A],
      ["", A],
    ]),
  ).rejects.toEqual(code("DER_INVAL"));
  await expect(
    kv.putMany([
      ["a", A],
      ["b", new Uint8Array(2 ** 30 + 1)],
    ]),
  ).rejects.toEqual(code("DER_REC2BIG"));
  expect(container.commits().length).toBe(commits);
  await kv.putMany(
    Array.from({ length: 3000 }, (_, index) => [`n${index}`, bytes(`${index}`)] as const),
  );
  expect(container.commits().length).toBe(commits + 1);
  const got = await kv.getMany(["n7", "none", "n2999"]);
  expect(got.map((value) => value && names([value])[0])).toEqual(["7", undefined, "2999"]);
  const all = await kv.entries().toArray();
  expect(all.length).toBe(3001);
  expect(
    all.every(
      ({ key, value }) => `n${names([value])[0]}` === kv.keyOf(key) || kv.keyOf(key) === "taken",
    ),
  ).toBe(true);
  const list = kv.entries();
  for (let count = 0; count < 1500; count++) await list.next();
  expect((await kv.entries({ anchor: list.anchor }).toArray()).length).toBe(1501);
  const parts = await kv.split(3);
  const sizes = await Promise.all(parts.map((anchor) => kv.entries({ anchor }).toArray()));
  expect(sizes.flat().length).toBe(3001);
});

test("O17: keys are integers where the object's type says so", async () => {
  const container = newContainer();
  const kv = container.createKeyValue("integer");
  for (const key of [10, 9n, 2n ** 64n - 1n, 0]) await kv.put(key, bytes(`${key}`));
  const keys = (await kv.list().toArray()).map((key) => kv.keyOf(key));
  expect(keys).toEqual([0n, 9n, 10n, 2n ** 64n - 1n]);
  expect(names([(await kv.get(9)) as Uint8Array])).toEqual(["9"]);
  await expect(kv.put("text", A)).rejects.toEqual(code("DER_INVAL"));
  await expect(kv.put(-1, A)).rejects.toEqual(code("DER_INVAL"));
  await expect(kv.put(1.5, A)).rejects.toEqual(code("DER_INVAL"));
  await expect(container.createKeyValue().put(1, A)).rejects.toEqual(code("DER_INVAL"));
  expect(() => container.createKeyValue("other" as never)).toThrow(code("DER_INVAL"));
  const array = makeObjectId(ObjectType.arrayByte, 7n);
  expect(() => container.openKeyValue(array)).toThrow(code("DER_INVAL"));
});

test("O17: puts that are asked for together share one commit", async () => {
  const container = newContainer(100);
  const kv = container.createKeyValue();
  const before = container.commits().length;
  const epochs = await Promise.all(
    Array.from({ length: 500 }, (_, index) => kv.put(`k${index % 50}`, bytes(`${index}`))),
  );
  expect(new Set(epochs).size).toBe(1);
  expect(container.commits().length).toBe(before + 1);
  // Of one key the last put counts.
  expect(names([(await kv.get("k49")) as Uint8Array])).toEqual(["499"]);
  container.update(put("other"));
  const first = kv.put("a", A);
  const bad = kv.put("x".repeat(70_000), A);
  const second = kv.put("b", A);
  await expect(bad).rejects.toEqual(code("DER_KEY2BIG"));
  expect(await first).toBe(await second);
  await kv.put("c", A);
  expect(await kv.put("d", A)).not.toBe(await first);
});
